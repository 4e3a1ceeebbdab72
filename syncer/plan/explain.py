"""The plan as plain text: what a reviewer reads in a terminal, a log or a golden file.

No colour and no terminal code: the command line adds those. Every text of the plan is made safe to print, and every
line says how sure it is.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from syncer.plan import phrases, revealed
from syncer.plan.words import number, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from syncer.plan.models import Node, OperationPlan, Plan
    from syncer.sample import OperationSample, SampleRow

NARROWEST = 32
"""Below this many columns lines are allowed to run over."""
NARROW = 56
"""Below this many columns a label stands above its text."""
LABEL = 20
"""Columns of the label before a text."""


def explain(plan: Plan, width: int = 100, samples: Sequence[OperationSample] = ()) -> str:
    """Return the plan as text of at most `width` columns, with a line end last."""
    lines = list(_lines(plan, max(width, NARROWEST), revealed.by_operation(samples)))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _lines(plan: Plan, width: int, samples: Mapping[str, Sequence[SampleRow]]) -> Iterator[str]:
    title = f"Plan {plan.digest[: phrases.SHORT]}  {printable(plan.project)}"
    summary = phrases.summary(plan)
    gap = width - len(title) - len(summary)
    yield from [title + " " * gap + summary] if gap > 1 else [title, *_hanging("  ", summary, width)]
    if samples:
        yield from ("", *_hanging("", revealed.BANNER, width))
    operations = {each.name: each for each in plan.operations}
    for place, (name, nodes) in enumerate(phrases.steps_by_operation(plan).items(), 1):
        yield ""
        yield from _operation(place, operations[name], nodes, width)
        yield from _sample(samples.get(name, ()), width)
    if plan.edges:
        yield from ("", "Order")
        yield from _order(plan, width)
    yield from ("", "Budget") if plan.connections else ()
    for connection in plan.connections:
        lines = [f"{text} ({fidelity})" for text, fidelity in phrases.budget(connection)]
        yield from _labelled(connection.name, lines, width, indent=2)
    if plan.warnings:
        yield from ("", "Warnings")
        for warning in plan.warnings:
            yield from _hanging("  - ", warning, width)
    yield from ("", "Made of")
    made_of = phrases.made_of(plan)
    column = min(max(len(name) for name, _ in made_of), width // 2)
    for name, digest in made_of:
        line = f"  {printable(name):<{column}}  {printable(digest)}"
        yield from [line] if len(line) <= width else [f"  {printable(name)}", f"    {printable(digest)}"]
    yield from ("", f"Digest {plan.digest}")


def _operation(place: int, operation: OperationPlan, nodes: Sequence[Node], width: int) -> Iterator[str]:
    yield from _hanging(f"{place:>3}  ", f"{operation.name}: {phrases.target(operation)}", width)
    yield from _labelled("from", [phrases.origin(operation)], width)
    yield from _rows(operation, width)
    if phrases.movement(operation):
        yield from _labelled("moves", [phrases.movement(operation)], width)
    for stride in phrases.strides(nodes):
        waves = f"{stride.waves.capitalize()}: " if nodes[-1].wave > 1 else ""
        yield from _labelled(stride.path, [f"{waves}{stride.text} ({stride.fidelity})", stride.reason], width)
        for paths, reason in stride.losers:
            yield from _labelled(f"  not {paths}", [reason], width)
    for line in operation.rejects:
        yield from _labelled(line.code, [f"{phrases.reject(line)} (checked)"], width)
    for warning in operation.warnings:
        yield from _labelled("note", [warning], width)


def _sample(rows: Sequence[SampleRow], width: int) -> Iterator[str]:
    if rows:
        yield from _labelled("revealed", [revealed.title(rows)], width)
    for row in rows:
        yield from _labelled(f"  row {number(row.row)}", [revealed.told(row)], width)


def _rows(operation: OperationPlan, width: int) -> Iterator[str]:
    found = phrases.rows(operation)
    column = max(len(_records(row)) for row in found)
    head = "     rows"
    start = _column(5, width)
    if len(head) >= start:
        yield head
        head = ""
    for row in found:
        first = f"{head:<{start}}{_records(row):>{column}} {'  ' * row.depth}"
        yield from _hanging(first, f"{row.what} ({row.fidelity})", width)
        head = ""


def _records(row: phrases.Row) -> str:
    return "?" if row.records is None else number(row.records)


def _order(plan: Plan, width: int) -> Iterator[str]:
    """Say each step's befores once, below it."""
    befores: dict[str, list[phrases.Wait]] = {}
    for wait in phrases.waits(plan):
        befores.setdefault(wait.after, []).append(wait)
    for after, found in befores.items():
        yield from _hanging("  ", f"{after} {'wait' if ',' in after else 'waits'} for", width)
        for wait in found:
            yield from _hanging("    ", f"{wait.before}: {wait.reason}", width)


def _labelled(label: str, lines: Iterable[str], width: int, *, indent: int = 5) -> Iterator[str]:
    """Yield a label and its lines beside it; a label that is too long for its column stands above."""
    head = " " * indent + printable(label)
    column = _column(indent, width)
    if len(head) >= column:
        yield head
        head = ""
    for line in lines:
        yield from _hanging(f"{head:<{column}}", line, width)
        head = ""


def _column(indent: int, width: int) -> int:
    """Return where texts begin beside or below a label."""
    return indent + (LABEL if width >= NARROW else 4)


def _hanging(first: str, text: str, width: int) -> Iterator[str]:
    yield from wrap(
        printable(text),
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
