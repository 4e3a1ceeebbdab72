"""Bulk import of custom objects: upsert by the dedupe fields (Adobe, "Bulk Custom Object Import")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo.custom_objects import Key, key_of, log_key, object_type, put, with_field_names
from syncer.sandbox.marketo.field import InvalidValueError, TooLongError
from syncer.sandbox.marketo.gate import Answer, Body, Call, MarketoError, Operation
from syncer.sandbox.marketo.import_file import Table
from syncer.sandbox.marketo.imports import ImportJob, Trouble
from syncer.sandbox.marketo.imports_leads import FAILURE_TITLE, WARNING_TITLE, read_file, reasons
from syncer.sandbox.marketo.instance import ObjectType

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld

KIND = "custom objects"
MISSING_PARENT = "Lead with the value of the link not found"
"""A row whose lead does not exist fails, as observed; the vendor's words are not recorded."""


class ObjectImport:
    """The rows of one file of custom objects."""

    def __init__(self, world: MarketoWorld, kind: ObjectType, table: Table) -> None:
        """Checks the header."""
        self.table = table
        self._world = world
        self._kind = kind
        header = list(with_field_names(kind, dict.fromkeys(table.header)))
        for name in header:
            if name not in kind.fields or kind.fields[name].is_read_only:
                raise MarketoError("1006", f"Field '{name}' not found")
        self._records = [dict(zip(header, row, strict=False)) for row in table.rows]
        self._found: list[str | None] = []
        self._made: dict[Key, str] = {}

    def keys(self) -> list[str]:
        """The canonical keys of the file."""
        keys = (key_of(self._kind, record) for record in self._records)
        return [log_key(self._kind, key) for key in keys if key is not None]

    def look_up(self) -> None:
        """Finds the records of all rows."""
        by_key = self._kind.by_key
        keys = [key_of(self._kind, record) for record in self._records]
        self._found = [next(iter(by_key.get(key, ())), None) if key is not None else None for key in keys]

    def write(self, index: int, now: float) -> tuple[str | None, str | None]:
        """Creates or updates the record of a row."""
        world, kind, record = self._world, self._kind, self._records[index]
        key = key_of(kind, record)
        if key is None:
            return "missing.dedupe.fields", None
        values: dict[str, Any] = {}
        for name, text in record.items():
            field = kind.fields[name]
            if text == "" and not world.limits.blank_cells_clear:
                continue
            try:
                values[name] = field.store(text)
            except (InvalidValueError, TooLongError):
                return f"Invalid data type in field {field.display_name}", None
        for name, lead_field in kind.links.items():
            if values.get(name) is not None and not world.leads.matches(lead_field, values[name]):
                return MISSING_PARENT, None
        self._made[key] = put(world, kind, self._made.get(key) or self._found[index], values, now)
        return None, None


async def create_import(call: Call) -> Answer:
    """POST /bulk/v1/customobjects/{apiName}/import.json."""
    world, kind = call.world, object_type(call)
    table, _ = read_file(call)
    keys = ObjectImport(world, kind, table).keys()

    def write(limit: int | None) -> ImportJob:
        world.catch_up()
        world.imports.check_room()
        work = ObjectImport(world, kind, Table(table.format, table.header, table.rows[:limit]))
        span = world.traffic.job(world.system, "", f"import {kind.name}", keys)
        return world.imports.add(ImportJob(KIND, kind.name, work, span, Trouble.of(call.exchange)))

    job = await call.exchange.perform("import", keys, len(table.rows), write)
    call.exchange.entry.job_id = str(job.id)
    return Answer([{"batchId": job.id, "status": "Queued", "objectApiName": kind.name}])


def _job(call: Call) -> ImportJob:
    return call.world.imports.find(KIND, object_type(call).name, call.path_number("batchId"))


async def import_status(call: Call) -> Answer:
    """GET /bulk/v1/customobjects/{apiName}/import/{batchId}/status.json."""
    job = _job(call)
    status: dict[str, Any] = {
        "batchId": job.id,
        "operation": "import",
        "status": job.state.value,
        "objectApiName": job.target,
        **job.counters("Objects"),
    }
    if job.finished_at is not None and job.started_at is not None:
        status["importTime"] = f"{round(job.finished_at - job.started_at)} second(s)"
    return Answer([status | ({"message": job.message} if job.message else {})])


async def import_failures(call: Call) -> Answer:
    """GET /bulk/v1/customobjects/{apiName}/import/{batchId}/failures.json; 404 when there are none."""
    return reasons(call, _job(call), FAILURE_TITLE, missing_is_404=True)


async def import_warnings(call: Call) -> Answer:
    """GET /bulk/v1/customobjects/{apiName}/import/{batchId}/warnings.json; 404 when there are none."""
    return reasons(call, _job(call), WARNING_TITLE, missing_is_404=True)


_PATH = "/bulk/v1/customobjects/{apiName}/import"
OPERATIONS = (
    Operation("POST", f"{_PATH}.json", create_import, Body.MULTIPART),
    Operation("GET", f"{_PATH}/{{batchId}}/status.json", import_status),
    Operation("GET", f"{_PATH}/{{batchId}}/failures.json", import_failures),
    Operation("GET", f"{_PATH}/{{batchId}}/warnings.json", import_warnings),
)
