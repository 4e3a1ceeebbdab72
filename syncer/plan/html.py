"""The plan as one page: self-contained, without script or network, for reading beside a pull request.

Its parts are those of the text. Whatever a name holds, it is shown as characters: every text passes `_t`.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from syncer.capability import PathKind
from syncer.plan import phrases, revealed
from syncer.plan.drawing import draw
from syncer.plan.style import SHEET
from syncer.plan.words import count, minutes, number, printable
from syncer.sample import SampleKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncer.plan.models import ConnectionPlan, Node, OperationPlan, Plan
    from syncer.sample import OperationSample, SampleCell, SampleRow

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_LEGEND = (
    "<li><i class=request></i>by requests</li><li><i class=job></i>by jobs</li>"
    "<li><i class=wait></i>waits</li><li><i class=meet></i>waits, keys in common</li>"
)
_OPEN = 3
"""Up to this many operations, and this many warnings, are unfolded from the start."""


def html(plan: Plan, samples: Sequence[OperationSample] = ()) -> str:
    """Return the plan as one HTML file."""
    return "\n".join(_page(plan, revealed.by_operation(samples))) + "\n"


def _t(text: str) -> str:
    return escape(printable(text))


def _page(plan: Plan, samples: Mapping[str, Sequence[SampleRow]]) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Plan {_t(plan.digest[: phrases.SHORT])} {_t(plan.project)}</title>"
    yield f"<style>{SHEET}</style>\n</head>\n<body>"
    yield '<a class="skip" href="#operations">To the operations</a>\n<main>'
    yield f"<header><h1>{_t(plan.project)}</h1><span class=id>Plan {_t(plan.digest[: phrases.SHORT])}</span></header>"
    yield f'<p class="soft">{_t(phrases.summary(plan))}</p>'
    if samples:
        yield f'<p class="note personal">{_t(revealed.BANNER)}</p>'
    yield from _tiles(plan)
    if plan.warnings:
        yield "<h2>Warnings</h2>"
        yield from _warnings(plan.warnings)
    if plan.connections:
        yield "<h2>Budget</h2>\n<div class=budgets>"
        for connection in plan.connections:
            yield from _budget(connection)
        yield "</div>"
    if plan.nodes:
        yield "<h2>Order of steps</h2>"
        yield from _order(plan)
    yield f"<h2 id=operations>{'Operations' if plan.operations else 'No operation is chosen'}</h2>"
    operations = {each.name: each for each in plan.operations}
    for name, nodes in phrases.steps_by_operation(plan).items():
        is_open = len(operations) <= _OPEN
        yield from _operation(operations[name], nodes, samples.get(name, ()), is_open=is_open)
    yield "<h2>Made of</h2>\n<div class=card><table class=digests>"
    for name, digest in (*phrases.made_of(plan), ("digest of this plan", plan.digest)):
        yield f"<tr><td>{_t(name)}</td><td><code>{_t(digest)}</code></td></tr>"
    yield "</table></div>\n</main>\n</body>\n</html>"


def _warnings(warnings: Sequence[str]) -> Iterator[str]:
    first, rest = warnings[:_OPEN], warnings[_OPEN:]
    yield f"<ul class=warnings>{''.join(f'<li>{_t(each)}</li>' for each in first)}</ul>"
    if rest:
        yield f"<details class=plain><summary>{count(len(rest), 'more warning')}</summary>"
        yield f"<ul class=warnings>{''.join(f'<li>{_t(each)}</li>' for each in rest)}</ul></details>"


def _tiles(plan: Plan) -> Iterator[str]:
    yield "<dl class=tiles>"
    for name, value in (
        ("records to send", number(sum(each.outgoing for each in plan.operations))),
        ("unchanged", number(sum(each.unchanged for each in plan.operations))),
        ("rejected", number(sum(each.rejected for each in plan.operations))),
        ("calls and polls", number(sum(each.calls + each.polls for each in plan.nodes))),
        ("operations", number(len(plan.operations))),
        ("longest chain", minutes(phrases.longest(plan))),
    ):
        yield f"<div><dt>{name}</dt><dd>{value}</dd></div>"
    yield "</dl>"


def _bar(parts: Sequence[tuple[str, int]], whole: int, label: str) -> str:
    spans = "".join(
        f'<span class="{kind}" style="width:{100 * value / max(whole, 1):.2f}%"></span>'
        for kind, value in parts
        if value
    )
    return f'<div class=bar role=img aria-label="{_t(label)}">{spans}</div>'


def _budget(connection: ConnectionPlan) -> Iterator[str]:
    lines = phrases.budget(connection)
    ours = connection.days[0] if connection.days else connection.calls + connection.polls
    used = connection.used_today or 0
    whole = connection.quota or connection.budget or ours
    reserve = connection.reserve
    parts = [("used", used if connection.quota else 0), ("ours", ours)]
    free = max(0, whole - sum(value for _, value in parts) - reserve)
    parts += [("gap", free), ("reserved", reserve)]
    yield f"<div class=card><strong>{_t(connection.name)}</strong> <span class=soft>{_t(connection.system)}</span>"
    yield _bar(parts, whole, "; ".join(text for text, _ in lines))
    yield "<ul class=key>"
    mine = "this plan, today" if connection.days else "this plan"
    names = {"used": "used today", "ours": mine, "reserved": "reserved for others"}
    for kind, value in parts:
        if value and kind in names:
            yield f'<li><i class="{kind}"></i>{names[kind]} {number(value)}</li>'
    yield "</ul>"
    for text, fidelity in lines:
        yield f"<p>{_t(text)} <span class=fidelity>{fidelity}</span></p>"
    yield "</div>"


def _order(plan: Plan) -> Iterator[str]:
    drawn = draw(plan)
    if drawn:
        yield f'<div class="card scroll" tabindex=0 role=region aria-label="Drawing of the steps">{drawn}</div>'
        yield f"<ul class=key>{_LEGEND}</ul>"
    else:
        yield f"<p>{count(len(plan.nodes), 'step')} are too many to draw; the list below says what waits for what.</p>"
    waits = list(phrases.waits(plan))
    if waits:
        yield f"<details class=plain><summary>{count(len(waits), 'reason')} to wait, as a list</summary>"
        yield "<ul class=waits>"
        for wait in waits:
            names = f"<span class=id>{_t(wait.after)}</span> waits for <span class=id>{_t(wait.before)}</span>"
            yield f"<li>{names}. {_t(wait.reason)}</li>"
        yield "</ul></details>"


def _operation(
    operation: OperationPlan, nodes: Sequence[Node], samples: Sequence[SampleRow], *, is_open: bool
) -> Iterator[str]:
    paths = {node.path: node.kind for node in nodes}
    tags = [f'<span class="tag {kind}">{_t(path)}</span>' for path, kind in paths.items()]
    if operation.rejected:
        tags.append(f'<span class="tag bad">{number(operation.rejected)} rejected</span>')
    opened = " open" if is_open else ""
    yield f'<details class=op id="op-{_t(operation.name)}"{opened}><summary>'
    yield f"<strong>{_t(operation.name)}</strong>"
    yield f"<span class=soft>{_t(phrases.target(operation))}, {count(operation.outgoing, 'record')}</span>"
    yield f"<span class=tags>{''.join(tags)}</span></summary>\n<div class=body>"
    yield f"<p class=soft>From {_t(phrases.origin(operation))}. {_t(phrases.movement(operation))}</p>"
    yield from (f"<p class=note>{_t(each)}</p>" for each in operation.warnings)
    yield from _rows(operation)
    if nodes:
        yield "<h3>Steps, and why by this path</h3>"
    for stride in phrases.strides(nodes):
        yield from _stride(stride)
    if operation.rejects:
        yield "<h3>Rejected, by reason</h3>\n<table class=rejects>"
        yield "<tr><th>code</th><th>reason</th><th>field</th><th class=n>rows</th><th>first rows</th></tr>"
        for line in operation.rejects:
            first = ", ".join(number(row) for row in line.first_rows)
            yield f"<tr><td><code>{_t(line.code)}</code></td><td>{phrases.reject_title(line)}</td>"
            yield f"<td>{_t(line.field)}</td>"
            yield f"<td class=n>{number(line.records)}</td><td>{first}</td></tr>"
        yield "</table>"
    if samples:
        yield f"<h3>{_t(revealed.title(samples))}</h3>"
        yield from _samples(
            f"Records of {operation.name}", [row for row in samples if row.kind is not SampleKind.REJECTED]
        )
        yield from _samples(
            f"Refused rows of {operation.name}", [row for row in samples if row.kind is SampleKind.REJECTED]
        )
    yield "</div></details>"


def _samples(label: str, rows: Sequence[SampleRow]) -> Iterator[str]:
    """Yield a table of rows: a column for each name that one of them has."""
    if not rows:
        return
    names = list(dict.fromkeys(cell.name for row in rows for cell in row.cells))
    heads = "".join(f"<th>{_t(name)}</th>" for name in names)
    yield f'<div class=scroll tabindex=0 role=region aria-label="{_t(label)}"><table class=samples>'
    yield f"<tr><th class=n>row</th><th>becomes</th>{heads}</tr>"
    for row in rows:
        cells = {cell.name: cell for cell in row.cells}
        shown = "".join(f"<td>{_cell(cells[name]) if name in cells else ''}</td>" for name in names)
        becomes = _t(revealed.why(row)) if row.kind is SampleKind.REJECTED else row.kind
        yield f"<tr><td class=n>{number(row.row)}</td><td>{becomes}</td>{shown}</tr>"
    yield "</table></div>"


def _cell(cell: SampleCell) -> str:
    shown = _t(cell.value) if cell.value else "<i>empty</i>"
    return (
        f"<del>{_t(cell.held) if cell.held else '<i>empty</i>'}</del> <ins>{shown}</ins>" if cell.is_changed else shown
    )


def _rows(operation: OperationPlan) -> Iterator[str]:
    creates = operation.creates or 0
    known = operation.creates is not None and operation.updates is not None
    parts = [
        ("new", creates),
        ("change", operation.outgoing - creates),
        ("same", operation.unchanged),
        ("skipped", operation.skipped),
        ("rejected", operation.rejected),
    ]
    rows = phrases.rows(operation)
    label = ", ".join(f"{'?' if row.records is None else number(row.records)} {row.what}" for row in rows)
    yield "<h3>Rows</h3>"
    yield _bar(parts, operation.read, label)
    names = {"new": "new", "change": "to change" if known else "to send", "same": "unchanged", "skipped": "skipped"}
    yield "<ul class=key>"
    for kind, value in parts:
        if value:
            yield f'<li><i class="{kind}"></i>{names.get(kind, kind)}</li>'
    yield "</ul>\n<table class=rows>"
    for row in rows:
        shown = "?" if row.records is None else number(row.records)
        depth = " class=in" if row.depth else ""
        yield f"<tr><td class=n>{shown}</td><td{depth}>{_t(row.what)}</td><td class=fidelity>{row.fidelity}</td></tr>"
    yield "</table>"


def _stride(stride: phrases.Stride) -> Iterator[str]:
    kind = " job" if stride.kind is PathKind.JOB else ""
    yield f'<div class="step{kind}"><p><strong>{_t(stride.path)}</strong> '
    yield f"<span class=soft>{stride.waves}</span> {_t(stride.text)} "
    yield f"<span class=fidelity>{stride.fidelity}</span></p><p>{_t(stride.reason)}</p><ul>"
    for paths, reason in stride.losers:
        yield f"<li>not <b>{_t(paths)}</b>: {_t(reason)}</li>"
    yield "</ul></div>"
