"""The lead store: records by id, and an index for each field that somebody looked leads up by.

It keeps no rule of the API. Nothing here makes keys unique: Marketo does not either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from syncer.sandbox.marketo.field import Field, canonical, timestamp

FIRST_ID = 1
DEFAULT_PARTITION = "Default"


@dataclass(slots=True)
class Lead:
    """One person. `values` holds only fields that have a value."""

    id: int
    values: dict[str, Any]
    partition: str
    created_at: float
    updated_at: float
    cookies: list[str] = field(default_factory=list)


@dataclass(slots=True)
class LeadStore:
    """All leads of the instance."""

    fields: dict[str, Field]
    partitions: dict[str, int]
    rows: dict[int, Lead] = field(default_factory=dict)
    next_id: int = FIRST_ID
    _indexes: dict[str, dict[Any, set[int]]] = field(default_factory=dict)

    def matches(self, field_name: str, value: Any) -> list[int]:
        """Ids of the leads with this value, lowest first."""
        key = canonical(field_name, self.fields[field_name].data_type, value)
        if key is None or key == "":
            return []
        if field_name == "id":
            return [key] if key in self.rows else []
        found = self._index(field_name).get(key, ())
        return sorted(found)

    def key(self, field_name: str, value: Any) -> str:
        """The canonical key of a value, for the log."""
        return f"lead/{field_name}/{canonical(field_name, self.fields[field_name].data_type, value)}"

    def create(self, values: Mapping[str, Any], partition: str, now: float) -> Lead:
        """A new lead; ids go up and are never used again."""
        kept = {name: value for name, value in values.items() if value is not None and name != "id"}
        lead = Lead(self.next_id, kept, partition, now, now)
        self.next_id += 1
        self.rows[lead.id] = lead
        for name, index in self._indexes.items():
            self._put(index, name, lead.id, self._value(lead, name))
        return lead

    def update(self, lead: Lead, values: Mapping[str, Any], now: float) -> bool:
        """Writes fields and says whether anything changed; the moment of change moves only if so."""
        changed = False
        for name, value in values.items():
            if name == "id":
                continue
            before = lead.values.get(name)
            if before == value or (value is False and before is None):
                continue
            changed = True
            if (index := self._indexes.get(name)) is not None:
                self._take(index, name, lead.id, before)
                self._put(index, name, lead.id, value)
            if value is None:
                lead.values.pop(name, None)
            else:
                lead.values[name] = value
        if changed:
            lead.updated_at = now
        return changed

    def delete(self, lead_id: int) -> None:
        """Removes a lead."""
        lead = self.rows.pop(lead_id)
        for name, index in self._indexes.items():
            self._take(index, name, lead_id, self._value(lead, name))

    def view(self, lead: Lead, names: Iterable[str]) -> dict[str, Any]:
        """A lead as a read gives it: fields without a value are null, booleans false."""
        return {name: self._value(lead, name) for name in names}

    def _value(self, lead: Lead, name: str) -> Any:
        match name:
            case "id":
                return lead.id
            case "createdAt":
                return timestamp(lead.created_at)
            case "updatedAt":
                return timestamp(lead.updated_at)
            case "leadPartitionId":
                return self.partitions[lead.partition]
            case "cookies":
                return lead.cookies[-1] if lead.cookies else None
            case _:
                value = lead.values.get(name)
                return False if value is None and self.fields[name].data_type == "boolean" else value

    def _index(self, name: str) -> dict[Any, set[int]]:
        if name in {"leadPartitionId", "cookies"}:
            index: dict[Any, set[int]] = {}
            for lead in self.rows.values():
                values = lead.cookies if name == "cookies" else [self._value(lead, name)]
                for value in values:
                    self._put(index, name, lead.id, value)
            return index
        if name not in self._indexes:
            built: dict[Any, set[int]] = {}
            for lead in self.rows.values():
                self._put(built, name, lead.id, lead.values.get(name))
            self._indexes[name] = built
        return self._indexes[name]

    def _put(self, index: dict[Any, set[int]], name: str, lead_id: int, value: Any) -> None:
        if value is not None:
            index.setdefault(canonical(name, self.fields[name].data_type, value), set()).add(lead_id)

    def _take(self, index: dict[Any, set[int]], name: str, lead_id: int, value: Any) -> None:
        if value is not None:
            index[canonical(name, self.fields[name].data_type, value)].discard(lead_id)
