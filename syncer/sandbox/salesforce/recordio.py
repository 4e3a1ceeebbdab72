"""Records as JSON: reading what REST calls bring, and printing what they ask for.

In JSON `null` clears a field and an absent member leaves it, which is not how CSV has it. A parent may be
given by a key of its own: `"Account": {"Crm_Key__c": "A-1"}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncer.sandbox.salesforce.dml import Operation, ParentLink, Row, Writer
from syncer.sandbox.salesforce.field import DECIMAL_KINDS, Field
from syncer.sandbox.salesforce.objects import ObjectType
from syncer.sandbox.salesforce.org import Org
from syncer.sandbox.salesforce.refusal import RowError
from syncer.sandbox.salesforce.store import Record, Table
from syncer.sandbox.salesforce.value import from_json, stamp


class RecordReader:
    """Turns JSON records into rows to write."""

    def __init__(self, org: Org) -> None:
        """`org` knows the objects that parents may be of."""
        self._org = org

    def read(self, object_type: ObjectType, record: Mapping[str, Any], key: Field | None = None) -> Row:
        """One record; whatever cannot be read is the row's error."""
        row = Row()
        links: list[ParentLink] = []
        for name, value in record.items():
            if name == "attributes":
                continue
            found = object_type.find(name)
            if found is not None and found.kind == "id":
                row.id = str(value) if value else None
            elif found is not None and found.kind != "address":
                try:
                    row.values[found.name] = from_json(found, value)
                except ValueError:
                    message = f"{found.label}: value not of required type: {value}"
                    row.error = RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, (found.name,))
                    return row
                if found == key:
                    row.key = None if value is None else str(value)
            else:
                link = self._link(object_type, name, value)
                if link is None:
                    message = f"No such column '{name}' on sobject of type {object_type.name}"
                    row.error = RowError("INVALID_FIELD", message)
                    return row
                links.append(link)
        row.links = links
        return row

    def _link(self, object_type: ObjectType, name: str, value: object) -> ParentLink | None:
        """The parent that a member names, or None if there is no such relation or key."""
        field = object_type.by_relation.get(name.lower())
        if field is None:
            return None
        if value is None:
            return ParentLink(field, field.parents[0], field, None)
        if not isinstance(value, dict):
            return None
        attributes = value.get("attributes")
        parent = attributes.get("type", field.parents[0]) if isinstance(attributes, dict) else field.parents[-1]
        table = self._org.store.table(str(parent))
        named = [each for each in value if each != "attributes"]
        key = table.type.find(named[0]) if table is not None and len(named) == 1 else None
        if table is None or key is None or not key.is_key:
            return None
        return ParentLink(field, table.type.name, key, str(value[named[0]]))

    def seed(self, objects: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Fill an org from a seed file; a record that the org would refuse is a ValueError that names it."""
        for name, records in objects.items():
            table = self._org.store.table(name)
            if table is None:
                message = f"the seed file names an object that the org does not have: {name}"
                raise ValueError(message)
            writer = Writer(self._org.store, table, Operation.INSERT, None, self._org.user_id)
            rows = [self.read(table.type, record) for record in records]
            for place, result in enumerate(writer.write(rows, writer.find(rows), stamp(self._org.timeline.moment))):
                if result.error is not None:
                    message = f"record {place + 1} of {name} in the seed file: {result.error.as_line()}"
                    raise ValueError(message)


def value_of(table: Table, record: Record, field: Field) -> Any:
    """What a field of a record shows: stored, derived, or null."""
    if field.name == "Name" and field.name not in record and "LastName" in record:
        return " ".join(part for part in (record.get("FirstName"), record["LastName"]) if part)
    if field.name == "IsDeleted":
        return record["Id"] in table.deleted
    value = record.get(field.name)
    if value is None:
        if field.kind == "boolean":
            return False
        if field.kind == "int" and not field.is_nillable:
            return 0
        return None
    return float(value) if field.kind in DECIMAL_KINDS else value


def show(table: Table, record: Record, fields: Sequence[Field], version: float) -> dict[str, Any]:
    """A record as REST prints it."""
    name = table.type.name
    attributes = {"type": name, "url": f"/services/data/v{version}/sobjects/{name}/{record['Id']}"}
    return {"attributes": attributes} | {field.name: value_of(table, record, field) for field in fields}
