"""Marketo's requests, built: values in, exact bytes out. Pure.

Records arrive as the engine wrote them and are put into the vendor's envelope unread, but where a page demands that
nothing beside the key is sent. Time-outs are the server's own ("Marketo Integration Best Practices") and a margin.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from syncer.facts import Action
from syncer.targets.exchange import Request, Upload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from syncer.engine.protocol import Payload
    from syncer.targets.protocol import Step

LEAD = "lead"
PROGRAM_MEMBER = "program_member"

SERVER_SECONDS = {"sync": 90.0, "push": 90.0, "custom": 120.0, "filter": 60.0, "delete": 60.0}
"""Calls that run longer than the usual 30 s. After that time the server has given up (604). Only deletes of custom
objects are published with 60 s; those of leads, which take more with them, are given as long."""
USUAL_SERVER_SECONDS = 30.0
MARGIN_SECONDS = 20.0
UPLOAD_SECONDS = 130.0

_JSON = (("Content-Type", "application/json"),)
_FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
_ACTIONS = {
    Action.UPSERT: "createOrUpdate",
    Action.CREATE: "createOnly",
    Action.UPDATE: "updateOnly",
    Action.DUPLICATE: "createDuplicate",
}


def is_custom(object_name: str) -> bool:
    """Tell whether the object is one of the instance's own custom objects."""
    return object_name not in {LEAD, PROGRAM_MEMBER}


def write(step: Step, records: bytes, ids: Mapping[str, str]) -> Request:
    """Return the request that carries out `step` on a JSON list of records; `ids`: its list and program, by option."""
    options = dict(step.options)
    if step.path == "push":
        return _push(step, records, options)
    if step.path == "list":
        return _list(step, records, ids["list"])
    if step.object == PROGRAM_MEMBER:
        return _member(step, records, ids["program"], options)
    if step.path == "delete":
        return _delete(step, records)
    if is_custom(step.object):
        return _sync_custom(step, records)
    return _sync(step, records, options)


def _sync(step: Step, records: bytes, options: Mapping[str, str]) -> Request:
    """Sync Leads. `lookupField` does not apply to createDuplicate; `partitionName` only where leads may be created."""
    members = [("action", _ACTIONS[step.action])]
    if step.action is not Action.DUPLICATE:
        members.append(("lookupField", step.key[0]))
    if step.action is not Action.UPDATE and "partition" in options:
        members.append(("partitionName", options["partition"]))
    return _post("/rest/v1/leads.json", _around(records, members), SERVER_SECONDS["sync"])


def _push(step: Step, records: bytes, options: Mapping[str, str]) -> Request:
    named = (("program", "programName"), ("status", "programStatus"), ("partition", "partitionName"))
    members = [(member, options[option]) for option, member in named if option in options]
    members.insert(0, ("lookupField", step.key[0]))
    return _post("/rest/v1/leads/push.json", _around(records, members), SERVER_SECONDS["push"])


def _list(step: Step, records: bytes, list_id: str) -> Request:
    """List membership. Ids go in the body to add, in the query to remove ("List Membership")."""
    path = f"/rest/v1/lists/{quote(list_id, safe='')}/leads.json"
    if step.action is Action.ADD:
        return _post(path, _around(only(records, ("id",)), ()), USUAL_SERVER_SECONDS)
    ids = ",".join(quote(str(each["id"]), safe="") for each in json.loads(records))
    return Request("DELETE", f"{path}?id={ids}", is_write=True, seconds=USUAL_SERVER_SECONDS + MARGIN_SECONDS)


def _member(step: Step, records: bytes, program_id: str, options: Mapping[str, str]) -> Request:
    base = f"/rest/v1/programs/{quote(program_id, safe='')}/members"
    if step.path == "status":
        body = _around(only(records, ("leadId",)), (("statusName", options["status"]),))
        return _post(f"{base}/status.json", body, USUAL_SERVER_SECONDS)
    if step.path == "delete":
        return _post(f"{base}/delete.json", _around(only(records, ("leadId",)), ()), USUAL_SERVER_SECONDS)
    return _post(f"{base}.json", _around(records, ()), USUAL_SERVER_SECONDS)


def _delete(step: Step, records: bytes) -> Request:
    """Delete by key alone: any other member makes Marketo skip every custom object of the call ("Custom Objects")."""
    body = only(records, step.key)
    if not is_custom(step.object):
        return _post("/rest/v1/leads/delete.json", _around(body, ()), SERVER_SECONDS["delete"])
    by = (("deleteBy", _dedupe(step.key)),)
    return _post(f"{_custom(step.object)}/delete.json", _around(body, by), SERVER_SECONDS["delete"])


def _sync_custom(step: Step, records: bytes) -> Request:
    members = (("action", _ACTIONS[step.action]), ("dedupeBy", _dedupe(step.key)))
    return _post(f"{_custom(step.object)}.json", _around(records, members), SERVER_SECONDS["custom"])


def _dedupe(key: Sequence[str]) -> str:
    return "idField" if tuple(key) == ("marketoGUID",) else "dedupeFields"


def _custom(object_name: str) -> str:
    return f"/rest/v1/customobjects/{quote(object_name, safe='')}"


def import_file(step: Step, payload: Payload, file: Path, ids: Mapping[str, str]) -> Request:
    """Return the creation of an import job: the file inside a multipart body, streamed."""
    options = dict(step.options)
    query = [("format", "csv")]
    if step.object == LEAD:
        target = "/bulk/v1/leads.json"
        query.append(("lookupField", step.key[0]))
        query += [("listId", ids["list"])] if "list" in ids else []
        query += [("partitionName", options["partition"])] if "partition" in options else []
    elif step.object == PROGRAM_MEMBER:
        target = f"/bulk/v1/program/{quote(ids['program'], safe='')}/members/import.json"
        query.append(("programMemberStatus", options["status"]))
    else:
        target = f"/bulk/v1/customobjects/{quote(step.object, safe='')}/import.json"
    boundary = f"syncer-{payload.sha256[:40]}"
    before = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="records.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    ).encode()
    return Request(
        "POST",
        f"{target}?{urlencode(query, quote_via=quote)}",
        (("Content-Type", f"multipart/form-data; boundary={boundary}"),),
        Upload(file, payload.byte_count, before, f"\r\n--{boundary}--\r\n".encode()),
        is_write=True,
        seconds=UPLOAD_SECONDS,
    )


def import_status(object_name: str, batch_id: str) -> Request:
    """Return the poll of an import."""
    if object_name == LEAD:
        return _get(f"/bulk/v1/leads/batch/{quote(batch_id, safe='')}.json")
    return _get(f"{_batch(object_name, batch_id)}/status.json")


def import_results(object_name: str, batch_id: str, kind: str) -> Request:
    """Return the download of an import's `failures` or `warnings`."""
    return _get(f"{_batch(object_name, batch_id)}/{kind}.json")


def _batch(object_name: str, batch_id: str) -> str:
    number = quote(batch_id, safe="")
    if object_name == LEAD:
        return f"/bulk/v1/leads/batch/{number}"
    if object_name == PROGRAM_MEMBER:
        return f"/bulk/v1/program/members/import/{number}"
    return f"/bulk/v1/customobjects/{quote(object_name, safe='')}/import/{number}"


def record_path(object_name: str, program_id: str = "") -> str:
    """Return the path that an object's records are read from."""
    if object_name == LEAD:
        return "/rest/v1/leads.json"
    if object_name == PROGRAM_MEMBER:
        return f"/rest/v1/programs/{quote(program_id, safe='')}/members.json"
    return f"{_custom(object_name)}.json"


def find(path: str, key: str, values: Sequence[str], fields: Sequence[str], page: str) -> Request:
    """Return the read of records by up to 300 values of one field. A comma in a value cannot be escaped."""
    form = [("filterType", key), ("filterValues", ",".join(values)), ("fields", ",".join(fields)), ("batchSize", "300")]
    form += [("nextPageToken", page)] if page else []
    body = urlencode(form).encode("ascii")
    seconds = SERVER_SECONDS["filter"] + MARGIN_SECONDS
    return Request("POST", f"{path}?_method=GET", _FORM, body, seconds=seconds)


def find_compound(object_name: str, keys: Sequence[Mapping[str, object]], fields: Sequence[str], page: str) -> Request:
    """Return the read of custom objects by compound key ("Custom Objects", query)."""
    body: dict[str, object] = {"filterType": "dedupeFields", "fields": list(fields), "input": list(keys)}
    body |= {"batchSize": 300} | ({"nextPageToken": page} if page else {})
    seconds = SERVER_SECONDS["filter"] + MARGIN_SECONDS
    return Request("POST", f"{_custom(object_name)}.json?_method=GET", _JSON, _dump(body), seconds=seconds)


def list_members(list_id: str, ids: Sequence[str]) -> Request:
    """Return the test whether leads are in a list."""
    return _get(f"/rest/v1/lists/{quote(list_id, safe='')}/leads/ismember.json?id={quote(','.join(ids), safe=',')}")


def list_by_name(name: str) -> Request:
    """Return the search for a static list by its name."""
    return _get(f"/rest/v1/lists.json?{urlencode({'name': name}, quote_via=quote)}")


def describe(object_name: str) -> Request:
    """Return the read of an object's fields."""
    if object_name == LEAD:
        return _get("/rest/v1/leads/describe2.json")
    if object_name == PROGRAM_MEMBER:
        return _get("/rest/v1/programs/members/describe.json")
    return _get(f"{_custom(object_name)}/describe.json")


def usage() -> Request:
    """Return the read of today's calls."""
    return _get("/rest/v1/stats/usage.json")


def only(records: bytes, names: Sequence[str]) -> bytes:
    """Return the records with these members alone."""
    return _dump([{name: each[name] for name in names if name in each} for each in json.loads(records)])


def _get(target: str) -> Request:
    return Request("GET", target, seconds=USUAL_SERVER_SECONDS + MARGIN_SECONDS)


def _post(target: str, body: bytes, server_seconds: float) -> Request:
    return Request("POST", target, _JSON, body, is_write=True, seconds=server_seconds + MARGIN_SECONDS)


def _around(records: bytes, members: Sequence[tuple[str, str]]) -> bytes:
    frame = b"".join(_dump(name) + b":" + _dump(value) + b"," for name, value in members)
    return b"{" + frame + b'"input":' + records + b"}"


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
