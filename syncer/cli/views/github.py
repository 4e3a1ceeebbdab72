"""A plan in a workflow of GitHub Actions: annotations on the manifest's lines, a step summary, outputs for later steps.

Whatever a manifest or a source is called, it cannot start a workflow command or write another output.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from syncer.cli.views.trouble import harmless
from syncer.errors import ManifestError, PlanRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from syncer.diagnostics import Diagnostic, Place
    from syncer.plan.models import OperationPlan, Plan

Kind = Literal["error", "warning", "notice"]
MOST = 10
"""Annotations of one kind that a step may have; GitHub drops the others without a word."""
SUMMARY_BYTES = 1_000_000
"""Of a step's summary; GitHub refuses one of more than 1 MiB."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is to be seen beside a line; worse ones come first."""

    kind: Kind
    title: str
    text: str
    place: Place | None = None
    weight: int = 0


def annotated(found: Iterable[Annotation]) -> str:
    """Return the workflow commands, worst first, with a last one that counts what GitHub would drop."""
    ordered = sorted(found, key=lambda each: -each.weight)
    lines: list[str] = []
    kinds: tuple[Kind, ...] = ("error", "warning", "notice")
    for kind in kinds:
        mine = [each for each in ordered if each.kind == kind]
        shown = mine if len(mine) <= MOST else mine[: MOST - 1]
        lines += [command(each) for each in shown]
        if len(shown) < len(mine):
            more = f"{len(mine) - len(shown)} more are not shown here: see the step's log and summary."
            lines.append(command(Annotation(kind, "And more", more)))
    return "".join(f"{each}\n" for each in lines)


def of_diagnostic(each: Diagnostic, place: Place | None = None) -> Annotation:
    """Return a finding as an annotation."""
    body = "\n".join(part for part in (each.detail, each.advice, each.command) if part)
    kind: Kind = "error" if each.severity == "error" else "warning"
    return Annotation(kind, f"{each.code} {each.title}", body, each.place or place)


def of_refusals(refusals: Sequence[Diagnostic], places: Mapping[str, Place]) -> Iterator[Annotation]:
    """Yield why there is no plan, each at the operation that it speaks of."""
    for each in refusals:
        named = next((place for name, place in places.items() if f'"{name}"' in each.detail), None)
        yield of_diagnostic(each, named)


def of_plan(plan: Plan, places: Mapping[str, Place]) -> Iterator[Annotation]:
    """Yield what a reviewer should see beside the manifest: rejects, notes, and what each operation would do."""
    from syncer.plan import phrases
    from syncer.plan.words import count

    for each in plan.operations:
        place = places.get(each.name)
        if each.rejected:
            reasons = "; ".join(f"{line.code}: {phrases.reject(line)}" for line in each.rejects)
            title = f"{each.name}: {count(each.rejected, 'row')} rejected"
            yield Annotation("warning", title, reasons, place, 1_000 + each.rejected)
        for warning in each.warnings:
            yield Annotation("warning", f"{each.name}: note", warning, place, 100)
        if each.outgoing:
            yield Annotation("notice", f"{each.name}: {phrases.target(each)}", _counts(each), place, each.outgoing)
    for warning in plan.warnings:
        yield Annotation("warning", "Note on the plan", warning, None, 10)


def _counts(operation: OperationPlan) -> str:
    from syncer.plan import phrases
    from syncer.plan.words import number

    rows = phrases.rows(operation)
    return "\n".join(
        f"{'?' if row.records is None else number(row.records)} {row.what} ({row.fidelity})" for row in rows
    )


@contextmanager
def explaining(*, is_wanted: bool) -> Iterator[dict[str, Place]]:
    """Annotate what refuses a plan, and let it pass on. Yields the operations' places, to be filled when known."""
    places: dict[str, Place] = {}
    try:
        yield places
    except ManifestError as error:
        if is_wanted:
            print(annotated(map(of_diagnostic, error.diagnostics)), end="")
        raise
    except PlanRefusedError as error:
        if is_wanted:
            print(annotated(of_refusals(error.refusals, places)), end="")
        raise


def show(plan: Plan, places: Mapping[str, Place], text: str) -> None:
    """Print annotations and the plan; write the summary and the outputs where the workflow asks for them."""
    from syncer.plan.markdown import markdown

    # Between these two lines nothing is a command. Nobody can write a text that holds the digest of itself.
    quiet = f"::stop-commands::{plan.digest}\n{text}::{plan.digest}::\n"
    print(annotated(of_plan(plan, places)) + quiet, end="")
    _append("GITHUB_STEP_SUMMARY", markdown(plan, SUMMARY_BYTES))
    _append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in outputs(plan).items()))


def outputs(plan: Plan) -> dict[str, str]:
    """Return what later steps may ask: single words and whole numbers, "" where a number is unknown."""
    operations = plan.operations

    def total(counts: Iterable[int | None]) -> str:
        known = list(counts)
        return "" if None in known else str(sum(each for each in known if each is not None))

    return {
        "digest": f"sha256:{plan.digest}",
        "has_changes": "true" if plan.nodes else "false",
        "to_send": total(each.outgoing for each in operations),
        "creates": total(each.creates for each in operations),
        "updates": total(each.updates for each in operations),
        "unchanged": total(each.unchanged for each in operations),
        "rejected": total(each.rejected for each in operations),
        "calls": total(each.calls + each.polls for each in plan.connections),
    }


def _append(variable: str, text: str) -> None:
    """Add to the file that the workflow names; outside of a workflow there is none."""
    named = os.environ.get(variable)
    if named:
        with Path(named).open("a", encoding="utf-8") as file:
            file.write(text)


def command(each: Annotation) -> str:
    """Return the workflow command that makes an annotation."""
    where = ""
    if each.place is not None:
        name = from_workspace(Path(each.place.file))
        where = f"file={_member(name)},line={max(each.place.line, 1)},col={max(each.place.column, 1)},"
    return f"::{each.kind} {where}title={_member(each.title)}::{_message(each.text)}"


def from_workspace(path: Path) -> str:
    """Return a file's name as the pull request knows it: from the top of the checkout."""
    top = Path(os.environ.get("GITHUB_WORKSPACE") or ".").resolve()
    whole = path.resolve()
    return str(whole.relative_to(top)) if whole.is_relative_to(top) else str(path)


def _message(text: str) -> str:
    """Escape the text of a workflow command."""
    return harmless(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _member(text: str) -> str:
    """Escape a member of a workflow command."""
    return _message(text).replace(":", "%3A").replace(",", "%2C")
