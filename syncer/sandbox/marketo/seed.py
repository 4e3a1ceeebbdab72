"""The Marketo part of a seed file: what an instance holds before the first call.

`{"leads": [{...}], "lists": [{"name", "leads": [e-mail]}], "fields": [{...}], "objects": {"order_c": [{...}]}}`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo.field import Field
from syncer.sandbox.marketo.instance import ObjectRecord, StaticList
from syncer.sandbox.marketo.leads import DEFAULT_PARTITION

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld


def plant(world: MarketoWorld, seed: Mapping[str, Any]) -> None:
    """Adds fields, leads, lists and custom object records to a fresh instance."""
    start = world.clock.start
    for each in seed.get("fields", ()):
        world.leads.fields[each["name"]] = Field(
            1000 + len(world.leads.fields),
            each["name"],
            each.get("displayName", each["name"]),
            each["dataType"],
            each.get("length"),
        )
    for each in seed.get("leads", ()):
        values = {name: world.leads.fields[name].store(value) for name, value in each.items() if name != "partition"}
        world.leads.create(values, each.get("partition", DEFAULT_PARTITION), start)
    for each in seed.get("lists", ()):
        list_id = each.get("id", world.next_list_id)
        world.next_list_id = max(world.next_list_id, list_id + 1)
        static_list = StaticList(list_id, each["name"], start, start)
        for email in each.get("leads", ()):
            static_list.members.update(dict.fromkeys(world.leads.matches("email", email), start))
        world.lists[list_id] = static_list
    for name, records in seed.get("objects", {}).items():
        kind = world.objects[name]
        for values in records:
            stored = {field: kind.fields[field].store(value) for field, value in values.items()}
            record = ObjectRecord(world.new_guid(), stored, start, start)
            kind.records[record.guid] = record
            key = tuple(stored.get(field) for field in kind.dedupe_fields)
            kind.by_key.setdefault(key, []).append(record.guid)
