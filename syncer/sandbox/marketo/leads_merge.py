"""Merge Leads and Associate Lead: parameters in the query, no `result` in the answer (Adobe, "Leads")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncer.sandbox.marketo.gate import Answer, Call, MarketoError, Operation, whole_number
from syncer.sandbox.marketo.leads_delete import remove_lead

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld

MAX_LOSERS = 25
_COOKIE = re.compile(r"id:[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}&token:\S+")


def _merge(world: MarketoWorld, winner_id: int, loser_id: int) -> None:
    """Hands values, cookies, memberships and activities to the winner, and removes the loser."""
    winner, loser = world.leads.rows[winner_id], world.leads.rows[loser_id]
    missing = {name: value for name, value in loser.values.items() if winner.values.get(name) is None}
    world.leads.update(winner, missing, world.clock.now())
    winner.cookies.extend(loser.cookies)
    for static_list in world.lists.values():
        if loser_id in static_list.members:
            static_list.members.setdefault(winner_id, static_list.members[loser_id])
    for program in world.programs.values():
        if loser_id in program.members:
            program.members.setdefault(winner_id, program.members[loser_id])
    world.activities.move(loser_id, winner_id)
    remove_lead(world, loser_id)


async def merge_leads(call: Call) -> Answer:
    """POST /rest/v1/leads/{leadId}/merge.json: the winner keeps its values and takes the losers' where it has none."""
    world, winner_id = call.world, call.path_number("leadId")
    losers = [whole_number(text) for text in call.values("leadId") + call.values("leadIds")]
    if not losers:
        raise MarketoError("1002", "Missing value for the required parameter 'leadId'")
    if len(losers) > MAX_LOSERS:
        raise MarketoError("1080", f"Too many leads to merge: {len(losers)}, maximum is {MAX_LOSERS}")

    def write(limit: int | None) -> None:
        world.catch_up()
        for lead_id in (winner_id, *losers):
            if lead_id not in world.leads.rows:
                raise MarketoError("1004", f"Lead '{lead_id}' not found")
        for loser_id in losers[:limit]:
            _merge(world, winner_id, loser_id)

    keys = [world.leads.key("id", lead_id) for lead_id in (winner_id, *losers)]
    await call.exchange.perform("merge", keys, len(losers), write)
    return Answer()


async def associate_lead(call: Call) -> Answer:
    """POST /rest/v1/leads/{leadId}/associate.json?cookie=."""
    world, lead_id, cookie = call.world, call.path_number("leadId"), call.required("cookie")
    if not _COOKIE.fullmatch(cookie):
        raise MarketoError("1012", f"Invalid cookie value '{cookie}'")

    def write(_limit: int | None) -> None:
        world.catch_up()
        lead = world.leads.rows.get(lead_id)
        if lead is None:
            raise MarketoError("1004", "Lead not found")
        lead.cookies.append(cookie)

    await call.exchange.perform("associate", [world.leads.key("id", lead_id)], 1, write)
    return Answer()


OPERATIONS = (
    Operation("POST", "/rest/v1/leads/{leadId}/merge.json", merge_leads),
    Operation("POST", "/rest/v1/leads/{leadId}/associate.json", associate_lead),
)
