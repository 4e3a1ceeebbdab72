"""Static lists and their members, by the lead database (Adobe, "Static Lists")."""

from __future__ import annotations

from typing import Any

from syncer.sandbox.marketo.activities import ADD_TO_LIST, REMOVE_FROM_LIST
from syncer.sandbox.marketo.field import timestamp
from syncer.sandbox.marketo.gate import Answer, Body, Call, MarketoError, Operation, skipped
from syncer.sandbox.marketo.instance import StaticList
from syncer.sandbox.marketo.leads_delete import lead_ids
from syncer.sandbox.marketo.leads_read import lead_view, wanted_fields
from syncer.sandbox.marketo.paging import page


def _list(call: Call) -> StaticList:
    found = call.world.lists.get(call.path_number("listId"))
    if found is None:
        raise MarketoError("1013", "Object not found")
    return found


def _view(each: StaticList) -> dict[str, Any]:
    view: dict[str, Any] = {"id": each.id, "name": each.name}
    if each.description is not None:
        view["description"] = each.description
    if each.program_name is not None:
        view["programName"] = each.program_name
    moments = {"createdAt": timestamp(each.created_at), "updatedAt": timestamp(each.updated_at)}
    return view | {"workspaceId": 1, "workspaceName": "Default"} | moments


async def get_lists(call: Call) -> Answer:
    """GET /rest/v1/lists.json; pages carry a token but no `moreResult`, as recorded."""
    ids, names = set(call.values("id")), set(call.values("name"))
    programs, workspaces = set(call.values("programName")), set(call.values("workspaceName"))
    found = [
        _view(each)
        for each in call.world.lists.values()
        if (not ids or str(each.id) in ids)
        and (not names or each.name in names)
        and (not programs or each.program_name in programs)
        and (not workspaces or "Default" in workspaces)
    ]
    shown, more = page(call, found, says_more=False)
    return Answer(shown, more)


async def get_list(call: Call) -> Answer:
    """GET /rest/v1/lists/{listId}.json."""
    return Answer([_view(_list(call))])


async def get_members(call: Call) -> Answer:
    """GET /rest/v1/lists/{listId}/leads.json, also spelled `list`; pages carry a token but no `moreResult`."""
    names, found = wanted_fields(call), _list(call)
    await call.world.clock.sleep(call.world.options.latency_seconds)
    call.world.catch_up()
    shown, more = page(call, sorted(found.members), says_more=False)
    return Answer([lead_view(call.world, lead_id, names) for lead_id in shown], more)


async def add_members(call: Call) -> Answer:
    """POST /rest/v1/lists/{listId}/leads.json: `added`, also when the lead already was a member."""
    world, static_list, ids = call.world, _list(call), lead_ids(call)
    world.imports.check_list(static_list.id)

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        result, now = [], world.clock.now()
        for lead_id in ids[:limit]:
            if lead_id not in world.leads.rows:
                result.append(skipped("1004", "Lead not found", id=lead_id))
                continue
            if lead_id not in static_list.members:
                static_list.members[lead_id] = now
                world.activities.add(ADD_TO_LIST, lead_id, now, static_list.name, static_list.id)
            result.append({"id": lead_id, "status": "added"})
        return result

    keys = [f"list/{static_list.id}/{lead_id}" for lead_id in ids]
    return Answer(await call.exchange.perform("add to list", keys, len(ids), write))


async def remove_members(call: Call) -> Answer:
    """DELETE /rest/v1/lists/{listId}/leads.json: one that is no member is skipped with 1015."""
    world, static_list, ids = call.world, _list(call), lead_ids(call)
    world.imports.check_list(static_list.id)

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        result = []
        for lead_id in ids[:limit]:
            if lead_id not in world.leads.rows:
                result.append(skipped("1004", "Lead not found", id=lead_id))
            elif static_list.members.pop(lead_id, None) is None:
                result.append(skipped("1015", "Lead not in list", id=lead_id))
            else:
                world.activities.add(REMOVE_FROM_LIST, lead_id, world.clock.now(), static_list.name, static_list.id)
                result.append({"id": lead_id, "status": "removed"})
        return result

    keys = [f"list/{static_list.id}/{lead_id}" for lead_id in ids]
    return Answer(await call.exchange.perform("remove from list", keys, len(ids), write))


async def is_member(call: Call) -> Answer:
    """GET /rest/v1/lists/{listId}/leads/ismember.json."""
    static_list, result = _list(call), []
    for lead_id in lead_ids(call):
        if lead_id not in call.world.leads.rows:
            result.append(skipped("1004", "Lead not found", id=lead_id))
        else:
            word = "memberof" if lead_id in static_list.members else "notmemberof"
            result.append({"id": lead_id, "status": word})
    return Answer(result)


async def lists_of_lead(call: Call) -> Answer:
    """GET /rest/v1/leads/{leadId}/listMembership.json; `moreResult` is always there."""
    lead_id = call.path_number("leadId")
    if lead_id not in call.world.leads.rows:
        raise MarketoError("1004", "Lead not found")
    found = [
        {
            "listId": each.id,
            "createdAt": timestamp(each.members[lead_id]),
            "updatedAt": timestamp(each.members[lead_id]),
        }
        for each in call.world.lists.values()
        if lead_id in each.members
    ]
    shown, more = page(call, found)
    return Answer(shown, {"moreResult": False, **more})


_MEMBERS = "/rest/v1/lists/{listId}/leads.json"
OPERATIONS = (
    Operation("GET", "/rest/v1/lists.json", get_lists, Body.QUERY),
    Operation("GET", "/rest/v1/lists/{listId}.json", get_list),
    Operation("GET", _MEMBERS, get_members, Body.QUERY),
    Operation("GET", "/rest/v1/list/{listId}/leads.json", get_members, Body.QUERY),
    Operation("POST", _MEMBERS, add_members, Body.JSON_OR_QUERY),
    Operation("DELETE", _MEMBERS, remove_members, Body.JSON_OR_QUERY),
    Operation("GET", "/rest/v1/lists/{listId}/leads/ismember.json", is_member),
    Operation("GET", "/rest/v1/leads/{leadId}/listMembership.json", lists_of_lead),
)
