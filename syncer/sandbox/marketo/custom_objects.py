"""Custom objects: list, describe, query, sync, delete (Adobe, "Custom Objects").

As with leads, the look-up happens when a call starts and the write when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo.describe import field_entry
from syncer.sandbox.marketo.field import InvalidValueError, TooLongError, canonical, timestamp
from syncer.sandbox.marketo.gate import MAX_VALUES, Answer, Body, Call, MarketoError, Operation, skipped
from syncer.sandbox.marketo.instance import ObjectRecord, ObjectType
from syncer.sandbox.marketo.lead_record import Reason, invalid_value
from syncer.sandbox.marketo.paging import page

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld

Key = tuple[Any, ...]


def object_type(call: Call) -> ObjectType:
    """The type that the path names."""
    found = call.world.objects.get(call.exchange.path_params["apiName"])
    if found is None:
        raise MarketoError("1013", "Object not found")
    return found


def with_field_names(kind: ObjectType, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the fields' own spelling: names are matched without case, as observed."""
    spelling = {name.lower(): name for name in kind.fields}
    return {spelling.get(name.lower(), name): value for name, value in record.items()}


def key_of(kind: ObjectType, record: Mapping[str, Any]) -> Key | None:
    """The dedupe key in canonical form, or None if a part of it is missing."""
    parts = [canonical(name, kind.fields[name].data_type, record.get(name)) for name in kind.dedupe_fields]
    return None if any(part is None or part == "" for part in parts) else tuple(parts)


def log_key(kind: ObjectType, key: Key) -> str:
    """The canonical key for the log."""
    return f"{kind.name}/{'+'.join(kind.dedupe_fields)}/{'+'.join(str(part) for part in key)}"


def stored_values(kind: ObjectType, record: Mapping[str, Any]) -> dict[str, Any] | Reason:
    """All values as they would be stored, or the reason for which the record is skipped."""
    values: dict[str, Any] = {}
    for name, value in record.items():
        if name == "marketoGUID":
            continue
        field = kind.fields.get(name)
        if field is None:
            return "1006", f"Field '{name}' not found"
        if field.is_read_only:
            return "1003", f"Field '{name}' is read-only"
        try:
            values[name] = field.store(value)
        except InvalidValueError:
            return invalid_value(name, value)
        except TooLongError:
            return "1077", "Value for field exceeds max length"
    return values


def put(world: MarketoWorld, kind: ObjectType, guid: str | None, values: Mapping[str, Any], now: float) -> str:
    """Creates a record, or overwrites fields of one, and keeps the index of keys; gives the marketoGUID."""
    record = None if guid is None else kind.records.get(guid)
    if record is None:
        record = ObjectRecord(world.new_guid(), {}, now, now)
        kind.records[record.guid] = record
    elif (before := key_of(kind, record.values)) is not None:
        kind.by_key[before].remove(record.guid)
    changed = {**record.values, **values}
    kept = {name: value for name, value in changed.items() if value is not None}
    if kept != record.values:
        record.values, record.updated_at = kept, now
    if (key := key_of(kind, record.values)) is not None:
        kind.by_key.setdefault(key, []).append(record.guid)
    return record.guid


def remove(kind: ObjectType, guid: str) -> None:
    """Deletes a record."""
    record = kind.records.pop(guid)
    if (key := key_of(kind, record.values)) is not None:
        kind.by_key[key].remove(guid)


def _metadata(call: Call, kind: ObjectType, *, with_fields: bool) -> dict[str, Any]:
    moment = timestamp(call.world.clock.start)
    metadata: dict[str, Any] = {
        "name": kind.name,
        "displayName": kind.display_name,
        "description": kind.description,
        "createdAt": moment,
        "updatedAt": moment,
        "idField": "marketoGUID",
        "dedupeFields": list(kind.dedupe_fields),
        "searchableFields": [
            *([list(kind.dedupe_fields)] if len(kind.dedupe_fields) > 1 else []),
            *([name] for name in kind.searchable),
        ],
        "relationships": [
            {"field": name, "type": "child", "relatedTo": {"name": "Lead", "field": field}}
            for name, field in kind.links.items()
        ],
    }
    if with_fields:
        metadata["fields"] = [field_entry(field) for field in kind.fields.values()]
    return metadata


async def list_types(call: Call) -> Answer:
    """GET /rest/v1/customobjects.json."""
    names = set(call.values("names"))
    kinds = [kind for kind in call.world.objects.values() if not names or kind.name in names]
    return Answer([_metadata(call, kind, with_fields=False) for kind in kinds])


async def describe(call: Call) -> Answer:
    """GET /rest/v1/customobjects/{apiName}/describe.json."""
    return Answer([_metadata(call, object_type(call), with_fields=True)])


def _matching(call: Call, kind: ObjectType) -> list[ObjectRecord]:
    """The records that a query asks for, by one field or by a compound key in a JSON body."""
    filter_type = call.body.get("filterType") or call.text("filterType")
    if not filter_type:
        raise MarketoError("1003", "filterType not specified")
    if "input" in call.body:
        if filter_type != "dedupeFields":
            raise MarketoError("1003", f"Invalid filterType '{filter_type}'")
        keys = [key_of(kind, with_field_names(kind, record)) for record in call.records()]
        found = [guid for key in keys if key is not None for guid in kind.by_key.get(key, ())]
        return [kind.records[guid] for guid in dict.fromkeys(found)]
    name = {"idField": "marketoGUID", "dedupeFields": kind.dedupe_fields[0]}.get(filter_type, filter_type)
    is_compound = filter_type == "dedupeFields" and len(kind.dedupe_fields) > 1
    if name not in kind.searchable or is_compound:
        raise MarketoError("1003", f"Invalid filterType '{filter_type}'")
    values = call.values("filterValues")
    if not values:
        raise MarketoError("1003", "filterValues not specified")
    if len(values) > MAX_VALUES:
        raise MarketoError("1003", f"Too many filterValues: {len(values)}, maximum is {MAX_VALUES}")
    if name == "marketoGUID":
        return [kind.records[guid] for guid in dict.fromkeys(values) if guid in kind.records]
    data_type = kind.fields[name].data_type
    wanted = {canonical(name, data_type, value) for value in values}
    if kind.dedupe_fields == (name,):
        return [kind.records[guid] for key in wanted for guid in kind.by_key.get((key,), ())]
    return [each for each in kind.records.values() if canonical(name, data_type, each.values.get(name)) in wanted]


async def query(call: Call) -> Answer:
    """GET /rest/v1/customobjects/{apiName}.json, or POST with `_method=GET`; `seq` numbers the rows of the answer."""
    kind = object_type(call)
    given = call.body.get("fields") or call.values("fields")
    names = given or ["marketoGUID", *kind.dedupe_fields, "createdAt", "updatedAt"]
    for name in names:
        if name not in kind.fields:
            raise MarketoError("1006", f"Field '{name}' not found")
    await call.world.clock.sleep(call.world.options.latency_seconds)
    call.world.catch_up()
    found = sorted(_matching(call, kind), key=lambda record: (record.created_at, record.guid))
    shown, more = page(call, found)
    rows = []
    for seq, record in enumerate(shown):
        system = {
            "marketoGUID": record.guid,
            "createdAt": timestamp(record.created_at),
            "updatedAt": timestamp(record.updated_at),
        }
        values = {name: system[name] if name in system else record.values.get(name) for name in names}
        rows.append({"seq": seq, "marketoGUID": record.guid, **values})
    return Answer(rows, {"moreResult": False, **more})


def _dedupe_by(call: Call, action: str) -> str:
    dedupe_by = call.body.get("dedupeBy") or "dedupeFields"
    if dedupe_by not in {"dedupeFields", "idField"} or (dedupe_by == "idField" and action != "updateOnly"):
        raise MarketoError("1003", f"Invalid dedupeBy '{dedupe_by}' value")
    return str(dedupe_by)


def _found(kind: ObjectType, record: Mapping[str, Any], dedupe_by: str) -> list[str] | Reason:
    if dedupe_by == "idField":
        guid = record.get("marketoGUID")
        if not guid:
            return "1002", "Missing value for the required parameter 'marketoGUID'"
        return [guid] if guid in kind.records else []
    key = key_of(kind, record)
    if key is None:
        missing = next(name for name in kind.dedupe_fields if record.get(name) in {None, ""})
        return "1002", f"Missing value for the required parameter '{missing}'"
    return list(kind.by_key.get(key, ()))


async def sync(call: Call) -> Answer:
    """POST /rest/v1/customobjects/{apiName}.json."""
    world, kind = call.world, object_type(call)
    action = call.body.get("action") or "createOrUpdate"
    if action not in {"createOrUpdate", "createOnly", "updateOnly"}:
        raise MarketoError("1001", f"Invalid value '{action}'. Required of type 'action'")
    dedupe_by = _dedupe_by(call, action)
    records = [with_field_names(kind, record) for record in call.records()]
    early = [_found(kind, record, dedupe_by) for record in records]
    keys = [key_of(kind, record) for record in records]

    def write_one(seq: int, found: list[str] | Reason) -> dict[str, Any]:
        key = keys[seq]
        if isinstance(found, tuple):
            return skipped(*found, seq=seq)
        if dedupe_by == "dedupeFields" and key in keys[:seq]:
            return skipped("1036", "Duplicate object found in input", seq=seq)
        there = [guid for guid in found if guid in kind.records]
        if action == "updateOnly" and not there:
            return skipped("1013", "Object not found", seq=seq)
        if action == "createOnly" and there:
            return skipped("1017", "Object already exists", seq=seq)
        values = stored_values(kind, records[seq])
        if isinstance(values, tuple):
            return skipped(*values, seq=seq)
        guid = put(world, kind, there[0] if there else None, values, world.clock.now())
        return {"seq": seq, "status": "updated" if there else "created", "marketoGUID": guid}

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        found = early
        if not world.options.duplicates_on_overlap:
            found = [_found(kind, record, dedupe_by) for record in records]
        return [write_one(seq, matches) for seq, matches in enumerate(found[:limit])]

    logged = [log_key(kind, key) for key in keys if key is not None]
    return Answer(await call.exchange.perform(str(action), logged, len(records), write))


async def delete(call: Call) -> Answer:
    """POST /rest/v1/customobjects/{apiName}/delete.json; a field beside the key makes all records skipped."""
    world, kind = call.world, object_type(call)
    delete_by = call.body.get("deleteBy") or "dedupeFields"
    if delete_by not in {"dedupeFields", "idField"}:
        raise MarketoError("1003", f"Invalid deleteBy '{delete_by}' value")
    records = [with_field_names(kind, record) for record in call.records()]
    allowed = {"marketoGUID"} if delete_by == "idField" else set(kind.dedupe_fields)
    has_more = any(set(record) - allowed for record in records)

    def write_one(seq: int, record: Mapping[str, Any]) -> dict[str, Any]:
        if has_more:
            return skipped("1003", "Invalid data", seq=seq)
        found = _found(kind, record, delete_by)
        if isinstance(found, tuple):
            return skipped(*found, seq=seq)
        if not found:
            return skipped("1013", "Object not found", seq=seq)
        remove(kind, found[0])
        return {"seq": seq, "status": "deleted", "marketoGUID": found[0]}

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        return [write_one(seq, record) for seq, record in enumerate(records[:limit])]

    keys = [log_key(kind, key) for record in records if (key := key_of(kind, record)) is not None]
    return Answer(await call.exchange.perform("delete", keys, len(records), write))


_PATH = "/rest/v1/customobjects/{apiName}.json"
OPERATIONS = (
    Operation("GET", "/rest/v1/customobjects.json", list_types),
    Operation("GET", "/rest/v1/customobjects/{apiName}/describe.json", describe),
    Operation("GET", _PATH, query, Body.QUERY),
    Operation("POST", _PATH, sync, Body.JSON),
    Operation("POST", "/rest/v1/customobjects/{apiName}/delete.json", delete, Body.JSON),
)
