"""A few rows for a person who asked to see them: which ones, what of them, and never more than said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from syncer.engine import sample
from syncer.engine.stage import stage
from syncer.manifest.models import Column, ColumnType, WhenNull
from syncer.mapping.pipeline import Check
from syncer.sample import SampleCell, SampleKind, SampleRow
from syncer.sources.csv import CsvForm, CsvSource
from tests.fakes.pipelines import FILE, SYNC, field, pipeline, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from syncer.engine.staged import StagedOperation
    from syncer.mapping.pipeline import Pipeline

SHORT = Check("V110", "n", tree('length("f:n") > 2'), "The text is longer than 2.")


class Room:
    """Stages CSV text in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing staged."""
        self.path = folder / "contacts.csv"
        self.folder = folder / "staged"
        self.opened: list[StagedOperation] = []

    def source(self, made: Pipeline) -> CsvSource:
        """Return the source as it is on disk now."""
        return CsvSource(
            "contacts", (self.path,), CsvForm(","), {name: Column(type=kind) for name, kind in made.columns}
        )

    def staged(self, made: Pipeline, rows: str, *, by: str = "sync") -> StagedOperation:
        """Return the rows, staged for requests alone (each cell a column) or for files too (one text)."""
        self.path.write_text(rows, encoding="utf-8")
        formats = {"sync": SYNC} if by == "sync" else {"sync": SYNC, "bulk": FILE}
        found = stage(made, self.source(made), None, formats, self.folder, threads=1, keeps_unchanged=True)
        self.opened.append(found)
        return found


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A room that closes what it opened."""
    found = Room(tmp_path)
    yield found
    for each in found.opened:
        each.close()


def values(row: SampleRow) -> dict[str, str | None]:
    """Return a row's values by name."""
    return {each.name: each.value for each in row.cells}


@pytest.mark.parametrize("by", ["sync", "bulk"])
def test_the_first_rows_stand_as_they_would_be_sent(room: Room, by: str) -> None:
    """Fields in mapping order, an emptied one as None, one that is left alone not at all; five rows and no more."""
    made = pipeline("email", field("n", when_null=WhenNull.CLEAR), "p", field("q", 'CAST("n" AS INTEGER) + 1'))
    rows = "".join(f"{at}@x,{at},{at}\n" for at in range(2, 9))
    staged = room.staged(made, f'email,n,p\n"A, ""b""\nc",,\n{rows}', by=by)
    first, second, *others = staged.sample()
    assert first == SampleRow(1, SampleKind.SENT, (SampleCell("email", 'A, "b"\nc'), SampleCell("n", None)))
    assert values(second) == {"email": "2@x", "n": "2", "p": "2", "q": "3"}
    assert [each.row for each in others] == [3, 4, 5]


def test_of_refused_rows_each_reason_comes_first(room: Room) -> None:
    """Five rows: the first of each reason, then more of the first ones, in the order of the source."""
    rows = "".join(f"{at}@x,long\n" for at in range(1, 8)) + ",1\n"
    staged = room.staged(pipeline("email", "n", checks=(SHORT,)), f"email,n\n{rows}")
    found = staged.sample()
    assert [(each.row, each.code, each.field) for each in found] == [
        *((row, "V110", "n") for row in range(1, 5)),
        (8, "V210", "email"),
    ]
    assert {each.kind for each in found} == {SampleKind.REJECTED}
    assert found[0].reason == "The text is longer than 2."
    assert all(not each.cells for each in found)


def test_a_refused_row_stands_as_in_its_source(room: Room) -> None:
    """Cells that did not parse are there, of the columns that are wanted; rows that could not be split have none."""
    made = pipeline("email", field("n", 'CAST("n" AS VARCHAR)'), types={"n": ColumnType.INTEGER})
    good = "".join(f"{at}@x,{at},u\n" for at in range(20))
    staged = room.staged(made, f"email,n,unused\n{good}torn@x\nb@x,kein,u\n{good}c@x,zwei,u\n")
    source = room.source(made)
    torn, first, second = [each for each in staged.sample(source, ("n", "email")) if each.kind is SampleKind.REJECTED]
    assert (torn.row, torn.code, torn.cells) == (21, "V220", ())
    assert (first.row, first.code, values(first)) == (22, "V201", {"email": "b@x", "n": "kein"})
    assert (second.row, values(second)) == (43, {"email": "c@x", "n": "zwei"})
    assert not (room.folder / "sample.parquet").exists()


def test_a_source_that_moved_shows_no_cells(room: Room) -> None:
    """What stands at a row's number by now may be another person."""
    made = pipeline("email", "n", checks=(SHORT,))
    staged = room.staged(made, "email,n\na@x,long\n")
    room.path.write_text("email,n\nb@x,1\nc@x,2\n", encoding="utf-8")
    [found] = staged.sample(room.source(made), ("email", "n"))
    assert (found.row, found.cells) == (1, ())


def test_a_look_tells_new_rows_and_what_changes(room: Room) -> None:
    """New rows whole; of changed ones the key and each field that differs, with what the target holds."""
    made = pipeline("email", field("n", when_null=WhenNull.CLEAR), "p")
    staged = room.staged(made, "email,n,p\nnew@x,1,\nA@X,2,same\nequal@x,3,\nempty@x,,q\n")
    drift = staged.drift("id")
    held = {"id": ["1", "2", "3"], "email": ["a@x", "equal@x", "empty@x"], "n": ["9", "3", "7"], "p": ["same", "", "q"]}
    drift.take(pa.table(held), 1)
    drift.facts(compares_values=True)
    new, changed, emptied = drift.sample()
    drift.close()
    assert new == SampleRow(1, SampleKind.NEW, (SampleCell("email", "new@x"), SampleCell("n", "1")))
    differs = SampleCell("n", "2", "9", is_changed=True)
    assert changed == SampleRow(2, SampleKind.CHANGED, (SampleCell("email", "A@X"), differs))
    assert emptied.cells == (SampleCell("email", "empty@x"), SampleCell("n", None, "7", is_changed=True))


def test_a_look_shows_five_of_a_kind(room: Room) -> None:
    """New and changed rows are counted apart; where nothing but the key is compared there is nothing that changes."""
    rows = "".join(f"{at}@x,1\n" for at in range(12))
    staged = room.staged(pipeline("email", "n"), f"email,n\n{rows}")
    drift = staged.drift("id")
    held = [f"{at}@x" for at in range(6)]
    drift.take(pa.table({"id": held, "email": held, "n": ["2"] * 6}), 1)
    drift.facts(compares_values=True)
    found = drift.sample()
    assert [each.row for each in found if each.kind is SampleKind.NEW] == [7, 8, 9, 10, 11]
    assert [each.row for each in found if each.kind is SampleKind.CHANGED] == [1, 2, 3, 4, 5]
    drift.close()
    keys = room.staged(pipeline("email"), "email\na@x\nb@x\n").drift("id")
    keys.take(pa.table({"id": ["1"], "email": ["a@x"]}), 1)
    keys.facts(compares_values=True)
    assert [each.row for each in keys.sample()] == [2]
    keys.close()


def test_samples_are_the_same_every_time(room: Room) -> None:
    """Nothing of them is left to chance."""
    rows = "".join(f"{at % 400}@x,{'long' if at % 3 else at % 90}\n" for at in range(2_000))
    staged = room.staged(pipeline("email", "n", checks=(SHORT,)), f"email,n\n{rows}")
    assert staged.sample() == staged.sample()
    assert len(staged.sample()) == 2 * sample.ROWS
