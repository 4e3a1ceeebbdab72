"""Every row has one outcome, and the counts add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncer.errors import BugError, StalePlanError, StateError
from syncer.execution.report import Ending, HeldUnit, OperationReport, RunResult, Tally, exit_code, operation_report
from syncer.outcome import Outcome
from tests.fakes.staged import FakeStaged
from tests.fakes.world import rows

FACTS = replace(FakeStaged("a", rows(10)).facts, read=16, unchanged=3, skipped=2, rejected=1)


def tally(letters: str) -> Tally:
    """Return the tally of these outcomes."""
    told = Tally()
    told.add(letters)
    return told


def test_counts_add_up_to_the_rows_read() -> None:
    """Planned outcomes and the run's are told together; what no unit has told of is pending."""
    report = operation_report(FACTS, tally("ccu=sx?."), is_settled=False)
    assert {outcome: report.count(outcome) for outcome in Outcome} == {
        Outcome.CREATED: 2,
        Outcome.UPDATED: 1,
        Outcome.WRITTEN: 0,
        Outcome.UNCHANGED: 4,
        Outcome.SKIPPED: 3,
        Outcome.REJECTED: 2,
        Outcome.IN_DOUBT: 1,
        Outcome.PENDING: 3,
    }
    assert sum(report.outcomes.values()) == report.read


def test_a_settled_operation_has_told_of_every_row() -> None:
    """A row without an outcome is a bug, not a pending row."""
    with pytest.raises(BugError):
        operation_report(FACTS, tally("c" * 9), is_settled=True)


def test_more_outcomes_than_rows_are_a_bug() -> None:
    """No row ends twice."""
    with pytest.raises(BugError):
        operation_report(FACTS, tally("c" * 11), is_settled=False)


def test_facts_that_do_not_add_up_are_a_bug() -> None:
    """A number that cannot be trusted is not shown."""
    with pytest.raises(BugError):
        operation_report(replace(FACTS, read=99), tally("c" * 10), is_settled=True)


def _report(outcome: Outcome) -> OperationReport:
    return OperationReport("a", 1, {outcome: 1})


HELD = (HeldUnit("u", 1, "twice"),)


@pytest.mark.parametrize(
    ("outcome", "held", "ending", "expected"),
    [
        (Outcome.CREATED, (), Ending(), 0),
        (Outcome.UNCHANGED, (), Ending(), 0),
        (Outcome.REJECTED, (), Ending(), 7),
        (Outcome.PENDING, (), Ending(), 8),
        (Outcome.IN_DOUBT, (), Ending(), 8),
        (Outcome.CREATED, (), Ending(parked=("quota",)), 8),
        (Outcome.PENDING, (), Ending(guard="too many"), 5),
        (Outcome.PENDING, HELD, Ending(guard="too many", parked=("quota",)), 9),
        (Outcome.PENDING, HELD, Ending(signal_exit=143), 143),
        (Outcome.PENDING, HELD, Ending(error=StateError("R204", "full"), signal_exit=130), 1),
        (Outcome.PENDING, (), Ending(error=StalePlanError("R102", "other")), 6),
    ],
)
def test_how_a_run_ends(outcome: Outcome, held: tuple[HeldUnit, ...], ending: Ending, expected: int) -> None:
    """Where reasons meet, the one that needs most of a person wins; an open row never ends in 0."""
    operations = (_report(outcome),)
    code = exit_code(operations, held, ending)
    assert code == expected
    result = RunResult("r", code, operations, held, ending)
    assert result.is_finished is (expected in {0, 7})
    assert result.error is ending.error
