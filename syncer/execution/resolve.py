"""What to do about a write whose answer was lost, once the target was read: the in-doubt protocol as a table.

Pure. Hands the executor which records are settled, which may go out again and in which safe form, and which only a
person can decide. It never lets a write be repeated whose first sending could still double it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, assert_never

from syncer.capability import Repeat
from syncer.facts import Action
from syncer.outcome import Outcome
from syncer.targets.protocol import Found, Remedy, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from syncer.targets.protocol import LookedUp

LATE_SECONDS = 30.0
"""Waited beyond the vendor's own time-out of a call before a read-back is believed."""


class Next(StrEnum):
    """What follows for one record."""

    SETTLED = "settled"
    CREATE_ONLY = "create only"
    UPDATE_BY_ID = "update by id"
    REPEAT = "repeat"
    LOOK_AGAIN = "look again"
    REJECT = "reject"
    HOLD = "hold"


_Row = tuple[Next, Next, Next]
"""What follows for a record that the read-back found applied, differing, absent."""

TABLE: Mapping[tuple[Repeat, Action], _Row] = {
    (Repeat.SAFE, Action.UPSERT): (Next.SETTLED, Next.UPDATE_BY_ID, Next.CREATE_ONLY),
    (Repeat.SAFE, Action.CREATE): (Next.SETTLED, Next.REPEAT, Next.CREATE_ONLY),
    (Repeat.SAFE, Action.UPDATE): (Next.SETTLED, Next.REPEAT, Next.REPEAT),
    (Repeat.SAFE, Action.DELETE): (Next.SETTLED, Next.REPEAT, Next.SETTLED),
    (Repeat.SAFE, Action.STATUS): (Next.SETTLED, Next.REPEAT, Next.REPEAT),
    (Repeat.SAFE, Action.ADD): (Next.SETTLED, Next.REPEAT, Next.REPEAT),
    (Repeat.SAFE, Action.REMOVE): (Next.SETTLED, Next.REPEAT, Next.SETTLED),
    (Repeat.SAFE, Action.DUPLICATE): (Next.HOLD, Next.HOLD, Next.HOLD),
    (Repeat.WHEN_ABSENT, Action.UPSERT): (Next.SETTLED, Next.HOLD, Next.CREATE_ONLY),
    (Repeat.WHEN_ABSENT, Action.CREATE): (Next.SETTLED, Next.HOLD, Next.CREATE_ONLY),
    (Repeat.WHEN_ABSENT, Action.UPDATE): (Next.SETTLED, Next.HOLD, Next.REPEAT),
    (Repeat.WHEN_ABSENT, Action.DELETE): (Next.SETTLED, Next.HOLD, Next.SETTLED),
    (Repeat.WHEN_ABSENT, Action.STATUS): (Next.SETTLED, Next.HOLD, Next.REPEAT),
    (Repeat.WHEN_ABSENT, Action.ADD): (Next.SETTLED, Next.HOLD, Next.REPEAT),
    (Repeat.WHEN_ABSENT, Action.REMOVE): (Next.SETTLED, Next.HOLD, Next.SETTLED),
    (Repeat.WHEN_ABSENT, Action.DUPLICATE): (Next.HOLD, Next.HOLD, Next.HOLD),
    **{
        (Repeat.NEVER, action): (Next.SETTLED, Next.HOLD, Next.HOLD)
        for action in Action
        if action is not Action.DUPLICATE
    },
    (Repeat.NEVER, Action.DUPLICATE): (Next.HOLD, Next.HOLD, Next.HOLD),
}
"""By what may be repeated and by action. A record that is there twice is held whatever the row says."""

_AGAIN: _Row = (Next.SETTLED, Next.REPEAT, Next.REPEAT)

MARKED: Mapping[tuple[Repeat, Action], _Row] = {
    (repeat, action): _AGAIN if Next.HOLD in row else row for (repeat, action), row in TABLE.items()
}
"""Where each record bears the mark of the run that wrote it: one without it was not written, so nothing is held."""

AFTER_REFUSED_CREATE: Mapping[Action, _Row] = {
    action: (Next.SETTLED, Next.UPDATE_BY_ID if action is Action.UPSERT else Next.REJECT, Next.REJECT)
    for action in Action
}
"""A create-only that was refused is read once more: the late first write may be what it met."""


@dataclass(frozen=True, slots=True)
class DoubtRule:
    """What is fixed for a unit: its action, what its path allows, and what the operation chose for the undecidable."""

    action: Action
    repeat: Repeat
    on_unknown: Literal["hold", "resend"]
    is_marked: bool = False
    """A record that was written says so itself, in a field that the operation names."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """The job lives or has ended: settle it by this reference."""

    reference: str


@dataclass(frozen=True, slots=True)
class SendAnew:
    """The vendor never took the job: nothing of the unit was executed."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Positions by what follows. `found` are those to send again, by remedy."""

    settled: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    remedies: tuple[tuple[Remedy, tuple[Found, ...]], ...] = ()
    again: tuple[int, ...] = ()
    held: tuple[Found, ...] = ()


Decision = Adopt | SendAnew | Judged


def decide(
    rule: DoubtRule, undecided: Sequence[int], looked: LookedUp, refused: Collection[int], *, may_look_again: bool
) -> Decision:
    """Return what follows for the `undecided` positions; `refused` had a create-only refused before."""
    if looked.job is not None:
        job = _decide_job(rule, looked.job, looked.reference, may_look_again=may_look_again)
        if not isinstance(job, Next):
            return job
        found = [Found(position, Verdict.UNKNOWN) for position in undecided]
        steps = [(each, job) for each in found]
    else:
        by_position = {each.position: each for each in looked.records}
        found = [by_position.get(position, Found(position, Verdict.UNKNOWN)) for position in undecided]
        steps = [
            (each, next_step(rule, each.verdict, was_refused=each.position in refused, may_look_again=may_look_again))
            for each in found
        ]
    ordered = (
        (Remedy.CREATE_ONLY, Next.CREATE_ONLY),
        (Remedy.UPDATE_BY_ID, Next.UPDATE_BY_ID),
        (Remedy.REPEAT, Next.REPEAT),
    )
    remedies = ((remedy, tuple(each for each, step in steps if step is wanted)) for remedy, wanted in ordered)
    return Judged(
        settled=tuple(each.position for each, step in steps if step is Next.SETTLED),
        rejected=tuple(each.position for each, step in steps if step is Next.REJECT),
        remedies=tuple((remedy, those) for remedy, those in remedies if those),
        again=tuple(each.position for each, step in steps if step is Next.LOOK_AGAIN),
        held=tuple(each for each, step in steps if step is Next.HOLD),
    )


def next_step(rule: DoubtRule, verdict: Verdict, *, was_refused: bool = False, may_look_again: bool = False) -> Next:
    """Return what follows for one record."""
    table = MARKED if rule.is_marked else TABLE
    applied, differs, absent = AFTER_REFUSED_CREATE[rule.action] if was_refused else table[rule.repeat, rule.action]
    match verdict:
        case Verdict.APPLIED:
            step = applied
        case Verdict.DIFFERS:
            step = differs
        case Verdict.ABSENT:
            step = absent
        case Verdict.AMBIGUOUS:
            return Next.HOLD
        case Verdict.RUNNING | Verdict.UNKNOWN:
            step = Next.LOOK_AGAIN if may_look_again else Next.HOLD
        case _:
            assert_never(verdict)
    if step is Next.HOLD and rule.on_unknown == "resend" and verdict is not Verdict.RUNNING:
        return Next.REPEAT
    return step


def _decide_job(rule: DoubtRule, verdict: Verdict, reference: str, *, may_look_again: bool) -> Adopt | SendAnew | Next:
    """Return what follows for a job found, or not found, by its reference."""
    match verdict:
        case Verdict.RUNNING | Verdict.APPLIED:
            return Adopt(reference)
        case Verdict.ABSENT:
            return SendAnew()
        case Verdict.UNKNOWN | Verdict.DIFFERS | Verdict.AMBIGUOUS:
            return next_step(rule, Verdict.UNKNOWN, may_look_again=may_look_again)
        case _:
            assert_never(verdict)


def applied_letter(action: Action) -> str:
    """Return the outcome letter of a record that a read-back found applied: an upsert no longer tells what it was."""
    if action in {Action.CREATE, Action.DUPLICATE}:
        return Outcome.CREATED.letter
    return (Outcome.WRITTEN if action is Action.UPSERT else Outcome.UPDATED).letter
