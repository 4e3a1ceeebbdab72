"""What a journal tells of a run beside its state: when it ran, in how many processes, how often it sent and doubted.

Pure: folds notes, one at a time, as `resume` does. Nothing here decides anything; it is told in the run's report.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.execution.split import whole_of
from syncer.state import protocol as notes

if TYPE_CHECKING:
    from syncer.plan.models import Plan
    from syncer.state.protocol import Note


@dataclass(slots=True)
class Doubt:
    """A request or job whose answer was lost, and how it ended so far."""

    unit: str
    reason: str
    at: float
    times: int = 1
    ruled: str = ""
    """A person's word, and who gave it."""


class History:
    """A run so far, as it is told."""

    def __init__(self, plan: Plan) -> None:
        """Nothing has happened; `plan` says which connection a node calls."""
        self.began = 0.0
        self.lives = 0
        """Processes that worked on the run."""
        self.sends: Counter[str] = Counter()
        """By node: requests or jobs that were sent, remedies among them."""
        self.refused: Counter[str] = Counter()
        """By node: sends of which nothing was executed."""
        self.doubts: dict[str, Doubt] = {}
        self._connections = {
            node.id: operation.connection
            for node in plan.nodes
            for operation in plan.operations
            if operation.name == node.operation
        }
        self._before: Counter[str] = Counter()
        self._now: Counter[str] = Counter()

    def calls(self, connection: str, now: int = 0) -> int:
        """Return the calls of all processes, `now` those of this one.

        Those that a killed process made after its last note are not known.
        """
        return self._before[connection] + max(now, self._now[connection])

    def is_ruled(self, unit: str) -> bool:
        """Whether a person has said what became of the unit."""
        return unit in self.doubts and bool(self.doubts[unit].ruled)

    def add(self, note: Note) -> None:
        """Take one note in."""
        match note:
            case notes.Started():
                self.began = self.began or note.at
                self.lives += 1
                self._before.update(self._now)
                self._now.clear()
            case notes.Committing() | notes.Remedying():
                self.sends[_node(note.unit)] += 1
            case notes.Unsent():
                self.refused[_node(note.unit)] += 1
            case notes.Doubted():
                self._doubt(note)
            case notes.Ruled():
                if note.unit in self.doubts:
                    self.doubts[note.unit].ruled = f"{note.verdict}, said {note.by}"
            case notes.Settled():
                self._made(self._connections.get(_node(note.unit), ""), note.calls)
            case notes.Parked() | notes.Finished():
                for connection, calls in note.calls:
                    self._made(connection, calls)
            case _:
                pass

    def _made(self, connection: str, calls: int) -> None:
        self._now[connection] = max(self._now[connection], calls)

    def _doubt(self, note: notes.Doubted) -> None:
        """Count a lost answer; a note that keeps what is decided, with nothing to wait for, is no new one."""
        known = self.doubts.get(note.unit)
        if known is None:
            self.doubts[note.unit] = Doubt(note.unit, note.reason, note.at)
        elif note.wait_seconds > 0:
            known.times += 1


def _node(unit: str) -> str:
    return whole_of(unit).rpartition("/")[0]
