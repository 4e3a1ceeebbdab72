"""Which path carries which rows of a wave, and why each other path lost.

The rule, in this order:

1. Only paths that say the operation and these rows are compared (`meaning`). A path fixed in the manifest stands alone.
2. No job is started for rows that a single immediate request can carry.
3. The fewest quota calls win, planned polls included. Ties go to fewer minutes, then to the smaller path, in the
   order that the target lists them.

A file of one shape only (`needs_uniform_shape`) is weighed shape by shape: shapes whose file costs less than their
share of requests go by file, the rest of the wave by requests beside it. Each record goes one way, so both may run at
once. Because calls come first, the sum over a plan is the least there is, and a refusal for the budget is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.facts import PathCapability, PathKind, SliceFacts
from syncer.plan.cost import Price, Wave, is_uniform, measure, price, share
from syncer.plan.meaning import clear_objection, says
from syncer.plan.models import Losing
from syncer.plan.words import count, minutes, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Contest:
    """The paths of one operation, small to large: those that can say it, and a sentence for each that cannot."""

    paths: tuple[PathCapability, ...]
    objections: Mapping[str, str]
    concurrency: int
    because: str = ""
    """Why the manifest fixes the path; "" when the planner chooses."""

    @property
    def candidates(self) -> tuple[PathCapability, ...]:
        """The paths without an objection, small to large."""
        return tuple(path for path in self.paths if path.name not in self.objections)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a wave that go by one path, with its price and the reasons."""

    path: PathCapability
    slices: tuple[SliceFacts, ...]
    is_whole: bool
    price: Price
    reason: str
    losing: tuple[Losing, ...]


_Share = tuple[PathCapability, tuple[SliceFacts, ...]]


def choose(wave: Wave, contest: Contest) -> tuple[Part, ...]:
    """Return the parts of the wave, small path first; empty when no path or pair of paths can say all of it."""
    ways = list(_ways(wave, contest))
    if not ways:
        return ()
    order = {path.name: index for index, path in enumerate(contest.paths)}

    def rank(way: Sequence[_Share]) -> tuple[int, float, list[int]]:
        prices = [price(path, measure(path, wave, slices), contest.concurrency) for path, slices in way]
        return sum(p.quota for p in prices), max(p.minutes for p in prices), [order[path.name] for path, _ in way]

    best = min(ways, key=rank)
    return tuple(_part(wave, contest, portion) for portion in sorted(best, key=lambda each: order[each[0].name]))


def refusal(wave: Wave, contest: Contest) -> tuple[tuple[str, str], ...]:
    """Return each path's name and sentence for a wave that no path can carry."""
    return tuple(
        (path.name, contest.objections.get(path.name) or clear_objection(path, wave.slices)) for path in contest.paths
    )


def _ways(wave: Wave, contest: Contest) -> Iterator[tuple[_Share, ...]]:
    """Yield every way worth pricing: one path for all, or a path that must leave some rows to another."""
    for path in contest.candidates:
        if all(says(path, each) for each in wave.slices) and not _is_needless(wave, contest, path, wave.slices):
            yield ((path, wave.slices),)
        for other in contest.candidates:
            if other is path or is_uniform(other):
                continue
            for taken in _takings(wave, contest, path, other):
                gone = {each.shape for each in taken}
                rest = tuple(each for each in wave.slices if each.shape not in gone)
                if taken and rest and all(says(other, each) for each in rest):
                    yield ((path, taken), (other, rest))


def _takings(
    wave: Wave, contest: Contest, path: PathCapability, other: PathCapability
) -> Iterator[tuple[SliceFacts, ...]]:
    """Yield sets of shapes that `path` takes while `other` takes the rest."""
    able = [each for each in wave.slices if says(path, each) and not _is_needless(wave, contest, path, (each,))]
    if not is_uniform(path):
        yield tuple(able)
        return
    able.sort(key=lambda each: (_gain(wave, contest, path, other, each), each.shape))
    gaining = sum(_gain(wave, contest, path, other, each) < 0 for each in able)
    # Requests are whole: one shape more or less by file may fill or spare the last one.
    for size in sorted({max(gaining - 1, 0), gaining, min(gaining + 1, len(able))}):
        yield tuple(sorted(able[:size], key=lambda each: each.shape))


def _gain(wave: Wave, contest: Contest, path: PathCapability, other: PathCapability, each: SliceFacts) -> float:
    """Return the calls of a shape's file less its share of requests: below 0 the file pays."""
    if not says(other, each):
        return float("-inf")
    return price(path, measure(path, wave, (each,)), contest.concurrency).quota - share(other, wave, each)


def _is_needless(wave: Wave, contest: Contest, path: PathCapability, slices: Sequence[SliceFacts]) -> bool:
    """Say whether this would start a job for rows that one immediate request can carry."""
    return path.kind is PathKind.JOB and _one_request(wave, contest, slices) is not None


def _one_request(wave: Wave, contest: Contest, slices: Sequence[SliceFacts]) -> PathCapability | None:
    for path in contest.candidates:
        able = path.kind is PathKind.IMMEDIATE and all(says(path, each) for each in slices)
        if able and measure(path, wave, slices).units == 1:
            return path
    return None


def _part(wave: Wave, contest: Contest, portion: _Share) -> Part:
    path, slices = portion
    won = price(path, measure(path, wave, slices), contest.concurrency)
    rivals = [rival for rival in contest.candidates if rival is not path and not clear_objection(rival, slices)]
    losing = tuple(_losing(wave, contest, portion, won, rival) for rival in contest.paths if rival is not path)
    is_whole = len(slices) == len(wave.slices)
    return Part(path, slices, is_whole, won, _reason(contest, path, won, losing, has_rivals=bool(rivals)), losing)


def _reason(contest: Contest, path: PathCapability, won: Price, losing: Sequence[Losing], *, has_rivals: bool) -> str:
    if contest.because:
        return f"The manifest fixes it: {contest.because}"
    if not has_rivals:
        return "It is the only path that can say this."
    if path.kind is PathKind.IMMEDIATE and won.measure.units == 1:
        return f"One request carries all {count(won.measure.records, 'record')}."
    priced = [each for each in losing if each.calls is not None]
    nearest = min(priced, key=lambda each: each.calls or 0)
    calls = count(won.quota, "call")
    if nearest.calls == won.quota:
        return f'{calls}, as path "{nearest.path}" needs too; it takes {minutes(won.minutes)}.'
    return f'{calls}, the least; path "{nearest.path}" is next and needs {number(nearest.calls or 0)}.'


def _losing(wave: Wave, contest: Contest, portion: _Share, won: Price, rival: PathCapability) -> Losing:
    path, slices = portion
    barred = contest.objections.get(rival.name) or clear_objection(rival, slices)
    if barred:
        return Losing(path=rival.name, reason=barred)
    lost = price(rival, measure(rival, wave, slices), contest.concurrency)
    records = count(lost.measure.records, "record")
    if _is_needless(wave, contest, rival, slices):
        reason = f"One request can carry all {records}, and no job is started for that."
    elif lost.quota > won.quota:
        reason = f'{count(lost.quota, "call")}, path "{path.name}" needs {number(won.quota)}.'
    elif lost.quota == won.quota and lost.minutes > won.minutes:
        same = count(won.quota, "call")
        reason = f'The same {same}, but {minutes(lost.minutes)}; path "{path.name}" takes {minutes(won.minutes)}.'
    elif lost.quota == won.quota and lost.minutes == won.minutes:
        reason = f'The same calls and minutes; path "{path.name}" is the smaller one and goes first.'
    else:
        reason = f"{count(lost.quota, 'call')} for these {records}, but the wave as a whole would cost more."
    return Losing(path=rival.name, reason=reason, calls=lost.quota, minutes=lost.minutes)
