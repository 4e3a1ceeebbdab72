"""The whole machine under seeded trouble: faults, crashes, signals, on virtual time, against both sandboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.sandbox.faults import FaultRule
from tests.sim.check import violations
from tests.sim.play import enact, play
from tests.sim.scene import Op, Row, Scene
from tests.sim.trace import trace_hash
from tests.sim.ways import BY_NAME, email

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    # A process that dies in the middle leaves what it had open, as a real one would.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ONCE_FAILED = (
    *(31, 60, 143, 159, 585, 10219, 10275, 10401, 10559, 10688, 10744, 11138, 20825, 20931, 40128, 40301, 40825, 41019),
    *(41177, 41369, 41375, 41914, 42472, 42577, 42601, 100573, 101093, 200911, 201520, 201607, 301195, 604177),
)
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


def test_a_lost_import_into_a_list_leaves_everybody_in_the_list(tmp_path: Path) -> None:
    """What the cut import had not written goes out as an import again: no request puts what it writes into a list."""
    rows = tuple(Row(number + 2, number, f"v{number}") for number in range(6))
    ops = (Op("op0", BY_NAME["lead bulk upsert lead upsert list"], rows, 6),)
    rule = {"action": "apply_first_k", "endpoint": "POST /bulk/v1/leads.json", "first": 2}
    played = enact(Scene(7, ops, 3, (), 2, faults=(FaultRule.parse(rule),)), tmp_path)
    assert violations(played) == []
    assert played.contents.listed >= {email(row.whom) for row in rows}
