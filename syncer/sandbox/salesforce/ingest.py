"""Bulk API 2.0 ingest: create, upload, close or abort, look, list, delete and the result files.

One upload a job, not looked at when it comes; whatever is wrong with it shows later as a job that failed.
Texts and statuses that the vendor's pages do not give are chosen here once and marked so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from syncer.sandbox.exchange import Exchange
from syncer.sandbox.faults import Action
from syncer.sandbox.salesforce import results
from syncer.sandbox.salesforce.csvfile import DELIMITERS, JobFailure, LineEnding
from syncer.sandbox.salesforce.dml import Operation
from syncer.sandbox.salesforce.door import body_of, json_of, parse_json, read, reply, reply_csv, since
from syncer.sandbox.salesforce.ids import SHORT
from syncer.sandbox.salesforce.job import IngestJob, JobState
from syncer.sandbox.salesforce.refusal import Refusal, not_found
from syncer.sandbox.salesforce.runner import keys_of
from syncer.sandbox.salesforce.store import Table
from syncer.sandbox.salesforce.trouble import troubles_of

if TYPE_CHECKING:
    from syncer.sandbox.salesforce.world import SalesforceWorld

FIRST_VERSION = 41.0
_KNOWN = frozenset(
    {
        "object",
        "operation",
        "externalIdFieldName",
        "contentType",
        "lineEnding",
        "columnDelimiter",
        "assignmentRuleId",
        "concurrencyMode",
    }
)


def _bad_value(name: str, value: object) -> Refusal:
    return Refusal(400, "API_ERROR", f"Invalid value: '{value or ''}' supplied for property: '{name}'")


def _invalid_job(message: str) -> Refusal:
    return Refusal(400, "INVALIDJOB", f"InvalidJob : {message}")


async def create(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`POST /jobs/ingest`: an open job, or with a multipart body one that is uploaded already."""
    version = since(exchange, FIRST_VERSION)
    if exchange.headers.get("content-type", "").lower().startswith("multipart/"):
        return await _create_multipart(world, exchange, version)
    request = json_of(exchange)

    def write(_first: int | None) -> IngestJob:
        world.settle()
        return _make(world, request, version)

    _check(world, request)
    job = await exchange.perform("create_job", (), 0, write)
    exchange.entry.job_id = job.id
    return reply(job.as_created())


def _check(world: SalesforceWorld, request: dict[str, Any]) -> None:
    """Refuse what the vendor refuses when a job is created."""
    _check_words(request)
    table = world.org.store.table(str(request["object"]))
    if table is None:
        raise _invalid_job(f"Unable to find object: {request['object']}")  # noqa: TRY003 - the vendor's message
    if not table.type.is_writeable:
        message = f"Entity '{table.type.name}' is not supported by the Bulk API."
        raise Refusal(400, "INVALIDENTITY", message)
    if request["operation"] == Operation.HARD_DELETE and not world.limits.has_hard_delete:
        raise Refusal(400, "FEATURENOTENABLED", "FeatureNotEnabled : hardDelete is not enabled for this user")
    if request["operation"] == Operation.UPSERT:
        _check_key(table, request.get("externalIdFieldName"))
    if not world.org.batches.left(world.org.timeline.moment):
        raise Refusal(400, "EXCEEDEDQUOTA", "ExceededQuota : ApiBatchItems Limit exceeded.")


def _check_words(request: dict[str, Any]) -> None:
    """Refuse members and values that the vendor does not know."""
    for name in request:
        if name not in _KNOWN:
            raise Refusal(400, "JSON_PARSER_ERROR", f'Unrecognized field "{name}"')
    if not request.get("object"):
        raise _bad_value("object", "")
    for name, default, allowed in (
        ("operation", "", set(Operation)),
        ("contentType", "CSV", {"CSV"}),
        ("lineEnding", LineEnding.LF, set(LineEnding)),
        ("columnDelimiter", "COMMA", set(DELIMITERS)),
    ):
        if request.get(name, default) not in allowed:
            raise _bad_value(name, request.get(name))


def _check_key(table: Table, name: object) -> None:
    """Refuse a key field that an upsert cannot match on; the words changed when indexed fields came."""
    own = table.type.name
    if name is None:
        message = f"External ID was blank for {own}. An External ID must be specified for upsert."
        raise _invalid_job(message)
    key = table.type.find(str(name))
    if key is None or not key.is_key:
        tail = f"an External ID, Salesforce Id, or indexed field for {own}" if name else f"an External ID for {own}"
        message = f"Field name provided, {name} does not match {tail}"
        raise _invalid_job(message)


def _make(world: SalesforceWorld, request: dict[str, Any], version: float) -> IngestJob:
    operation = Operation(request["operation"])
    object_type = world.org.store.tables[world.canonical(str(request["object"]))].type
    key = object_type.find(str(request["externalIdFieldName"])) if operation is Operation.UPSERT else None
    return world.jobs.open(
        object_type,
        operation,
        version,
        key=key,
        line_ending=LineEnding(request.get("lineEnding", "LF")),
        delimiter=request.get("columnDelimiter", "COMMA"),
        assignment_rule=request.get("assignmentRuleId"),
    )


async def _create_multipart(world: SalesforceWorld, exchange: Exchange, version: float) -> Response:
    """*Bulk API 2.0*, Create a Job: parts `job` and `content`, at most 100,000 characters of CSV."""
    request, data = await _parts(exchange)
    if len(data.decode("utf-8", errors="replace")) > world.limits.multipart_characters:
        message = f"ClientInputError : content is larger than {world.limits.multipart_characters} characters"
        raise Refusal(400, "CLIENTINPUTERROR", message)
    _check(world, request)
    job: IngestJob | None = None

    def write(_first: int | None) -> IngestJob:
        nonlocal job
        world.settle()
        job = _make(world, request, version)
        job.data, job.is_multipart = data, True
        return job

    made = await exchange.perform("create_job", (), 0, write)
    exchange.entry.job_id = made.id
    _close(world, exchange, made)
    return reply(made.as_created())


async def _parts(exchange: Exchange) -> tuple[dict[str, Any], bytes]:
    async def stream() -> Any:
        yield body_of(exchange)
        yield b""

    try:
        form = await MultiPartParser(Headers(raw=exchange.headers.raw), stream(), max_part_size=2**24).parse()
    except (MultiPartException, KeyError) as error:
        raise Refusal(400, "INVALID_MULTIPART_REQUEST", "The multipart request cannot be read") from error
    try:
        parts = {name: part if isinstance(part, str) else await part.read() for name, part in form.items()}
    finally:
        await form.close()
    if not {"job", "content"} <= parts.keys():
        raise Refusal(400, "INVALID_MULTIPART_REQUEST", "The parts 'job' and 'content' are required")
    job, content = (part.encode() if isinstance(part, str) else part for part in (parts["job"], parts["content"]))
    return parse_json(job), content


def find(world: SalesforceWorld, exchange: Exchange) -> IngestJob:
    """The job that the path names, by an id of 15 or 18 characters."""
    job = world.jobs.find(exchange.path_params["job_id"])
    if job is None:
        raise not_found()
    exchange.entry.job_id = job.id
    return job


async def upload(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`PUT /jobs/ingest/{jobId}/batches`: once for a job, and nothing is read of it."""
    since(exchange, FIRST_VERSION)
    find(world, exchange)
    data = body_of(exchange)
    if len(data) > world.limits.upload_bytes:
        message = "ClientInputError : Request size exceeded the maximum of 150 MB"
        raise Refusal(400, "CLIENTINPUTERROR", message)

    def write(_first: int | None) -> None:
        world.settle()
        job = find(world, exchange)
        if job.state is not JobState.OPEN:
            raise Refusal(400, "INVALIDJOBSTATE", f"Upload not allowed in state {job.state}")
        if job.data is not None:
            message = (
                f"Found multipe contents for job: <{job.id[:SHORT]}>, please 'Close' / 'Abort' / 'Delete' the current "
                "Job then create a new Job and make sure you only do 'PUT' once on a given Job."
            )
            raise Refusal(400, "BULK_API_ERROR", message)
        job.data = data

    await exchange.perform("upload", (), 0, write)
    return reply(status=201)


async def change_state(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`PATCH /jobs/ingest/{jobId}`: close or abort; members that are not known are passed over here."""
    since(exchange, FIRST_VERSION)
    job = find(world, exchange)
    wanted = str(json_of(exchange).get("state") or "")
    if world.limits.accepts_any_state_case:
        wanted = wanted[:1].upper() + wanted[1:]
    if wanted == JobState.ABORTED:
        await exchange.perform("abort_job", (), 0, lambda _first: _abort(world, job))
    elif wanted == JobState.UPLOAD_COMPLETE:
        keys = _keys_of_upload(world, job)
        await exchange.perform(job.operation.value, keys, len(job.results), lambda _first: _close(world, exchange, job))
    else:
        raise _bad_value("state", wanted)
    return reply(job.as_patched())


def _keys_of_upload(world: SalesforceWorld, job: IngestJob) -> list[str]:
    """What the upload will touch, for log and fault rules; a file that cannot be read touches nothing."""
    if job.state is not JobState.OPEN:
        return []
    try:
        return keys_of(job, world.runner.read(job))
    except JobFailure:
        return []


def _refuse_change(doing: str, job: IngestJob) -> Refusal:
    done = "Aborted" if job.state is JobState.ABORTED else "Completed"
    return Refusal(400, "INVALIDJOBSTATE", f"{doing} already {done} Job not allowed")


def _abort(world: SalesforceWorld, job: IngestJob) -> None:
    world.settle()
    if job.state.is_final:
        raise _refuse_change("Aborting", job)
    if job.file is None and job.data is not None:
        _keys_of_upload(world, job)
    job.finish(JobState.ABORTED, world.org.timeline.moment)


def _close(world: SalesforceWorld, exchange: Exchange, job: IngestJob) -> None:
    world.settle()
    if job.state is not JobState.OPEN:
        raise _refuse_change("Closing", job)
    keys = _keys_of_upload(world, job)
    job.state = JobState.UPLOAD_COMPLETE
    job.span = world.traffic.job(world.system, job.id, job.operation.value, keys)
    job.span.state = job.state.value
    job.troubles = troubles_of(exchange, job)
    world.runner.queue(job)


async def info(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /jobs/ingest/{jobId}`."""
    since(exchange, FIRST_VERSION)
    await read(world, exchange, "job_info")
    return reply(find(world, exchange).as_info())


async def list_jobs(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /jobs/ingest`: at most 1,000 a page."""
    version = since(exchange, FIRST_VERSION)
    await read(world, exchange, "list_jobs")
    if exchange.query.get("jobType", "V2Ingest") != "V2Ingest":
        return reply({"done": True, "records": [], "nextRecordsUrl": None})
    locator = re.fullmatch(r"\w+-(\d+)", exchange.query.get("queryLocator", ""))
    start = int(locator[1]) if locator else 0
    jobs, is_last = world.jobs.page(start)
    following = f"/services/data/v{version}/jobs/ingest?queryLocator=01g5g0000000001AAA-{start + len(jobs)}"
    return reply(
        {
            "done": is_last,
            "records": [job.as_listed() for job in jobs],
            "nextRecordsUrl": None if is_last else following,
        }
    )


async def delete(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`DELETE /jobs/ingest/{jobId}`: its results go with it; an open or running job must be aborted first."""
    since(exchange, FIRST_VERSION)
    find(world, exchange)

    def write(_first: int | None) -> None:
        world.settle()
        job = find(world, exchange)
        if not (job.state.is_final or job.state is JobState.UPLOAD_COMPLETE):
            message = "Error encountered when deleting the job because the job is not terminated"
            raise Refusal(400, "API_ERROR", message)
        world.jobs.forget(job)

    await exchange.perform("delete_job", (), 0, write)
    return reply(status=204)


async def result_file(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /jobs/ingest/{jobId}/successfulResults` and its two siblings, in any case."""
    since(exchange, FIRST_VERSION)
    writers: dict[str, Callable[[IngestJob, object], str]] = {
        "successfulresults": results.successful,
        "failedresults": results.failed,
        "unprocessedrecords": results.unprocessed,
    }
    name = exchange.path_params["results"].lower()
    if name not in writers:
        raise not_found()
    await read(world, exchange, name)
    job = find(world, exchange)
    if exchange.world_fault(Action.MISSING_FAILURE_FILE) is not None:
        raise not_found()
    seed: object = world.org.seed
    if exchange.world_fault(Action.SHUFFLE_RESULTS) is not None:
        seed = f"{seed}/{exchange.entry.number}"
    return reply_csv(writers[name](job, seed))
