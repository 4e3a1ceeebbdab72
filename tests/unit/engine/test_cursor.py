"""Reads that go on from a cursor: what is read again, what is left out, and how far the next one may begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from syncer.engine.cursor import Since
from syncer.engine.stage import stage
from syncer.engine.staged import StagedOperation, reopen
from syncer.manifest.models import Column, ColumnType, Duplicates
from syncer.mapping.pipeline import Pipeline
from syncer.sources.csv import CsvForm, CsvSource
from tests.fakes.pipelines import SYNC, pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Read = Callable[..., StagedOperation]

ROWS = "email,n,at\na@x,1,1\nb@x,1,2\nc@x,1,2\nd@x,1,\ne@x,1,4\n"


@pytest.fixture(name="read")
def _read(tmp_path: Path) -> Iterator[Read]:
    opened: list[StagedOperation] = []

    def run(
        since: str = "", rows: str = ROWS, made: Pipeline | None = None, ledger: Path | None = None
    ) -> StagedOperation:
        folder = tmp_path / f"stage{len(opened)}"
        folder.mkdir()
        path = folder / "contacts.csv"
        path.write_text(rows)
        source = CsvSource("contacts", (path,), CsvForm(","), {"at": Column(type=ColumnType.INTEGER)})
        made = made or pipeline("email", "n")
        start = Since("at", ColumnType.INTEGER, since, "stamp")
        found = stage(made, source, ledger, {"sync": SYNC}, folder / "staged", threads=1, since=start, keeps_gone=True)
        opened.append(found)
        return found

    yield run
    for each in opened:
        each.close()


def numbers(staged: StagedOperation) -> list[int]:
    """Return the source row numbers of what goes out."""
    return [row for (row,) in staged.connection.execute('SELECT "row" FROM outgoing ORDER BY 1').fetchall()]


def stored(staged: StagedOperation, folder: Path, letters: str) -> str:
    """Return the cursor that the ledger gets when the outgoing rows end so."""
    staged.confirm(numbers(staged), letters, folder / "notes")
    staged.confirmed(folder / "confirmed.parquet")
    metadata = pq.read_metadata(folder / "confirmed.parquet").metadata or {}
    return bytes(metadata.get(b"cursor", b"")).decode()


@pytest.mark.parametrize(
    ("since", "rows"), [("", [1, 2, 3, 4, 5]), ("2", [2, 3, 4, 5]), ("3", [4, 5]), ("4", [4, 5]), ("9", [4])]
)
def test_rows_at_the_cursor_and_without_a_value_are_read_again(read: Read, since: str, rows: list[int]) -> None:
    """Another row may have got the same value since, and one without a value is never behind. Numbers stay true."""
    staged = read(since)
    assert numbers(staged) == rows
    assert staged.facts.read == len(rows)


@pytest.mark.parametrize(
    ("letters", "cursor"),
    [
        ("ccccc", "stamp 4"),
        ("csw=u", "stamp 4"),
        ("cxccc", "stamp 2"),
        ("cc?cc", "stamp 2"),
        ("cccc.", "stamp 4"),
        ("xcccc", "stamp 1"),
    ],
)
def test_the_cursor_stops_before_what_is_not_in_the_target(
    read: Read, tmp_path: Path, letters: str, cursor: str
) -> None:
    """Refused, in doubt or not sent: the next read sees the row again."""
    assert stored(read(), tmp_path, letters) == cursor


def test_a_row_that_was_refused_before_it_was_sent_holds_the_cursor(read: Read, tmp_path: Path) -> None:
    """The plan says so, and how far it can come."""
    staged = read(rows=ROWS.replace("b@x", ""))
    assert staged.facts.cursor is not None
    assert (staged.facts.cursor.until, staged.facts.cursor.is_held) == ("2", True)
    assert stored(staged, tmp_path, "cccc") == "stamp 2"


def test_a_cell_that_is_no_cursor_is_a_reject_at_every_read(read: Read) -> None:
    """It has no place in the order, so it is never behind."""
    rows = ROWS.replace("b@x,1,2", "b@x,1,two")
    assert [(each.code, each.row) for each in read(rows=rows).rejects()] == [("V201", 2)]
    assert [(each.code, each.row) for each in read("4", rows=rows).rejects()] == [("V201", 2)]


def test_a_read_of_nothing_leaves_the_cursor(read: Read, tmp_path: Path) -> None:
    """No row, no news."""
    staged = read("7", rows="email,n,at\n")
    assert staged.facts.cursor is not None
    assert (staged.facts.cursor.since, staged.facts.cursor.until) == ("7", "7")
    assert stored(read(rows="email,n,at\n"), tmp_path, "") == ""


def test_the_numbers_behind_a_broken_row_are_true(read: Read) -> None:
    """Rows that could not be split count, whether they are before the cursor or not."""
    rows = "email,n,at\na@x,1,1\nbroken,1,2,3,4\n" + "".join(f"k{n}@x,1,{n}\n" for n in range(3, 30))
    staged = read("28", rows=rows)
    assert numbers(staged) == [28, 29]
    assert [each.row for each in staged.rejects()] == [2]


def test_what_the_cursor_leaves_out_has_not_left(read: Read, tmp_path: Path) -> None:
    """An increment says nothing of what is gone."""
    staged = read()
    stored(staged, tmp_path, "ccccc")
    again = read("4", ledger=tmp_path / "confirmed.parquet")
    assert (again.facts.gone, again.facts.unchanged, again.facts.outgoing) == (0, 2, 0)
    # Another operation that deletes asks whose records these are: those from before the cursor too.
    assert again.sends(tmp_path / "confirmed.parquet").read_all().num_rows == 5


def test_a_later_wave_that_was_refused_holds_the_cursor(read: Read, tmp_path: Path) -> None:
    """A key that stands twice is done when both rows are."""
    staged = read(
        rows="email,n,at\na@x,1,1\na@x,2,2\nb@x,1,3\n", made=pipeline("email", "n", duplicates=Duplicates.SERIALIZE)
    )
    assert stored(staged, tmp_path, "cxc") == "stamp 2"


def test_reopened_rows_know_their_cursor(read: Read, tmp_path: Path) -> None:
    """A run that is taken up stores the same."""
    again = reopen(read().files.folder)
    assert stored(again, tmp_path, "cccxc") == "stamp 4"
    again.close()
