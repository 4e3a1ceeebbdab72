"""The life of one unit: announce, prepare, send, settle, with a durable note before and after each.

A unit ends settled, or the journal says exactly how far it came. Nothing is sent twice here: whatever may have taken
effect goes to `doubt`.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

import anyio

from syncer.engine.protocol import Learnt
from syncer.errors import (
    BugError,
    InDoubtError,
    QuotaSpentError,
    RefusedError,
    RetryableError,
    StalePlanError,
    SyncerError,
)
from syncer.execution import doubt, parts
from syncer.execution.events import UnitSent
from syncer.execution.resolve import LATE_SECONDS, applied_letter
from syncer.execution.resume import Stage
from syncer.execution.running import Stopped
from syncer.outcome import Outcome
from syncer.state.protocol import (
    AcceptedNote,
    Committing,
    Doubted,
    Intended,
    Prepared,
    RejectNote,
    Settled,
    Split,
    Unsent,
    lettered,
)
from syncer.targets.protocol import Answered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from syncer.engine.protocol import Staged
    from syncer.errors import TargetError
    from syncer.execution.context import PathRule
    from syncer.execution.resolve import DoubtRule
    from syncer.execution.resume import UnitState
    from syncer.execution.running import Running
    from syncer.targets.protocol import Accepted, JobSettled, RecordResult, Session, Unit

TRIES: Final = 4
"""Tries of a unit of which nothing was executed, each after the client's own tries were used up."""
PAUSE_SECONDS: Final = 30.0
REJECTED: Final = Outcome.REJECTED.letter
OPEN: Final = Outcome.IN_DOUBT.letter
PENDING: Final = Outcome.PENDING.letter
SKIPPED: Final = Outcome.SKIPPED.letter
_WRITTEN: Final = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.WRITTEN, Outcome.UNCHANGED})


@dataclass(frozen=True, slots=True)
class Courier:
    """Carries the units of one step. `folder` is for files of parts and results."""

    running: Running
    node: str
    connection: str
    session: Session
    staged: Staged
    rule: PathRule
    doubt_rule: DoubtRule
    is_job: bool
    folder: Path
    place: AbstractAsyncContextManager[object] = field(default_factory=nullcontext)
    """Held while a unit may leave: as many as there may be calls at once, so that a crash finds no more in doubt."""
    ids: Path | None = None
    """Where the vendor's ids of written records are noted; None where nobody needs them."""

    async def carry(self, unit: Unit) -> bool:
        """Bring `unit` as far as it can come now; return whether it was refused as a whole and stands unsent."""
        state = self.running.past.state(unit.id)
        if state is not None and state.sha256 != unit.payload.sha256:
            raise _not_what_it_was(unit.id)
        match state.stage if state else None:
            case None | Stage.UNSENT:
                return await self._send(unit)
            case Stage.DOUBTED:
                await doubt.settle(self, unit)
            case Stage.ACCEPTED:
                await self.settle_job(unit)
            case Stage.SPLIT:
                await parts.carry(self, unit)
            case Stage.RULED_SENT:
                letters = self.running.past.outcome_letters(unit.id).replace(OPEN, applied_letter(unit.step.action))
                await self.settled(unit, letters, self.state(unit).rejects, looked_up=True)
            case Stage.RULED_UNSENT if OPEN in self.state(unit).letters:
                return await self._repeat(unit)
            case Stage.RULED_UNSENT:
                return await self._send(unit)
            case Stage.HELD | Stage.SETTLED:
                pass
        return False

    def state(self, unit: Unit) -> UnitState:
        """Return what the journal says of a unit that was announced."""
        state = self.running.past.state(unit.id)
        if state is None:
            raise BugError("R101", f'Unit "{unit.id}" was asked for before it was announced.')
        return state

    async def _repeat(self, unit: Unit) -> bool:
        """Send what a person says was not written; of a job by its own path, for no request may be able to say it."""
        letters = self.state(unit).letters
        if not self.is_job:
            await doubt.repeat_undecided(self, unit)
        elif set(letters) == {OPEN}:
            return await self._send(unit)
        else:
            text, packed = lettered(letters.replace(OPEN, PENDING))
            rejects = self.state(unit).rejects
            reason = "The rest was not written, says a person."
            await self.running.note(Split(unit=unit.id, reason=reason, letters=text, packed=packed, rejects=rejects))
            await parts.carry(self, unit)
        return False

    async def _send(self, unit: Unit) -> bool:
        """Send a unit of which nothing was executed; return whether it was refused as a whole."""
        if self.running.is_recovering:
            return False
        state = self.running.past.state(unit.id)
        for attempt in count(state.attempt + 1 if state else 1):
            self.running.check(self.connection)
            await self.running.note(
                Intended(unit=unit.id, sha256=unit.payload.sha256, records=unit.payload.records, attempt=attempt)
            )
            try:
                answer = await self._send_once(unit)
            except RetryableError as error:
                await self._unsent(unit, error)
                await self._wait_or_park(error, attempt - (state.attempt if state else 0))
            except QuotaSpentError as error:
                await self._unsent(unit, error)
                self.running.park(self.connection, error.detail, error.resets_at)
                raise Stopped from error
            except RefusedError as error:
                return await self._refused(unit, error)
            else:
                # Out of reach of what is caught above: it left, so no error from here on means that it is unsent.
                await self._go_on(unit, answer)
                return False
        raise Stopped  # pragma: no cover - `count` has no end

    async def _send_once(self, unit: Unit) -> Answered | Accepted | None:
        """Return the answer; None when it was lost."""
        try:
            reference = await self.session.prepare(unit)
        except InDoubtError as error:
            # No record is touched by `prepare`, so a lost answer costs at most an empty job.
            again = RetryableError(error.code, error.detail, error.advice, error.command, target=error.target)
            raise again from error
        if reference:
            await self.running.note(Prepared(unit=unit.id, reference=reference))
        async with self.place:
            self.running.check(self.connection)
            return await self._commit(unit, reference)

    async def _commit(self, unit: Unit, reference: str) -> Answered | Accepted | None:
        clock = self.running.context.clock
        began = clock.monotonic()
        await self.running.note(Committing(unit=unit.id, at=clock.now()))
        self.running.context.listener(UnitSent(self.node, unit.id, unit.payload.records))
        try:
            return await self.session.commit(unit, reference)
        except InDoubtError as error:
            await self.doubted(unit, error.detail, seconds_ago=clock.monotonic() - (error.sent_at or began))
            return None
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await self._doubt_if_possible(unit)
            raise

    async def learn(self, unit: Unit, ids: Mapping[int, str]) -> None:
        """Note the vendor's ids of written records by their positions; before the outcomes, so that none is missed."""
        known = [(unit.payload.rows[position], each) for position, each in ids.items() if each]
        if self.ids is None or not known:
            return
        folder, (rows, names) = self.ids, zip(*known, strict=True)
        await self.running.context.offload(lambda: self.staged.learn(Learnt(rows, names), folder))

    async def _go_on(self, unit: Unit, answer: Answered | Accepted | None) -> None:
        if answer is None:
            await doubt.settle(self, unit)
        elif isinstance(answer, Answered):
            if self.ids is not None:
                await self.learn(unit, written_ids(answer))
            letters, rejects = read_answer(unit, answer)
            await self.take(unit, letters, rejects)
        else:
            await self.running.note(AcceptedNote(unit=unit.id, reference=answer.reference))
            await self.settle_job(unit)

    async def settle_job(self, unit: Unit) -> None:
        """Bring an accepted job to its end."""
        reference = self.state(unit).reference
        for tries in count(1):
            try:
                settled = await self.session.settle(unit, reference, self.folder)
            except RetryableError as error:
                await self._wait_or_park(error, tries)
                continue
            except QuotaSpentError as error:
                self.running.park(self.connection, error.detail, error.resets_at)
                raise Stopped from error
            except InDoubtError as error:
                await self.doubted(unit, error.detail)
            except RefusedError as error:
                if error.is_about_caller:
                    raise
                await self.doubted(unit, error.detail)
            else:
                await self._take_results(unit, settled)
                return
            await doubt.settle(self, unit)
            return

    async def _take_results(self, unit: Unit, settled: JobSettled) -> None:
        told = await self.running.context.offload(
            lambda: self.staged.reconcile(unit.payload, settled.files, settled.succeeded)
        )
        if self.ids is not None and told.learnt is not None:
            folder, learnt = self.ids, told.learnt
            await self.running.context.offload(lambda: self.staged.learn(learnt, folder))
        refused = {each.row for each in told.rejects}
        positions = {row: place for place, row in enumerate(unit.payload.rows) if row in refused} if refused else {}
        rejects = [
            RejectNote(position=positions[each.row], code=each.code, reason=each.reason, field=each.field)
            for each in told.rejects
        ]
        letters = told.letters
        if letters.count(REJECTED) + letters.count(SKIPPED) != settled.failed:
            # The file of failures was cut, or counts do not add up: what it leaves out is not known to be written.
            letters = letters.replace(settled.succeeded, OPEN)
        letters, rejects, seconds = parts.without_locked(unit, letters, rejects, settled.locked)
        await self.take(unit, letters, rejects, pause_seconds=seconds)

    async def take(
        self,
        unit: Unit,
        letters: str,
        rejects: Sequence[RejectNote],
        *,
        looked_up: bool = False,
        pause_seconds: float = 0.0,
    ) -> None:
        """Note the outcomes of a unit, and go on with what they leave open, after a pause if one is due."""
        if len(letters) != unit.payload.records:
            raise BugError("R101", f'Unit "{unit.id}" has {unit.payload.records} records and {len(letters)} outcomes.')
        if OPEN in letters:
            await self.doubted(unit, "The answer does not tell the outcome of every record.", letters, rejects)
            await doubt.settle(self, unit)
        elif PENDING in letters:
            reason = "Some records were not processed."
            text, packed = lettered(letters)
            await self.running.note(
                Split(unit=unit.id, reason=reason, letters=text, packed=packed, rejects=tuple(rejects))
            )
            await self.running.pause(self.node, f'Records of unit "{unit.id}" are locked by others.', pause_seconds)
            await parts.carry(self, unit)
        else:
            await self.settled(unit, letters, rejects, looked_up=looked_up)

    async def settled(
        self, unit: Unit, letters: str, rejects: Sequence[RejectNote], *, looked_up: bool = False
    ) -> None:
        """Note the unit's end."""
        text, packed = lettered(letters)
        await self.running.note(
            Settled(
                unit=unit.id,
                letters=text,
                packed=packed,
                rejects=tuple(rejects),
                looked_up=looked_up,
                calls=self.session.calls_made(),
            )
        )

    async def doubted(  # noqa: PLR0913 - what is known of a doubt, each by its name
        self,
        unit: Unit,
        reason: str,
        letters: str = "",
        rejects: Sequence[RejectNote] = (),
        *,
        seconds_ago: float = 0.0,
        wait_seconds: float | None = None,
    ) -> None:
        """Note that a write may have taken effect. Once the vendor took a job, its rows are read and not its state.

        `wait_seconds` is given where it is not the unit's own path that was taken.
        """
        state = self.state(unit)
        if wait_seconds is None:
            wait_seconds = 0.0 if state.was_accepted else self.rule.server_timeout_seconds + LATE_SECONDS
        text, packed = lettered(letters)
        await self.running.note(
            Doubted(
                unit=unit.id,
                reason=reason,
                at=self.running.context.clock.now() - seconds_ago,
                wait_seconds=wait_seconds,
                reference="" if state.was_accepted else state.reference,
                letters=text,
                packed=packed,
                rejects=tuple(rejects),
            )
        )

    async def _doubt_if_possible(self, unit: Unit) -> None:
        """Note the doubt of a send that was cut short; without the note `Committing` says as much."""
        try:
            await self.doubted(unit, "The run was stopped before the answer came.")
        except SyncerError:
            return

    async def _refused(self, unit: Unit, error: RefusedError) -> bool:
        """Go on after the refusal of a whole request: blame its one record, look for the ones to blame, or stop."""
        await self._unsent(unit, error)
        if error.is_about_caller or not (isinstance(unit.payload.body, bytes) or parts.is_probe(unit.id)):
            raise error
        if unit.payload.records == 1:
            note = RejectNote(position=0, code=error.code, reason=error.detail)
            await self.settled(unit, REJECTED, [note])
            return False
        if parts.is_probe(unit.id):
            return True
        text, packed = lettered(PENDING * unit.payload.records)
        await self.running.note(Split(unit=unit.id, reason=error.detail, letters=text, packed=packed))
        await parts.carry(self, unit)
        return False

    async def _unsent(self, unit: Unit, error: TargetError) -> None:
        await self.running.note(Unsent(unit=unit.id, reason=error.detail))

    async def _wait_or_park(self, error: RetryableError, tries: int) -> None:
        if tries >= TRIES:
            self.running.park(self.connection, error.detail)
            raise Stopped from error
        await self.running.pause(self.node, error.detail, error.wait_seconds or PAUSE_SECONDS * tries)


def read_answer(unit: Unit, answer: Answered) -> tuple[str, list[RejectNote]]:
    """Return letters and refused records of an answer that has each record of the unit once, in order."""
    if [each.position for each in answer.results] != list(range(unit.payload.records)):
        raise BugError("R101", f'The answer to unit "{unit.id}" was not taken apart record by record.')
    return (
        "".join(each.outcome.letter for each in answer.results),
        [reject(each) for each in answer.results if each.outcome is Outcome.REJECTED],
    )


def written_ids(answer: Answered) -> dict[int, str]:
    """Return the ids of the records that an answer says were written."""
    return {each.position: each.target_id for each in answer.results if each.outcome in _WRITTEN}


def reject(result: RecordResult) -> RejectNote:
    """Return the note of a refused record."""
    return RejectNote(position=result.position, code=result.code, reason=result.message)


def _not_what_it_was(unit: str) -> StalePlanError:
    return StalePlanError(
        "R102",
        f'The rows of unit "{unit}" differ from those that the journal says were to be sent.',
        "Restore the source as it was when the run began, or make a new plan once nothing of this run is in doubt.",
    )
