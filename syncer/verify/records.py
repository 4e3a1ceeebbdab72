"""Are the records all there? What was sent against what was planned, and one outcome for each. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from syncer.outcome import BY_LETTER, Outcome
from syncer.verify.evidence import by_node, is_finished, nodes, positions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncer.plan.models import Node, OperationPlan, Plan
    from syncer.verify.evidence import Evidence, Unit

_OPEN = {Outcome.IN_DOUBT.letter, Outcome.PENDING.letter}
_END = frozenset(BY_LETTER) - _OPEN
REJECTED = Outcome.REJECTED.letter
DONE, REJECTS = 0, 7


def as_planned(evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str] | None:
    """Yield what was sent and not planned, or planned otherwise."""
    return None if evidence.plan is None else _as_planned(evidence.plan, evidence, found)


def _as_planned(plan: Plan, evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str]:
    for place, note in enumerate(evidence.notes, start=1):
        if note.kind == "started" and note.plan != plan.digest:
            yield f"Note {place}: the run was begun with another plan, {note.plan}."
    planned = nodes(plan)
    for unit in found.values():
        if unit.node not in planned:
            yield f'Unit "{unit.name}" is of no step of the plan.'
            continue
        digests = {each.note.sha256 for each in unit.all("intended")}
        if evidence.rows is not None and not unit.parent:
            digests |= {evidence.rows[unit.name].sha256} if unit.name in evidence.rows else {"no such unit"}
        if len(digests) > 1:
            yield f'Unit "{unit.name}" was not the same bytes each time.'
    for name, mine in by_node(found).items():
        if name in planned:
            yield from _in_its_step(planned[name], mine)


def _in_its_step(node: Node, mine: Sequence[Unit]) -> Iterator[str]:
    last = max(int(each.name.rsplit("/", 1)[1]) for each in mine)
    records = sum(each.records for each in mine)
    if node.is_exact and last >= node.units:
        yield f'Step "{node.id}" has unit {last}; the plan has {node.units}, counted from 0.'
    if records > node.records:
        yield f'Step "{node.id}" announced {records} records; the plan has {node.records}.'


def partition(evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str] | None:
    """Yield every record without exactly one outcome, and every operation whose rows do not add up."""
    return None if evidence.plan is None else _partition(evidence.plan, evidence, found)


def _partition(plan: Plan, evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str]:
    for unit in found.values():
        yield from _outcomes(unit)
        if unit.parent in found:
            yield from _as_its_whole(unit, found[unit.parent])
    if is_finished(evidence):
        for operation in plan.operations:
            yield from _adds_up(operation, plan, found)


def _outcomes(unit: Unit) -> Iterator[str]:
    letters = unit.letters
    if letters is None:
        return
    if len(letters) != unit.records:
        yield f'Unit "{unit.name}" has {unit.records} records and {len(letters)} outcomes.'
    if unknown := sorted(set(letters) - _END):
        yield f'Unit "{unit.name}" is settled with outcomes that are none: {" ".join(unknown)}.'
    end = unit.last("settled")
    refused = Counter(each.position for each in end.note.rejects) if end else Counter[int]()
    if refused != Counter(at for at, letter in enumerate(letters) if letter == REJECTED):
        yield f'Unit "{unit.name}" names other records as refused than its outcomes do.'
    if end and any(not each.code for each in end.note.rejects):
        yield f'Unit "{unit.name}" refused a record without a code.'


def _as_its_whole(part: Unit, parent: Unit) -> Iterator[str]:
    mine, whole = part.letters, parent.letters
    if mine is None or whole is None:
        return
    held = positions(part, parent)
    if len(held) != len(mine) or any(at >= len(whole) or whole[at] != mine[n] for n, at in enumerate(held)):
        yield f'"{part.name}" ended otherwise than "{parent.name}" says of the same records.'


def _adds_up(operation: OperationPlan, plan: Plan, found: Mapping[str, Unit]) -> Iterator[str]:
    mine = by_node(found)
    told = sum(
        len(unit.letters or "")
        for node in plan.nodes
        if node.operation == operation.name
        for unit in mine.get(node.id, ())
    )
    if told != operation.outgoing:
        yield f'Operation "{operation.name}" was to send {operation.outgoing} rows, and {told} have an outcome.'
    whole = told + operation.unchanged + operation.skipped + operation.rejected
    if told == operation.outgoing and whole != operation.read:
        yield f'Operation "{operation.name}" read {operation.read} rows, and {whole} are accounted for.'


def ending(evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str]:
    """Yield what a finished run left open, and an exit code that is not what the outcomes say."""
    if not is_finished(evidence):
        return
    for unit in found.values():
        if unit.letters is None and not unit.parent:
            yield f'Unit "{unit.name}" was announced and has no end.'
    plan = evidence.plan
    planned = sum(each.rejected for each in plan.operations) if plan else 0
    refused = sum((unit.letters or "").count(REJECTED) for unit in found.values() if not unit.parent)
    code = getattr(evidence.notes[-1], "exit_code", None)
    if plan and code != (REJECTS if refused + planned else DONE):
        yield f"The run ended with exit code {code}, and {refused + planned} rows were refused."
