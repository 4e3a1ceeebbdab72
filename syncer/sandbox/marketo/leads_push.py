"""Push Lead: an upsert that also notes an activity for each lead, every time (Adobe, "Leads": Push Lead to Marketo)."""

from __future__ import annotations

from typing import Any

from syncer.sandbox.marketo.activities import PUSH
from syncer.sandbox.marketo.gate import Answer, Body, Call, MarketoError, Operation
from syncer.sandbox.marketo.instance import Program
from syncer.sandbox.marketo.lead_record import PUSH_MEMBERS, check_lookup_field, check_partition
from syncer.sandbox.marketo.leads_sync import SyncAction, Upsert, keys_of, look_up, write_record
from syncer.sandbox.marketo.program_members import set_status


def _program(call: Call) -> tuple[Program, str | None]:
    name = call.body.get("programName")
    if not name:
        raise MarketoError("1002", "Missing value for the required parameter 'programName'")
    program = next((each for each in call.world.programs.values() if each.name == name), None)
    if program is None:
        raise MarketoError("1013", "Object not found")
    status = call.body.get("programStatus") or None
    if status is not None and program.status(str(status)) is None:
        raise MarketoError("1025", "Program status not found")
    return program, status


async def push_leads(call: Call) -> Answer:
    """POST /rest/v1/leads/push.json; a record that failed has `reasons` and no `status`, as in the vendor's example."""
    world = call.world
    program, status = _program(call)
    lookup_field = str(call.body.get("lookupField") or "email")
    check_lookup_field(world, lookup_field)
    partition = check_partition(world, call.body.get("partitionName") or None)
    upsert, records = Upsert(SyncAction.CREATE_OR_UPDATE, lookup_field, partition), call.records()
    early = [look_up(world, lookup_field, record) for record in records]

    def write(limit: int | None) -> list[dict[str, Any]]:
        world.catch_up()
        found, result = early, []
        if not world.options.duplicates_on_overlap:
            found = [look_up(world, lookup_field, record) for record in records]
        for record, matches in zip(records[:limit], found[:limit], strict=True):
            line = write_record(world, upsert, record, matches, PUSH_MEMBERS)
            if "reasons" in line:
                result.append({"reasons": line["reasons"]})
                continue
            now = world.clock.now()
            if status is not None:
                set_status(program, line["id"], status, now)
            if record.get("cookies"):
                world.leads.rows[line["id"]].cookies.append(str(record["cookies"]))
            source, reason = call.body.get("source"), call.body.get("reason")
            world.activities.add(PUSH, line["id"], now, program.name, program.id, Source=source, Reason=reason)
            result.append(line)
        return result

    keys = keys_of(world, upsert, records)
    return Answer(await call.exchange.perform("push", keys, len(records), write), {"warnings": []})


OPERATIONS = (Operation("POST", "/rest/v1/leads/push.json", push_leads, Body.JSON),)
