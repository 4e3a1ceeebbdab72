"""The checker is seen to catch what it is for: each planted bug breaks an invariant at a seed that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sim.check import violations
from tests.sim.planted import BUGS, Bug, first_broken
from tests.sim.play import play

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    # A process that dies in the middle leaves what it had open, as a real one would.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.seed is not None], ids=lambda bug: f"{bug.number}")
def test_a_planted_bug_is_caught(tmp_path: Path, bug: Bug) -> None:
    """The bug is in, and an invariant breaks; without it the very same story breaks none."""
    assert bug.seed is not None
    assert first_broken(bug, range(bug.seed, bug.seed + 1)) is not None
    assert violations(play(bug.seed, tmp_path, bug.change)) == []
