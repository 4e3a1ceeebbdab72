"""What runs of one state called today: by instance, over processes and projects, since the vendor's day began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.execution.spending import Spending
from syncer.state.protocol import Committing, Finished, Parked, Settled, Started

if TYPE_CHECKING:
    from syncer.state.protocol import Note

DAY = 1_000.0


def started(at: float, *connections: str, instance: str = "m") -> Started:
    """Return the note of a process that calls these connections, each for an operation of its name in capitals."""
    return Started(
        plan="p",
        tool="1",
        at=at,
        instances=tuple((each, f"{instance}{index}") for index, each in enumerate(connections)),
        writes=tuple((each.upper(), each) for each in connections),
    )


def settled(operation: str, calls: int) -> Settled:
    """Return the end of a unit, with the calls of the process to its connection by then."""
    return Settled(unit=f"{operation}/1/sync/0000", letters="c", calls=calls)


def spent(*runs: list[Note]) -> dict[str, int]:
    """Return the calls of runs by instance."""
    spending = Spending(DAY)
    for run in runs:
        spending.add_run(run)
    return dict(spending.calls)


def test_a_run_that_ended_tells_its_calls() -> None:
    """By connection, polls and reads among them; those of a connection are those of its instance."""
    run: list[Note] = [
        started(1_001, "a", "b"),
        settled("A", 3),
        Finished(exit_code=0, at=1_002, calls=(("a", 5), ("b", 2))),
    ]
    assert spent(run) == {"m0": 5, "m1": 2}


def test_a_killed_process_is_counted_as_far_as_it_noted() -> None:
    """Each unit that it settled told how many calls there had been."""
    assert spent([started(1_001, "a", "b"), settled("A", 3), settled("B", 1), settled("A", 4)]) == {"m0": 4, "m1": 1}


def test_each_process_of_a_run_begins_anew() -> None:
    """A run that was cut and resumed has made the calls of both."""
    run: list[Note] = [
        started(1_001, "a"),
        settled("A", 3),
        started(1_002, "a"),
        Parked(reason="", calls=(("a", 2),), at=1_003),
    ]
    assert spent(run) == {"m0": 5}


def test_runs_of_several_projects_add_up() -> None:
    """One instance has one day, whatever connections are called."""
    first: list[Note] = [started(1_001, "a"), settled("A", 3)]
    assert spent(first, [started(1_001, "other"), settled("OTHER", 2)]) == {"m0": 5}
    assert spent(first, [started(1_001, "a", instance="x"), settled("A", 2)]) == {"m0": 3, "x0": 2}


def test_yesterday_does_not_count() -> None:
    """Neither a run of yesterday, nor what a process had made when the day began."""
    assert spent([started(900, "a"), settled("A", 3), Parked(reason="", at=990, calls=(("a", 3),))]) == {}
    late = Committing(unit="A/1/sync/0001", at=1_001)
    assert spent([started(900, "a"), settled("A", 3), late, settled("A", 5)]) == {"m0": 2}


def test_journals_of_older_versions_tell_nothing() -> None:
    """Without instances, and without a beginning, there is nothing to count by."""
    assert spent([Started(plan="p", tool="1", at=1_001), settled("A", 3)], [], [settled("A", 3)]) == {}
