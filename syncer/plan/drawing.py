"""The plan's graph as inline SVG: boxes that lead to their operation, lines that say why one waits for the other.

A line that follows from others is not drawn. The list of reasons beside the picture tells all of them.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from syncer.facts import PathKind
from syncer.plan.layout import BOX_HEIGHT, BOX_WIDTH, lay_out
from syncer.plan.words import count, number, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncer.plan.layout import Point
    from syncer.plan.models import Edge, Node, Plan

MAX_STEPS = 400
"""More boxes than this are no picture any more."""
WIDTH = 1150.0
_MARGIN = 6.0
_ARROW = 7.0
_LETTERS = 24
"""Characters of a name that fit a box."""


def draw(plan: Plan) -> str:
    """Return the drawing, or "" where there are too many steps for one."""
    if len(plan.nodes) > MAX_STEPS:
        return ""
    return "\n".join(_svg(plan))


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


def _svg(plan: Plan) -> Iterator[str]:
    edges = needed(plan)
    drawing = lay_out([node.id for node in plan.nodes], [(edge.before, edge.after) for edge in edges], WIDTH)
    width, height = drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN
    label = f"{count(len(plan.nodes), 'step')} and {count(len(plan.edges), 'reason')} to wait"
    yield (
        f'<svg width="{width:.0f}" height="{height:.0f}" role="group" aria-label="{label}"'
        f' viewBox="{-_MARGIN:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}">'
    )
    yield f"<defs>{_marker('wait')}{_marker('meet')}</defs>"
    for edge in edges:
        yield _line(edge, drawing.edges[edge.before, edge.after])
    for node in plan.nodes:
        yield _box(node, drawing.boxes[node.id])
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


def _box(node: Node, at: Point) -> str:
    left, top = at
    kind = "job" if node.kind is PathKind.JOB else "request"
    name = printable(node.operation)
    shown = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}\u2026"
    below = f"{printable(node.path)}, wave {node.wave}, {number(node.records)}"
    title = escape(f"{name}, {below} records in {count(node.units, kind)}")
    return (
        f'<a class="{kind}" href="#op-{escape(name)}"><title>{title}</title>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{BOX_WIDTH:.0f}" height="{BOX_HEIGHT:.0f}" rx="8"/>'
        f'<text x="{left + 12:.1f}" y="{top + 20:.1f}">{escape(shown)}</text>'
        f'<text class="small" x="{left + 12:.1f}" y="{top + 37:.1f}">{escape(below)}</text></a>'
    )
