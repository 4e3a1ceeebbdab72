"""The doubt matrix: whatever request is cut wherever, and whatever the vendor made of it, nothing is lost or doubled.

The usual cells are played here; `make doubts` plays all, `python -m tests.doubts WORDS` some, and prints a table.
"""

from __future__ import annotations

import pytest

from tests.doubts.cells import CELLS, OPERATIONS, USUAL, Operation, Place
from tests.doubts.play import play, violations


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_request_that_is_cut_ends_well(operation: Operation) -> None:
    """No key has two writes at once, none is sent before its doubt is settled, every row is there once or waits."""
    cells = [cell for cell in USUAL if cell.operation is operation]
    assert cells
    assert [f"{cell}: {each}" for cell in cells for each in violations(play(cell))] == []


def test_the_usual_cells_leave_out_no_place_and_no_effect() -> None:
    """What is left out of the ordinary suite is a repetition: another lateness, another action of the same job."""
    assert {cell.place for cell in USUAL} == set(Place)
    assert {cell.effect.name for cell in USUAL} == {cell.effect.name for cell in CELLS}
    assert {cell.operation for cell in USUAL} == set(OPERATIONS)
