"""Bulk import of program members: leads by e-mail, put into a program with a status.

Rules: Adobe, "Bulk Program Member Import". The queue is the one of all imports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo.field import Field, InvalidValueError, TooLongError
from syncer.sandbox.marketo.gate import Answer, Body, Call, MarketoError, Operation
from syncer.sandbox.marketo.import_file import Table
from syncer.sandbox.marketo.imports import ImportJob, Trouble
from syncer.sandbox.marketo.imports_leads import (
    FAILURE_TITLE,
    WARNING_TITLE,
    LeadImport,
    read_file,
    reasons,
    status_of,
)
from syncer.sandbox.marketo.instance import Program
from syncer.sandbox.marketo.program_members import set_status

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld

KIND = "program members"


class MemberImport:
    """The rows of one file: lead columns go to the lead, member columns to the membership."""

    def __init__(self, world: MarketoWorld, table: Table, program: Program, status: str) -> None:
        """Tells the columns apart; a name that is both is the lead's."""
        self.table = table
        self._program = program
        self._status = status
        lead_columns = [column for column, name in enumerate(table.header) if name in world.leads.fields]
        self._member_columns: list[tuple[int, Field]] = []
        for column, name in enumerate(table.header):
            if column in lead_columns:
                continue
            field = world.member_fields.get(name)
            if field is None or field.is_read_only:
                raise MarketoError("1006", f"Field '{name}' not found")
            self._member_columns.append((column, field))
        header = [table.header[column] for column in lead_columns]
        rows = [[row[column] for column in lead_columns if column < len(row)] for row in table.rows]
        self.leads = LeadImport(world, Table(table.format, header, rows), "email", None)

    def look_up(self) -> None:
        """Finds the leads of all rows."""
        self.leads.look_up()

    def write(self, index: int, now: float) -> tuple[str | None, str | None]:
        """Creates or updates the lead, then its membership."""
        row, values = self.table.rows[index], dict[str, Any]()
        for column, field in self._member_columns:
            try:
                values[field.name] = field.store(row[column] if column < len(row) else "")
            except (InvalidValueError, TooLongError):
                return f"Invalid data type in field {field.display_name}", None
        failure, warning, lead = self.leads.upsert(index, now)
        if lead is not None:
            set_status(self._program, lead.id, self._status, now)
            member = self._program.members[lead.id]
            member.values |= values
            member.updated_at = now
        return failure, warning


async def create_import(call: Call) -> Answer:
    """POST /bulk/v1/program/{programId}/members/import.json."""
    world = call.world
    table, given = read_file(call)
    program = world.programs.get(call.path_number("programId"))
    if program is None:
        raise MarketoError("1013", "Object not found")
    status = given.get("programMemberStatus")
    if not status:
        raise MarketoError("1002", "Missing value for the required parameter 'programMemberStatus'")
    if program.status(status) is None:
        raise MarketoError("1025", "Program status not found")
    keys = MemberImport(world, table, program, status).leads.keys()

    def write(limit: int | None) -> ImportJob:
        world.catch_up()
        world.imports.check_room()
        work = MemberImport(world, Table(table.format, table.header, table.rows[:limit]), program, status)
        span = world.traffic.job(world.system, "", "import program members", keys)
        return world.imports.add(ImportJob(KIND, "", work, span, Trouble.of(call.exchange)))

    job = await call.exchange.perform("import", keys, len(table.rows), write)
    call.exchange.entry.job_id = str(job.id)
    return Answer([{"batchId": job.id, "importId": str(job.id), "status": "Queued"}])


def _job(call: Call) -> ImportJob:
    return call.world.imports.find(KIND, "", call.path_number("batchId"))


async def import_status(call: Call) -> Answer:
    """GET /bulk/v1/program/members/import/{batchId}/status.json: no program in the path."""
    return Answer([status_of(_job(call))])


async def import_failures(call: Call) -> Answer:
    """GET /bulk/v1/program/members/import/{batchId}/failures.json."""
    return reasons(call, _job(call), FAILURE_TITLE)


async def import_warnings(call: Call) -> Answer:
    """GET /bulk/v1/program/members/import/{batchId}/warnings.json."""
    return reasons(call, _job(call), WARNING_TITLE)


OPERATIONS = (
    Operation("POST", "/bulk/v1/program/{programId}/members/import.json", create_import, Body.MULTIPART),
    Operation("GET", "/bulk/v1/program/members/import/{batchId}/status.json", import_status),
    Operation("GET", "/bulk/v1/program/members/import/{batchId}/failures.json", import_failures),
    Operation("GET", "/bulk/v1/program/members/import/{batchId}/warnings.json", import_warnings),
)
