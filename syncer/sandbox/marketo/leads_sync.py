"""Sync Leads: create, update, or both, up to 300 records a call (Adobe, "Leads": Create and Update).

The look-up happens when the call starts and the write when it ends. Two calls with one key that overlap both find
nothing and both create, which is the duplicate that the vendor warns of.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from syncer.sandbox.faults import Action as Fault
from syncer.sandbox.marketo.gate import Answer, Body, Call, MarketoError, Operation, skipped
from syncer.sandbox.marketo.lead_record import (
    Reason,
    check_lookup_field,
    check_partition,
    invalid_value,
    stored_values,
)
from syncer.sandbox.marketo.leads import DEFAULT_PARTITION

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld


class SyncAction(StrEnum):
    """What a record may do to the lead database."""

    CREATE_OR_UPDATE = "createOrUpdate"
    CREATE_ONLY = "createOnly"
    UPDATE_ONLY = "updateOnly"
    CREATE_DUPLICATE = "createDuplicate"


@dataclass(frozen=True, slots=True)
class Upsert:
    """What is the same for all records of a call."""

    action: SyncAction
    lookup_field: str
    partition: str | None = None


def read_upsert(call: Call) -> Upsert:
    """The call's action, lookup field and partition, or the refusal of the call."""
    word = call.body.get("action") or SyncAction.CREATE_OR_UPDATE
    try:
        action = SyncAction(word)
    except ValueError:
        raise MarketoError("1001", f"Invalid value '{word}'. Required of type 'action'") from None
    lookup_field = str(call.body.get("lookupField") or "email")
    check_lookup_field(call.world, lookup_field)
    if lookup_field == "id" and action is not SyncAction.UPDATE_ONLY:
        raise MarketoError("1003", f"Lookup field 'id' is not allowed for action '{action}'")
    partition = check_partition(call.world, call.body.get("partitionName") or None)
    if partition is not None and action is SyncAction.UPDATE_ONLY:
        raise MarketoError("1003", "partitionName is not allowed for action 'updateOnly'")
    return Upsert(action, lookup_field, partition)


def look_up(world: MarketoWorld, lookup_field: str, record: Mapping[str, Any]) -> list[int] | Reason:
    """The leads that the record speaks of, or the reason why it speaks of none."""
    key = record.get(lookup_field)
    if key is None or (isinstance(key, str) and not key.strip()):
        return "1003", f"Value for lookup field '{lookup_field}' not found"
    if isinstance(key, (dict, list, bool)):
        return invalid_value(lookup_field, key)
    return world.leads.matches(lookup_field, key)


def decide(world: MarketoWorld, upsert: Upsert, found: list[int]) -> Reason | int | None:
    """The reason to skip, the id to update, or None to create ("Leads": what each action does)."""
    action = upsert.action
    if action is SyncAction.CREATE_DUPLICATE or (not found and action is not SyncAction.UPDATE_ONLY):
        return None
    if not found:
        return "1004", "Lead not found"
    if action is SyncAction.CREATE_ONLY:
        return "1005", "Lead already exists"
    if len(found) > 1:
        return "1007", "Multiple lead match lookup criteria"
    if upsert.partition is not None and world.leads.rows[found[0]].partition != upsert.partition:
        return "1010", "Partition update not allowed"
    return found[0]


def write_record(
    world: MarketoWorld,
    upsert: Upsert,
    record: Mapping[str, Any],
    found: list[int] | Reason,
    ignored: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Writes one record by what was found for it, and gives its line of the answer."""
    if isinstance(found, tuple):
        return skipped(*found)
    if "id" in record and upsert.action is not SyncAction.UPDATE_ONLY:
        return skipped(*invalid_value("id", record["id"]))
    values = stored_values(world, record, ignored=ignored)
    if isinstance(values, tuple):
        return skipped(*values)
    decided = decide(world, upsert, [lead_id for lead_id in found if lead_id in world.leads.rows])
    if isinstance(decided, tuple):
        return skipped(*decided)
    now = world.clock.now()
    if decided is None:
        return {"id": world.leads.create(values, upsert.partition or DEFAULT_PARTITION, now).id, "status": "created"}
    world.leads.update(world.leads.rows[decided], values, now)
    return {"id": decided, "status": "updated"}


def keys_of(world: MarketoWorld, upsert: Upsert, records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The canonical keys that a call writes."""
    name = upsert.lookup_field
    return [world.leads.key(name, record[name]) for record in records if record.get(name) is not None]


async def sync_leads(call: Call) -> Answer:
    """POST /rest/v1/leads.json."""
    world, upsert, records = call.world, read_upsert(call), call.records()
    creates_blindly = upsert.action is SyncAction.CREATE_DUPLICATE
    early = [[] if creates_blindly else look_up(world, upsert.lookup_field, record) for record in records]

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        found = early
        if not world.options.duplicates_on_overlap and not creates_blindly:
            found = [look_up(world, upsert.lookup_field, record) for record in records]
        written = zip(records[:limit], found[:limit], strict=True)
        return [write_record(world, upsert, record, matches) for record, matches in written]

    keys = keys_of(world, upsert, records)
    result = await call.exchange.perform(upsert.action.value, keys, len(records), write)
    if call.exchange.world_fault(Fault.SHUFFLE_RESULTS) is not None:
        random.Random(world.options.seed).shuffle(result)
    return Answer(result)


OPERATIONS = (Operation("POST", "/rest/v1/leads.json", sync_leads, Body.JSON),)
