"""The whole machine under seeded trouble: faults, crashes, signals, on virtual time, against both sandboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sim.check import violations
from tests.sim.play import play
from tests.sim.trace import trace_hash

if TYPE_CHECKING:
    from pathlib import Path

ONCE_FAILED = (31, 60, 143, 159, 10219, 10275, 10401, 10559, 10688, 10744, 11138)
"""Seeds that found something once, in the product or in the simulation itself, are played for ever."""


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def test_no_seed_breaks_an_invariant(tmp_path: Path, seeds: range) -> None:
    """One writer a key, order, nothing lost or doubled, quotas, the plan alone, an honest report, an end."""
    broken = {}
    for seed in seeds:
        if found := violations(play(seed, _new(tmp_path, str(seed)))):
            broken[f"python -m tests.sim --seed {seed}"] = found
    assert broken == {}


@pytest.mark.parametrize("seed", ONCE_FAILED)
def test_a_seed_that_failed_once_holds(tmp_path: Path, seed: int) -> None:
    """What was found once is not lost again."""
    assert violations(play(seed, tmp_path)) == []


@pytest.mark.parametrize("seed", [3, 100, 200])
def test_a_seed_is_the_same_story_every_time(tmp_path: Path, seed: int) -> None:
    """The same notes at the same moments and the same calls, so that any finding can be replayed."""
    first, second = (trace_hash(play(seed, _new(tmp_path, name))) for name in ("first", "second"))
    assert first == second
