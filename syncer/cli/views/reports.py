"""How a run's end looks: counts per operation that add up, what is left to do, and the command for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from syncer.cli.exits import MEANING, Exit
from syncer.cli.views import progress
from syncer.cli.views.trouble import show_error, use_colour
from syncer.errors import InDoubtError, PlanRefusedError
from syncer.execution import account
from syncer.outcome import Outcome
from syncer.plan import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.execution.report import OperationReport
    from syncer.workflow.applying import Applied, RunInfo

_ALWAYS = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.REJECTED)
_COLOUR = {Outcome.REJECTED: "\x1b[33m", Outcome.IN_DOUBT: "\x1b[31m", Outcome.PENDING: "\x1b[33m"}


def show(applied: Applied, options: str) -> None:
    """Print the report of a run to stdout, and what to do next to stderr; its commands take `options`."""
    result = applied.result
    sys.stdout.write(table(result.operations, colour=use_colour(sys.stdout)))
    if result.error is not None:
        show_error(result.error)
    if result.ending.guard:
        show_error(
            PlanRefusedError("R104", result.ending.guard, "What was sent stays. Look at the rows that went wrong.")
        )
    for reason in result.ending.parked:
        progress.note(f"Parked: {reason}")
    for held in result.held:
        what = f'Of unit "{held.unit}", {words.count(held.records, "record")}: {held.reason}'
        show_error(InDoubtError("R103", what))
    _point_at_files(applied)
    progress.note(f"Run {result.run}: {MEANING[Exit(result.exit_code)]} (exit {result.exit_code}).")
    if result.held:
        progress.note("Look these records up in the target, then say what you found:")
        progress.note(f"    syncer resolve {result.run} --as sent|unsent{options.removesuffix(' --sandbox')}")
    elif not result.is_finished and result.exit_code != Exit.STALE:
        progress.note("To go on:")
        progress.note(f"    syncer resume {result.run}{options}")


def _point_at_files(applied: Applied) -> None:
    """Say what the counts alone do not, and where more stands."""
    for each in applied.result.operations:
        if each.unconfirmed:
            records = words.count(each.unconfirmed, "record")
            progress.note(
                f'Of operation "{each.operation}", {records} hold what was sent, and no read shows an activity: '
                "it is not confirmed."
            )
    if any(each.count(Outcome.REJECTED) for each in applied.result.operations):
        progress.note(f"Rejected rows, with reasons: {applied.folder / 'rejects.csv'}")
    if (applied.folder / account.MARKDOWN).exists():
        progress.note(f"Report: {applied.folder / account.MARKDOWN}")


def table(operations: Sequence[OperationReport], *, colour: bool) -> str:
    """Return the counts as an aligned table: a line an operation, a column an outcome that occurs, and the sum."""
    shown = [
        outcome
        for outcome in Outcome
        if outcome in _ALWAYS or any(operation.count(outcome) for operation in operations)
    ]
    head = ["operation", "rows", *(outcome.value.replace("_", " ") for outcome in shown)]
    lines = [
        [each.operation, f"{each.read:,}", *(f"{each.count(outcome):,}" for outcome in shown)] for each in operations
    ]
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]

    def row(cells: list[str], styles: Sequence[str]) -> str:
        padded = [
            f"{cell:<{width}}" if column == 0 else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        painted = [f"{style}{cell}\x1b[0m" if style else cell for cell, style in zip(padded, styles, strict=True)]
        return "  ".join(painted).rstrip() + "\n"

    plain = [""] * len(head)
    text = row(head, ["\x1b[1m"] * len(head) if colour else plain)
    for operation, cells in zip(operations, lines, strict=True):
        styles = ["", "", *(_COLOUR.get(outcome, "") if operation.count(outcome) else "" for outcome in shown)]
        text += row(cells, styles if colour else plain)
    return text


def show_runs(found: Sequence[RunInfo]) -> None:
    """Print runs, oldest first."""
    if not found:
        progress.note("No runs yet.")
        return
    width = max(len(each.run) for each in found)
    status = max(len(each.status) for each in found)
    for each in found:
        sys.stdout.write(f"{each.run:<{width}}  {each.status:<{status}}  plan {each.plan[:12]}  {each.sentence}\n")
