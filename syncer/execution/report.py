"""The end of a run in counts: every source row with exactly one outcome, and the exit code that follows.

Pure. Counts that do not add up to the rows read are a bug and stop the report: a number that cannot be trusted is not
shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.errors import BugError, StalePlanError, SyncerError
from syncer.outcome import BY_LETTER, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.facts import OperationFacts

DONE, ERROR, GUARDED, STALE, REJECTS, PARKED, IN_DOUBT = 0, 1, 5, 6, 7, 8, 9


@dataclass(slots=True)
class Tally:
    """What became of one operation's outgoing rows so far, by outcome letter."""

    letters: Counter[str] = field(default_factory=Counter)
    looked_up: int = 0
    repeated: int = 0
    unconfirmed: int = 0

    def add(self, letters: str) -> None:
        """Count the outcomes of one unit."""
        self.letters.update({letter: letters.count(letter) for letter in set(letters)})


@dataclass(frozen=True, slots=True)
class OperationReport:
    """One operation's rows by outcome. `looked_up` were decided by a read-back; `repeated` were sent again after it.

    `unconfirmed` are records whose fields a read-back found, and whose activity nobody can see.
    """

    operation: str
    read: int
    outcomes: Mapping[Outcome, int]
    looked_up: int = 0
    repeated: int = 0
    unconfirmed: int = 0

    def count(self, outcome: Outcome) -> int:
        """Return how many rows ended as `outcome`."""
        return self.outcomes.get(outcome, 0)


@dataclass(frozen=True, slots=True)
class HeldUnit:
    """A unit that waits for a person's word."""

    unit: str
    records: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a run ended before its end, if it did."""

    error: SyncerError | None = None
    signal_exit: int = 0
    guard: str = ""
    parked: tuple[str, ...] = ()
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run hands back. `error` is what stopped it, for the terminal to show beside the counts."""

    run: str
    exit_code: int
    operations: tuple[OperationReport, ...]
    held: tuple[HeldUnit, ...]
    ending: Ending

    @property
    def is_finished(self) -> bool:
        """Whether every row has its outcome and nothing is left to resume."""
        return self.exit_code in {DONE, REJECTS}

    @property
    def error(self) -> SyncerError | None:
        """What stopped the run, if an error did."""
        return self.ending.error

    @property
    def reason(self) -> str:
        """Why a run that can be resumed ended, in one sentence."""
        ending = self.ending
        if ending.error is not None:
            return ending.error.detail
        if ending.signal_exit:
            return "The run was asked to stop."
        if self.held:
            return "Some writes are in doubt and need a person."
        return ending.guard or " ".join(ending.parked) or "Some rows were not sent."


def unconfirmed(letters: str) -> int:
    """Return how many records of an activity's unit were found written by a read-back: an answer tells more."""
    return letters.count(Outcome.WRITTEN.letter)


def operation_report(facts: OperationFacts, tally: Tally, *, is_settled: bool) -> OperationReport:
    """Return the operation's counts; raises `BugError` when they do not add up to the rows read."""
    sent = {BY_LETTER[letter]: count for letter, count in tally.letters.items()}
    told = sum(sent.values())
    missing = facts.outgoing - told
    if missing < 0 or (is_settled and missing):
        raise BugError(
            "R101",
            f'Operation "{facts.operation}" had {facts.outgoing} rows to send, and {told} outcomes came back.',
        )
    outcomes = {
        Outcome.CREATED: sent.get(Outcome.CREATED, 0),
        Outcome.UPDATED: sent.get(Outcome.UPDATED, 0),
        Outcome.WRITTEN: sent.get(Outcome.WRITTEN, 0),
        Outcome.UNCHANGED: sent.get(Outcome.UNCHANGED, 0) + facts.unchanged,
        Outcome.SKIPPED: sent.get(Outcome.SKIPPED, 0) + facts.skipped,
        Outcome.REJECTED: sent.get(Outcome.REJECTED, 0) + facts.rejected,
        Outcome.IN_DOUBT: sent.get(Outcome.IN_DOUBT, 0),
        Outcome.PENDING: sent.get(Outcome.PENDING, 0) + missing,
    }
    if sum(outcomes.values()) != facts.read:
        raise BugError(
            "R101",
            f'Operation "{facts.operation}" read {facts.read} rows, and {sum(outcomes.values())} outcomes are known.',
        )
    return OperationReport(facts.operation, facts.read, outcomes, tally.looked_up, tally.repeated, tally.unconfirmed)


def exit_code(operations: tuple[OperationReport, ...], held: tuple[HeldUnit, ...], ending: Ending) -> int:
    """Return how the run ends; where several reasons meet, the one that needs most of a person."""
    if ending.error is not None:
        return STALE if isinstance(ending.error, StalePlanError) else ERROR
    if ending.signal_exit:
        return ending.signal_exit
    if held:
        return IN_DOUBT
    if ending.guard:
        return GUARDED
    unfinished = (Outcome.PENDING, Outcome.IN_DOUBT)
    if ending.parked or any(each.count(outcome) for each in operations for outcome in unfinished):
        return PARKED
    return REJECTS if any(each.count(Outcome.REJECTED) for each in operations) else DONE
