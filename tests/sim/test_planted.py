"""The checker is seen to catch what it is for: each planted bug breaks an invariant at a seed that is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sim.check import violations
from tests.sim.planted import BUGS, Bug, first_broken, table
from tests.sim.play import play

pytestmark = [
    # A process that dies in the middle leaves what it had open, as a real one would.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.plant], ids=lambda bug: f"{bug.number}")
def test_a_planted_bug_is_caught(tmp_path: Path, bug: Bug) -> None:
    """The bug is in, and the invariant breaks that the table names; without it the very same story breaks none."""
    found = first_broken(bug, range(bug.seed, bug.seed + 1))
    assert found is not None
    assert found[1][0].startswith(bug.caught)
    assert violations(play(bug.seed, tmp_path, bug.change.apply)) == []


def test_every_bug_of_the_design_is_in_the_table() -> None:
    """All 32, and those of our own; what is edited in still has its place in the code."""
    assert {bug.number for bug in BUGS} == {*range(1, 33), *range(101, 106)}
    assert [bug.number for bug in BUGS if bug.edit is not None and not bug.edit.is_possible] == []


def test_the_table_in_the_documentation_is_this_one() -> None:
    """`make planted` prints it, and watches that each line is so."""
    assert table() in PAGE.read_text(encoding="utf-8")
