"""Units that go on in parts: the search for records that spoil a request, and the rest that a job left over.

The search sends ever smaller runs of records, left to right, so that all before a point is written: about log2 n + 2
calls for each spoilt record. It gives up when nothing but refusals came back, because then no record is to blame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from syncer.errors import RefusedError
from syncer.execution.resume import Stage
from syncer.execution.running import Stopped
from syncer.execution.split import file_part, part_id, request_part, rest_id, span, whole_of
from syncer.outcome import Outcome
from syncer.state.protocol import RejectNote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.execution.courier import Courier
    from syncer.targets.protocol import Unit

GIVE_UP_AFTER: Final = 8
"""So many records refused one after the other, and none written: the search ends and the run stops."""
MOST_RESTS: Final = 3
"""How many rests of one unit are sent before the run parks, or before records that stay locked are refused."""
LOCK_SECONDS: Final = 30.0
"""The pause before locked records go out again, doubled each time: whoever holds them is given time."""
LOCKED: Final = "V509"

_NEVER: Final = -1_000_000
_PENDING: Final = Outcome.PENDING.letter
_REJECTED: Final = Outcome.REJECTED.letter
_OPEN: Final = Outcome.IN_DOUBT.letter


def is_probe(unit: str) -> bool:
    """Whether `unit` is a run of records that the search sent."""
    return unit.endswith("]") and not unit.endswith("[rest]")


def without_locked(
    unit: Unit, letters: str, rejects: Sequence[RejectNote], word: str
) -> tuple[str, list[RejectNote], float]:
    """Return letters and rejects with locked records to be sent again, and the pause before that.

    Others held these records, so nothing of them was written. Each rest holds what is still locked and nothing else, so
    it shrinks; after `MOST_RESTS` of them what is left is refused.
    """
    locked = {each.position for each in rejects if word and word in each.reason}
    rests = unit.id.count("[rest]")
    if not locked:
        return letters, list(rejects), 0.0
    if rests >= MOST_RESTS:
        return (
            letters,
            [each.model_copy(update={"code": LOCKED}) if each.position in locked else each for each in rejects],
            0.0,
        )
    kept = [each for each in rejects if each.position not in locked]
    text = "".join(_PENDING if position in locked else letter for position, letter in enumerate(letters))
    return text, kept, LOCK_SECONDS * 2**rests


async def carry(courier: Courier, unit: Unit) -> None:
    """Bring the parts of `unit` as far as they can come, and settle it when they all are."""
    state = courier.state(unit)
    if isinstance(unit.payload.body, bytes) and set(state.letters) == {_PENDING}:
        await _search(courier, unit)
    else:
        await _send_rest(courier, unit)
    letters = courier.running.past.outcome_letters(unit.id)
    if _PENDING not in letters and _OPEN not in letters:
        await courier.settled(unit, letters, _rejects(courier, unit))


async def _search(courier: Courier, unit: Unit) -> None:
    """Send what can be written, reject what spoils it. `[start, suspect)` is known to hold a spoilt record."""
    past = courier.running.past
    known = past.children(unit.id)
    for name in known:
        if past.units[name].stage not in {Stage.UNSENT, Stage.SETTLED, Stage.HELD}:
            await courier.carry(await _part(courier, unit, name))
    if courier.running.is_recovering:
        return
    count = unit.payload.records
    start = _first_pending(courier, unit)
    suspect = None if known else count
    refusals = 0
    while start < count:
        stop = count if suspect is None else max(start + 1, (start + suspect) // 2)
        was_refused = await courier.carry(await _part(courier, unit, part_id(unit.id, start, stop)))
        if was_refused:
            suspect = stop
        else:
            start = _first_pending(courier, unit)
            wrote = _outcome(courier, unit, stop - 1) != _REJECTED
            suspect = suspect if suspect is not None and stop < suspect and wrote else None
            refusals = _NEVER if wrote else refusals + 1
            if refusals == GIVE_UP_AFTER and start < count:
                raise _no_record_is_to_blame(courier, unit)


def _outcome(courier: Courier, unit: Unit, position: int) -> str:
    return courier.running.past.outcome_letters(unit.id)[position]


def _first_pending(courier: Courier, unit: Unit) -> int:
    letters = courier.running.past.outcome_letters(unit.id)
    at = letters.find(_PENDING)
    return len(letters) if at < 0 else at


def _no_record_is_to_blame(courier: Courier, unit: Unit) -> RefusedError:
    return RefusedError(
        "R108",
        f'Of unit "{unit.id}", {GIVE_UP_AFTER} records were refused one by one and none was written. '
        f"The first refusal said: {courier.state(unit).reason}",
        "Correct what the vendor names. Then make a new plan, or go on with:",
        "syncer resume",
        target=courier.connection,
    )


async def _send_rest(courier: Courier, unit: Unit) -> None:
    rest = rest_id(unit.id)
    if courier.running.past.state(rest) is None:
        courier.running.rests[whole_of(unit.id)] += 1
    if courier.running.rests[whole_of(unit.id)] > MOST_RESTS:
        reason = f'Unit "{unit.id}" was left unprocessed in part, as the jobs before it were.'
        courier.running.park(courier.connection, reason)
        raise Stopped
    await courier.carry(await _part(courier, unit, rest))


async def _part(courier: Courier, unit: Unit, name: str) -> Unit:
    """Return the part of `unit` called `name`, the same bytes at every call."""
    positions: Sequence[int] = (
        courier.running.past.positions(unit.id, name) if name == rest_id(unit.id) else range(*span(name))
    )
    body = unit.payload.body
    if isinstance(body, bytes):
        return request_part(unit, name, body, positions)
    path = courier.folder / f"{name.replace('/', '_')}.csv"

    def write() -> Unit:
        part, content = file_part(unit, name, body.read_bytes(), positions, path)
        path.touch(mode=0o600)
        path.write_bytes(content)
        return part

    return await courier.running.context.offload(write)


def _rejects(courier: Courier, unit: Unit) -> list[RejectNote]:
    """Return the refused records of a unit and of its parts, by the unit's own positions."""
    past = courier.running.past
    found = list(past.units[unit.id].rejects)
    for name in past.children(unit.id):
        positions = past.positions(unit.id, name)
        if past.units[name].stage is Stage.SETTLED:
            found += [
                RejectNote(position=positions[each.position], code=each.code, reason=each.reason, field=each.field)
                for each in past.units[name].rejects
            ]
    return sorted(found, key=lambda each: each.position)
