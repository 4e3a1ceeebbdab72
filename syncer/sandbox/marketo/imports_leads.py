"""Bulk import of leads: upsert by a lookup field, from a file of less than 10 MB (Adobe, "Bulk Lead Import")."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo.field import InvalidValueError, TooLongError, canonical, is_email
from syncer.sandbox.marketo.gate import Answer, Body, Call, MarketoError, Operation
from syncer.sandbox.marketo.import_file import Table, parse_multipart, parse_table, reason_file
from syncer.sandbox.marketo.imports import ImportJob, Trouble
from syncer.sandbox.marketo.lead_record import UNSETTABLE, check_lookup_field, check_partition
from syncer.sandbox.marketo.leads import DEFAULT_PARTITION, Lead

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld

FAILURE_TITLE = "Import Failure Reason"
WARNING_TITLE = "Import Warning Reason"
KIND = "leads"


def read_file(call: Call) -> tuple[Table, dict[str, str]]:
    """The file, and parameters that came as parts of the form instead of in the query: both are seen in examples."""
    parts = parse_multipart(call.exchange.headers["content-type"], call.exchange.body)
    content = parts.pop("file", None)
    if content is None:
        raise MarketoError("1002", "Missing value for the required parameter 'file'")
    given = {name: value.decode("utf-8", "replace").strip() for name, value in parts.items()}
    for name in call.params:
        if (value := call.text(name)) is not None:
            given[name] = value
    return parse_table(given.get("format") or "csv", content), given


class LeadImport:
    """The rows of one file of leads. The same key twice in a file: the later row updates what the earlier one made."""

    def __init__(self, world: MarketoWorld, table: Table, lookup_field: str, partition: str | None) -> None:
        """Checks the header: names must be those of describe, to the letter."""
        self.table = table
        self._world = world
        self._lookup_field = lookup_field
        self._partition = partition
        self._found: list[list[int]] = []
        self._made: dict[Any, int] = {}
        fields = world.leads.fields
        for name in table.header:
            if name not in fields:
                raise MarketoError("1006", f"Field '{name}' not found")
            if fields[name].is_read_only or name in UNSETTABLE - {lookup_field}:
                raise MarketoError("1003", f"Field '{name}' is read-only")
        self._fields = [fields[name] for name in table.header]
        self._key_column = table.header.index(lookup_field) if lookup_field in table.header else None

    def keys(self) -> list[str]:
        """The canonical keys of the file."""
        keys = (self._key(row) for row in self.table.rows)
        return [self._world.leads.key(self._lookup_field, key) for key in keys if key]

    def look_up(self) -> None:
        """Finds the leads of all rows."""
        matches, name = self._world.leads.matches, self._lookup_field
        self._found = [matches(name, self._key(row)) for row in self.table.rows]

    def write(self, index: int, now: float) -> tuple[str | None, str | None]:
        """Creates or updates the lead of a row."""
        failure, warning, _ = self.upsert(index, now)
        return failure, warning

    def upsert(self, index: int, now: float) -> tuple[str | None, str | None, Lead | None]:
        """As `write`, with the lead."""
        decided = self._decide(index)
        if isinstance(decided, str):
            return decided, None, None
        values, lead, canonical_key = decided
        if lead is None:
            lead = self._world.leads.create(values, self._partition or DEFAULT_PARTITION, now)
        else:
            self._world.leads.update(lead, values, now)
        self._made[canonical_key] = lead.id
        email = values.get("email")
        return None, "Invalid email address" if email is not None and not is_email(email) else None, lead

    def _decide(self, index: int) -> str | tuple[dict[str, Any], Lead | None, Any]:
        """The reason of a failure, or the values with the lead to update, None for a new one, and the key."""
        row, leads, name = self.table.rows[index], self._world.leads, self._lookup_field
        key = self._key(row)
        values = self._values(row) if len(row) == len(self._fields) else "Invalid number of columns"
        if not key:
            return f"Value for lookup field '{name}' not found"
        if isinstance(values, str):
            return values
        canonical_key = canonical(name, leads.fields[name].data_type, key)
        found = self._matches(index, key, canonical_key)
        if len(found) > 1:
            return "Multiple lead match lookup criteria"
        if not found:
            return "Lead not found" if name == "id" else (values, None, canonical_key)
        lead = leads.rows[found[0]]
        if self._partition is not None and lead.partition != self._partition:
            return "Partition update not allowed"
        return values, lead, canonical_key

    def _matches(self, index: int, key: str, canonical_key: Any) -> list[int]:
        world = self._world
        if not world.options.duplicates_on_overlap:
            return world.leads.matches(self._lookup_field, key)
        made = self._made.get(canonical_key)
        found = self._found[index] if made is None else [made]
        return [lead_id for lead_id in found if lead_id in world.leads.rows]

    def _key(self, row: list[str]) -> str:
        column = self._key_column
        return row[column].strip() if column is not None and column < len(row) else ""

    def _values(self, row: list[str]) -> dict[str, Any] | str:
        """Stored values, or the reason of a failure, which names the field by its display name."""
        blank_clears = self._world.limits.blank_cells_clear
        values: dict[str, Any] = {}
        for field, text in zip(self._fields, row, strict=True):
            if field.name == "id" or (text == "" and not blank_clears):
                continue
            try:
                values[field.name] = text.strip() if field.name == "email" and text else field.store(text)
            except InvalidValueError:
                return f"Invalid data type in field {field.display_name}"
            except TooLongError:
                return f"Value too long in field {field.display_name}"
        return values


class ListedLeadImport(LeadImport):
    """An import that also puts its leads into a static list."""

    def __init__(
        self, world: MarketoWorld, table: Table, lookup_field: str, partition: str | None, list_id: int
    ) -> None:
        """Takes the list beside what every import takes."""
        super().__init__(world, table, lookup_field, partition)
        self._list_id = list_id

    def write(self, index: int, now: float) -> tuple[str | None, str | None]:
        """Creates or updates the lead of a row and adds it to the list, if that still exists."""
        failure, warning, lead = self.upsert(index, now)
        static_list = self._world.lists.get(self._list_id)
        if lead is not None and static_list is not None:
            static_list.members.setdefault(lead.id, now)
        return failure, warning


async def create_import(call: Call) -> Answer:
    """POST /bulk/v1/leads.json."""
    world = call.world
    table, given = read_file(call)
    lookup_field = given.get("lookupField") or "email"
    check_lookup_field(world, lookup_field)
    partition = check_partition(world, given.get("partitionName") or None)
    list_id = call.whole_number("listId") if call.text("listId") else _list_id(given)
    if list_id is not None and list_id not in world.lists:
        raise MarketoError("1013", "Object not found")

    def work(rows: list[list[str]]) -> LeadImport:
        shortened = Table(table.format, table.header, rows)
        if list_id is None:
            return LeadImport(world, shortened, lookup_field, partition)
        return ListedLeadImport(world, shortened, lookup_field, partition, list_id)

    keys = work(table.rows).keys()

    def write(limit: int | None) -> ImportJob:
        world.catch_up()
        world.imports.check_room()
        if list_id is not None:
            world.imports.check_list(list_id)
        span = world.traffic.job(world.system, "", "import leads", keys)
        return world.imports.add(
            ImportJob(KIND, "", work(table.rows[:limit]), span, Trouble.of(call.exchange), list_id)
        )

    job = await call.exchange.perform("import", keys, len(table.rows), write)
    call.exchange.entry.job_id = str(job.id)
    return Answer([{"batchId": job.id, "importId": str(job.id), "status": "Queued"}])


def _list_id(given: dict[str, str]) -> int | None:
    text = given.get("listId", "")
    if not text:
        return None
    if not text.isdecimal():
        raise MarketoError("1001", f'For input string: "{text}" failed to convert to a number')
    return int(text)


def status_of(job: ImportJob) -> dict[str, Any]:
    """The status of a job of leads or of program members."""
    status = {"batchId": job.id, "importId": str(job.id), "status": job.state.value, **job.counters("Leads")}
    return status | ({"message": job.message} if job.message else {})


async def import_status(call: Call) -> Answer:
    """GET /bulk/v1/leads/batch/{batchId}.json."""
    return Answer([status_of(call.world.imports.find(KIND, "", call.path_number("batchId")))])


def reasons(call: Call, job: ImportJob, title: str, *, missing_is_404: bool = False) -> Answer:
    """The failure or warning file in the job's own format; without rows an empty body, or 404 for custom objects."""
    rows = list(job.failures if title == FAILURE_TITLE else job.warnings)
    if job.is_active:
        rows = []
    if job.trouble.missing_failure_file:
        return Answer(file=b"", status=404, file_type="text/plain;charset=UTF-8")
    if job.trouble.shuffled:
        random.Random(call.world.options.seed).shuffle(rows)
    content = reason_file(job.work.table, title, rows)
    if not content and missing_is_404:
        return Answer(file=b"File not found", status=404, file_type="text/plain;charset=UTF-8")
    return Answer(file=content)


async def import_failures(call: Call) -> Answer:
    """GET /bulk/v1/leads/batch/{batchId}/failures.json."""
    return reasons(call, call.world.imports.find(KIND, "", call.path_number("batchId")), FAILURE_TITLE)


async def import_warnings(call: Call) -> Answer:
    """GET /bulk/v1/leads/batch/{batchId}/warnings.json."""
    return reasons(call, call.world.imports.find(KIND, "", call.path_number("batchId")), WARNING_TITLE)


OPERATIONS = (
    Operation("POST", "/bulk/v1/leads.json", create_import, Body.MULTIPART),
    Operation("GET", "/bulk/v1/leads/batch/{batchId}.json", import_status),
    Operation("GET", "/bulk/v1/leads/batch/{batchId}/failures.json", import_failures),
    Operation("GET", "/bulk/v1/leads/batch/{batchId}/warnings.json", import_warnings),
)
