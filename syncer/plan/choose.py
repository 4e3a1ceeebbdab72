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

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from syncer.capability import PathCapability, PathKind
from syncer.facts import SliceFacts
from syncer.plan.cost import Price, Wave, is_uniform, measure, price, share
from syncer.plan.meaning import rows_objection, says
from syncer.plan.models import Losing
from syncer.plan.words import count, minutes, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Contest:
    """The paths of one operation, small to large: those that can say it, and a sentence for each that cannot."""

    paths: tuple[PathCapability, ...]
    objections: Mapping[str, str]
    concurrency: int
    because: str = ""
    """Why the manifest fixes the path; "" when the planner chooses."""

    @cached_property
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


_Slices = tuple[SliceFacts, ...]
_Share = tuple[PathCapability, _Slices]


@dataclass(frozen=True, slots=True)
class _Scale:
    """The contest over one wave. Every price is reckoned once."""

    wave: Wave
    contest: Contest
    known: dict[tuple[str, tuple[int, ...]], Price] = field(default_factory=dict)

    def price(self, path: PathCapability, slices: _Slices) -> Price:
        """Return what these shapes cost by `path`."""
        at = (path.name, tuple(each.shape for each in slices))
        if at not in self.known:
            self.known[at] = price(path, measure(path, self.wave, slices), self.contest.concurrency)
        return self.known[at]

    def is_needless(self, path: PathCapability, slices: _Slices) -> bool:
        """Say whether this would start a job for rows that one immediate request can carry."""
        return path.kind is PathKind.JOB and any(
            rival.kind is PathKind.IMMEDIATE
            and all(says(rival, each) for each in slices)
            and self.price(rival, slices).measure.units == 1
            for rival in self.contest.candidates
        )

    def gain(self, path: PathCapability, other: PathCapability, each: SliceFacts) -> float:
        """Return the calls of a shape's file less its share of requests by `other`: below 0 the file pays."""
        if not says(other, each):
            return float("-inf")
        return self.price(path, (each,)).quota - share(other, self.wave, each)


def choose(wave: Wave, contest: Contest) -> tuple[Part, ...]:
    """Return the parts of the wave, small path first; empty when no path or pair of paths can say all of it."""
    scale = _Scale(wave, contest)
    order = {path.name: index for index, path in enumerate(contest.paths)}

    def rank(way: Sequence[_Share]) -> tuple[int, float, list[int]]:
        prices = [scale.price(path, slices) for path, slices in way]
        return sum(p.quota for p in prices), max(p.minutes for p in prices), [order[path.name] for path, _ in way]

    best = min(_ways(scale), key=rank, default=())
    return tuple(_part(scale, portion) for portion in sorted(best, key=lambda each: order[each[0].name]))


def refusal(wave: Wave, contest: Contest) -> tuple[tuple[str, str], ...]:
    """Return each path's name and sentence for a wave that no path can carry."""
    return tuple(
        (path.name, contest.objections.get(path.name) or rows_objection(path, wave.slices)) for path in contest.paths
    )


def _ways(scale: _Scale) -> Iterator[tuple[_Share, ...]]:
    """Yield every way worth pricing: one path for all, or a path that leaves some shapes to another."""
    slices = scale.wave.slices
    for path in scale.contest.candidates:
        if all(says(path, each) for each in slices) and not scale.is_needless(path, slices):
            yield ((path, slices),)
        for other in scale.contest.candidates if len(slices) > 1 else ():
            if other is path or is_uniform(other):
                continue
            for taken in _takings(scale, path, other):
                gone = {each.shape for each in taken}
                rest = tuple(each for each in slices if each.shape not in gone)
                if taken and rest and all(says(other, each) for each in rest):
                    yield ((path, taken), (other, rest))


def _takings(scale: _Scale, path: PathCapability, other: PathCapability) -> Iterator[_Slices]:
    """Yield sets of shapes that `path` takes while `other` takes the rest."""
    able = [each for each in scale.wave.slices if says(path, each) and not scale.is_needless(path, (each,))]
    if not is_uniform(path):
        yield tuple(able)
        return
    gains = {each.shape: scale.gain(path, other, each) for each in able}
    able.sort(key=lambda each: (gains[each.shape], each.shape))
    gaining = sum(gain < 0 for gain in gains.values())
    # Requests are whole: one shape more or less by file may fill or spare the last one.
    for size in sorted({max(gaining - 1, 0), gaining, min(gaining + 1, len(able))}):
        yield tuple(sorted(able[:size], key=lambda each: each.shape))


def _part(scale: _Scale, portion: _Share) -> Part:
    path, slices = portion
    won = scale.price(path, slices)
    rivals = [rival for rival in scale.contest.paths if rival is not path]
    losing = tuple(_losing(scale, portion, won, rival) for rival in rivals)
    return Part(
        path, slices, len(slices) == len(scale.wave.slices), won, _reason(scale.contest, path, won, losing), losing
    )


def _reason(contest: Contest, path: PathCapability, won: Price, losing: Sequence[Losing]) -> str:
    if contest.because:
        return f"The manifest fixes it: {contest.because}"
    priced = [(each.calls, each.path) for each in losing if each.calls is not None]
    if not priced:
        return "It is the only path that can say this."
    if path.kind is PathKind.IMMEDIATE and won.measure.units == 1:
        return f"One request carries {_all(won.measure.records)}."
    calls, nearest = min(priced, key=lambda each: each[0])
    mine = count(won.quota, "call")
    if calls == won.quota:
        return f'{mine}, as path "{nearest}" needs too; it takes {minutes(won.minutes)}.'
    return f'{mine}, the least; path "{nearest}" is next and needs {number(calls)}.'


def _all(records: int) -> str:
    return "the record" if records == 1 else f"all {count(records, 'record')}"


def _losing(scale: _Scale, portion: _Share, won: Price, rival: PathCapability) -> Losing:
    path, slices = portion
    barred = scale.contest.objections.get(rival.name) or rows_objection(rival, slices)
    if barred:
        return Losing(path=rival.name, reason=barred)
    lost = scale.price(rival, slices)
    records = count(lost.measure.records, "record")
    if scale.is_needless(rival, slices):
        reason = f"One request can carry {_all(lost.measure.records)}, and no job is started for that."
    elif lost.quota > won.quota:
        reason = f'{count(lost.quota, "call")}, path "{path.name}" needs {number(won.quota)}.'
    elif lost.quota < won.quota:
        reason = f"{count(lost.quota, 'call')} for these {records}, but the wave as a whole would cost more."
    elif lost.minutes > won.minutes:
        same = count(won.quota, "call")
        reason = f'The same {same}, but {minutes(lost.minutes)}; path "{path.name}" takes {minutes(won.minutes)}.'
    else:
        reason = f'The same calls and minutes; path "{path.name}" is the smaller one and goes first.'
    return Losing(path=rival.name, reason=reason, calls=lost.quota, minutes=lost.minutes)
