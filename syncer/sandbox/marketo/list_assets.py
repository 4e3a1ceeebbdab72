"""Static lists as assets: make, find, rename, delete (Adobe, "Static Lists" of the asset API).

The envelope differs from the lead database: `errors` is always there, and a search without a match is a success with a
warning and no `result`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from syncer.sandbox.marketo.gate import Answer, Body, Call, MarketoError, Operation
from syncer.sandbox.marketo.instance import StaticList

NOTHING_FOUND = "No assets found for the given search criteria."
FOLDER_ID = 12
DEFAULT_PAGE, MAX_PAGE = 20, 200


def _asset_time(epoch: float) -> str:
    """The asset API's own form, which is not ISO 8601."""
    return datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ+0000")


def _view(each: StaticList) -> dict[str, Any]:
    view: dict[str, Any] = {"id": each.id, "name": each.name}
    if each.description is not None:
        view["description"] = each.description
    return view | {
        "createdAt": _asset_time(each.created_at),
        "updatedAt": _asset_time(each.updated_at),
        "folder": each.folder,
        "computedUrl": f"https://app.example.com/#ST{each.id}A1",
        "workspace": "Default",
    }


def _answer(found: Sequence[Any]) -> Answer:
    if not found:
        return Answer(None, {"warnings": [NOTHING_FOUND]}, is_asset=True)
    return Answer(found, {"warnings": []}, is_asset=True)


def _by_id(call: Call) -> StaticList | None:
    return call.world.lists.get(call.path_number("id"))


async def get_by_id(call: Call) -> Answer:
    """GET /rest/asset/v1/staticList/{id}.json."""
    found = _by_id(call)
    return _answer([] if found is None else [_view(found)])


async def get_by_name(call: Call) -> Answer:
    """GET /rest/asset/v1/staticList/byName.json: the whole name."""
    name = call.required("name")
    return _answer([_view(each) for each in call.world.lists.values() if each.name == name])


async def browse(call: Call) -> Answer:
    """GET /rest/asset/v1/staticLists.json, by offset and maxReturn."""
    offset, size = call.whole_number("offset") or 0, call.whole_number("maxReturn") or DEFAULT_PAGE
    return _answer([_view(each) for each in list(call.world.lists.values())[offset : offset + min(size, MAX_PAGE)]])


def _check_name(call: Call, name: str) -> None:
    if any(each.name == name for each in call.world.lists.values()):
        raise MarketoError("709", "Static List with the same name already exists")


async def create(call: Call) -> Answer:
    """POST /rest/asset/v1/staticLists.json with a form."""
    world, name = call.world, call.text("name")
    if name is None:
        raise MarketoError("701", "name cannot be blank")
    try:
        folder = json.loads(call.text("folder") or "")
    except ValueError:
        raise MarketoError("710", "Parent Folder Not Found") from None

    def write(_limit: int | None) -> StaticList:
        _check_name(call, name)
        now = world.clock.now()
        made = StaticList(world.next_list_id, name, now, now, call.text("description"), folder=folder)
        world.next_list_id += 1
        world.lists[made.id] = made
        return made

    return _answer([_view(await call.exchange.perform("create list", [f"list/name/{name}"], 1, write))])


async def rename(call: Call) -> Answer:
    """POST /rest/asset/v1/staticList/{id}.json with a form."""
    found = _by_id(call)
    if found is None:
        return _answer([])
    name, description = call.text("name"), call.text("description")

    def write(_limit: int | None) -> None:
        if name is not None and name != found.name:
            _check_name(call, name)
            found.name = name
        found.description = description or found.description
        found.updated_at = call.world.clock.now()

    await call.exchange.perform("update list", [f"list/id/{found.id}"], 1, write)
    return _answer([_view(found)])


async def delete(call: Call) -> Answer:
    """POST /rest/asset/v1/staticList/{id}/delete.json; refused while an import uses the list."""
    found = _by_id(call)
    if found is None:
        return _answer([])

    def write(_limit: int | None) -> None:
        call.world.catch_up()
        call.world.imports.check_list(found.id)
        call.world.lists.pop(found.id, None)

    await call.exchange.perform("delete list", [f"list/id/{found.id}"], 1, write)
    return _answer([{"id": found.id}])


async def folder_by_name(call: Call) -> Answer:
    """GET /rest/asset/v1/folder/byName.json: the one folder that lists live in."""
    if call.required("name") != "Group Lists":
        return _answer([])
    moment = _asset_time(call.world.clock.start)
    return _answer(
        [
            {
                "name": "Group Lists",
                "description": None,
                "createdAt": moment,
                "updatedAt": moment,
                "url": None,
                "folderId": {"id": FOLDER_ID, "type": "Folder"},
                "folderType": "List",
                "parent": {"id": 5, "type": "Folder"},
                "path": "/Lead Database/Default/Group Lists",
                "isArchive": False,
                "isSystem": True,
                "accessZoneId": 1,
                "workspace": "Default",
                "id": FOLDER_ID,
            }
        ]
    )


async def channels(call: Call) -> Answer:
    """GET /rest/asset/v1/channels.json: the names and steps of program statuses."""
    programs = {each.channel: each for each in call.world.programs.values()}
    return _answer(
        [
            {
                "id": number,
                "name": name,
                "progressionStatuses": [
                    {"name": status.name, "step": status.step, "success": status.success, "hidden": False}
                    for status in program.statuses
                ],
            }
            for number, (name, program) in enumerate(programs.items(), 1)
        ]
    )


OPERATIONS = (
    Operation("GET", "/rest/asset/v1/staticList/byName.json", get_by_name),
    Operation("GET", "/rest/asset/v1/staticLists.json", browse),
    Operation("POST", "/rest/asset/v1/staticLists.json", create, Body.FORM),
    Operation("GET", "/rest/asset/v1/staticList/{id}.json", get_by_id),
    Operation("POST", "/rest/asset/v1/staticList/{id}.json", rename, Body.FORM),
    Operation("POST", "/rest/asset/v1/staticList/{id}/delete.json", delete),
    Operation("GET", "/rest/asset/v1/folder/byName.json", folder_by_name),
    Operation("GET", "/rest/asset/v1/channels.json", channels),
)
