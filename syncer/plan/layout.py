"""Where the steps of a plan stand when they are drawn: columns by what comes before, few crossings, nothing overlaps.

Pure geometry. Connected steps are laid out together and the groups are packed into rows, so that fifty operations that
do not wait for each other make a grid and not a tower.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BOX_WIDTH = 204.0
BOX_HEIGHT = 48.0
COLUMN_GAP = 52.0
ROW_GAP = 14.0
BEND = 10.0
"""Height that a passing edge takes in a column."""
GROUP_GAP = 26.0
SWEEPS = 12

Point = tuple[float, float]
_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Left top corners of boxes, the points that each edge passes, and the whole size."""

    boxes: Mapping[str, Point]
    edges: Mapping[_Pair, tuple[Point, ...]]
    width: float
    height: float


def lay_out(names: Sequence[str], edges: Iterable[_Pair], width: float) -> Drawing:
    """Place `names`, which stand in an order that all edges follow, in rows of about `width`."""
    pairs = list(dict.fromkeys(edges))
    drawings = [_group(group, found) for group, found in _groups(names, pairs)]
    drawings.sort(key=lambda each: (not each.edges, -each.height))
    boxes: dict[str, Point] = {}
    bends: dict[_Pair, tuple[Point, ...]] = {}
    x = y = tallest = widest = 0.0
    for each in drawings:
        if x and x + each.width > width:
            x, y, tallest = 0.0, y + tallest + GROUP_GAP, 0.0
        boxes |= {name: (x + left, y + top) for name, (left, top) in each.boxes.items()}
        bends |= {pair: tuple((x + left, y + top) for left, top in found) for pair, found in each.edges.items()}
        x, tallest = x + each.width + GROUP_GAP, max(tallest, each.height)
        widest = max(widest, x - GROUP_GAP)
    return Drawing(boxes, bends, widest, y + tallest)


def _groups(names: Sequence[str], pairs: Sequence[_Pair]) -> list[tuple[list[str], list[_Pair]]]:
    head = {name: name for name in names}

    def find(name: str) -> str:
        while head[name] != name:
            head[name] = head[head[name]]
            name = head[name]
        return name

    for before, after in pairs:
        head[find(after)] = find(before)
    members: dict[str, tuple[list[str], list[_Pair]]] = defaultdict(lambda: ([], []))
    for name in names:
        members[find(name)][0].append(name)
    for pair in pairs:
        members[find(pair[0])][1].append(pair)
    return list(members.values())


def _group(names: Sequence[str], pairs: Sequence[_Pair]) -> Drawing:
    column = dict.fromkeys(names, 0)
    followers: dict[str, list[str]] = defaultdict(list)
    for before, after in pairs:
        followers[before].append(after)
    for name in names:
        for after in followers[name]:
            column[after] = max(column[after], column[name] + 1)
    chains = {pair: _chain(pair, column) for pair in pairs}
    columns: list[list[str]] = [[] for _ in range(max(column.values()) + 1)]
    for name in names:
        columns[column[name]].append(name)
    for (before, _), chain in chains.items():
        for step, name in enumerate(chain[1:-1], column[before] + 1):
            columns[step].append(name)
    befores, afters = _neighbours(chains.values())
    for sweep in range(SWEEPS):
        _sweep(columns if sweep % 2 == 0 else columns[::-1], befores if sweep % 2 == 0 else afters)
    middles = _middles(columns, befores, afters, set(names))
    top = min(middle - _height(name, set(names)) / 2 for name, middle in middles.items())
    bottom = max(middle + _height(name, set(names)) / 2 for name, middle in middles.items())
    lefts = {name: index * (BOX_WIDTH + COLUMN_GAP) for index, found in enumerate(columns) for name in found}
    return Drawing(
        boxes={name: (lefts[name], middles[name] - top - BOX_HEIGHT / 2) for name in names},
        edges={pair: _points(chain, lefts, middles, top) for pair, chain in chains.items()},
        width=len(columns) * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP,
        height=bottom - top,
    )


def _chain(pair: _Pair, column: Mapping[str, int]) -> list[str]:
    """Return the edge with a bend in each column that it passes; a bend's name holds a line end, which no step has."""
    before, after = pair
    bends = [f"{before}\n{after}\n{step}" for step in range(column[before] + 1, column[after])]
    return [before, *bends, after]


def _neighbours(chains: Iterable[Sequence[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    befores: dict[str, list[str]] = defaultdict(list)
    afters: dict[str, list[str]] = defaultdict(list)
    for chain in chains:
        for before, after in pairwise(chain):
            afters[before].append(after)
            befores[after].append(before)
    return befores, afters


def _sweep(columns: Sequence[list[str]], neighbours: Mapping[str, Sequence[str]]) -> None:
    """Order each column by the mean place of its neighbours in the column before; ties keep their order."""
    place: dict[str, int] = {name: index for index, name in enumerate(columns[0])}
    for column in columns[1:]:
        own = {name: index for index, name in enumerate(column)}
        wish = {name: fmean([place[each] for each in neighbours.get(name, ())] or [own[name]]) for name in column}
        column.sort(key=wish.__getitem__)
        place = {name: index for index, name in enumerate(column)}


def _height(name: str, real: set[str]) -> float:
    return BOX_HEIGHT if name in real else BEND


def _middles(
    columns: Sequence[Sequence[str]],
    befores: Mapping[str, Sequence[str]],
    afters: Mapping[str, Sequence[str]],
    real: set[str],
) -> dict[str, float]:
    """Return heights that follow the neighbours, where there is room, and never overlap."""
    middles: dict[str, float] = {}
    for column in columns:
        _stack(column, [0.0] * len(column), real, middles)
    for turn in range(SWEEPS):
        for column in columns if turn % 2 == 0 else reversed(columns):
            wished = [
                fmean(middles[each] for each in [*befores.get(name, ()), *afters.get(name, ())] or [name])
                for name in column
            ]
            _stack(column, wished, real, middles)
    return middles


def _stack(column: Sequence[str], wished: Sequence[float], real: set[str], middles: dict[str, float]) -> None:
    """Set the column's heights in order, without overlap, and together as near to the wishes as can be.

    This is isotonic regression: neighbours that would overlap are pooled, and a pool stands at the mean of its wishes.
    """
    offsets = [0.0]
    for above, below in pairwise(column):
        offsets.append(offsets[-1] + (_height(above, real) + _height(below, real)) / 2 + ROW_GAP)
    pools: list[tuple[float, int]] = []
    for wish, offset in zip(wished, offsets, strict=True):
        mean, size = wish - offset, 1
        while pools and pools[-1][0] > mean:
            before, others = pools.pop()
            mean, size = (mean * size + before * others) / (size + others), size + others
        pools.append((mean, size))
    levels = [mean for mean, size in pools for _ in range(size)]
    middles.update({name: level + offset for name, level, offset in zip(column, levels, offsets, strict=True)})


def _points(
    chain: Sequence[str], lefts: Mapping[str, float], middles: Mapping[str, float], top: float
) -> tuple[Point, ...]:
    first, *bends, last = chain
    points = [(lefts[first] + BOX_WIDTH, middles[first] - top)]
    for bend in bends:
        points += [(lefts[bend], middles[bend] - top), (lefts[bend] + BOX_WIDTH, middles[bend] - top)]
    return (*points, (lefts[last], middles[last] - top))
