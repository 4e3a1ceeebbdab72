"""The rejects file is for people, who open it in a spreadsheet."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from syncer.engine.protocol import RowReject
from syncer.execution.rejects import COLUMNS, RejectSpool, guarded, line

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=x"])
def test_no_cell_is_run_as_a_formula(text: str) -> None:
    """What a spreadsheet would run opens with an apostrophe."""
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "V201", "It is no date.", "a=b"])
def test_plain_cells_are_left_alone(text: str) -> None:
    """The guard is for dangerous cells only."""
    assert guarded(text) == text


def test_rows_stand_in_the_order_of_the_plan(tmp_path: Path) -> None:
    """Planned rejects first, then by step and unit, whichever settled first."""
    spool = RejectSpool(tmp_path)
    spool.put((1, 0), [line("b", RowReject(2, "X1", "=danger"), 255)])
    spool.put((0, 10), [line("a", RowReject(9, "X1", "late"))])
    spool.put((0, 2), [line("a", RowReject(4, "X1", "early"))])
    assert spool.write(tmp_path, [line("a", RowReject(1, "R204", "planned", "born"))], is_last=True) == 4
    with (tmp_path / "rejects.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [(each["operation"], each["row"], each["reason"]) for each in table] == [
        ("a", "1", "planned"),
        ("a", "4", "early"),
        ("a", "9", "late"),
        ("b", "2", "'=danger"),
    ]
    assert tuple(table[0]) == COLUMNS
    assert table[0]["advice"] != ""
    assert table[3]["key_hash"] == "00000000000000ff"
    assert '"reason":"=danger"' in (tmp_path / "rejects.jsonl").read_text()


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    """Reasons may quote what a vendor said."""
    RejectSpool(tmp_path).write(tmp_path, [], is_last=True)
    assert {(tmp_path / f"rejects.{kind}").stat().st_mode & 0o777 for kind in ("csv", "jsonl")} == {0o600}


def test_a_run_that_goes_on_keeps_what_was_put_aside(tmp_path: Path) -> None:
    """The file of a resumed run has the rejects of all its lives, each once."""
    spool = RejectSpool(tmp_path)
    spool.put((0, 0), [line("a", RowReject(1, "X1", "first"))])
    assert spool.write(tmp_path, [], is_last=False) == 1
    again = RejectSpool(tmp_path)
    again.put((0, 0), [line("a", RowReject(1, "X1", "first"))])
    again.put((0, 1), [line("a", RowReject(2, "X1", "second"))])
    assert again.write(tmp_path, [], is_last=True) == 2
    assert not (tmp_path / "rejects.parts").exists()
