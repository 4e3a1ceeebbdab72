"""A run's report as a Markdown page: what a person wants to know first stands first. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.capability import PathKind
from syncer.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncer.execution.account import OperationAccount, RunAccount

_ALWAYS = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.REJECTED)


def render(told: RunAccount) -> str:
    """Return the page."""
    return "\n".join(_lines(told)) + "\n"


def _lines(told: RunAccount) -> Iterator[str]:
    yield f"# Run {told.run}"
    yield ""
    yield told.reason or "Every row has its outcome."
    yield f"It ended with exit code {told.exit_code}."
    yield ""
    yield from _rows(told)
    for operation in told.operations:
        yield from _remarks(operation)
    yield from _rejects(told)
    yield from _doubts(told)
    yield from _steps(told)
    yield from _calls(told)
    yield "## Run"
    yield ""
    yield from _table(
        ("", ""),
        [
            ("project", told.project),
            ("plan", f"`{told.plan}`"),
            ("syncer", told.tool),
            ("began", told.began),
            ("ended", told.ended),
            ("seconds", f"{told.seconds:,.0f}"),
            ("processes", f"{told.processes}"),
        ],
    )


def _rows(told: RunAccount) -> Iterator[str]:
    shown = [each for each in Outcome if each in _ALWAYS or any(op.outcomes[each] for op in told.operations)]
    lines = [
        (each.name, f"{each.rows:,}", *(f"{each.outcomes[outcome]:,}" for outcome in shown)) for each in told.operations
    ]
    yield from _table(("operation", "rows", *(each.value.replace("_", " ") for each in shown)), lines)


def _remarks(operation: OperationAccount) -> Iterator[str]:
    remarks = (
        (operation.looked_up, "were in doubt for a while, because an answer was lost, and were looked up"),
        (operation.repeated, "went out again after a read-back"),
        (operation.unconfirmed, "hold what was sent; their activity is not confirmed, as no read shows it"),
    )
    told = [f"- {operation.name}: {count:,} {what}." for count, what in remarks if count]
    yield from [*told, ""] if told else []


def _rejects(told: RunAccount) -> Iterator[str]:
    lines = [
        (operation.name, f"{each.records:,}", each.code, each.field, each.reason or each.title)
        for operation in told.operations
        for each in operation.rejects
    ]
    if lines:
        yield "## Rejected"
        yield ""
        yield from _table(("operation", "rows", "code", "field", "reason"), lines)


def _doubts(told: RunAccount) -> Iterator[str]:
    lines = [
        (each.unit, f"{each.records:,}", f"{each.times}", each.ruled or each.ended, each.reason) for each in told.doubts
    ]
    if lines:
        yield "## Answers that were lost"
        yield ""
        yield from _table(("request or job", "records", "times", "ended", "reason"), lines)


def _steps(told: RunAccount) -> Iterator[str]:
    yield "## Steps"
    yield ""
    lines = [
        (
            node.id,
            f"{node.settled:,} of {node.records:,}",
            f"{node.sends:,} {'job' if node.kind is PathKind.JOB else 'request'}{'' if node.sends == 1 else 's'}",
            f"{node.refused:,}" if node.refused else "",
        )
        for operation in told.operations
        for node in operation.nodes
    ]
    yield from _table(("step", "records settled", "sent", "of these not executed"), lines)


def _calls(told: RunAccount) -> Iterator[str]:
    yield "## Calls"
    yield ""
    lines = [
        (
            each.name,
            each.system.value,
            f"{each.calls:,}",
            f"{each.planned:,}",
            _number(each.budget),
            _number(each.quota),
        )
        for each in told.connections
    ]
    yield from _table(("connection", "system", "made", "planned", "budget a day", "quota a day"), lines)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' for _ in head)}|"
    for each in lines:
        yield f"| {' | '.join(render_cell(text) for text in each)} |"
    yield ""


def render_cell(text: str) -> str:
    """Return text that ends no cell and begins no markup: a vendor's words are among it."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
