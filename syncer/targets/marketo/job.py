"""Marketo's import jobs: start one, wait for its end, fetch what failed, search for one whose start was not answered.

There is no list of imports, so a lost start is searched in the records themselves ("Bulk Import").
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from syncer.engine.protocol import ResultFile
from syncer.errors import RefusedError
from syncer.outcome import Outcome
from syncer.polling import poll_seconds
from syncer.targets import failure
from syncer.targets.http import MAX_ANSWER_BYTES
from syncer.targets.marketo import request, wire
from syncer.targets.marketo.capabilities import POLL_SECONDS
from syncer.targets.protocol import Accepted, Found, JobSettled, LookedUp, Verdict
from syncer.targets.row import rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.targets.call import Caller
    from syncer.targets.marketo.read_back import ReadBack
    from syncer.targets.protocol import Unit

POLL_HOURS = 12.0
SEARCH_SECONDS = 1_800.0
"""How long a lost import may hide: ten jobs may be queued before it."""
SEARCH_INTERVAL_SECONDS = 60.0
STILL_SECONDS = 300.0
OVER_SECONDS = 86_400.0
"""No import waits or runs for longer. Twice as long as one is polled: the machine's clock may be hours wrong."""
UNKNOWN_JOB = "R310"
"""The code of a refused call; sign-in and permission have codes of their own."""
SAMPLE_ROWS = 18


@dataclass(frozen=True, slots=True)
class Jobs:
    """The imports of one connection."""

    caller: Caller

    async def start(self, unit: Unit, ids: Mapping[str, str]) -> Accepted:
        """Hand the file in; raises `InDoubtError` when nobody knows whether it was taken."""
        payload = unit.payload
        if isinstance(payload.body, bytes):
            raise TypeError
        await self.caller.gate.take_job(unit.id)
        try:
            taken = await self.caller.call(
                request.import_file(unit.step, payload, payload.body, ids), wire.read_import, unit.step.path
            )
        except BaseException:
            self.caller.gate.free_job(unit.id)
            raise
        return Accepted(taken.batch_id)

    async def settle(self, unit: Unit, reference: str, folder: Path) -> JobSettled:
        """Poll to the end, then fetch failures and warnings."""
        self.caller.gate.pace.take_job(unit.id)
        try:
            status = await self._ended(unit, reference)
        finally:
            self.caller.gate.free_job(unit.id)
        processed, failed = status.processed or 0, status.failed or 0
        is_sure = status.status == "Complete" and processed + failed == unit.payload.records
        files = []
        if failed:
            path = folder / f"{reference}-failures.csv"
            if await self._fetch(unit, reference, "failures", path):
                files.append(ResultFile("failed", path, error_column="Import Failure Reason"))
            else:
                is_sure = False
        if status.warned:
            await self._fetch(unit, reference, "warnings", folder / f"{reference}-warnings.csv")
        # An import is an upsert, and its report does not say which it was (Adobe, "Bulk Lead Import").
        letter = Outcome.WRITTEN.letter if is_sure else Outcome.IN_DOUBT.letter
        return JobSettled(reference, processed + failed, failed, tuple(files), letter)

    async def look_up(self, unit: Unit, reference: str, read_back: ReadBack, seconds_ago: float) -> LookedUp:
        """Find the job by its id, or its rows by their keys."""
        if reference and await self._is_known(unit, reference):
            return LookedUp(job=Verdict.RUNNING, reference=reference)
        records = dict(enumerate(rows(unit.payload)))
        if not reference and not await self._has_begun(records, read_back, seconds_ago):
            if not read_back.mark:
                return LookedUp(records=tuple(Found(position, Verdict.UNKNOWN) for position in records))
            found = await read_back.find(records)
            never_came = all(each.verdict is not Verdict.APPLIED for each in found)
            return LookedUp(job=Verdict.ABSENT) if never_came else LookedUp(records=found)
        return LookedUp(records=await read_back.find(records))

    async def _ended(self, unit: Unit, reference: str) -> wire.ImportStatus:
        """Poll at the planned interval; raises `InDoubtError` when Marketo no longer knows the job."""
        clock = self.caller.clock
        started = clock.monotonic()
        while True:
            await clock.sleep(poll_seconds(clock.monotonic() - started, POLL_SECONDS))
            try:
                status = await self._poll(unit, reference)
            except RefusedError as error:
                if error.code != UNKNOWN_JOB:
                    raise
                raise failure.in_doubt(
                    self.caller.connection,
                    unit.step.path,
                    f"import {reference} is not known any more ({error.vendor_code})",
                    clock.monotonic(),
                ) from error
            if status.is_over:
                return status
            if clock.monotonic() - started >= POLL_HOURS * 3_600:
                raise failure.job_endless(self.caller.connection, reference, POLL_HOURS)

    async def _poll(self, unit: Unit, reference: str) -> wire.ImportStatus:
        ask = request.import_status(unit.step.object, reference)
        return await self.caller.call(ask, wire.read_poll, unit.step.path)

    async def _is_known(self, unit: Unit, reference: str) -> bool:
        try:
            await self._poll(unit, reference)
        except RefusedError as error:
            if error.code != UNKNOWN_JOB:
                raise
            return False
        return True

    async def _fetch(self, unit: Unit, reference: str, kind: str, path: Path) -> bool:
        """Stream a result file; a file may hold every row and a reason for each, so the cap follows the payload."""
        ask = request.import_results(unit.step.object, reference, kind)
        cap = MAX_ANSWER_BYTES + 4 * unit.payload.byte_count
        there = await self.caller.download(ask, wire.read_file, unit.step.path, path, cap)
        return there and path.stat().st_size > 0  # noqa: ASYNC240 - one look at a file just written

    async def _has_begun(
        self, records: Mapping[int, dict[str, object]], read_back: ReadBack, seconds_ago: float
    ) -> bool:
        """Watch a sample of rows until some are there and nothing moves any more, or half an hour passed.

        Of an import of the day before, one look tells everything: a search that spends a day's quota ends on the next.
        """
        clock = self.caller.clock
        stride = max(1, len(records) // (SAMPLE_ROWS - 1))
        sample = {place: records[place] for place in {*range(0, len(records), stride), len(records) - 1}}
        started = moved_at = clock.monotonic()
        before = 0
        while True:
            there = sum(each.verdict is Verdict.APPLIED for each in await read_back.find(sample))
            if seconds_ago >= OVER_SECONDS:
                return there > 0
            now = clock.monotonic()
            if there != before:
                before, moved_at = there, now
            elif there and now - moved_at >= STILL_SECONDS:
                return True
            if not there and now - started >= SEARCH_SECONDS:
                return False
            await clock.sleep(SEARCH_INTERVAL_SECONDS)
