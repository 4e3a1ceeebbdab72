"""Lead partitions: the list of them, and moving leads between them (Adobe, "Leads": Partitions)."""

from __future__ import annotations

from typing import Any

from syncer.sandbox.marketo.gate import Answer, Body, Call, Operation, skipped, whole_number

DESCRIPTIONS = {"Default": "Initial system lead partition"}


async def get_partitions(call: Call) -> Answer:
    """GET /rest/v1/leads/partitions.json."""
    return Answer(
        [
            {"id": number, "name": name, "description": DESCRIPTIONS.get(name, name)}
            for name, number in call.world.leads.partitions.items()
        ]
    )


async def move_leads(call: Call) -> Answer:
    """POST /rest/v1/leads/partitions.json."""
    world, records = call.world, call.records()
    moves = [(whole_number(record.get("id")), str(record.get("partitionName"))) for record in records]

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        result = []
        for lead_id, name in moves[:limit]:
            lead = world.leads.rows.get(lead_id)
            if lead is None:
                result.append(skipped("1004", "Lead not found", id=lead_id))
            elif name not in world.leads.partitions:
                result.append(skipped("1008", f"Access denied to partition '{name}'", id=lead_id))
            else:
                lead.partition = name
                result.append({"id": lead_id, "status": "updated"})
        return result

    keys = [world.leads.key("id", lead_id) for lead_id, _ in moves]
    return Answer(await call.exchange.perform("partition", keys, len(moves), write))


OPERATIONS = (
    Operation("GET", "/rest/v1/leads/partitions.json", get_partitions),
    Operation("POST", "/rest/v1/leads/partitions.json", move_leads, Body.JSON),
)
