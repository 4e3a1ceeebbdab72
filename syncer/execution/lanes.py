"""Which keys are under way: the exact lanes of every unit in flight, in doubt or held for a person.

The second guard of "one key, one writer": the plan's graph keeps units apart, and here it would be noticed if it did
not. Inside one node lanes are disjoint by construction, so a meeting there is a bug; between nodes the later unit
waits.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from syncer.errors import BugError

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """One unit's lanes: a set for a request, a sorted column for a job, however large."""

    node: str
    lanes: frozenset[int] | pa.UInt64Array
    is_held: bool = False


@dataclass(slots=True)
class Lanes:
    """All lanes that are taken, by unit."""

    _taken: dict[str, _Taken] = field(default_factory=dict)

    def claim(self, node: str, unit: str, lanes: Sequence[int]) -> Claim:
        """Take `lanes` for `unit`, all or none; raises `BugError` when units of a node meet, or a key stands twice."""
        wanted = frozenset(lanes) if len(lanes) <= _FEW else _sorted(lanes)
        if len(wanted) < len(lanes) or (isinstance(wanted, pa.UInt64Array) and _repeats(wanted)):
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


def _repeats(lanes: pa.UInt64Array) -> bool:
    return bool(pc.any(pc.equal(lanes[1:], lanes[:-1])).as_py())


def _meet(first: frozenset[int] | pa.UInt64Array, second: frozenset[int] | pa.UInt64Array) -> bool:
    """Whether two units' lanes, each once in its own, have one in common."""
    if isinstance(first, frozenset) and isinstance(second, frozenset):
        return not first.isdisjoint(second)
    # Two sorted runs are sorted in one pass, which costs less than to look the lanes of one up in the other.
    return _repeats(pa.concat_arrays([_sorted(first), _sorted(second)]).sort())


def _sorted(lanes: Sequence[int] | frozenset[int] | pa.UInt64Array) -> pa.UInt64Array:
    if isinstance(lanes, pa.UInt64Array):
        return lanes
    numbers = lanes if isinstance(lanes, array) else array("Q", lanes)
    return pa.Array.from_buffers(pa.uint64(), len(numbers), [None, pa.py_buffer(numbers)]).sort()


def _two_writers(unit: str, other: str) -> BugError:
    where = f'Unit "{unit}" holds a key twice' if unit == other else f'Units "{unit}" and "{other}" hold the same key'
    return BugError("R101", f"{where}, so that it would have two writers at once. Nothing of the later one was sent.")
