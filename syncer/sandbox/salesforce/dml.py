"""Writing records, in the two steps in which the vendor does it: find what the keys match, then write.

Between the steps other transactions run. Two upserts of one key that both found nothing both create, and only
a unique field stops the second; that is how duplicates come about in the real org. Every path in (Bulk,
Collections, single rows) ends here, so that all of them refuse in the same words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from syncer.sandbox.salesforce.field import Field
from syncer.sandbox.salesforce.ids import SHORT, parse_id
from syncer.sandbox.salesforce.refusal import RowError
from syncer.sandbox.salesforce.rules import Rules
from syncer.sandbox.salesforce.store import Record, Store, Table
from syncer.sandbox.salesforce.value import Value


class Operation(StrEnum):
    """What an ingest job or a call does with its records."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"
    HARD_DELETE = "hardDelete"

    @property
    def is_delete(self) -> bool:
        """True for both ways to delete."""
        return self in {Operation.DELETE, Operation.HARD_DELETE}


@dataclass(frozen=True, slots=True)
class ParentLink:
    """A parent named by a key of its own: `Account.Crm_Key__c` = `A-1`; no value clears the lookup."""

    field: Field
    parent: str
    key: Field
    value: str | None


@dataclass(slots=True)
class Row:
    """One record as a call brings it, its values already of their fields' types."""

    values: dict[str, Value] = field(default_factory=dict)
    id: str | None = None
    key: str | None = None
    links: Sequence[ParentLink] = ()
    error: RowError | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the look-up made of one row: a record to change, nothing (so create one), or an error."""

    id: str | None = None
    error: RowError | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row; an error may come with the id of the record that it concerns."""

    id: str | None
    is_created: bool = False
    error: RowError | None = None


class Writer:
    """The look-up and the write for one object and operation; made once for a call or a job."""

    def __init__(self, store: Store, table: Table, operation: Operation, key: Field | None, user_id: str) -> None:
        """`key` is the field that an upsert matches on; None where the Id does."""
        self._store = store
        self._table = table
        self._operation = operation
        self._key = key if key is not None and key.kind != "id" else None
        self._user_id = user_id
        fields = table.type.fields
        self._rules = Rules(store, table)
        self._defaults = {each.name: each.default for each in fields if each.default is not None}
        if table.type.find("OwnerId") is not None:
            self._defaults["OwnerId"] = user_id

    def find(self, rows: Sequence[Row]) -> list[Found]:
        """Look up every row as the org stands now; rows that share a key are refused, every one of them."""
        if self._operation is Operation.INSERT:
            return [Found(error=row.error or self._refuse_id(row, "an insert")) for row in rows]
        if self._key is not None and self._operation is Operation.UPSERT:
            key = self._key
            counts = Counter(key.fold(row.key) for row in rows if row.key and row.error is None)
            return [self._find_by_key(key, row, counts) for row in rows]
        ids = [parse_id(row.id) if row.id and row.error is None else None for row in rows]
        counts = Counter(each for each in ids if each)
        return [self._find_by_id(row, record_id, counts) for row, record_id in zip(rows, ids, strict=True)]

    @staticmethod
    def _refuse_id(row: Row, call: str) -> RowError | None:
        if not row.id:
            return None
        return RowError("INVALID_FIELD_FOR_INSERT_UPDATE", f"cannot specify Id in {call} call", ("Id",))

    def _find_by_key(self, key: Field, row: Row, counts: Counter[str]) -> Found:
        if row.error is not None:
            return Found(error=row.error)
        if not row.key:
            return Found(error=RowError("MISSING_ARGUMENT", f"{key.name} not specified"))
        if refused := self._refuse_id(row, "an upsert by external id"):
            return Found(error=refused)
        matches = self._table.find(key, row.key)
        if counts[key.fold(row.key)] > 1:
            message = f"Duplicate external id specified: {row.key}"
            return Found(matches[0] if len(matches) == 1 else None, RowError("DUPLICATE_VALUE", message, (key.name,)))
        if len(matches) > 1:
            shown = ", ".join(each[:SHORT] for each in matches)
            message = f"{key.label}: more than one record found for external id field: [{shown}]"
            return Found(error=RowError("DUPLICATE_EXTERNAL_ID", message, (key.name,)))
        return Found(matches[0] if matches else None)

    def _find_by_id(self, row: Row, record_id: str | None, counts: Counter[str]) -> Found:
        if row.error is not None:
            return Found(record_id, row.error)
        if not row.id:
            if self._operation is Operation.UPSERT:
                return Found()
            kind = "a delete" if self._operation.is_delete else "an update"
            return Found(error=RowError("MISSING_ARGUMENT", f"Id not specified in {kind} call"))
        if record_id is None or self._store.object_of(record_id) != self._table.type.name:
            label = self._table.type.by_name["id"].label
            return Found(error=RowError("MALFORMED_ID", f"{label}: id value of incorrect type: {row.id}", ("Id",)))
        if counts[record_id] > 1:
            return Found(record_id, RowError("DUPLICATE_VALUE", f"Duplicate id specified: {record_id}", ("Id",)))
        return Found(record_id)

    def write(self, rows: Sequence[Row], found: Sequence[Found], moment: str) -> list[Result]:
        """Write what was found, against the org as it stands now, in the order of the rows."""
        return [self._write_one(row, each, moment) for row, each in zip(rows, found, strict=True)]

    def _write_one(self, row: Row, found: Found, moment: str) -> Result:
        if found.error is not None:
            return Result(found.id, error=found.error)
        if found.id is not None and found.id not in self._table.rows:
            return Result(found.id, error=self._missing(found.id))
        if self._operation.is_delete:
            record_id = found.id or ""
            self._table.delete(record_id, keep=self._operation is not Operation.HARD_DELETE)
            return Result(record_id)
        values = dict(row.values)
        error = self._link(row, values) or self._rules.object_to(values, found.id)
        if error is not None:
            return Result(found.id, error=error)
        return self._save(values, found.id, moment)

    def _save(self, values: Record, record_id: str | None, moment: str) -> Result:
        self._derive(values)
        values["LastModifiedDate"] = values["SystemModstamp"] = moment
        values["LastModifiedById"] = self._user_id
        if record_id is not None:
            self._table.update(record_id, values)
            return Result(record_id)
        values["CreatedDate"], values["CreatedById"] = moment, self._user_id
        for name, default in self._defaults.items():
            if values.get(name) is None:
                values[name] = default
        return Result(self._table.insert(values), is_created=True)

    def _derive(self, values: Record) -> None:
        if self._table.type.name == "CampaignMember" and "Status" in values:
            values["HasResponded"] = values["Status"] == "Responded"

    def _missing(self, record_id: str) -> RowError:
        if record_id in self._table.deleted:
            return RowError("ENTITY_IS_DELETED", "entity is deleted")
        return RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")

    def _link(self, row: Row, values: Record) -> RowError | None:
        """Replace parents named by key with their ids."""
        for link in row.links:
            if link.value is None:
                values[link.field.name] = None
                continue
            table = self._store.table(link.parent)
            matches = table.find(link.key, link.value) if table else []
            if len(matches) != 1:
                shown = link.key.fold(link.value)
                where = f"for field {link.key.name} in entity {link.parent}"
                if matches:
                    return RowError("INVALID_FIELD", f"More than 1 record found {where}: {shown}")
                return RowError("INVALID_FIELD", f"Foreign key external ID: {shown} not found {where}")
            values[link.field.name] = matches[0]
        return None
