"""Settling a doubt: wait until the vendor is done with it, read back, send again only what the table allows.

Each step is noted before it is taken, so a run that dies here begins again here. What cannot be decided is held for a
person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, assert_never

from syncer.capability import Repeat
from syncer.errors import InDoubtError, QuotaSpentError, RefusedError, RetryableError
from syncer.execution import parts
from syncer.execution.resolve import LATE_SECONDS, Adopt, Judged, SendAnew, applied_letter, decide
from syncer.execution.running import Stopped
from syncer.outcome import Outcome
from syncer.state.protocol import AcceptedNote, Doubted, Held, RejectNote, Remedying, Split, Unsent, lettered
from syncer.targets.protocol import Found, Remedy, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.execution.courier import Courier
    from syncer.targets.protocol import LookedUp, Unit

LOOK_SECONDS: Final = 60.0
MOST_LOOKS: Final = 3
"""Further looks at what cannot be told yet. A job without a reference was searched by its session already."""
MOST_SENDS: Final = 5
RECORDS_AT_ONCE: Final = 200
"""Records of one remedy: the smaller of the vendors' requests (sObject Collections; Sync Leads takes 300)."""

_OPEN: Final = Outcome.IN_DOUBT.letter
_REJECTED: Final = Outcome.REJECTED.letter


@dataclass(slots=True)
class _Progress:
    """What is decided of the unit so far; the letters and rejects stand in the journal as well."""

    letters: list[str]
    rejects: dict[int, RejectNote]
    refused: dict[int, RejectNote] = field(default_factory=dict)
    """Create-only refusals that wait for one more look."""
    looks: int = 0
    sends: int = 0

    @property
    def text(self) -> str:
        return "".join(self.letters)

    @property
    def notes(self) -> list[RejectNote]:
        return [self.rejects[position] for position in sorted(self.rejects)]

    def undecided(self) -> list[int]:
        return [position for position, letter in enumerate(self.letters) if letter == _OPEN]


async def settle(courier: Courier, unit: Unit) -> None:
    """Bring a doubted unit to its end, to its job, back to unsent, or into a person's hands."""
    if courier.state(unit).wait_seconds is None:
        # Only `Committing` is known, and the last byte may have left any time after it: the full wait begins now.
        await courier.doubted(unit, "The run was cut while the answer was awaited.")
    await _settle(courier, unit, _progress(courier, unit))


async def _settle(courier: Courier, unit: Unit, progress: _Progress) -> None:
    running = courier.running
    while progress.undecided():
        await _wait(courier, unit)
        looked = await _look_up(courier, unit, progress)
        if looked is None:
            continue
        was_searched = courier.is_job and not courier.state(unit).reference
        decision = decide(
            courier.doubt_rule,
            progress.undecided(),
            looked,
            progress.refused,
            may_look_again=progress.looks < MOST_LOOKS and not was_searched,
        )
        match decision:
            case Adopt(reference):
                await running.note(AcceptedNote(unit=unit.id, reference=reference))
                await courier.settle_job(unit)
                return
            case SendAnew():
                await running.note(Unsent(unit=unit.id, reason="The vendor never took the job."))
                await courier.carry(unit)
                return
            case Judged():
                await courier.learn(unit, _found_ids(looked))
                if not await _act(courier, unit, progress, decision):
                    return
            case _:
                assert_never(decision)
    await courier.take(unit, progress.text, progress.notes, looked_up=True)


def _found_ids(looked: LookedUp) -> dict[int, str]:
    """Return the ids of records that are there as they were sent, each the only one of its key."""
    found = [each for each in looked.records if each.verdict is Verdict.APPLIED and len(each.target_ids) == 1]
    return {each.position: each.target_ids[0] for each in found}


async def repeat_undecided(courier: Courier, unit: Unit) -> None:
    """Send the undecided records of a held unit again, on a person's word that they were not written."""
    if courier.running.is_recovering:
        return
    progress = _progress(courier, unit)
    founds = [Found(position, Verdict.ABSENT) for position in progress.undecided()]
    for start in range(0, len(founds), RECORDS_AT_ONCE):
        if not await _send_again(courier, unit, progress, Remedy.REPEAT, founds[start : start + RECORDS_AT_ONCE]):
            break
    await _settle(courier, unit, progress)


def _progress(courier: Courier, unit: Unit) -> _Progress:
    state = courier.state(unit)
    return _Progress(
        list(state.letters or _OPEN * unit.payload.records), {each.position: each for each in state.rejects}
    )


async def _wait(courier: Courier, unit: Unit) -> None:
    """Wait until a read-back can be believed; a clock that was set back does not make it longer than the whole wait."""
    state = courier.state(unit)
    whole = state.wait_seconds or 0.0
    left = whole - max(0.0, courier.running.seconds_since(unit.id))
    await courier.running.pause(
        courier.node, f'Unit "{unit.id}" is in doubt; it is looked up when nothing of it can still be at work.', left
    )


async def _look_up(courier: Courier, unit: Unit, progress: _Progress) -> LookedUp | None:
    """Read back; None when the answer says nothing yet, after a pause."""
    running, state = courier.running, courier.state(unit)
    try:
        return await courier.session.look_up(unit, state.reference, max(0.0, running.seconds_since(unit.id)))
    except (RetryableError, InDoubtError) as error:
        progress.looks += 1
        if progress.looks > MOST_LOOKS:
            running.park(courier.connection, error.detail)
            raise Stopped from error
        await running.pause(courier.node, error.detail, LOOK_SECONDS)
        return None
    except QuotaSpentError as error:
        running.park(courier.connection, error.detail, error.resets_at)
        raise Stopped from error


async def _act(courier: Courier, unit: Unit, progress: _Progress, judged: Judged) -> bool:
    """Do what was decided; return whether to go on with the unit."""
    for position in judged.settled:
        progress.letters[position] = applied_letter(unit.step.action)
    for position in judged.rejected:
        progress.letters[position] = _REJECTED
        progress.rejects[position] = progress.refused[position]
    # No request adds program members, and none puts what it writes into a list.
    goes_as_job = courier.is_job and (courier.rule.repeat is Repeat.NEVER or "list" in dict(unit.step.options))
    if judged.remedies and goes_as_job and courier.state(unit).attempt < MOST_SENDS:
        await _repeat_job(courier, unit, progress)
        return False
    if judged.remedies and not goes_as_job and progress.sends < MOST_SENDS:
        progress.sends += 1
        for remedy, founds in judged.remedies:
            for start in range(0, len(founds), RECORDS_AT_ONCE):
                if not await _send_again(courier, unit, progress, remedy, founds[start : start + RECORDS_AT_ONCE]):
                    return True
        return True
    if judged.again:
        progress.looks += 1
        await courier.running.pause(courier.node, f'Unit "{unit.id}" cannot be told yet.', LOOK_SECONDS)
        return True
    if not progress.undecided():
        return True
    await _hold(courier, unit, progress, judged.held)
    return False


async def _repeat_job(courier: Courier, unit: Unit, progress: _Progress) -> None:
    """Send what is to be sent again by the job's own path, where no request can say it."""
    running = courier.running
    running.check(courier.connection)
    positions, at = tuple(progress.undecided()), running.context.clock.now()
    await running.note(Remedying(unit=unit.id, how=Remedy.REPEAT.value, positions=positions, at=at, wait_seconds=0.0))
    if len(positions) == unit.payload.records:
        await running.note(Unsent(unit=unit.id, reason="It is sent again, as a job."))
        await courier.carry(unit)
        return
    text, packed = lettered(progress.text.replace(_OPEN, Outcome.PENDING.letter))
    reason = "The rest is sent again, as a job."
    rejects = tuple(progress.notes)
    await running.note(Split(unit=unit.id, reason=reason, letters=text, packed=packed, rejects=rejects))
    await parts.carry(courier, unit)


async def _hold(courier: Courier, unit: Unit, progress: _Progress, held: Sequence[Found]) -> None:
    await _keep(courier, unit, progress)
    twice = [
        f"record {each.position + 1} is there as {', '.join(each.target_ids)}" for each in held if each.target_ids[1:]
    ]
    reason = f"Reading back could not tell what became of {len(progress.undecided())} records"
    await courier.running.note(Held(unit=unit.id, reason=f"{reason}: {'; '.join(twice)}." if twice else f"{reason}."))


async def _keep(courier: Courier, unit: Unit, progress: _Progress) -> None:
    """Note what is decided so far, when no answer is outstanding: there is nothing to wait for."""
    state = courier.state(unit)
    text, packed = lettered(progress.text)
    await courier.running.note(
        Doubted(
            unit=unit.id,
            reason=state.reason,
            at=state.at,
            wait_seconds=0.0,
            reference=state.reference,
            letters=text,
            packed=packed,
            rejects=tuple(progress.notes),
        )
    )


async def _send_again(
    courier: Courier, unit: Unit, progress: _Progress, remedy: Remedy, founds: Sequence[Found]
) -> bool:
    """Send `founds` again; return whether more may follow: not while an answer is lost or the target is not well."""
    running, clock = courier.running, courier.running.context.clock
    running.check(courier.connection)
    wait_seconds = courier.rule.remedy_timeout_seconds + LATE_SECONDS
    positions = tuple(each.position for each in founds)
    await running.note(
        Remedying(unit=unit.id, how=remedy.value, positions=positions, at=clock.now(), wait_seconds=wait_seconds)
    )
    began = clock.monotonic()
    try:
        answer = await courier.session.remedy(unit, founds, remedy)
    except InDoubtError as error:
        ago = clock.monotonic() - (error.sent_at or began)
        await courier.doubted(
            unit, error.detail, progress.text, progress.notes, seconds_ago=ago, wait_seconds=wait_seconds
        )
        return False
    except RetryableError as error:
        await _keep(courier, unit, progress)
        await running.pause(courier.node, error.detail, error.wait_seconds or LOOK_SECONDS)
        return False
    except QuotaSpentError as error:
        await _keep(courier, unit, progress)
        running.park(courier.connection, error.detail, error.resets_at)
        raise Stopped from error
    except RefusedError as error:
        if error.is_about_caller:
            raise
        return await _blame(courier, unit, progress, remedy, founds, error)
    await courier.learn(unit, {each.position: each.target_id for each in answer.results if each.target_id})
    for result in answer.results:
        _take(
            progress,
            remedy,
            RejectNote(position=result.position, code=result.code, reason=result.message),
            result.outcome,
        )
    if progress.undecided():
        await _keep(courier, unit, progress)
    return True


async def _blame(  # noqa: PLR0913, PLR0917 - the same parts as `_send_again`, and the refusal
    courier: Courier, unit: Unit, progress: _Progress, remedy: Remedy, founds: Sequence[Found], error: RefusedError
) -> bool:
    """Go on after the refusal of a whole remedy: blame its one record, or send its halves."""
    if len(founds) == 1:
        note = RejectNote(position=founds[0].position, code=error.code, reason=error.detail)
        _take(progress, remedy, note, Outcome.REJECTED)
        return True
    half = len(founds) // 2
    return await _send_again(courier, unit, progress, remedy, founds[:half]) and await _send_again(
        courier, unit, progress, remedy, founds[half:]
    )


def _take(progress: _Progress, remedy: Remedy, note: RejectNote, outcome: Outcome) -> None:
    """Take one record's outcome in; a refused create-only waits for one more look."""
    if outcome is Outcome.REJECTED and remedy is Remedy.CREATE_ONLY:
        progress.refused[note.position] = note
        return
    progress.letters[note.position] = _OPEN if outcome is Outcome.PENDING else outcome.letter
    if outcome is Outcome.REJECTED:
        progress.rejects[note.position] = note
