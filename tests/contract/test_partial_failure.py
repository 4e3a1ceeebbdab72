"""One bad record among many: the real executor and sessions against the sandbox, judged by what the vendor then holds.

A record that is refused takes no other along, whether it is refused alone, spoils its whole request, is locked by
others, or stands in a job that fails half-way or does not tell what it refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2
from typing import TYPE_CHECKING

import httpx
import pytest

from syncer.capability import PathKind
from syncer.execution.context import Context, PathRule, Stop
from syncer.execution.executor import run
from syncer.execution.running import fence
from syncer.facts import Action, System
from syncer.targets.registry import capabilities, open_session
from tests.doubts.staged import CellStaged, Fields
from tests.fakes.store import MemoryStore
from tests.fakes.world import Op, directly, plan_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.execution.report import RunResult
    from tests.contract.conftest import Stage

pytestmark = pytest.mark.anyio
M, S = System.MARKETO, System.SALESFORCE
POISON = "poison"
DONE, WITH_REJECTS = 0, 7


@dataclass
class _Picky(httpx.AsyncBaseTransport):
    """Refuses every write as a whole that holds a poisoned value, as vendors refuse a body that they cannot read."""

    inner: httpx.AsyncBaseTransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        if POISON.encode() not in body:
            return await self.inner.handle_async_request(request)
        if request.url.path.startswith("/rest/"):
            problem = {"success": False, "requestId": "1#1", "errors": [{"code": "1001", "message": "Invalid value"}]}
            return httpx.Response(200, json=problem, request=request)
        refusal = [{"errorCode": "JSON_PARSER_ERROR", "message": "Cannot deserialize instance of double"}]
        return httpx.Response(400, json=refusal, request=request)


async def _run(
    stage: Stage, system: System, path: str, values: Sequence[str], transport: httpx.AsyncBaseTransport | None = None
) -> RunResult:
    """Upsert a record for each value, in one request or job."""
    name, fields = {
        M: ("lead", Fields("email", "firstName")),
        S: ("Contact", Fields("Crm_Key__c", "FirstName", (("LastName", "Sim"),))),
    }[system]
    form = "p{}@example.com" if system is M else "K{}"
    rows = [(form.format(number), value) for number, value in enumerate(values)]
    able = next(each for each in capabilities(name, stage.endpoint(system)).paths if each.name == path)
    op = Op("op", rows, path, Action.UPSERT, connection=system, object=name, key=fields.key)
    jobs = frozenset({path}) if able.kind is PathKind.JOB else frozenset[str]()
    store, stop = MemoryStore(stage.clock), Stop()
    lease = await store.acquire((), "tester", "run1")
    session = open_session(
        stage.endpoint(system), stage.clock, transport or stage.transport, sandbox=True, fence=fence(lease, stop)
    )
    context = Context(
        run="run1",
        tool="test",
        store=store,
        lease=lease,
        clock=stage.clock,
        folder=stage.folder,
        sessions={system: session},
        staged={"op": CellStaged("op", rows, fields)},
        paths={("op", path): PathRule(able.format, able.server_timeout_seconds, able.repeat)},
        ledger_serials={"op": 0},
        offload=directly,
        stop=stop,
    )
    return await run(plan_of([op], 4, {path: None}, jobs), context)


def _held(stage: Stage, system: System) -> list[str]:
    """Return the numbers of the records that the vendor holds."""
    state = stage.sandbox.worlds[system].state()
    if system is M:
        return sorted(each["email"].removeprefix("p").partition("@")[0] for each in state["leads"])
    return sorted(each["Crm_Key__c"].removeprefix("K") for each in state["Contact"])


def _all_but(count: int, *places: int) -> list[str]:
    return sorted(str(number) for number in range(count) if number not in places)


@pytest.mark.parametrize(("system", "path", "count"), [(M, "sync", 300), (S, "collections", 200)])
@pytest.mark.parametrize("bad", [(0,), (137,), (-1,), (3, 4), (0, 99, -1)])
async def test_what_spoils_a_whole_request_is_found(
    stage: Stage, system: System, path: str, count: int, bad: tuple[int, ...]
) -> None:
    """It alone is refused, every other record is written once, and the search takes few calls for each."""
    places = tuple(each % count for each in bad)
    values = [POISON if number in places else "Ada" for number in range(count)]
    calls = len(stage.calls())
    counting = _Counting(_Picky(stage.transport))
    result = await _run(stage, system, path, values, counting)
    assert result.exit_code == WITH_REJECTS
    assert _held(stage, system) == _all_but(count, *places)
    assert counting.writes - 1 <= (ceil(log2(count)) + 2) * len(places)
    assert len(stage.calls()) - calls <= counting.writes + 1


@dataclass
class _Counting(httpx.AsyncBaseTransport):
    """Counts the writes."""

    inner: httpx.AsyncBaseTransport
    writes: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.writes += request.method != "GET" and "oauth" not in request.url.path
        return await self.inner.handle_async_request(request)


@pytest.mark.parametrize(
    ("system", "path"), [(M, "sync"), (M, "bulk"), (S, "collections"), (S, "multipart"), (S, "bulk2")]
)
async def test_a_refused_record_takes_none_along(stage: Stage, system: System, path: str) -> None:
    """A value that is too long for its field is the vendor's reason to refuse one record by itself."""
    values = ["Ada", "x" * 300, "Grace", "x" * 300, "Alan"]
    result = await _run(stage, system, path, values)
    assert (result.exit_code, _held(stage, system)) == (WITH_REJECTS, _all_but(5, 1, 3))


def _uploads(stage: Stage) -> list[int]:
    """Return how many rows each job of the org was given, in order."""
    return [len(each.keys) for each in stage.sandbox.traffic.jobs if each.system == S]


@pytest.mark.parametrize("path", ["multipart", "bulk2"])
async def test_locked_rows_go_again_in_ever_smaller_jobs(stage: Stage, path: str) -> None:
    """Each job holds what the one before left locked and nothing else, after a pause that grows."""
    for number, locked in enumerate((4, 2, 1), start=1):
        stage.spoil("lock_rows", first=locked, nth=number)
    began = stage.clock.monotonic()
    result = await _run(stage, S, path, ["Ada"] * 9)
    assert (result.exit_code, _held(stage, S)) == (DONE, _all_but(9))
    assert _uploads(stage) == [9, 4, 2, 1]
    rejects = stage.folder / "rejects.jsonl"
    assert not rejects.exists() or not rejects.read_text()
    assert stage.clock.monotonic() - began >= 30 + 60 + 120


@pytest.mark.parametrize(("path", "tries"), [("multipart", 4), ("bulk2", 4), ("collections", 5)])
async def test_rows_that_stay_locked_are_refused_in_the_end(stage: Stage, path: str, tries: int) -> None:
    """Only they; the pauses and tries have an end."""
    stage.spoil("lock_rows", first=2, count=None)
    result = await _run(stage, S, path, ["Ada"] * 5)
    assert (result.exit_code, _held(stage, S)) == (WITH_REJECTS, _all_but(5, 0, 1))
    assert len(_uploads(stage) or [each for each in stage.calls("composite/sobjects") if "GET" not in each]) == tries


async def test_what_a_failed_job_left_unprocessed_goes_again(stage: Stage) -> None:
    """Just those rows, told by the file of unprocessed records; those that were written are not sent twice."""
    stage.spoil("fail_job", first=200)
    result = await _run(stage, S, "bulk2", ["x" * 300, *["Ada"] * 499])
    assert (result.exit_code, _held(stage, S)) == (WITH_REJECTS, _all_but(500, 0))
    assert _uploads(stage) == [500, 300]


async def test_an_import_without_its_file_of_failures_is_read_back(stage: Stage) -> None:
    """The counts say that one row failed and the file that names it is not there: each row is looked up by itself."""
    stage.spoil("missing_failure_file")
    result = await _run(stage, M, "bulk", ["Ada", "x" * 300, "Alan"])
    assert (result.exit_code, _held(stage, M)) == (WITH_REJECTS, _all_but(3, 1))
    assert len(stage.calls("POST /bulk/v1/leads.json")) <= 1
