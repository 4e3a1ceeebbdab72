"""Bulk API 2.0 jobs: create, upload once, close, poll, fetch the result files, and tell what became of a doubtful one.

A job's state is the org's own word on what happened, so every doubt but a lost multipart creation ends by reading it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine.protocol import ResultFile
from syncer.errors import InDoubtError, QuotaSpentError, RefusedError, RetryableError
from syncer.facts import Action
from syncer.outcome import Outcome
from syncer.polling import poll_seconds
from syncer.targets import failure
from syncer.targets.endpoint import target_of
from syncer.targets.exchange import Problem, Trouble
from syncer.targets.http import MAX_ANSWER_BYTES
from syncer.targets.protocol import Accepted, JobSettled, LookedUp, Verdict
from syncer.targets.row import rows
from syncer.targets.salesforce import codes, request, wire
from syncer.targets.salesforce.capabilities import POLL_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.targets.call import Caller
    from syncer.targets.exchange import Request
    from syncer.targets.protocol import Unit
    from syncer.targets.salesforce.read_back import ReadBack

POLL_HOURS = 24.0
CLOSE_TRIES = 5
UNKNOWN_JOB = "R310"
"""The code of a refused call; sign-in and permission have codes of their own."""
STATES = frozenset({"Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"})
_FILE_UNUSABLE = ("InvalidBatch", "ClientInputError")
"""Openings of the messages of jobs whose file could not be used at all."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one connection."""

    caller: Caller
    api: request.Api

    async def create(self, unit: Unit) -> str:
        """Create an empty job. One whose creation was not answered stays Open, holds nothing, expires after a day."""
        job = await self._call(self.api.create_job(unit.step), unit)
        if job.state != "Open":
            raise failure.unreadable(self.caller.connection, unit.step.path, "a new job is not open")
        return job.id

    async def start(self, unit: Unit, reference: str) -> Accepted:
        """Upload and close the prepared job, or hand in a small file with its job in one request."""
        file = unit.payload.body
        if isinstance(file, bytes):
            raise TypeError
        await self.caller.gate.take_job(unit.id)
        try:
            if not reference:
                ask = self.api.create_job_with_data(unit.step, unit.payload, file)
                return Accepted((await self._call(ask, unit)).id)
            ask = self.api.upload(reference, unit.payload, file)
            await self.caller.call(ask, wire.read_nothing, unit.step.path)
            await self._close(unit, reference)
        except BaseException:
            self.caller.gate.free_job(unit.id)
            raise
        return Accepted(reference)

    async def settle(self, unit: Unit, reference: str, folder: Path) -> JobSettled:
        """Poll to the end, then fetch the result files that the counts call for."""
        self.caller.gate.pace.take_job(unit.id)
        try:
            job = await self._ended(unit, reference)
        finally:
            self.caller.gate.free_job(unit.id)
        processed, failed = job.processed or 0, job.failed or 0
        if job.state == "Failed" and not processed and job.message.startswith(_FILE_UNUSABLE):
            problem = Problem(Trouble.REFUSED, "InvalidBatch", is_about_caller=True)
            reason = wire.clean(job.message, "the file cannot be used")
            raise failure.refused(self.caller.connection, unit.step.path, problem, reason)
        wanted = [
            ("succeeded", "successfulResults", processed > failed or job.processed is None),
            ("failed", "failedResults", failed > 0 or processed != unit.payload.records),
            ("unprocessed", "unprocessedrecords", processed != unit.payload.records),
        ]
        files = [
            await self._fetch(unit, reference, kind, path, folder / f"{reference}-{kind}.csv")
            for kind, path, is_wanted in wanted
            if is_wanted
        ]
        return JobSettled(reference, processed, failed, tuple(files), Outcome.IN_DOUBT.letter, locked=codes.LOCKED_WORD)

    async def look_up(self, unit: Unit, reference: str, read_back: ReadBack) -> LookedUp:
        """Tell what became of the job, or of its rows when it is not to be found."""
        if reference:
            job = await self._state(unit, reference)
            if job is not None and job.state == "Open":
                job = await self._abort(unit, reference)
            if job is not None:
                return LookedUp(job=Verdict.ABSENT if job.did_nothing else Verdict.RUNNING, reference=reference)
        await self._wait_for_others(unit)
        return LookedUp(records=await read_back.find(dict(enumerate(rows(unit.payload)))))

    async def _close(self, unit: Unit, reference: str) -> None:
        """Close; once an answer was lost nothing else that fails means that the job is not under way."""
        try:
            await self._call(self.api.close_job(reference), unit)
        except InDoubtError:
            try:
                await self._see_closed(unit, reference)
            except (RetryableError, QuotaSpentError, RefusedError) as error:
                now = self.caller.clock.monotonic()
                raise failure.in_doubt(self.caller.connection, unit.step.path, error.detail, now) from error

    async def _see_closed(self, unit: Unit, reference: str) -> None:
        """Look at the job's state, and close again while it is open, which is harmless."""
        reason = "the job does not close"
        for _ in range(1, CLOSE_TRIES):
            job = await self._state(unit, reference)
            if job is None or job.did_nothing:
                reason = "the job was aborted, or is not known any more"
                break
            if job.state != "Open":
                return
            with suppress(InDoubtError, RefusedError):  # The first request may have closed it since it was looked at.
                await self._call(self.api.close_job(reference), unit)
                return
        now = self.caller.clock.monotonic()
        raise failure.in_doubt(self.caller.connection, unit.step.path, reason, now)

    async def _abort(self, unit: Unit, reference: str) -> wire.Job | None:
        """Abort a job that has not begun; one that has begun in the meantime goes on."""
        try:
            await self._call(self.api.abort_job(reference), unit)
        except RefusedError as error:
            if error.code != UNKNOWN_JOB:
                raise
        return await self._state(unit, reference)

    async def _ended(self, unit: Unit, reference: str) -> wire.Job:
        clock = self.caller.clock
        started = clock.monotonic()
        while True:
            await clock.sleep(poll_seconds(clock.monotonic() - started, POLL_SECONDS))
            job = await self._state(unit, reference)
            if job is None or job.state not in STATES or job.state == "Open":
                reason = (
                    f"job {reference} is not known any more" if job is None else f"job {reference} is not under way"
                )
                raise failure.in_doubt(self.caller.connection, unit.step.path, reason, clock.monotonic())
            if job.is_over:
                return job
            if clock.monotonic() - started >= POLL_HOURS * 3_600:
                raise failure.job_endless(self.caller.connection, reference, POLL_HOURS)

    async def _state(self, unit: Unit, reference: str) -> wire.Job | None:
        """Return the job, or None when the org does not know it (jobs go after 7 days)."""
        try:
            return await self._call(self.api.job(reference), unit)
        except RefusedError as error:
            if error.code != UNKNOWN_JOB:
                raise
            return None

    async def _wait_for_others(self, unit: Unit) -> None:
        """Wait until no job on this object is under way: a lost one may be among them, not to be told from others."""
        clock = self.caller.clock
        started = clock.monotonic()
        name = unit.step.object.lower()
        while any(job.is_under_way and job.object.lower() == name for job in await self._jobs(unit)):
            waited = clock.monotonic() - started
            if waited >= POLL_HOURS * 3_600:
                raise failure.job_endless(self.caller.connection, "unknown", POLL_HOURS)
            await clock.sleep(poll_seconds(waited, POLL_SECONDS))

    async def _jobs(self, unit: Unit) -> list[wire.Job]:
        token = await self.caller.sign_in.token()
        found: list[wire.Job] = []
        ask = self.api.jobs()
        while True:
            jobs, link = await self.caller.call(ask, wire.read_jobs, unit.step.path)
            found += [job for job in jobs if job.created_by[:15] == token.user[:15]]
            if not link:
                return found
            ask = request.get(target_of(link, token.origin))

    async def _fetch(self, unit: Unit, reference: str, kind: str, name: str, path: Path) -> ResultFile:
        """Stream a result file; cells are quoted and errors stand beside them, so the cap follows the payload."""
        cap = MAX_ANSWER_BYTES + 6 * unit.payload.byte_count
        ask = self.api.results(reference, name)
        await self.caller.download(ask, wire.read_nothing, unit.step.path, path, cap)
        return ResultFile(
            kind,
            path,
            error_column="sf__Error" if kind == "failed" else "",
            nothing_to_do=wire.DELETED if kind == "failed" and unit.step.action is Action.DELETE else "",
            id_column="" if kind == "unprocessed" else "sf__Id",
            created_column="sf__Created" if kind == "succeeded" else "",
        )

    async def _call(self, ask: Request, unit: Unit) -> wire.Job:
        return await self.caller.call(ask, wire.read_job, unit.step.path)
