"""Wrong clocks, sleeping machines and strange promises of tokens (T15): nothing is doubled, and every run ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.sandbox.faults import FaultRule
from tests.sim.check import violations
from tests.sim.play import enact
from tests.sim.scene import Ending, Op, Row, Scene
from tests.sim.ways import BY_NAME

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    # A process that dies in the middle leaves what it had open, as a real one would.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HOUR = 3_600.0
IN_2038 = 2.0**31 - 1_772_438_400.0
"""From the start of every scene to the last second of 32 bits."""
LATE = FaultRule.parse({"action": "apply_late", "endpoint": "POST /rest/v1/leads.json", "seconds": 110.0, "count": 2})
"""The first writes take effect long after their answer was lost."""


def _scene(**more: object) -> Scene:
    ways = ("lead sync upsert lead upsert", "lead bulk upsert lead upsert")
    ops = tuple(
        Op(f"op{number}", BY_NAME[way], tuple(Row(at + 2, at % 5, f"v{number}x{at}") for at in range(10)), 4)
        for number, way in enumerate(ways)
    )
    given: dict[str, object] = {"faults": (LATE,), "latency": 0.05} | more
    return Scene(15, ops, 2, (), 3, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "offsets",
    [
        (HOUR, HOUR),
        (-HOUR, -HOUR),
        (0.0, -HOUR),
        (HOUR, -HOUR),
        (0.0, 1.0),
        (0.0, -1.0),
        (0.0, -86_400.0),
        (IN_2038 - 60, IN_2038 - 60),
        (IN_2038 + 60, IN_2038 + 60),
    ],
)
@pytest.mark.parametrize("dies_at", [12])
def test_a_wrong_wall_clock_shortens_no_wait(tmp_path: Path, offsets: tuple[float, float], dies_at: int) -> None:
    """What is in doubt when a process dies is looked up late enough by the next, whose clock is another."""
    played = enact(_scene(endings=(Ending(dies_at=dies_at),), offsets=offsets), tmp_path)
    assert violations(played) == []
    assert played.result is not None
    assert played.result.exit_code == 0


@pytest.mark.parametrize("seconds", [30.0, 56.0, 400.0, 4_000.0, 86_400.0, 8 * 86_400.0])
def test_a_machine_that_slept_sends_nothing_with_an_old_lease(tmp_path: Path, seconds: float) -> None:
    """It confirms its lease before the next write, or stops, and the next process ends the run."""
    played = enact(_scene(endings=(Ending(sleeps=(0.5, seconds)),)), tmp_path)
    assert violations(played) == []
    assert [life.exit_code for life in played.lives] in ([0], [1, 0])


@pytest.mark.parametrize("life", [1.0, 29.0, 61.0, 7_200.0, 1e9])
def test_whatever_a_token_promises_it_is_asked_for_once_a_minute(tmp_path: Path, life: float) -> None:
    """Too short, too long or exactly a minute: the run ends, and the token endpoint is left in peace."""
    played = enact(_scene(token_seconds=life), tmp_path)
    assert violations(played) == []
    assert played.result is not None
    assert played.result.exit_code == 0
