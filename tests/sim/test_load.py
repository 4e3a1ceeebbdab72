"""Duplicates under load (T7) and quotas beside neighbours (T9), in sizes that fit every run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.sim.check import violations
from tests.sim.load import duplicates, scene_of, under_load
from tests.sim.play import enact
from tests.sim.scene import Op, Row, Scene, Tight
from tests.sim.ways import BY_NAME

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    # A process that dies in the middle leaves what it had open, as a real one would.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_nobody_is_there_twice_under_load() -> None:
    """Four paths write the same people at once, and every one is one record with the last value."""
    scene = scene_of(2_000, people=300, size=20)
    played = under_load(scene)
    assert duplicates(played) == 0
    assert violations(played) == []


def test_without_locks_people_are_there_twice() -> None:
    """The same load shows what the locks are for: the test above can fail."""
    assert duplicates(under_load(scene_of(2_000, people=300, size=20), unlocked=True)) > 50


def _busy(neighbours: float, calls: int, **limits: int) -> Scene:
    way = BY_NAME["lead sync upsert lead upsert"]
    rows = tuple(Row(number + 2, number, f"v{number}") for number in range(calls))
    tight = replace(Tight(neighbours=neighbours), **limits)
    return Scene(9, (Op("op0", way, rows, 1),), 0, (), 5, latency=0.3, tight=tight)


@pytest.mark.parametrize("neighbours", [0.0, 0.5, 0.9])
def test_what_neighbours_leave_is_used_and_no_more(tmp_path: Path, neighbours: float) -> None:
    """At most one refused call in a window once they are found out, and four fifths of what the others leave."""
    played = enact(_busy(neighbours, 240), tmp_path)
    assert violations(played) == []
    calls = [entry for entry in played.entries if entry.endpoint == "/rest/v1/leads.json"]
    refused = [entry.arrived_at for entry in calls if entry.error_code == "606"]
    took = calls[-1].arrived_at - calls[0].arrived_at
    later = [at for at in refused if at > calls[0].arrived_at + 60.0]
    assert len(later) <= max(0.0, took - 60.0) / 20.0
    assert (len(calls) - len(refused)) / took >= 0.8 * min(5.0 * (1 - neighbours), 5 / 0.3)
    if not neighbours:
        assert not {entry.error_code for entry in played.entries} & {"606", "615", "1016"}


def test_a_spent_day_parks_and_the_next_goes_on(tmp_path: Path) -> None:
    """With fifty calls a day the run ends after three days, and no call is wasted on a spent quota for long."""
    played = enact(_busy(0.0, 120, calls_a_day=50), tmp_path)
    assert violations(played) == []
    assert [life.exit_code for life in played.lives] == [8, 8, 0]
    assert sum(entry.error_code == "607" for entry in played.entries) <= 2 * 5
