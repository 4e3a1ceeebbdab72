"""What a journal says of a run: for each unit how far it came, so that a resumed run does first what must be first.

Pure: folds notes into states, one note at a time, so that a running executor and a resumed one know the same. A
sequence of notes that no executor writes is refused, because what it means for the target cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, assert_never

from syncer.errors import StateError
from syncer.execution.split import span, whole_of
from syncer.outcome import Outcome
from syncer.state import protocol as notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.state.protocol import Note, RejectNote


class Stage(Enum):
    """How far a unit came. `DOUBTED` and `ACCEPTED` were sent and have no outcome: they come first in a resumed run."""

    UNSENT = auto()
    DOUBTED = auto()
    ACCEPTED = auto()
    SPLIT = auto()
    HELD = auto()
    RULED_SENT = auto()
    RULED_UNSENT = auto()
    SETTLED = auto()


UNDER_WAY = (Stage.DOUBTED, Stage.ACCEPTED, Stage.HELD)
"""What may have taken effect and has no outcome: its lanes are not given back."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """One unit, or part of one, as the journal has it. `wait_seconds` None: by the path's own time-out."""

    stage: Stage
    sha256: str
    attempt: int
    records: int
    reference: str = ""
    at: float = 0.0
    wait_seconds: float | None = None
    letters: str = ""
    rejects: tuple[RejectNote, ...] = ()
    reason: str = ""
    looked_up: bool = False
    repeated: int = 0
    was_accepted: bool = False
    """The vendor took the job, so that it can no longer wait in a queue unseen."""


@dataclass(slots=True)
class Past:
    """A run so far."""

    plan: str = ""
    units: dict[str, UnitState] = field(default_factory=dict)
    parts: dict[str, dict[str, None]] = field(default_factory=dict)
    """By unit, the names of its parts and of theirs, in the order of their first note."""
    merged: set[str] = field(default_factory=set)
    """Operations whose outcomes the ledger holds."""
    finished: int | None = None

    def state(self, unit: str) -> UnitState | None:
        """Return what is known of a unit; None before its first note."""
        return self.units.get(unit)

    def wholes_with(self, *stages: Stage) -> tuple[str, ...]:
        """Return the units that are, or have a part, in one of `stages`, in the order of their first note."""
        return tuple(dict.fromkeys(whole_of(name) for name, state in self.units.items() if state.stage in stages))

    def outcome_letters(self, unit: str) -> str:
        """Return one letter a record as the unit stands: `?` for what is in doubt, `.` for what is to come."""
        state = self.units[unit]
        match state.stage:
            case Stage.SETTLED:
                return state.letters
            case Stage.DOUBTED | Stage.HELD | Stage.RULED_SENT | Stage.RULED_UNSENT:
                return state.letters or Outcome.IN_DOUBT.letter * state.records
            case Stage.UNSENT | Stage.ACCEPTED:
                return Outcome.PENDING.letter * state.records
            case Stage.SPLIT:
                letters = list(state.letters)
                for part in self.children(unit):
                    for position, letter in zip(self.positions(unit, part), self.outcome_letters(part), strict=True):
                        if letter != Outcome.PENDING.letter:
                            letters[position] = letter
                return "".join(letters)
            case _:
                assert_never(state.stage)

    def children(self, unit: str) -> tuple[str, ...]:
        """Return the parts of a unit, without the parts of parts."""
        depth = unit.count("[") + 1
        return tuple(
            name
            for name in self.parts.get(whole_of(unit), ())
            if name in self.units and name.startswith(f"{unit}[") and name.count("[") == depth
        )

    def may_take_effect(self, unit: str) -> bool:
        """Whether something of the unit may have taken effect, or still may, and has no outcome."""
        names = (unit, *self.parts.get(unit, ()))
        return any(name in self.units and self.units[name].stage in UNDER_WAY for name in names)

    def positions(self, unit: str, part: str) -> Sequence[int]:
        """Return which of the unit's records its part holds."""
        if part.endswith("[rest]"):
            return [at for at, letter in enumerate(self.units[unit].letters) if letter == Outcome.PENDING.letter]
        return range(*span(part))

    def held(self) -> tuple[str, ...]:
        """Return the units and parts that wait for a person's word."""
        return tuple(name for name, state in self.units.items() if state.stage is Stage.HELD)

    def settled(self) -> tuple[str, ...]:
        """Return the units and parts that have their outcomes."""
        return tuple(name for name, state in self.units.items() if state.stage is Stage.SETTLED)

    def add(self, note: Note) -> None:
        """Take one note in; raises `StateError` when it cannot follow what came before."""
        match note:
            case notes.Started():
                if self.plan not in {"", note.plan}:
                    raise _senseless(note.plan, "is a second plan")
                self.plan, self.finished = note.plan, None
            case notes.Parked():
                pass
            case notes.Merged():
                self.merged.add(note.operation)
            case notes.Finished():
                self.finished = note.exit_code
            case notes.Intended():
                before = self._before(note.unit, None, Stage.UNSENT, Stage.RULED_UNSENT)
                if before is not None and before.sha256 != note.sha256:
                    raise _senseless(note.unit, "was to be sent again with other bytes")
                repeated = before.repeated if before else 0
                if (whole := whole_of(note.unit)) != note.unit:
                    self.parts.setdefault(whole, {})[note.unit] = None
                self.units[note.unit] = UnitState(
                    Stage.UNSENT, note.sha256, note.attempt, note.records, repeated=repeated
                )
            case _:
                self._follow(note)

    def _follow(  # noqa: C901 - one case a kind of note
        self,
        note: notes.Prepared
        | notes.Committing
        | notes.AcceptedNote
        | notes.Unsent
        | notes.Doubted
        | notes.Remedying
        | notes.Split
        | notes.Settled
        | notes.Held
        | notes.Ruled,
    ) -> None:
        if self.units.get(note.unit) is None:
            raise _senseless(note.unit, "was sent without having been announced")
        match note:
            case notes.Prepared():
                self._change(note.unit, (Stage.UNSENT,), reference=note.reference)
            case notes.Committing():
                self._change(note.unit, (Stage.UNSENT,), stage=Stage.DOUBTED, at=note.at, wait_seconds=None)
            case notes.AcceptedNote():
                self._change(
                    note.unit, (Stage.DOUBTED,), stage=Stage.ACCEPTED, reference=note.reference, was_accepted=True
                )
            case notes.Unsent():
                self._change(
                    note.unit,
                    (Stage.UNSENT, Stage.DOUBTED),
                    stage=Stage.UNSENT,
                    reference="",
                    letters="",
                    was_accepted=False,
                )
            case notes.Doubted():
                self._change(
                    note.unit,
                    (Stage.DOUBTED, Stage.ACCEPTED, Stage.RULED_UNSENT),
                    stage=Stage.DOUBTED,
                    at=note.at,
                    wait_seconds=note.wait_seconds,
                    reference=note.reference,
                    letters=note.outcomes,
                    rejects=note.rejects,
                    reason=note.reason,
                )
            case notes.Remedying():
                before = self.units[note.unit]
                self._change(
                    note.unit,
                    (Stage.DOUBTED, Stage.RULED_UNSENT),
                    stage=Stage.DOUBTED,
                    at=note.at,
                    wait_seconds=note.wait_seconds,
                    repeated=before.repeated + len(note.positions),
                )
            case notes.Split():
                self._change(
                    note.unit,
                    (Stage.UNSENT, Stage.DOUBTED, Stage.ACCEPTED, Stage.RULED_UNSENT),
                    stage=Stage.SPLIT,
                    letters=note.outcomes,
                    rejects=note.rejects,
                    reason=note.reason,
                )
            case notes.Settled():
                self._change(
                    note.unit,
                    (Stage.UNSENT, Stage.DOUBTED, Stage.ACCEPTED, Stage.SPLIT, Stage.RULED_SENT),
                    stage=Stage.SETTLED,
                    letters=note.outcomes,
                    rejects=note.rejects,
                    looked_up=note.looked_up,
                )
            case notes.Held():
                self._change(note.unit, (Stage.DOUBTED, Stage.ACCEPTED), stage=Stage.HELD, reason=note.reason)
            case notes.Ruled():
                stage = Stage.RULED_SENT if note.verdict == "sent" else Stage.RULED_UNSENT
                self._change(note.unit, (Stage.HELD,), stage=stage)
            case _:
                assert_never(note)

    def _before(self, unit: str, *allowed: Stage | None) -> UnitState | None:
        state = self.units.get(unit)
        if (state.stage if state else None) not in allowed:
            raise _senseless(unit, "has notes in an order that no run writes")
        return state

    def _change(self, unit: str, allowed: tuple[Stage, ...], **changes: object) -> None:
        state = self._before(unit, *allowed)
        assert state is not None  # noqa: S101 - `_follow` has looked
        self.units[unit] = replace(state, **changes)  # type: ignore[arg-type]  # names and types stand at the calls above


def _senseless(unit: str, what: str) -> StateError:
    return StateError(
        "R201",
        f'The journal says that "{unit}" {what}, so it is not believed.',
        "Restore the state folder from a copy, or look the records up in the target before anything is sent again.",
    )
