"""Do the files that a run wrote say what its journal says? Rejects, report and ledger. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from syncer.outcome import BY_LETTER
from syncer.verify.evidence import by_node, is_finished
from syncer.verify.records import REJECTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncer.plan.models import Plan
    from syncer.verify.evidence import Evidence, Unit


def rejects(evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str] | None:
    """Yield where the rejects file has other rows than were refused."""
    if evidence.rejects is None or evidence.plan is None or not is_finished(evidence):
        return None
    return _rejects(evidence.plan, evidence.rejects, found)


def _rejects(plan: Plan, lines: Sequence[Mapping[str, Any]], found: Mapping[str, Unit]) -> Iterator[str]:
    told = Counter(each["operation"] for each in lines)
    for operation in plan.operations:
        letters = "".join(_letters(operation.name, plan, found))
        wanted = operation.rejected + letters.count(REJECTED)
        if told[operation.name] != wanted:
            yield f'Operation "{operation.name}" refused {wanted} rows, and the file has {told[operation.name]}.'
    rows = Counter((each["operation"], each["row"]) for each in lines)
    for (name, row), count in rows.items():
        if count > 1:
            yield f'Row {row} of operation "{name}" stands in the file {count} times.'
    for each in lines:
        if not each["code"] or not each["reason"]:
            yield f'Row {each["row"]} of operation "{each["operation"]}" was refused without code or reason.'


def report(evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str] | None:
    """Yield every count of the report that is not the journal's."""
    if evidence.report is None or evidence.plan is None or not is_finished(evidence):
        return None
    return _report(evidence.plan, evidence.report, evidence, found)


def _report(plan: Plan, told: Mapping[str, Any], evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str]:
    code = getattr(evidence.notes[-1], "exit_code", None)
    if told["exit_code"] != code:
        yield f"The report says that the run ended with {told['exit_code']}, the journal {code}."
    said = {each["name"]: each for each in told["operations"]}
    for operation in plan.operations:
        counts = Counter(BY_LETTER[each].value for each in "".join(_letters(operation.name, plan, found)))
        counts.update(unchanged=operation.unchanged, skipped=operation.skipped, rejected=operation.rejected)
        mine = said.get(operation.name, {"outcomes": {}, "rows": None})
        for outcome in sorted({*counts, *mine["outcomes"]}):
            if counts[outcome] != mine["outcomes"].get(outcome, 0):
                yield (
                    f'The report says {mine["outcomes"].get(outcome, 0)} {outcome} of operation "{operation.name}", '
                    f"the journal {counts[outcome]}."
                )
        if mine["rows"] != operation.read:
            yield f'The report says that operation "{operation.name}" read {mine["rows"]} rows, not {operation.read}.'


def ledger(evidence: Evidence, _: Mapping[str, Unit]) -> Iterator[str] | None:
    """Yield every operation of a finished run that the ledger does not hold."""
    if evidence.plan is None or evidence.serials is None:
        return None
    return _ledger(evidence.plan, evidence.serials, evidence)


def _ledger(plan: Plan, serials: Mapping[str, int], evidence: Evidence) -> Iterator[str]:
    if not is_finished(evidence):
        return
    merged = {note.operation for note in evidence.notes if note.kind == "merged"}
    planned = {each.name: int(each.digest) for each in plan.inputs.ledger}
    sent = {each.operation for each in plan.nodes}
    for name in sorted(sent):
        if name not in merged:
            yield f'Operation "{name}" was sent whole and is not noted as confirmed.'
        elif serials.get(name, 0) <= planned.get(name, 0):
            yield f'The ledger of operation "{name}" is at {serials.get(name, 0)}, as it was when the plan was made.'


def _letters(operation: str, plan: Plan, found: Mapping[str, Unit]) -> Iterator[str]:
    mine = by_node(found)
    for node in plan.nodes:
        if node.operation == operation:
            yield from (unit.letters or "" for unit in mine.get(node.id, []))
