"""Which keys are under way: the exact lanes of every unit in flight, in doubt or held for a person.

The second guard of "one key, one writer": the plan's graph keeps units apart, and here it would be noticed if it did
not. Inside one node lanes are disjoint by construction, so a meeting there is a bug; between nodes the later unit
waits.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from syncer.errors import BugError

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK = 8_192
_FEW = 1_024


class Claim(Enum):
    """What became of a wish for lanes."""

    TAKEN = auto()
    """The lanes are the unit's until it releases them."""
    BUSY = auto()
    """A unit under way has some of them: ask again when one has ended."""
    HELD = auto()
    """A unit that waits for a person has some of them: not in this run."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """One unit's lanes: a set for a request, sorted numbers of eight bytes each for a job, however large."""

    node: str
    lanes: frozenset[int] | array[int]
    is_held: bool = False


@dataclass(slots=True)
class Lanes:
    """All lanes that are taken, by unit."""

    _taken: dict[str, _Taken] = field(default_factory=dict)

    def claim(self, node: str, unit: str, lanes: Sequence[int]) -> Claim:
        """Take `lanes` for `unit`, all or none; raises `BugError` when units of a node meet, or a key stands twice."""
        wanted = frozenset(lanes) if len(lanes) <= _FEW else array("Q", sorted(lanes))
        if len(wanted) < len(lanes) or (isinstance(wanted, array) and _repeats(wanted)):
            raise _two_writers(unit, unit)
        meeting = [name for name, taken in self._taken.items() if name != unit and _meet(wanted, taken.lanes)]
        for name in meeting:
            if self._taken[name].node == node:
                raise _two_writers(unit, name)
        if any(self._taken[name].is_held for name in meeting):
            return Claim.HELD
        if meeting:
            return Claim.BUSY
        self._taken[unit] = _Taken(node, wanted)
        return Claim.TAKEN

    def hold(self, unit: str) -> None:
        """Keep the unit's lanes to the end of the run: a person decides."""
        taken = self._taken[unit]
        self._taken[unit] = _Taken(taken.node, taken.lanes, is_held=True)

    def release(self, unit: str) -> None:
        """Give the unit's lanes back; held ones stay, and a unit without lanes is no error."""
        taken = self._taken.get(unit)
        if taken is not None and not taken.is_held:
            del self._taken[unit]


def _repeats(numbers: array[int]) -> bool:
    return any(numbers[i] == numbers[i - 1] for i in range(1, len(numbers)))


def _meet(first: frozenset[int] | array[int], second: frozenset[int] | array[int]) -> bool:
    """Whether two units' lanes have one in common, in memory that does not grow with them."""
    if isinstance(first, frozenset) and isinstance(second, frozenset):
        return not first.isdisjoint(second)
    small, large = sorted((_sorted(first), _sorted(second)), key=len)
    if not small or small[-1] < large[0] or large[-1] < small[0]:
        return False
    for start in range(0, len(small), _CHUNK):
        chunk = small[start : start + _CHUNK]
        if len(chunk) <= _FEW:
            places = (bisect_left(large, lane) for lane in chunk)
            if any(large[at : at + 1] == array("Q", [lane]) for lane, at in zip(chunk, places, strict=True)):
                return True
        elif not set(chunk).isdisjoint(large[bisect_left(large, chunk[0]) : bisect_right(large, chunk[-1])]):
            return True
    return False


def _sorted(lanes: frozenset[int] | array[int]) -> array[int]:
    return array("Q", sorted(lanes)) if isinstance(lanes, frozenset) else lanes


def _two_writers(unit: str, other: str) -> BugError:
    where = f'Unit "{unit}" holds a key twice' if unit == other else f'Units "{unit}" and "{other}" hold the same key'
    return BugError("R101", f"{where}, so that it would have two writers at once. Nothing of the later one was sent.")
