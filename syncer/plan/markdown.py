"""The plan as Markdown for a pull request: what matters in sight, details folded, never longer than a comment may be.

Names are written so that no forge reads a link, a mention, a command or markup out of them. What does not fit is
counted and named as missing, never cut in the middle.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncer.plan import phrases, revealed
from syncer.plan.words import count, number, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from syncer.plan.models import Node, OperationPlan, Plan
    from syncer.sample import OperationSample, SampleRow

MAX_BYTES = 65_536
"""GitHub, "Working with issue comments": the longest comment, in characters; bytes are the safe reading."""

_OPEN = 3
"""Warnings in sight; more are folded."""
_CLOSED = "\n</details>\n"
_TAIL = 512
"""Kept free for the closing lines."""
_MARKED = re.compile(r"[&<>`*_\[\]|\\~@#:]")


def markdown(plan: Plan, max_bytes: int = MAX_BYTES, samples: Sequence[OperationSample] = ()) -> str:
    """Return the plan as Markdown of at most `max_bytes`, with a line end last."""
    rows = revealed.by_operation(samples)
    steps = phrases.steps_by_operation(plan)
    operations = {each.name: each for each in plan.operations}
    room = max_bytes - _TAIL
    text = _fitting(
        _head(plan, is_revealed=bool(rows)),
        (_table_row(operations[name], nodes) for name, nodes in steps.items()),
        room // 2,
        "operations",
        len(steps),
    )
    text = _warned(f"{text}\n{_budget(plan)}", plan.warnings, room * 3 // 4)
    details = (_details(operations[name], nodes, rows.get(name, ())) for name, nodes in steps.items())
    text = _fitting(text + "\n", details, room * 7 // 8, "operations in detail", len(steps))
    if plan.edges:
        order = f"\n{_order(plan)}"
        fits = len(text.encode()) + len(order.encode()) <= room
        text += order if fits else "\n*The order of the steps is not shown here: read the plan file.*\n"
    return f"{text}\nDigest `{plan.digest}`\n"


def safe(text: str) -> str:
    """Return `text` as Markdown that shows just its characters."""
    return _MARKED.sub(lambda match: f"&#{ord(match.group())};", printable(text))


def _fitting(head: str, parts: Iterable[str], room: int, what: str, total: int) -> str:
    """Return `head` and as many of `parts` as fit, and how many do not."""
    text, used = [head], len(head.encode())
    for place, part in enumerate(parts):
        used += len(part.encode())
        if used > room:
            text.append(
                f"\n*{number(total - place)} of {number(total)} {what} are not shown here: read the plan file.*\n"
            )
            break
        text.append(part)
    return "".join(text)


def _head(plan: Plan, *, is_revealed: bool) -> str:
    title = f"### Plan `{plan.digest[: phrases.SHORT]}` · {safe(plan.project)}\n\n**{safe(phrases.summary(plan))}**\n\n"
    title += f"> **{safe(revealed.BANNER)}**\n\n" if is_revealed else ""
    columns = "| operation | | to send | new | to change | unchanged | rejected | by |\n"
    return f"{title}{columns}|:--|:--|--:|--:|--:|--:|--:|:--|\n"


def _table_row(operation: OperationPlan, nodes: Sequence[Node]) -> str:
    counts = (operation.outgoing, operation.creates, operation.updates, operation.unchanged, operation.rejected)
    cells = [
        f"**{safe(operation.name)}**",
        safe(phrases.target(operation)),
        *("?" if each is None else number(each) for each in counts),
        safe(", ".join(dict.fromkeys(node.path for node in nodes))) or "none",
    ]
    return f"| {' | '.join(cells)} |\n"


def _budget(plan: Plan) -> str:
    lines = [
        f"- **{safe(connection.name)}** "
        + "; ".join(f"{safe(text)} ({fidelity})" for text, fidelity in phrases.budget(connection))
        for connection in plan.connections
    ]
    return "\n".join([*lines, ""]) + "\n"


def _warned(head: str, warnings: Sequence[str], room: int) -> str:
    """Return `head` with the first warnings in sight and the others folded."""
    if not warnings:
        return head
    lines = [f"- {safe(each)}\n" for each in warnings]
    first, more = lines[:_OPEN], lines[_OPEN:]
    head = f"{head}**Warnings**\n\n"
    text = _fitting(head, first, room, "warnings", len(lines))
    if not more or text != "".join((head, *first)):
        return text
    fold = f"{text}\n{_opened(count(len(more), 'more warning'))}"
    return _fitting(fold, more, room, "more warnings", len(more)) + _CLOSED


def _details(operation: OperationPlan, nodes: Sequence[Node], rows: Sequence[SampleRow]) -> str:
    lines = (*_detail_lines(operation, nodes), *_sample(rows))
    return _folded(f"<b>{safe(operation.name)}</b> {safe(phrases.target(operation))}", lines)


def _detail_lines(operation: OperationPlan, nodes: Sequence[Node]) -> Iterator[str]:
    yield f"From {safe(phrases.origin(operation))}. {safe(phrases.movement(operation))}".rstrip()
    yield ""
    for row in phrases.rows(operation):
        shown = "?" if row.records is None else number(row.records)
        yield f"{'  ' * row.depth}- {shown} {safe(row.what)} ({row.fidelity})"
    for line in operation.rejects:
        yield f"- {safe(line.code)}: {safe(phrases.reject(line))} (checked)"
    yield ""
    for stride in phrases.strides(nodes):
        yield f"**{safe(stride.path)}**, {stride.waves}: {safe(stride.text)} ({stride.fidelity})"
        yield f"- {safe(stride.reason)}"
        for paths, reason in stride.losers:
            yield f"- not {safe(paths)}: {safe(reason)}"
        yield ""
    for warning in operation.warnings:
        yield f"- Note: {safe(warning)}"


def _sample(rows: Sequence[SampleRow]) -> Iterator[str]:
    if rows:
        yield f"\n**{safe(revealed.title(rows))}**\n"
    for row in rows:
        yield f"- row {number(row.row)}, {safe(revealed.told(row))}"


def _order(plan: Plan) -> str:
    lines = (f"- {safe(each.before)} → {safe(each.after)}: {safe(each.reason)}" for each in phrases.waits(plan))
    return _folded(f"Order, {count(len(plan.edges), 'reason')} to wait", lines)


def _folded(title: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f"{_opened(title)}{body}\n{_CLOSED}"


def _opened(title: str) -> str:
    return f"<details><summary>{title}</summary>\n\n"
