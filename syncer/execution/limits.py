"""A person's limits held against what really happens: stops a run that departs from its plan within a request.

Until something is known of an operation with limits, one unit of it goes alone; afterwards as many as would keep the
limits if they went on as those before. What the answers do not tell (new from changed, in an import) is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.execution.context import Guard
from syncer.execution.report import Tally
from syncer.facts import Action
from syncer.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRITTEN = (Outcome.CREATED, Outcome.UPDATED, Outcome.WRITTEN)
_TAKING = frozenset({Action.DELETE, Action.REMOVE})


@dataclass(slots=True)
class Limits:
    """One operation's guard and its count so far. `rejected` rows were refused when the plan was made."""

    operation: str
    action: Action
    guard: Guard = field(default_factory=Guard)
    rejected: int = 0
    tally: Tally = field(default_factory=Tally)
    under_way: int = 0

    def may_start(self, records: int) -> bool:
        """Say whether as many records more may be under way; always, where nothing is."""
        settled, going = sum(self.tally.letters.values()), self.under_way + records
        return not self.under_way or all(
            settled > 0 and before + now + now * going / settled <= most for _, before, now, most in self._unforeseen()
        )

    def start(self, records: int) -> None:
        """Count records that are on their way."""
        self.under_way += records

    def end(self, records: int) -> None:
        """Count records that are on their way no more."""
        self.under_way -= records

    def broken(self) -> str:
        """Return which limit is broken, as a sentence, or ""."""
        letters = self.tally.letters
        written = sum(letters[each.letter] for each in _WRITTEN)
        foreseen = [("written {} records", self.guard.max_changes)]
        if self.action in _TAKING:
            foreseen.append(("deleted or removed {} records", self.guard.max_deletes))
        counts = [(what, 0, written, most) for what, most in foreseen if most is not None]
        for what, before, now, most in (*self._unforeseen(), *counts):
            if before + now > most:
                records = f"{before + now:,}"
                return f'Operation "{self.operation}" has {what.format(records)}; its guard allows {most:,}.'
        return ""

    def _unforeseen(self) -> Iterator[tuple[str, int, int, int]]:
        """Yield limits on what only the answers tell: its words, the count before the run and in it, and the limit."""
        letters = self.tally.letters
        for what, before, outcome, most in (
            ("{} rejected rows", self.rejected, Outcome.REJECTED, self.guard.max_rejected),
            ("created {} records", 0, Outcome.CREATED, self.guard.max_creates),
        ):
            if most is not None:
                yield what, before, letters[outcome.letter], most
