"""What an object's fields demand of a record that is about to be written, in the vendor's words.

Order matters where more than one thing is wrong: a field that may not be written, one that is missing, a bad
value, a parent that is not there, and last of all a value that another record has already.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncer.sandbox.salesforce.field import Field
from syncer.sandbox.salesforce.ids import SHORT, parse_id
from syncer.sandbox.salesforce.refusal import RowError
from syncer.sandbox.salesforce.store import Record, Store, Table, pairs_of
from syncer.sandbox.salesforce.value import Check, check, settle_decimal


@dataclass(frozen=True, slots=True)
class _Demand:
    """What is looked at in one field."""

    field: Field
    check: Check | None
    is_reference: bool
    is_number: bool


class Rules:
    """The demands of one object."""

    def __init__(self, store: Store, table: Table) -> None:
        """`store` knows the records that lookups may point at."""
        self._store = store
        self._table = table
        fields = table.type.fields
        self._required = tuple(each.name for each in fields if each.is_required)
        self._unique = tuple(each for each in fields if each.is_unique)
        self._closed_on_create = frozenset(each.name for each in fields if not each.is_createable)
        self._closed_on_update = frozenset(each.name for each in fields if not each.is_updateable)
        self._demands = {
            each.name: _Demand(each, check(each), each.kind == "reference", each.precision > 0) for each in fields
        }

    def object_to(self, values: Record, record_id: str | None) -> RowError | None:
        """The first reason why these values cannot be written to this record, or to a new one."""
        closed = self._closed_on_create if record_id is None else self._closed_on_update
        if not closed.isdisjoint(values):
            return _unwriteable(tuple(sorted(closed.intersection(values))))
        missing = self._missing(values, is_new=record_id is None)
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            return RowError("REQUIRED_FIELD_MISSING", message, missing)
        for name, value in values.items():
            error = self._object_to_value(self._demands[name], value, values)
            if error is not None:
                return error
        return self._collision(values, record_id)

    def _missing(self, values: Record, *, is_new: bool) -> tuple[str, ...]:
        for name in self._required:
            if values.get(name) is None and (is_new or name in values):
                break
        else:
            is_member = is_new and self._table.type.name == "CampaignMember"
            if is_member and not (values.get("ContactId") or values.get("LeadId")):
                return ("LeadId", "ContactId")
            return ()
        return tuple(name for name in self._required if values.get(name) is None and (is_new or name in values))

    def _object_to_value(self, demand: _Demand, value: object, values: Record) -> RowError | None:
        """Object to a value, or put it in the form in which it is kept."""
        if value is None:
            if demand.field.kind != "boolean":
                return None
            message = f"{demand.field.label}: value not of required type: null"
            return RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, (demand.field.name,))
        error = demand.check(value) if demand.check else None
        if error is None and demand.is_reference:
            return self._check_reference(demand.field, values)
        if demand.is_number and isinstance(value, float):
            values[demand.field.name] = settle_decimal(demand.field, value)
        return error

    def _check_reference(self, reference: Field, values: Record) -> RowError | None:
        text = values[reference.name]
        record_id = parse_id(text)
        if record_id is None or self._store.object_of(record_id) not in reference.parents:
            message = f"{reference.label}: id value of incorrect type: {text}"
            return RowError("MALFORMED_ID", message, (reference.name,))
        table = self._store.table_of(record_id)
        if table is None or record_id not in table.rows:
            return RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        values[reference.name] = record_id
        return None

    def _collision(self, values: Record, record_id: str | None) -> RowError | None:
        for each in self._unique:
            value = values.get(each.name)
            for holder in self._table.find(each, value) if value is not None else ():
                if holder != record_id:
                    message = f"duplicate value found: {each.name} duplicates value on record with id: {holder[:SHORT]}"
                    return RowError("DUPLICATE_VALUE", message)
        if record_id is None:
            for pair in pairs_of(self._table.type.name, values):
                if pair in self._table.pairs:
                    return RowError("DUPLICATE_VALUE", "Already a campaign member.")
        return None


def _unwriteable(names: tuple[str, ...]) -> RowError:
    message = (
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field "
        "and verify that it is read/write for your profile or permission set."
    )
    return RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, names)
