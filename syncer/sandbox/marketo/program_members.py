"""Program members: describe, query, status, data, delete (Adobe, "Program Members").

Statuses have steps, and a lead only moves forward.
"""

from __future__ import annotations

from typing import Any

from syncer.sandbox.marketo.describe import field_entry
from syncer.sandbox.marketo.field import InvalidValueError, TooLongError, timestamp
from syncer.sandbox.marketo.gate import MAX_VALUES, Answer, Body, Call, MarketoError, Operation, skipped, whole_number
from syncer.sandbox.marketo.instance import Member, Program
from syncer.sandbox.marketo.lead_record import invalid_value
from syncer.sandbox.marketo.paging import page

DEFAULT_FIELDS = ("acquiredBy", "leadId", "membershipDate", "programId", "reachedSuccess")
SEARCHABLE = ("leadId", "statusName", "reachedSuccess", "seatPreference", "guestCount")


def set_status(program: Program, lead_id: int, name: str, now: float) -> str | None:
    """Moves a lead to a status: `created`, `updated`, or None if it is already there or past it."""
    wanted = program.status(name)
    assert wanted is not None  # noqa: S101 - callers refuse unknown statuses before
    member = program.members.get(lead_id)
    if member is None:
        program.members[lead_id] = Member(name, now, now, wanted.success)
        return "created"
    current = program.status(member.status)
    if current is not None and wanted.step <= current.step:
        return None
    member.status, member.updated_at = name, now
    member.reached_success = member.reached_success or wanted.success
    return "updated"


def _program(call: Call) -> Program:
    found = call.world.programs.get(call.path_number("programId"))
    if found is None:
        raise MarketoError("1013", "Object not found")
    return found


def _keys(program: Program, ids: list[int]) -> list[str]:
    return [f"program/{program.id}/{lead_id}" for lead_id in ids]


async def describe(call: Call) -> Answer:
    """GET /rest/v1/programs/members/describe.json."""
    moment = timestamp(call.world.clock.start)
    return Answer(
        [
            {
                "name": "API Program Membership",
                "description": "Map for API program membership fields",
                "createdAt": moment,
                "updatedAt": moment,
                "dedupeFields": ["leadId", "programId"],
                "searchableFields": [[name] for name in SEARCHABLE],
                "fields": [field_entry(field) for field in call.world.member_fields.values()],
            }
        ]
    )


def _value(program: Program, lead_id: int, member: Member, name: str) -> Any:
    known: dict[str, Any] = {
        "leadId": lead_id,
        "programId": program.id,
        "program": program.name,
        "statusName": member.status,
        "reachedSuccess": member.reached_success,
        "membershipDate": timestamp(member.member_since),
        "createdAt": timestamp(member.member_since),
        "updatedAt": timestamp(member.updated_at),
        "acquiredBy": member.values.get("acquiredBy", False),
        "isExhausted": False,
    }
    return known[name] if name in known else member.values.get(name)


async def query(call: Call) -> Answer:
    """GET /rest/v1/programs/{programId}/members.json."""
    program, filter_type = _program(call), call.text("filterType")
    if filter_type is None:
        raise MarketoError("1003", "filterType not specified")
    if filter_type not in {*SEARCHABLE, "updatedAt"}:
        raise MarketoError("1003", f"Invalid filterType '{filter_type}'")
    names = call.values("fields") or list(DEFAULT_FIELDS)
    for name in names:
        if name not in call.world.member_fields:
            raise MarketoError("1006", f"Field '{name}' not found")
    if filter_type == "updatedAt":
        start, end = call.required("startAt"), call.required("endAt")
        chosen = [
            (lead_id, member)
            for lead_id, member in program.members.items()
            if start <= timestamp(member.updated_at) <= end
        ]
    else:
        values = {value.lower() for value in call.values("filterValues")}
        if not values:
            raise MarketoError("1003", "filterValues not specified")
        if len(values) > MAX_VALUES:
            raise MarketoError("1003", f"Too many filterValues: {len(values)}, maximum is {MAX_VALUES}")
        chosen = [
            (lead_id, member)
            for lead_id, member in program.members.items()
            if str(_value(program, lead_id, member, filter_type)).lower() in values
        ]
    shown, more = page(call, sorted(chosen, key=lambda each: each[0]))
    rows = [
        {"seq": seq, **{name: _value(program, lead_id, member, name) for name in dict.fromkeys(["leadId", *names])}}
        for seq, (lead_id, member) in enumerate(shown)
    ]
    return Answer(rows, {"moreResult": False, **more})


async def sync_status(call: Call) -> Answer:
    """POST /rest/v1/programs/{programId}/members/status.json; adds who is no member yet."""
    world, program = call.world, _program(call)
    name = call.body.get("statusName")
    if not name:
        raise MarketoError("1002", "Missing value for the required parameter 'statusName'")
    if program.status(str(name)) is None:
        raise MarketoError("1025", "Program status not found")
    ids = [whole_number(record.get("leadId")) for record in call.records()]

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        result: list[dict[str, Any]] = []
        for seq, lead_id in enumerate(ids[:limit]):
            if lead_id not in world.leads.rows:
                result.append(skipped("1004", "Lead not found", seq=seq))
                continue
            status = set_status(program, lead_id, str(name), world.clock.now())
            if status is None:
                words = "Lead skipped because it is already in or past this status"
                result.append(skipped("1037", words, seq=seq))
            else:
                result.append({"seq": seq, "status": status, "leadId": lead_id})
        return result

    return Answer(await call.exchange.perform("member status", _keys(program, ids), len(ids), write))


async def sync_data(call: Call) -> Answer:
    """POST /rest/v1/programs/{programId}/members.json; only for members."""
    world, program, records = call.world, _program(call), call.records()
    ids = [whole_number(record.get("leadId")) for record in records]

    def write_one(seq: int, lead_id: int, record: dict[str, Any]) -> dict[str, Any]:
        member = program.members.get(lead_id)
        if member is None:
            return skipped("1013", "Membership not found", seq=seq)
        values: dict[str, Any] = {}
        for name, value in record.items():
            if name == "leadId":
                continue
            field = world.member_fields.get(name)
            if field is None or field.is_read_only:
                return skipped("1006", f"Field '{name}' not found", seq=seq)
            try:
                values[name] = field.store(value)
            except (InvalidValueError, TooLongError):
                return skipped(*invalid_value(name, value), seq=seq)
        member.values |= values
        member.updated_at = world.clock.now()
        return {"seq": seq, "status": "updated", "leadId": lead_id}

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        pairs = list(zip(ids, records, strict=True))[:limit]
        return [write_one(seq, lead_id, record) for seq, (lead_id, record) in enumerate(pairs)]

    return Answer(await call.exchange.perform("member data", _keys(program, ids), len(ids), write))


async def delete(call: Call) -> Answer:
    """POST /rest/v1/programs/{programId}/members/delete.json."""
    world, program = call.world, _program(call)
    ids = [whole_number(record.get("leadId")) for record in call.records()]

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        result: list[dict[str, Any]] = []
        for seq, lead_id in enumerate(ids[:limit]):
            if program.members.pop(lead_id, None) is None:
                result.append(skipped("1037", "Lead not in program", seq=seq))
            else:
                result.append({"seq": seq, "status": "deleted", "leadId": lead_id})
        return result

    return Answer(await call.exchange.perform("delete member", _keys(program, ids), len(ids), write))


OPERATIONS = (
    Operation("GET", "/rest/v1/programs/members/describe.json", describe),
    Operation("GET", "/rest/v1/program/members/describe.json", describe),
    Operation("GET", "/rest/v1/programs/{programId}/members.json", query, Body.QUERY),
    Operation("POST", "/rest/v1/programs/{programId}/members/status.json", sync_status, Body.JSON),
    Operation("POST", "/rest/v1/programs/{programId}/members.json", sync_data, Body.JSON),
    Operation("POST", "/rest/v1/programs/{programId}/members/delete.json", delete, Body.JSON),
)
