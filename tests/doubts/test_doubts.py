"""The doubt matrix: whatever request is cut wherever, and whatever the vendor made of it, nothing is lost or doubled.

All cells are played, `python -m tests.doubts WORDS` plays some and prints a table.
"""

from __future__ import annotations

import pytest

from tests.doubts.cells import CELLS, OPERATIONS, Place
from tests.doubts.play import play, violations


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_request_that_is_cut_there_ends_well(operation: object, place: Place) -> None:
    """No key has two writes at once, none is sent before its doubt is settled, every row is there once or waits."""
    cells = [cell for cell in CELLS if cell.operation is operation and cell.place is place]
    assert cells
    assert [f"{cell}: {each}" for cell in cells for each in violations(play(cell))] == []
