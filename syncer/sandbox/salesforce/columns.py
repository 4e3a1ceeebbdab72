"""The header of an upload, matched to the fields of an object, and the reading of its rows.

A column that cannot be understood fails the whole job; a value that cannot be read fails its row. An empty
value leaves the field alone and `#N/A` clears it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncer.sandbox.salesforce.csvfile import JobFailure
from syncer.sandbox.salesforce.dml import Operation, ParentLink, Row
from syncer.sandbox.salesforce.field import Field
from syncer.sandbox.salesforce.objects import ObjectType
from syncer.sandbox.salesforce.refusal import RowError
from syncer.sandbox.salesforce.store import Store
from syncer.sandbox.salesforce.value import Reader, Value, reader

NULL = "#N/A"


@dataclass(frozen=True, slots=True)
class Parent:
    """A column such as `Account.Crm_Key__c`: the lookup it fills and the key that it names the parent by."""

    field: Field
    name: str
    key: Field


@dataclass(frozen=True, slots=True)
class Columns:
    """How each column of an upload is read."""

    width: int
    values: tuple[tuple[int, Field, Reader], ...]
    parents: tuple[tuple[int, Parent], ...]
    id_at: int | None
    key_at: int | None

    def read(self, cells: Sequence[str]) -> Row:
        """One row of the upload as a record to write."""
        if len(cells) != self.width:
            message = f"Row has {len(cells)} values, the header has {self.width}"
            return Row(error=RowError("INVALID_FIELD", message))
        values: dict[str, Value] = {}
        row = Row(
            values,
            id=cells[self.id_at] or None if self.id_at is not None else None,
            key=cells[self.key_at] if self.key_at is not None else None,
        )
        if row.id == NULL:
            row.id = None
        if row.key == NULL:
            row.key = None
        for place, field, read in self.values:
            text = cells[place]
            if not text:
                continue
            if text == NULL:
                values[field.name] = None
                continue
            try:
                values[field.name] = read(text)
            except ValueError:
                row.error = _undeserialisable(place, text, field)
                return row
        if self.parents:
            row.links = [
                ParentLink(parent.field, parent.name, parent.key, None if cells[place] == NULL else cells[place])
                for place, parent in self.parents
                if cells[place]
            ]
        return row


def _undeserialisable(place: int, text: str, field: Field) -> RowError:
    """The vendor counts columns from 0."""
    message = f"Failed to deserialize field at col {place}. "
    message += f"Due to, '{text}' is not a valid value for the type {field.soap_type}"
    return RowError("INVALID_FIELD", message, (field.name,))


def match_columns(
    header: Sequence[str], store: Store, object_type: ObjectType, operation: Operation, key: Field | None
) -> Columns:
    """Match a header to the object; JobFailure names the first column that has no field."""
    lowered = [name.lower() for name in header]
    if operation.is_delete and lowered != ["id"]:
        message = f"InvalidBatch : The '{operation}' batch must contain only ids"
        raise JobFailure(message)
    values: list[tuple[int, Field, Reader]] = []
    parents: list[tuple[int, Parent]] = []
    id_at = key_at = None
    for place, name in enumerate(header):
        if lowered[place] in lowered[:place]:
            message = f"InvalidBatch : Duplicate field {name}"
            raise JobFailure(message)
        if "." in name:
            parents.append((place, _match_parent(name, store, object_type)))
            continue
        found = object_type.find(name)
        if found is None or found.kind == "address":
            message = f"InvalidBatch : Field name not found : {name}"
            raise JobFailure(message)
        if found.kind == "id":
            id_at = place
            continue
        if found == key:
            key_at = place
        values.append((place, found, reader(found)))
    if key is not None and key.kind != "id" and key_at is None and operation is Operation.UPSERT:
        message = f"InvalidBatch : Field name not found : {key.name}"
        raise JobFailure(message)
    if operation is Operation.UPDATE and id_at is None:
        message = "InvalidBatch : Field name not found : Id"
        raise JobFailure(message)
    return Columns(len(header), tuple(values), tuple(parents), id_at, key_at)


def _match_parent(name: str, store: Store, object_type: ObjectType) -> Parent:
    """A polymorphic lookup needs `ObjectType:` before its relation, and no other lookup may have it."""
    named, colon, path = name.rpartition(":")
    relation, _, key_name = path.partition(".")
    field = object_type.by_relation.get(relation.lower())
    if field is not None and field.is_polymorphic == bool(colon):
        parent = named if colon else field.parents[0]
        table = store.table(parent)
        if table is not None and table.type.name in field.parents:
            key = table.type.find(key_name)
            if key is not None and key.is_key:
                return Parent(field, table.type.name, key)
    message = f"InvalidBatch : Field name not found : {name}"
    raise JobFailure(message)
