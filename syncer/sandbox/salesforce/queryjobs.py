"""Bulk API 2.0 query jobs: SOQL in, CSV out, in pages behind a locator.

*Bulk API 2.0*, Query: a job starts in UploadComplete, its pages repeat the header, and the last page's
locator is the literal word `null`. Ids are drawn from the same numbers as those of ingest jobs.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from syncer.sandbox.exchange import Exchange
from syncer.sandbox.salesforce.csvfile import DELIMITERS, LineEnding
from syncer.sandbox.salesforce.door import json_of, read, reply, reply_csv, since
from syncer.sandbox.salesforce.ids import parse_id
from syncer.sandbox.salesforce.job import JobState
from syncer.sandbox.salesforce.jobs import Jobs
from syncer.sandbox.salesforce.org import Org
from syncer.sandbox.salesforce.refusal import Refusal, not_found
from syncer.sandbox.salesforce.results import quote
from syncer.sandbox.salesforce.soql import Query, parse_query
from syncer.sandbox.salesforce.value import stamp

if TYPE_CHECKING:
    from syncer.sandbox.salesforce.world import SalesforceWorld

FIRST_VERSION = 47.0
PAGES_VERSION = 58.0
PARALLEL_PAGES = 5
RUN_SECONDS = 1.0


@dataclass(slots=True)
class QueryJob:
    """One query job and, once it ran, its lines."""

    id: str
    query: Query
    operation: str
    version: float
    created_by: str
    created_at: float
    line_ending: LineEnding
    delimiter: str
    state: JobState = JobState.UPLOAD_COMPLETE
    modified_at: float = 0.0
    finished_at: float | None = None
    header: str = ""
    lines: list[str] | None = None

    def finish(self, state: JobState, moment: float) -> None:
        """Come to a final state."""
        self.state, self.modified_at, self.finished_at = state, moment, moment

    def as_created(self) -> dict[str, Any]:
        """The answer to the call that creates the job."""
        return self._show(with_counts=False)

    def as_info(self) -> dict[str, Any]:
        """The answer to a poll."""
        return self._show(with_counts=True)

    def _show(self, *, with_counts: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.query.table.type.name,
            "createdById": self.created_by,
            "createdDate": stamp(self.created_at),
            "systemModstamp": stamp(self.modified_at),
            "state": self.state.value,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": self.version,
        }
        if with_counts:
            shown["jobType"] = "V2Query"
        shown |= {"lineEnding": self.line_ending.value, "columnDelimiter": self.delimiter}
        if with_counts:
            shown |= {
                "numberRecordsProcessed": len(self.lines or ()),
                "retries": 0,
                "totalProcessingTime": 0 if self.lines is None else round(RUN_SECONDS * 1000),
            }
        return shown


class QueryJobs:
    """All query jobs of an org."""

    def __init__(self, org: Org, jobs: Jobs) -> None:
        """`jobs` gives out the ids."""
        self._org = org
        self._numbers = jobs
        self._jobs: dict[str, QueryJob] = {}

    def open(self, query: Query, operation: str, version: float, line_ending: LineEnding, delimiter: str) -> QueryJob:
        """A new job, which is queued at once."""
        org, moment = self._org, self._org.timeline.moment
        job_id, _ = self._numbers.next_id()
        job = QueryJob(
            job_id, query, operation, version, org.user_id, moment, line_ending, delimiter, modified_at=moment
        )
        self._jobs[job_id] = job
        org.timeline.at(moment + org.limits.queue_seconds, lambda: self._start(job))
        return job

    def _start(self, job: QueryJob) -> None:
        if job.state is JobState.UPLOAD_COMPLETE:
            moment = self._org.timeline.moment
            job.state, job.modified_at = JobState.IN_PROGRESS, moment
            self._org.timeline.at(moment + RUN_SECONDS, lambda: self._run(job))

    def _run(self, job: QueryJob) -> None:
        if job.state is not JobState.IN_PROGRESS:
            return
        delimiter = DELIMITERS[job.delimiter]
        job.header = delimiter.join(quote(path.text) for path in job.query.paths)
        job.lines = [
            delimiter.join(quote(_text(job.query.get(record, path))) for path in job.query.paths)
            for record in job.query.run(with_deleted=job.operation == "queryAll")
        ]
        job.finish(JobState.JOB_COMPLETE, self._org.timeline.moment)

    def find(self, text: str) -> QueryJob:
        """The job of that id, or the answer that there is none."""
        job = self._jobs.get(parse_id(text) or "")
        since = None if job is None else job.created_at if job.finished_at is None else job.finished_at
        if job is None or since is None or self._org.timeline.moment >= since + self._org.limits.kept_seconds:
            raise not_found()
        return job

    def forget(self, job: QueryJob) -> None:
        """Delete a job and its lines."""
        self._jobs.pop(job.id, None)

    def all(self) -> list[QueryJob]:
        """Every job, oldest first."""
        return list(self._jobs.values())


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.endswith("+0000"):
        return value[:-5] + "Z"
    return str(value)


async def create(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`POST /jobs/query`."""
    version = since(exchange, FIRST_VERSION)
    request = json_of(exchange)
    operation, text = request.get("operation"), request.get("query")
    for name, value, allowed in (
        ("operation", operation, {"query", "queryAll"}),
        ("contentType", request.get("contentType", "CSV"), {"CSV"}),
        ("lineEnding", request.get("lineEnding", "LF"), set(LineEnding)),
        ("columnDelimiter", request.get("columnDelimiter", "COMMA"), set(DELIMITERS)),
    ):
        if value not in allowed:
            raise Refusal(400, "API_ERROR", f"Invalid value: '{value or ''}' supplied for property: '{name}'")
    query = parse_query(world.org.store, str(text or ""))
    if query.is_count or query.offset or any(path.field.kind == "address" for path in query.paths):
        raise Refusal(400, "API_ERROR", "Aggregate Relationships not supported in Bulk Query")
    if not world.org.query_jobs.take(world.org.timeline.moment):
        limit = world.org.query_jobs.limit
        message = f"Max bulk v2 query jobs ({limit}) per 24 hrs has been reached"
        raise Refusal(400, "EXCEEDEDQUOTA", message)
    line_ending = LineEnding(request.get("lineEnding", "LF"))
    delimiter = str(request.get("columnDelimiter", "COMMA"))

    def write(_first: int | None) -> QueryJob:
        world.settle()
        return world.query_jobs.open(query, str(operation), version, line_ending, delimiter)

    job = await exchange.perform("create_query_job", (), 0, write)
    exchange.entry.job_id = job.id
    return reply(job.as_created())


def _find(world: SalesforceWorld, exchange: Exchange) -> QueryJob:
    job = world.query_jobs.find(exchange.path_params["job_id"])
    exchange.entry.job_id = job.id
    return job


async def info(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /jobs/query/{queryJobId}`."""
    since(exchange, FIRST_VERSION)
    await read(world, exchange, "query_job_info")
    return reply(_find(world, exchange).as_info())


async def list_jobs(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /jobs/query`."""
    since(exchange, FIRST_VERSION)
    await read(world, exchange, "list_query_jobs")
    records = [job.as_created() | {"jobType": "V2Query"} for job in world.query_jobs.all()]
    return reply({"done": True, "records": records, "nextRecordsUrl": None})


async def abort(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`PATCH /jobs/query/{queryJobId}` with `Aborted`, while it has not ended."""
    since(exchange, FIRST_VERSION)
    job = _find(world, exchange)
    wanted = json_of(exchange).get("state")
    if wanted != JobState.ABORTED:
        raise Refusal(400, "API_ERROR", f"Invalid value: '{wanted or ''}' supplied for property: 'state'")

    def write(_first: int | None) -> None:
        world.settle()
        if job.state.is_final:
            raise Refusal(400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
        job.finish(JobState.ABORTED, world.org.timeline.moment)

    await exchange.perform("abort_query_job", (), 0, write)
    return reply(job.as_created())


async def delete(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`DELETE /jobs/query/{queryJobId}`, once it has ended."""
    since(exchange, FIRST_VERSION)
    job = _find(world, exchange)

    def write(_first: int | None) -> None:
        world.settle()
        if not job.state.is_final:
            message = "Error encountered when deleting the job because the job is not terminated"
            raise Refusal(400, "API_ERROR", message)
        world.query_jobs.forget(job)

    await exchange.perform("delete_query_job", (), 0, write)
    return reply(status=204)


def _locate(text: str | None) -> int:
    if not text:
        return 0
    try:
        return int(base64.b64decode(text + "==").decode())
    except (ValueError, binascii.Error) as error:
        raise Refusal(400, "API_ERROR", "Invalid value for the query parameter 'locator'") from error


def _locator(start: int) -> str:
    return base64.b64encode(str(start).encode()).decode().rstrip("=")


async def result_page(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /jobs/query/{queryJobId}/results?locator=…&maxRecords=…`."""
    version = since(exchange, FIRST_VERSION)
    await read(world, exchange, "query_results")
    job = _find(world, exchange)
    if version != job.version:
        raise Refusal(409, "API_ERROR", "Use the API version that the job was created with")
    if job.lines is None:
        raise Refusal(400, "API_ERROR", f"Results are not available in state {job.state}")
    start = _locate(exchange.query.get("locator"))
    wanted = exchange.query.get("maxRecords", "")
    size = min(int(wanted) if wanted.isdigit() and int(wanted) else 10**9, world.limits.query_job_page)
    lines = job.lines[start : start + size]
    is_last = start + size >= len(job.lines)
    headers = {
        "Sforce-Locator": "null" if is_last else _locator(start + size),
        "Sforce-NumberOfRecords": str(len(lines)),
    }
    end = job.line_ending.characters
    return reply_csv(end.join([job.header, *lines]) + end, headers)


async def result_pages(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /jobs/query/{queryJobId}/resultPages`: the addresses of up to five pages at a time."""
    version = since(exchange, PAGES_VERSION)
    await read(world, exchange, "query_result_pages")
    job = _find(world, exchange)
    if job.lines is None:
        raise Refusal(400, "API_ERROR", f"Results are not available in state {job.state}")
    size = world.limits.query_job_page
    starts = list(range(_locate(exchange.query.get("locator")), max(len(job.lines), 1), size))
    base = f"/services/data/v{version}/jobs/query/{job.id}"
    answer: dict[str, Any] = {
        "resultPages": [{"resultUrl": f"{base}/results?locator={_locator(at)}"} for at in starts[:PARALLEL_PAGES]],
        "done": len(starts) <= PARALLEL_PAGES,
    }
    if not answer["done"]:
        answer["nextRecordsUrl"] = f"{base}/resultPages?locator={_locator(starts[PARALLEL_PAGES])}"
    return reply(answer)
