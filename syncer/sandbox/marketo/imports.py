"""The queue of bulk imports: ten jobs in all, two of them at work, in order of arrival (Adobe, "Bulk Import").

Jobs live by the clock alone. Whoever looks at the instance first calls `catch_up`, which plays what happened since, in
order of time; nobody needs to poll for a job to get on. A job looks all its keys up when it starts to work and writes
row by row until it ends, so whatever else writes those keys meanwhile is not seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from syncer.sandbox.clock import Clock
from syncer.sandbox.exchange import Exchange
from syncer.sandbox.faults import Action, When
from syncer.sandbox.marketo.gate import MarketoError
from syncer.sandbox.marketo.import_file import Table
from syncer.sandbox.options import MarketoOptions
from syncer.sandbox.traffic import JobSpan

STEPS = 20
"""A job writes in this many portions, spread evenly over its time."""
FIRST_ID = 1001


class ImportState(StrEnum):
    """Words of the status call."""

    QUEUED = "Queued"
    IMPORTING = "Importing"
    COMPLETE = "Complete"
    FAILED = "Failed"


class ImportWork(Protocol):
    """What a kind of import does with its rows."""

    table: Table

    def look_up(self) -> None:
        """Finds out, for all rows, what is there; called when the job starts to work."""

    def write(self, index: int, now: float) -> tuple[str | None, str | None]:
        """Writes one row; gives the reason of its failure and of a warning."""


@dataclass(slots=True)
class Trouble:
    """What fault rules do to one job."""

    extra_seconds: float = 0.0
    stuck_queued: float = 0.0
    stuck_after: int | None = None
    stuck_seconds: float = math.inf
    fails_after: int | None = None
    failure_message: str = "Import failed"
    wrong_counts: bool = False
    missing_failure_file: bool = False
    shuffled: bool = False

    @classmethod
    def of(cls, exchange: Exchange) -> Trouble:
        """Takes the rules that match the call which brings the job."""
        trouble = cls()
        if (slow := exchange.world_fault(Action.SLOW_JOB)) is not None:
            trouble.extra_seconds = slow.seconds
        if (stall := exchange.world_fault(Action.STALL_JOB)) is not None:
            seconds = stall.seconds or math.inf
            if stall.when is When.BEFORE:
                trouble.stuck_queued = seconds
            else:
                trouble.stuck_after, trouble.stuck_seconds = stall.first, seconds
        if (fail := exchange.world_fault(Action.FAIL_JOB)) is not None:
            trouble.fails_after = fail.first
            trouble.failure_message = fail.message or trouble.failure_message
        trouble.wrong_counts = exchange.world_fault(Action.WRONG_COUNTS) is not None
        trouble.missing_failure_file = exchange.world_fault(Action.MISSING_FAILURE_FILE) is not None
        trouble.shuffled = exchange.world_fault(Action.SHUFFLE_RESULTS) is not None
        return trouble


@dataclass(slots=True)
class ImportJob:
    """One job with what it has done so far."""

    kind: str
    target: str
    work: ImportWork
    span: JobSpan
    trouble: Trouble
    list_id: int | None = None
    id: int = 0
    ready_at: float = math.inf
    state: ImportState = ImportState.QUEUED
    started_at: float | None = None
    finished_at: float | None = None
    next_at: float = math.inf
    position: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)
    message: str = ""

    @property
    def is_active(self) -> bool:
        """Whether the job holds a place in the queue."""
        return self.state in {ImportState.QUEUED, ImportState.IMPORTING}

    @property
    def processed(self) -> int:
        """Rows imported, with or without a warning; failed rows are not in it."""
        return self.position - len(self.failures) + (1 if self.trouble.wrong_counts else 0)

    def counters(self, noun: str) -> dict[str, int]:
        """The counters of the status call; there are none while the job waits."""
        if self.state is ImportState.QUEUED:
            return {}
        return {
            f"numOf{noun}Processed": self.processed,
            "numOfRowsFailed": len(self.failures),
            "numOfRowsWithWarning": len(self.warnings),
        }


@dataclass(slots=True)
class ImportQueue:
    """All import jobs of the instance, of leads, program members and custom objects alike."""

    clock: Clock
    options: MarketoOptions
    jobs: dict[int, ImportJob] = field(default_factory=dict)
    next_id: int = FIRST_ID
    _slot_free_since: float = 0.0

    def check_room(self) -> None:
        """1016 when ten jobs wait or work."""
        active = sum(1 for job in self.jobs.values() if job.is_active)
        if active >= self.options.imports_queued:
            words = f"There are {active} imports currently being processed. Please try again later"
            raise MarketoError("1016", words)

    def check_list(self, list_id: int) -> None:
        """1019 while another job imports into the list."""
        if any(job.is_active and job.list_id == list_id for job in self.jobs.values()):
            raise MarketoError("1019", "Import in progress")

    def add(self, job: ImportJob) -> ImportJob:
        """Gives a job its number and puts it at the end of the queue."""
        job.id = self.next_id
        job.ready_at = self.clock.now() + self.options.import_start_seconds + job.trouble.stuck_queued
        self.next_id += 1
        self.jobs[job.id] = job
        job.span.job_id, job.span.state = str(job.id), job.state.value
        return job

    def find(self, kind: str, target: str, batch_id: int) -> ImportJob:
        """A job of this kind; forgotten after seven days ("Bulk Import")."""
        job = self.jobs.get(batch_id)
        if job is None or (job.kind, job.target) != (kind, target):
            raise MarketoError("1013", "Object not found")
        if self.clock.now() > job.span.queued_at + self.options.import_kept_seconds:
            raise MarketoError("1013", "Object not found")
        return job

    def catch_up(self) -> None:
        """Plays everything that is due, in order of time."""
        now = self.clock.now()
        while (due := self._next()) is not None and due[0] <= now:
            moment, job = due
            if job.state is ImportState.QUEUED:
                self._start(job, moment)
            else:
                self._step(job, moment)

    def _next(self) -> tuple[float, ImportJob] | None:
        active = [job for job in self.jobs.values() if job.is_active]
        running = [job for job in active if job.state is ImportState.IMPORTING]
        moments = [(job.next_at, job.id, job) for job in running]
        if len(running) < self.options.imports_running:
            since = self._slot_free_since
            moments += [(max(job.ready_at, since), job.id, job) for job in active if job not in running]
        if not moments:
            return None
        moment, _, job = min(moments)
        return moment, job

    def _seconds(self, job: ImportJob) -> float:
        rows = len(job.work.table.rows)
        return self.options.import_seconds + rows / self.options.import_rows_per_second + job.trouble.extra_seconds

    def _start(self, job: ImportJob, moment: float) -> None:
        job.state, job.started_at = ImportState.IMPORTING, moment
        job.span.state, job.span.started_at = job.state.value, moment
        job.work.look_up()
        job.next_at = moment + self._seconds(job) / STEPS

    def _step(self, job: ImportJob, moment: float) -> None:
        """Writes the rows that are due; ends the job after the last of its portions."""
        trouble, row_count = job.trouble, len(job.work.table.rows)
        assert job.started_at is not None  # noqa: S101 - a job that is importing has started
        share = min(1.0, (moment - job.started_at) / self._seconds(job)) if self._seconds(job) else 1.0
        due = row_count if share > 1 - 1 / (2 * STEPS) else int(row_count * share)
        stop = trouble.fails_after if trouble.fails_after is not None else trouble.stuck_after
        last = due if stop is None else min(due, stop, row_count)
        while job.position < last:
            failure, warning = job.work.write(job.position, moment)
            if failure is not None:
                job.failures.append((job.position, failure))
            elif warning is not None:
                job.warnings.append((job.position, warning))
            job.position += 1
        if trouble.fails_after is not None and job.position >= min(trouble.fails_after, row_count):
            self._end(job, moment, ImportState.FAILED, trouble.failure_message)
        elif trouble.stuck_after is not None and job.position >= min(trouble.stuck_after, row_count):
            trouble.stuck_after = None
            job.started_at += trouble.stuck_seconds
            job.next_at = moment + trouble.stuck_seconds
        elif due == row_count and share > 1 - 1 / (2 * STEPS):
            self._end(job, moment, ImportState.COMPLETE, _message(job))
        else:
            job.next_at = moment + self._seconds(job) / STEPS

    def _end(self, job: ImportJob, moment: float, state: ImportState, message: str) -> None:
        job.state, job.finished_at, job.message, job.next_at = state, moment, message, math.inf
        job.span.state, job.span.finished_at = state.value, moment
        self._slot_free_since = max(self._slot_free_since, moment)

    def rows(self) -> list[dict[str, Any]]:
        """The jobs as the page shows them."""
        return [
            {
                "id": job.id,
                "kind": job.kind,
                "target": job.target,
                "state": job.state.value,
                "rows": len(job.work.table.rows),
                "done": job.position,
                "failed": len(job.failures),
                "queued_at": job.span.queued_at,
                "started_at": job.started_at,
                "finished_at": job.finished_at,
            }
            for job in self.jobs.values()
        ]


def _message(job: ImportJob) -> str:
    """The words of a job that came to its end."""
    count = f"{job.processed} records imported ({job.processed} members)"
    if job.failures:
        return f"Import completed with errors, {count}, {len(job.failures)} failed"
    if job.warnings:
        return f"Import succeeded, {count}, {len(job.warnings)} warning."
    return f"Import succeeded, {count}"
