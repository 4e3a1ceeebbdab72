"""How one source row ends. Every row ends as exactly one of these, and the report's counts add up."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The end of one source row in one operation."""

    CREATED = "created"
    UPDATED = "updated"
    WRITTEN = "written"
    """Created or updated: the target took it and does not say which (Marketo imports; a read-back of an upsert)."""
    UNCHANGED = "unchanged"
    """Equal to what was last confirmed, so nothing was sent."""
    SKIPPED = "skipped"
    """Nothing to do, with a reason: for example a later row of the same key won."""
    REJECTED = "rejected"
    """Refused, by a check at plan time or by the target; never half written."""
    IN_DOUBT = "in_doubt"
    """Sent, the answer was lost, and reading back could not decide."""
    PENDING = "pending"
    """Not sent: the run stopped or parked before its turn."""

    @property
    def letter(self) -> str:
        """One letter a row, for the journal's compact outcome strings."""
        return _LETTERS[self]


_LETTERS = {
    Outcome.CREATED: "c",
    Outcome.UPDATED: "u",
    Outcome.WRITTEN: "w",
    Outcome.UNCHANGED: "=",
    Outcome.SKIPPED: "s",
    Outcome.REJECTED: "x",
    Outcome.IN_DOUBT: "?",
    Outcome.PENDING: ".",
}

BY_LETTER = {letter: outcome for outcome, letter in _LETTERS.items()}
