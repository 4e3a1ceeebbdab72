"""Was a key ever written twice at once? By the order of steps, and key by key where the rows are still there. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.verify.evidence import by_node, nodes, positions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncer.plan.models import Plan
    from syncer.verify.evidence import Evidence, Rows, Unit

_BEGIN = frozenset({"committing", "remedying"})
_END = frozenset({"settled", "unsent", "split"})
"""A unit that goes on in parts has nothing under way: the parts have."""


def steps(evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str] | None:
    """Yield every step that sent something while a step before it was not settled whole."""
    return None if evidence.plan is None else _steps(evidence.plan, found)


def _steps(plan: Plan, found: Mapping[str, Unit]) -> Iterator[str]:
    planned, mine = nodes(plan), by_node(found)
    sent: dict[str, int] = {}
    for unit in found.values():
        for told in unit.all(*_BEGIN)[:1]:
            sent[unit.node] = min(told.place, sent.get(unit.node, told.place))
    for edge in plan.edges:
        began = sent.get(edge.after)
        if began is None:
            continue
        ends = [(unit.last("settled"), unit.records) for unit in mine.get(edge.before, [])]
        settled = sum(records for end, records in ends if end is not None and end.place < began)
        if settled < planned[edge.before].records:
            yield (
                f'Note {began}: step "{edge.after}" began when {settled} of {planned[edge.before].records} records of '
                f'"{edge.before}" were settled.'
            )


def exclusive(evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str] | None:
    """Yield every key of which two writes were under way at once."""
    return None if evidence.rows is None else _exclusive(evidence, found, evidence.rows)


def _exclusive(evidence: Evidence, found: Mapping[str, Unit], rows: Mapping[str, Rows]) -> Iterator[str]:
    under_way: dict[int, str] = {}
    for place, note in enumerate(evidence.notes, start=1):
        name = getattr(note, "unit", None)
        if name is None or note.kind not in _BEGIN | _END:
            continue
        lanes = _lanes(found[name], found, rows)
        if note.kind in _END:
            for lane in lanes:
                if under_way.get(lane) == name:
                    del under_way[lane]
            continue
        if len(set(lanes)) != len(lanes):
            yield f'Note {place}: unit "{name}" holds a key twice.'
        for lane in lanes:
            other = under_way.setdefault(lane, name)
            if other != name:
                yield f'Note {place}: key {lane:016x} was written by "{name}" and "{other}" at once.'


def _lanes(unit: Unit, found: Mapping[str, Unit], rows: Mapping[str, Rows]) -> Sequence[int]:
    if not unit.parent:
        known = rows.get(unit.name)
        return known.lanes if known else ()
    if unit.parent not in found:
        return ()
    parent = found[unit.parent]
    above = _lanes(parent, found, rows)
    return [above[at] for at in positions(unit, parent) if at < len(above)]
