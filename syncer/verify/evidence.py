"""What a run left behind, as one value, and its notes by unit: what the rules read and nothing else.

Pure. Names of units are read here anew (`node/index`, with `[...]` for a part), so that a mistake in how they are made
is not repeated in how they are judged.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncer.plan.models import Node, Plan
    from syncer.state.protocol import Note


@dataclass(frozen=True, slots=True)
class Rows:
    """One unit's records as they lie staged: their keys as lanes, their numbers in the source, the payload's digest."""

    lanes: Sequence[int]
    numbers: Sequence[int]
    sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known of a run. What is None is gone, or was not asked for, and nothing is said about it."""

    run: str
    notes: Sequence[Note]
    unbelievable: str = ""
    """Why the journal ends where it does, when a note is not what was written."""
    plan: Plan | None = None
    rejects: Sequence[Mapping[str, Any]] | None = None
    """The lines of the rejects file."""
    report: Mapping[str, Any] | None = None
    serials: Mapping[str, int] | None = None
    """Merges that the ledger holds now, by operation."""
    once: frozenset[str] = frozenset()
    """Nodes whose writes nothing but a person's word may repeat."""
    rows: Mapping[str, Rows] | None = None
    """By unit; None once a run is finished and its rows are deleted."""


@dataclass(frozen=True, slots=True)
class Told:
    """A note with its place in the journal."""

    place: int
    note: Any


@dataclass(slots=True)
class Unit:
    """One request or job, or a part of one, with its notes in order."""

    name: str
    told: list[Told] = field(default_factory=list)

    @property
    def whole(self) -> str:
        """The name without any part."""
        return self.name.split("[", 1)[0]

    @property
    def node(self) -> str:
        """The step of the plan."""
        return self.whole.rsplit("/", 1)[0]

    @property
    def parent(self) -> str:
        """The unit that this one is a part of, or ""."""
        return self.name.rsplit("[", 1)[0] if self.name.endswith("]") else ""

    def all(self, *kinds: str) -> list[Told]:
        """Return the notes of these kinds."""
        return [each for each in self.told if each.note.kind in kinds]

    def last(self, *kinds: str) -> Told | None:
        """Return the last note of these kinds."""
        return next(reversed(self.all(*kinds)), None)

    @property
    def records(self) -> int:
        """How many records it was announced with."""
        announced = self.last("intended")
        return announced.note.records if announced else 0

    @property
    def letters(self) -> str | None:
        """The outcomes that it ended with, or None."""
        end = self.last("settled")
        return None if end is None else end.note.outcomes


def units(evidence: Evidence) -> dict[str, Unit]:
    """Return the units in the order in which they first come up."""
    found: dict[str, Unit] = {}
    for place, note in enumerate(evidence.notes, start=1):
        name = getattr(note, "unit", None)
        if name is not None:
            found.setdefault(name, Unit(name)).told.append(Told(place, note))
    return found


def positions(part: Unit, parent: Unit) -> list[int]:
    """Return which records of its parent a part holds."""
    inside = part.name[len(parent.name) + 1 : -1]
    if inside != "rest":
        start, _, stop = inside.partition(":")
        return list(range(int(start), int(stop)))
    split = parent.last("split")
    return [] if split is None else [at for at, letter in enumerate(split.note.outcomes) if letter == "."]


def by_node(found: Mapping[str, Unit]) -> dict[str, list[Unit]]:
    """Return whole units by step."""
    grouped: dict[str, list[Unit]] = defaultdict(list)
    for each in found.values():
        if not each.parent:
            grouped[each.node].append(each)
    return grouped


def is_finished(evidence: Evidence) -> bool:
    """Whether the run says that every row has its outcome."""
    return bool(evidence.notes) and evidence.notes[-1].kind == "finished"


def nodes(plan: Plan) -> dict[str, Node]:
    """Return the plan's steps by name."""
    return {each.id: each for each in plan.nodes}
