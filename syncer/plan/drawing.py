"""The plan's graph as inline SVG: boxes that lead to their operation, lines that say why one waits for the other.

A line that follows from others is not drawn. The list of reasons beside the picture tells all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from syncer.capability import PathKind
from syncer.plan.layout import BOX_HEIGHT, BOX_WIDTH, lay_out
from syncer.plan.phrases import steps_by_operation, strides
from syncer.plan.words import count, number, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncer.plan.layout import Point
    from syncer.plan.models import Edge, Plan
    from syncer.plan.phrases import Stride

MAX_STEPS = 400
"""More boxes than this are no picture any more."""
WIDTH = 1150.0
_MARGIN = 6.0
_ARROW = 7.0
_LETTERS = 24
"""Characters of a name that fit a box."""


@dataclass(frozen=True, slots=True)
class Box:
    """A step, or the small waves of an operation that are told as one; `id` is that of its first step."""

    id: str
    stride: Stride

    @property
    def operation(self) -> str:
        """Whose step it is."""
        return self.stride.nodes[0].operation

    @property
    def records(self) -> int:
        """How many records it sends."""
        return sum(node.records for node in self.stride.nodes)


def draw(plan: Plan) -> str:
    """Return the drawing, or "" where there are too many steps for one."""
    if len(_boxes(plan)) > MAX_STEPS:
        return ""
    return "\n".join(_svg(plan, *folded(plan)))


def folded(plan: Plan) -> tuple[list[Box], list[Edge]]:
    """Return what is drawn: boxes in the order of the steps, and the edges between them that no chain implies."""
    boxes = _boxes(plan)
    home = {node.id: box.id for box in boxes for node in box.stride.nodes}
    found: dict[tuple[str, str], Edge] = {}
    for edge in needed(plan):
        before, after = home[edge.before], home[edge.after]
        if before != after:
            found.setdefault((before, after), edge.model_copy(update={"before": before, "after": after}))
    return boxes, list(found.values())


def _boxes(plan: Plan) -> list[Box]:
    return [Box(each.nodes[0].id, each) for nodes in steps_by_operation(plan).values() for each in strides(nodes)]


def needed(plan: Plan) -> list[Edge]:
    """Return the edges that no chain of other edges implies."""
    befores: dict[str, list[str]] = {node.id: [] for node in plan.nodes}
    for edge in plan.edges:
        befores[edge.after].append(edge.before)
    bit = {name: 1 << place for place, name in enumerate(befores)}
    reach: dict[str, int] = {}
    for name, found in befores.items():
        reach[name] = 0
        for before in found:
            reach[name] |= reach[before] | bit[before]
    implied = {}
    for name, found in befores.items():
        implied[name] = 0
        for before in found:
            implied[name] |= reach[before]
    return [edge for edge in plan.edges if not implied[edge.after] & bit[edge.before]]


def _svg(plan: Plan, boxes: Sequence[Box], edges: Sequence[Edge]) -> Iterator[str]:
    drawing = lay_out([box.id for box in boxes], [(edge.before, edge.after) for edge in edges], WIDTH)
    width, height = drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN
    label = f"{count(len(plan.nodes), 'step')} and {count(len(plan.edges), 'reason')} to wait"
    yield (
        f'<svg width="{width:.0f}" height="{height:.0f}" role="group" aria-label="{label}"'
        f' viewBox="{-_MARGIN:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}">'
    )
    yield f"<defs>{_marker('wait')}{_marker('meet')}</defs>"
    for edge in edges:
        yield _line(edge, drawing.edges[edge.before, edge.after])
    for box in boxes:
        yield _box(box, drawing.boxes[box.id])
    yield "</svg>"


def _marker(kind: str) -> str:
    return (
        f'<marker id="{kind}" class="{kind}" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="8" markerHeight="8"'
        ' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>'
    )


def _line(edge: Edge, points: Sequence[Point]) -> str:
    *passed, (x, y) = points
    path = [f"M{passed[0][0]:.1f} {passed[0][1]:.1f}"]
    for (left, top), (right, bottom) in pairwise([*passed, (x - _ARROW, y)]):
        middle = (left + right) / 2
        path.append(f"C{middle:.1f} {top:.1f} {middle:.1f} {bottom:.1f} {right:.1f} {bottom:.1f}")
    kind = "meet" if edge.keys else "wait"
    title = escape(printable(f"{edge.after} waits for {edge.before}. {edge.reason}"))
    return f'<path class="{kind}" d="{"".join(path)}" marker-end="url(#{kind})"><title>{title}</title></path>'


def _box(box: Box, at: Point) -> str:
    left, top = at
    stride = box.stride
    kind = "job" if stride.kind is PathKind.JOB else "request"
    name = printable(box.operation)
    shown = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}\u2026"
    below = f"{printable(stride.path)}, {stride.waves}, {number(box.records)}"
    title = escape(f"{name}, {below} records in {count(sum(node.units for node in stride.nodes), kind)}")
    return (
        f'<a class="{kind}" href="#op-{escape(name)}"><title>{title}</title>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{BOX_WIDTH:.0f}" height="{BOX_HEIGHT:.0f}" rx="8"/>'
        f'<text x="{left + 12:.1f}" y="{top + 20:.1f}">{escape(shown)}</text>'
        f'<text class="small" x="{left + 12:.1f}" y="{top + 37:.1f}">{escape(below)}</text></a>'
    )
