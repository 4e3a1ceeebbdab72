"""What followed a lost answer: was it waited for, and was nothing repeated that could double? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncer.verify.evidence import Evidence, Unit

SLACK_SECONDS = 1.0
"""Moments are wall time, and a clock is set now and then."""


def settled_first(evidence: Evidence, found: Mapping[str, Unit]) -> Iterator[str]:
    """Yield what was sent again before its time, or where only a person may say so."""
    resends = (
        {each.name for each in evidence.plan.operations if each.on_unknown == "resend"} if evidence.plan else set[str]()
    )
    for unit in found.values():
        is_once = unit.node in evidence.once and unit.node.split("/", 1)[0] not in resends
        yield from _too_early(unit)
        if is_once:
            yield from _without_a_word(unit)


def _too_early(unit: Unit) -> Iterator[str]:
    earliest, under_way = float("-inf"), frozenset[int]()
    for told in unit.told:
        note = told.note
        if note.kind == "remedying":
            positions = frozenset(note.positions)
            # A part of what was just sent is no repetition: it was refused whole, and goes out in halves.
            if not positions < under_way:
                if note.at < earliest - SLACK_SECONDS:
                    early = earliest - note.at
                    yield f'Note {told.place}: "{unit.name}" was sent again {early:.0f} s before its wait was over.'
                under_way = positions
            earliest = note.at + note.wait_seconds
        elif note.kind == "doubted":
            earliest, under_way = note.at + note.wait_seconds, frozenset()
        elif note.kind == "ruled":
            earliest = float("-inf")


def _without_a_word(unit: Unit) -> Iterator[str]:
    may = True
    for told in unit.told:
        kind = told.note.kind
        if kind in {"committing", "remedying"}:
            if not may:
                yield f'Note {told.place}: "{unit.name}" was sent again, and no person had said that it was not sent.'
            may = False
        elif kind == "unsent" or (kind == "ruled" and told.note.verdict == "unsent"):
            may = True
