"""Delete Leads, in its three spellings (Adobe, "Leads": Delete; `_method=DELETE` as recorded)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo.activities import DELETE_LEAD
from syncer.sandbox.marketo.gate import Answer, Body, Call, MarketoError, Operation, skipped, whole_number

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld


def lead_ids(call: Call) -> list[int]:
    """Ids from `?id=1,2`, `?id=1&id=2` or `{"input": [{"id": 1}]}`; none at all is refused with the recorded words."""
    given = call.body.get("input")
    texts: list[Any] = call.values("id") if given is None else [record.get("id") for record in given]
    if not texts:
        raise MarketoError("1003", "Lead ids not specified")
    limit = call.world.limits.records_per_call
    if len(texts) > limit:
        raise MarketoError("1003", f"Too many lead ids: {len(texts)}, maximum is {limit}")
    return [whole_number(text) for text in texts]


def remove_lead(world: MarketoWorld, lead_id: int) -> None:
    """Takes a lead out of the database, its lists and its programs."""
    world.leads.delete(lead_id)
    for static_list in world.lists.values():
        static_list.members.pop(lead_id, None)
    for program in world.programs.values():
        program.members.pop(lead_id, None)


async def delete_leads(call: Call) -> Answer:
    """POST /rest/v1/leads/delete.json; ids that are not there are skipped and echoed."""
    world, ids = call.world, lead_ids(call)

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        result = []
        for lead_id in ids[:limit]:
            if lead_id not in world.leads.rows:
                result.append(skipped("1004", "Lead not found", id=lead_id))
                continue
            remove_lead(world, lead_id)
            world.activities.add(DELETE_LEAD, lead_id, world.clock.now(), str(lead_id), lead_id)
            result.append({"id": lead_id, "status": "deleted"})
        return result

    keys = [world.leads.key("id", lead_id) for lead_id in ids]
    return Answer(await call.exchange.perform("delete", keys, len(ids), write))


OPERATIONS = (
    Operation("POST", "/rest/v1/leads/delete.json", delete_leads, Body.JSON_OR_QUERY),
    Operation("DELETE", "/rest/v1/leads.json", delete_leads, Body.JSON_OR_QUERY),
)
