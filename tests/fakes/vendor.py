"""A target in memory with the vendors' vices: duplicates where writes of one key overlap, answers lost on demand."""

# ruff: noqa: D102, D107 - the methods are a protocol's, and documented there

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import anyio

from syncer.engine.protocol import ResultFile
from syncer.errors import InDoubtError, QuotaSpentError, RefusedError, RetryableError
from syncer.facts import Action, ObjectSchema, System, Usage
from syncer.outcome import Outcome
from syncer.targets.protocol import (
    Accepted,
    Answered,
    Found,
    JobSettled,
    LookedUp,
    RecordResult,
    Remedy,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from anyio.abc import TaskGroup

    from syncer.targets.protocol import Unit

Faults = dict[tuple[str, str], list[str]]
"""By verb and unit: what goes wrong with the first call, the second, ...; "" for nothing."""


@dataclass
class Record:
    """One record of the target; a key may have several, which is the harm that syncer must not do."""

    id: str
    key: str
    value: str
    activities: int = 0


@dataclass
class Call:
    """One write as the target saw it."""

    unit: str
    verb: str
    keys: tuple[str, ...]
    arrived: float
    ended: float | None = None


@dataclass
class Job:
    """An asynchronous job. `state` is open, running or complete."""

    unit: str
    state: str = "open"
    failed: tuple[str, ...] = ()
    unprocessed: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    done: anyio.Event = field(default_factory=anyio.Event)


@dataclass
class Vendor:
    """The target's records and habits. `tasks` outlives every client, as a server does."""

    tasks: TaskGroup
    latency: float = 1.0
    job_seconds: float = 40.0
    records: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    calls: list[Call] = field(default_factory=list)
    looks: list[tuple[str, float]] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    faults: Faults = field(default_factory=dict)
    poison: set[str] = field(default_factory=set)
    """A request with one of these keys is refused as a whole."""
    refused: set[str] = field(default_factory=set)
    """A record with one of these keys is refused."""
    left: Callable[[str, tuple[str, ...]], tuple[str, ...]] | None = None
    """Which keys of a job are left unprocessed."""
    locked: dict[str, int] = field(default_factory=dict)
    """How many more times a key is found locked by a job."""
    count: int = 0

    def fault(self, verb: str, unit: str) -> str:
        """Take the fault of this call."""
        waiting = self.faults.get((verb, unit)) or self.faults.get((verb, "*"))
        return waiting.pop(0) if waiting else ""

    def state(self) -> dict[str, tuple[tuple[str, int], ...]]:
        """Return values and activities by key, without ids."""
        return {
            key: tuple((each.value, each.activities) for each in found) for key, found in sorted(self.records.items())
        }

    def duplicates(self) -> list[str]:
        """Return keys that have more than one record."""
        return [key for key, found in self.records.items() if len(found) > 1]

    def overlaps(self) -> list[tuple[str, str]]:
        """Return pairs of writes of one key that were under way at once."""
        by_key: dict[str, list[Call]] = defaultdict(list)
        for call in self.calls:
            for key in call.keys:
                by_key[key].append(call)
        found = []
        for calls in by_key.values():
            for first, second in pairwise(calls):
                if first.ended is None or second.arrived < first.ended:
                    found.append((first.unit, second.unit))
        return found

    def new_id(self) -> str:
        """Return the next record's id."""
        self.count += 1
        return f"id{self.count}"


class FakeSession:
    """A `Session` for one `Vendor`; paths named `job` are jobs, `push` writes an activity."""

    def __init__(self, vendor: Vendor, *, remedy_per_record: bool = False) -> None:
        self.vendor = vendor
        self.closed = False
        self.remedy_per_record = remedy_per_record

    async def describe(self, name: str) -> ObjectSchema:
        return ObjectSchema(System.MARKETO, name, ())

    async def usage(self) -> Usage:
        return Usage()

    async def prepare(self, unit: Unit) -> str:
        _raise(self.vendor.fault("prepare", unit.id))
        if unit.step.path != "job":
            return ""
        reference = f"job{len(self.vendor.jobs) + 1}"
        self.vendor.jobs[reference] = Job(unit.id)
        return reference

    async def commit(self, unit: Unit, reference: str) -> Answered | Accepted:
        vendor = self.vendor
        fault = vendor.fault("commit", unit.id)
        if fault.startswith("wait "):
            await anyio.sleep(float(fault.removeprefix("wait ")))
            fault = ""
        _raise(fault)
        rows = _rows(unit)
        keys = tuple(key for key, _ in rows)
        if fault == "lose before":
            await anyio.sleep(vendor.latency)
            raise _lost()
        if not vendor.poison.isdisjoint(keys):
            vendor.calls.append(Call(unit.id, "refused", (), anyio.current_time(), anyio.current_time()))
            raise RefusedError("R108", "The request holds a spoilt record.", target="fake")
        call = Call(unit.id, "commit", keys, anyio.current_time())
        vendor.calls.append(call)
        if reference:
            job = vendor.jobs[reference]
            job.state = "running"
            vendor.tasks.start_soon(self._run_job, unit, job, call)
            if fault == "lose after":
                raise _lost()
            return Accepted(reference)
        answer: list[RecordResult] = []
        done = anyio.Event()
        late = float(fault.removeprefix("late ")) if fault.startswith("late ") else 0.0
        vendor.tasks.start_soon(self._apply, unit, rows, call, answer, done, late)
        if late:
            await anyio.sleep(vendor.latency)
            raise _lost()
        await done.wait()
        if fault == "lose after":
            raise _lost()
        if fault == "unknown word":
            answer[0] = RecordResult(0, Outcome.IN_DOUBT)
        return Answered("r", tuple(answer))

    async def _apply(  # noqa: PLR0917 - started as a task, which takes no names
        self,
        unit: Unit,
        rows: list[tuple[str, str]],
        call: Call,
        answer: list[RecordResult],
        done: anyio.Event,
        late: float,
    ) -> None:
        """Be the server: look first, write a moment later, so that two at once both find nothing."""
        vendor = self.vendor
        await anyio.sleep(late)
        there = {key: bool(vendor.records.get(key)) for key, _ in rows}
        await anyio.sleep(vendor.latency)
        for position, (key, value) in enumerate(rows):
            answer.append(self._write(unit, position, key, value, exists=there[key]))
        call.ended = anyio.current_time()
        done.set()

    async def _run_job(self, unit: Unit, job: Job, call: Call) -> None:
        vendor = self.vendor
        rows = _rows(unit)
        await anyio.sleep(vendor.job_seconds)
        job.unprocessed = vendor.left(unit.id, tuple(key for key, _ in rows)) if vendor.left else ()
        job.locked = tuple(key for key, _ in rows if vendor.locked.get(key, 0) > 0)
        for key in job.locked:
            vendor.locked[key] -= 1
        refused = {*vendor.refused, *job.locked}
        job.failed = tuple(key for key, _ in rows if key in refused and key not in job.unprocessed)
        for position, (key, value) in enumerate(rows):
            if key not in job.unprocessed and key not in job.locked:
                self._write(unit, position, key, value, exists=bool(vendor.records.get(key)))
        job.state = "complete"
        call.ended = anyio.current_time()
        job.done.set()

    def _write(self, unit: Unit, position: int, key: str, value: str, *, exists: bool) -> RecordResult:
        vendor = self.vendor
        if key in vendor.refused:
            return RecordResult(position, Outcome.REJECTED, code="V501", message="The record is spoilt.")
        action = unit.step.action
        if action is Action.DELETE:
            vendor.records.pop(key, None)
            return RecordResult(position, Outcome.UPDATED)
        if exists and action is not Action.DUPLICATE:
            record = vendor.records[key][0]
            record.value = value
            outcome = Outcome.UPDATED
        else:
            record = Record(vendor.new_id(), key, value)
            vendor.records[key].append(record)
            outcome = Outcome.CREATED
        record.activities += unit.step.path == "push"
        return RecordResult(position, outcome, record.id)

    async def settle(self, unit: Unit, reference: str, folder: Path) -> JobSettled:
        fault = self.vendor.fault("settle", unit.id)
        _raise(fault)
        job = self.vendor.jobs[reference]
        await job.done.wait()
        if fault == "lose before":
            raise _lost()
        files = []
        for kind, keys in (("failed", job.failed), ("unprocessed", job.unprocessed), ("locked", job.locked)):
            path = folder / f"{reference}-{kind}.json"
            path.write_text(json.dumps([] if fault == "cut" else keys))
            files.append(ResultFile(kind, path))
        letter = "?" if fault == "counts" else "w"
        return JobSettled(reference, len(_rows(unit)), len(job.failed), tuple(files), letter, locked="LOCKED")

    async def look_up(self, unit: Unit, reference: str, seconds_ago: float = 0.0) -> LookedUp:
        del seconds_ago
        vendor = self.vendor
        fault = vendor.fault("look_up", unit.id)
        vendor.looks.append((unit.id, anyio.current_time()))
        _raise(fault)
        if fault == "unknown":
            return LookedUp()
        if reference:
            verdicts = {"open": Verdict.ABSENT, "running": Verdict.RUNNING, "complete": Verdict.APPLIED}
            return LookedUp(job=verdicts[vendor.jobs[reference].state], reference=reference)
        return LookedUp(tuple(self._find(at, key, value, unit) for at, (key, value) in enumerate(_rows(unit))))

    def _find(self, position: int, key: str, value: str, unit: Unit) -> Found:
        found = self.vendor.records.get(key, [])
        ids = tuple(each.id for each in found)
        if unit.step.action is Action.DUPLICATE:
            return Found(position, Verdict.UNKNOWN, ids)
        if not found:
            return Found(position, Verdict.ABSENT)
        if len(found) > 1:
            return Found(position, Verdict.AMBIGUOUS, ids)
        return Found(position, Verdict.APPLIED if found[0].value == value else Verdict.DIFFERS, ids)

    async def remedy(self, unit: Unit, found: Sequence[Found], how: Remedy) -> Answered:
        vendor = self.vendor
        fault = vendor.fault("remedy", unit.id)
        _raise(fault)
        rows = _rows(unit)
        keys = tuple(rows[each.position][0] for each in found)
        if not vendor.poison.isdisjoint(keys):
            raise RefusedError("R108", "The request holds a spoilt record.", target="fake")
        call = Call(unit.id, how.value, keys, anyio.current_time())
        vendor.calls.append(call)
        results = []
        await anyio.sleep(vendor.latency)
        for each in found:
            key, value = rows[each.position]
            exists = bool(vendor.records.get(key))
            if how is Remedy.CREATE_ONLY and exists:
                results.append(RecordResult(each.position, Outcome.REJECTED, code="V502", message="It is there."))
            else:
                results.append(self._write(unit, each.position, key, value, exists=exists))
        call.ended = anyio.current_time()
        if fault == "lose after":
            raise _lost()
        return Answered("r", tuple(results))

    def calls_made(self) -> int:
        return len(self.vendor.calls) + len(self.vendor.looks)

    async def close(self) -> None:
        self.closed = True


def _rows(unit: Unit) -> list[tuple[str, str]]:
    body = unit.payload.body
    if isinstance(body, bytes):
        return [(each["key"], each["value"]) for each in json.loads(body)]
    lines = body.read_text().splitlines()[1:]
    return [(key, value) for key, _, value in (line.partition(",") for line in lines)]


def _lost() -> InDoubtError:
    return InDoubtError("R306", "The connection was cut after the request was sent.", target="fake")


def _raise(fault: str) -> None:
    match fault:
        case "retry":
            raise RetryableError("R307", "The target asks to wait.", target="fake")
        case "quota":
            error = QuotaSpentError("R301", "The day's calls are used up.", target="fake")
            error.resets_at = 99.0
            raise error
        case "refuse":
            raise RefusedError("R108", "Refused as a whole.", target="fake")
        case "refuse caller":
            refusal = RefusedError("R108", "This user may not write.", target="fake")
            refusal.is_about_caller = True
            raise refusal
        case "lose":
            raise _lost()
        case "bug":
            message = "a bug in a client"
            raise RuntimeError(message)


def counts(calls: Sequence[Call]) -> Counter[str]:
    """Return how often each verb reached the target."""
    return Counter(call.verb for call in calls)
