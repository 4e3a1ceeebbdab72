"""The plan's graph in the languages of others: Mermaid for a page of a forge, DOT for Graphviz, SVG to stand alone.

Only the lines that no chain implies are drawn. Names are written so that they cannot be read as anything but names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.plan.drawing import draw, folded
from syncer.plan.words import count, printable

if TYPE_CHECKING:
    from syncer.plan.drawing import Box
    from syncer.plan.models import Edge, Plan

_STYLE = (
    "<style>svg{background:#fff;font:13px system-ui,sans-serif}rect{fill:#eef3f8;stroke:#5b7083}.job rect{fill:#f6efe2}"
    "text{fill:#1c2730}.small{font-size:11px;fill:#51626f}path.wait,path.meet{fill:none;stroke:#5b7083}"
    "path.meet{stroke:#a8431f;stroke-dasharray:5 3}marker path{fill:#5b7083}marker.meet path{fill:#a8431f}</style>"
)


def mermaid(plan: Plan) -> str:
    """Return the graph as a Mermaid flow chart, left to right."""
    boxes, edges = folded(plan)
    names = {box.id: f"n{place}" for place, box in enumerate(boxes)}
    lines = [f'  {names[box.id]}["{_entities(_label(box))}"]' for box in boxes]
    lines += [f'  {names[each.before]} -->|"{_entities(_why(each))}"| {names[each.after]}' for each in edges]
    return "\n".join(["flowchart LR", *lines]) + "\n"


def dot(plan: Plan) -> str:
    """Return the graph in Graphviz's language."""
    boxes, edges = folded(plan)
    lines = [f"  {_quoted(box.id)} [label={_quoted(_label(box))}];" for box in boxes]
    lines += [f"  {_quoted(each.before)} -> {_quoted(each.after)} [label={_quoted(_why(each))}];" for each in edges]
    return "\n".join(["digraph plan {", "  rankdir=LR;", "  node [shape=box];", *lines, "}"]) + "\n"


def svg(plan: Plan) -> str:
    """Return the graph as a picture with its own style; "" where there are too many steps for one."""
    picture = draw(plan)
    head, end, rest = picture.partition(">")
    if not picture:
        return ""
    named = head if "xmlns=" in head else head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return f"{named}{end}{_STYLE}{rest}\n"


def _label(box: Box) -> str:
    return f"{box.operation}, {box.stride.path}, {box.stride.waves}, {count(box.records, 'record')}"


def _why(edge: Edge) -> str:
    return f"{count(edge.keys, 'key')} in common" if edge.keys else "waits"


def _entities(text: str) -> str:
    """Write every character that Mermaid or Markdown may read as code by its number."""
    return "".join(each if each.isalnum() or each in " .,_-/" else f"#{ord(each)};" for each in printable(text))


def _quoted(text: str) -> str:
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
