"""Which note may follow which, for one unit: the life of a request or job as a table. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncer.verify.evidence import Evidence, Unit

FOLLOWS: Mapping[str, frozenset[str]] = {
    "": frozenset({"intended"}),
    "intended": frozenset({"intended", "prepared", "committing", "unsent"}),
    "prepared": frozenset({"intended", "committing", "unsent"}),
    "committing": frozenset({"accepted", "unsent", "doubted", "settled", "split"}),
    "unsent": frozenset({"intended", "settled", "split"}),
    "accepted": frozenset({"doubted", "settled", "split"}),
    "doubted": frozenset({"doubted", "remedying", "accepted", "unsent", "held", "settled", "split"}),
    "remedying": frozenset({"doubted", "remedying", "held", "settled", "split"}),
    "held": frozenset({"ruled"}),
    "ruled": frozenset({"intended", "remedying", "settled", "doubted"}),
    "split": frozenset({"settled"}),
    "settled": frozenset(),
}
"""What may come after a note. A process may die after any of them, so an announcement may be repeated, a send never."""


def disorder(_: Evidence, found: Mapping[str, Unit]) -> Iterator[str]:
    """Yield every note that could not come where it stands."""
    for unit in found.values():
        before = ""
        for told in unit.told:
            if told.note.kind not in FOLLOWS[before]:
                after = f'after "{before}"' if before else "at its beginning"
                yield f'Note {told.place}: unit "{unit.name}" has "{told.note.kind}" {after}.'
            before = told.note.kind
        if unit.parent:
            parent = found.get(unit.parent)
            split = None if parent is None else parent.last("split")
            if split is None or split.place > unit.told[0].place:
                yield f'Note {unit.told[0].place}: "{unit.name}" is a part of what was never split.'
