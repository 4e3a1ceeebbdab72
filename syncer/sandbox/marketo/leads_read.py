"""Reads of leads: by id and by filter (Adobe, "Leads": Query)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo.field import is_searchable
from syncer.sandbox.marketo.gate import MAX_VALUES, Answer, Body, Call, MarketoError, Operation
from syncer.sandbox.marketo.paging import page

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld

DEFAULT_FIELDS = ("id", "firstName", "lastName", "email", "updatedAt", "createdAt")
MAX_MATCHES = 1000


def wanted_fields(call: Call) -> Sequence[str]:
    """The fields that a read asks for; an unknown one is 1006 for the call."""
    given = call.body.get("fields") or call.values("fields")
    names = given if isinstance(given, list) else [part.strip() for part in str(given).split(",")]
    for name in names:
        if name not in call.world.leads.fields:
            raise MarketoError("1006", f"Field '{name}' not found")
    return list(dict.fromkeys(names)) or DEFAULT_FIELDS


def lead_view(world: MarketoWorld, lead_id: int, names: Sequence[str]) -> dict[str, Any]:
    """A lead with its id, which is always there."""
    lead = world.leads.rows[lead_id]
    view = world.leads.view(lead, names)
    return view if "id" in view else {"id": lead_id, **view}


async def lead_by_id(call: Call) -> Answer:
    """GET /rest/v1/lead/{leadId}.json; a missing id is an empty result (not recorded, the reference's choice)."""
    lead_id, names = call.path_number("leadId"), wanted_fields(call)
    await call.world.clock.sleep(call.world.options.latency_seconds)
    call.world.catch_up()
    return Answer([lead_view(call.world, lead_id, names)] if lead_id in call.world.leads.rows else [])


async def leads_by_filter(call: Call) -> Answer:
    """GET /rest/v1/leads.json, or POST with `_method=GET`: in order of id, at most 1000 leads in all."""
    world = call.world
    name = call.text("filterType")
    if name is None:
        raise MarketoError("1003", "filterType not specified")
    field = world.leads.fields.get(name)
    if field is None:
        raise MarketoError("1006", f"Field '{name}' not found")
    if not is_searchable(field):
        raise MarketoError("1011", f"Field '{name}' not supported")
    values = call.values("filterValues")
    if not values:
        raise MarketoError("1003", "filterValues not specified")
    if len(values) > MAX_VALUES:
        raise MarketoError("1003", f"Too many filterValues: {len(values)}, maximum is {MAX_VALUES}")
    names = wanted_fields(call)
    await world.clock.sleep(world.options.latency_seconds)
    world.catch_up()
    found = sorted({lead_id for value in values for lead_id in world.leads.matches(name, value)})
    if len(found) > MAX_MATCHES:
        raise MarketoError("1003", "Too many results match the filter")
    shown, more = page(call, found)
    return Answer([lead_view(world, lead_id, names) for lead_id in shown], more)


OPERATIONS = (
    Operation("GET", "/rest/v1/lead/{leadId}.json", lead_by_id),
    Operation("GET", "/rest/v1/leads.json", leads_by_filter, Body.QUERY),
)
