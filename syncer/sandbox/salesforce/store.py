"""The records of an org: one table an object, indexes on every key, and a way back for all-or-none calls.

Tables hold what they are told; whether a write is allowed is decided in `dml.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from syncer.sandbox.salesforce.field import Field
from syncer.sandbox.salesforce.ids import make_id
from syncer.sandbox.salesforce.objects import FOREIGN_PREFIXES, ObjectType

Record = dict[str, Any]
PAIRS = {"CampaignMember": (("CampaignId", "ContactId"), ("CampaignId", "LeadId"))}
"""Fields that together name one record only (*CampaignMember*: one membership for a campaign and a person)."""


@dataclass(slots=True)
class Table:
    """The records of one object; a field that is null is not kept."""

    type: ObjectType
    rows: dict[str, Record] = field(default_factory=dict)
    deleted: dict[str, Record] = field(default_factory=dict)
    indexes: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    pairs: dict[tuple[str, ...], str] = field(default_factory=dict)
    undo: list[Callable[[], None]] | None = None
    _count: int = 0
    _indexed: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        """Index every field that an upsert, a parent column or a uniqueness rule may name."""
        self._indexed = tuple(
            each for each in self.type.fields if each.kind != "id" and (each.is_key or each.is_unique)
        )
        self.indexes = {each.name: {} for each in self._indexed}

    def find(self, key: Field, value: str) -> list[str]:
        """The ids of the living records that carry this key."""
        if key.kind == "id":
            return [value] if value in self.rows else []
        return self.indexes[key.name].get(key.fold(value), [])

    def insert(self, values: Record) -> str:
        """Keep a new record and return its id."""
        self._count += 1
        record_id = make_id(self.type.prefix, self._count)
        record = {"Id": record_id, **{name: value for name, value in values.items() if value is not None}}
        self.rows[record_id] = record
        self._index(record)
        if self.undo is not None:
            self.undo.append(lambda: self._forget(record_id))
        return record_id

    def update(self, record_id: str, values: Record) -> None:
        """Change some fields of a record; None clears."""
        record = self.rows[record_id]
        if self.undo is not None:
            before = dict(record)
            self.undo.append(lambda: self._replace(record_id, before))
        self._unindex(record)
        for name, value in values.items():
            if value is None:
                record.pop(name, None)
            else:
                record[name] = value
        self._index(record)

    def delete(self, record_id: str, *, keep: bool = True) -> None:
        """Take a record out; it stays known as deleted, unless it is deleted for good."""
        record = self.rows.pop(record_id)
        self._unindex(record)
        if keep:
            self.deleted[record_id] = record
        if self.undo is not None:
            self.undo.append(lambda: self._revive(record_id, record))

    def _forget(self, record_id: str) -> None:
        self._unindex(self.rows.pop(record_id))

    def _replace(self, record_id: str, before: Record) -> None:
        self._unindex(self.rows[record_id])
        self.rows[record_id] = before
        self._index(before)

    def _revive(self, record_id: str, record: Record) -> None:
        self.deleted.pop(record_id, None)
        self.rows[record_id] = record
        self._index(record)

    def _index(self, record: Record) -> None:
        for each in self._indexed:
            value = record.get(each.name)
            if value is not None:
                self.indexes[each.name].setdefault(each.fold(value), []).append(record["Id"])
        for pair in self._pairs_of(record):
            self.pairs[pair] = record["Id"]

    def _unindex(self, record: Record) -> None:
        for each in self._indexed:
            value = record.get(each.name)
            if value is not None:
                index, folded = self.indexes[each.name], each.fold(value)
                index[folded].remove(record["Id"])
                if not index[folded]:
                    del index[folded]
        for pair in self._pairs_of(record):
            self.pairs.pop(pair, None)

    def _pairs_of(self, record: Record) -> list[tuple[str, ...]]:
        return pairs_of(self.type.name, record)


def pairs_of(object_name: str, record: Record) -> list[tuple[str, ...]]:
    """What two records of an object cannot both have, beside their unique fields."""
    return [
        (*names, *(record[name] for name in names))
        for names in PAIRS.get(object_name, ())
        if all(record.get(name) for name in names)
    ]


class Store:
    """All tables of an org, by object name in lower case and by id prefix."""

    def __init__(self, objects: tuple[ObjectType, ...]) -> None:
        """Start with empty tables."""
        self.tables = {each.name: Table(each) for each in objects}
        self._by_name = {name.lower(): table for name, table in self.tables.items()}
        self._by_prefix = {each.prefix: self.tables[each.name] for each in objects}
        self._foreign = {prefix: name for name, prefix in FOREIGN_PREFIXES.items()}

    def table(self, name: str) -> Table | None:
        """The table of an object, whose name may be in any case."""
        return self._by_name.get(name.lower())

    def table_of(self, record_id: str) -> Table | None:
        """The table that an id belongs to."""
        return self._by_prefix.get(record_id[:3])

    def object_of(self, record_id: str) -> str | None:
        """The name of the object that an id belongs to, kept here or not."""
        table = self.table_of(record_id)
        return table.type.name if table else self._foreign.get(record_id[:3])
