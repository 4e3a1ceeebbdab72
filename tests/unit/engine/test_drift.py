"""What a target gave back, held against staged rows: told apart in SQL, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from syncer.engine.stage import stage
from syncer.facts import ReadFacts
from syncer.manifest.models import Column, ColumnType, WhenNull
from syncer.sources.csv import CsvForm, CsvSource
from tests.fakes.pipelines import FILE, SYNC, field, pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from syncer.engine.staged import StagedOperation
    from syncer.mapping.pipeline import Pipeline


class Room:
    """Stages CSV text and looks at it beside made-up answers."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing staged."""
        self.folder = folder
        self.opened: list[StagedOperation] = []

    def staged(self, made: Pipeline, rows: str, ledger: Path | None = None) -> StagedOperation:
        """Return the rows, staged to be looked up."""
        place = self.folder / f"stage{len(self.opened)}"
        place.mkdir()
        path = place / "contacts.csv"
        path.write_text(rows, encoding="utf-8")
        source = CsvSource("contacts", (path,), CsvForm(","), {name: Column(type=kind) for name, kind in made.columns})
        formats = {"sync": SYNC, "bulk": FILE}
        found = stage(made, source, ledger, formats, place / "staged", threads=1, keeps_unchanged=True)
        self.opened.append(found)
        return found

    def look(
        self, staged: StagedOperation, held: Sequence[Mapping[str, str | None]], *, compares_values: bool = True
    ) -> ReadFacts:
        """Return what the comparison says of these answers, given in two pages."""
        drift = staged.drift("id")
        for page in (held[:1], held[1:]):
            rows = [{"id": str(hash(str(each))), **each} for each in page]
            names = dict.fromkeys(name for each in rows for name in each)
            columns = {name: pa.array([each.get(name) for each in rows], pa.string()) for name in names}
            drift.take(pa.table(columns), 1)
        found = drift.facts(compares_values=compares_values)
        drift.close()
        return found

    def confirmed(self, staged: StagedOperation) -> Path:
        """Say of every row that it was written, and return the ledger of it."""
        numbers = [each[0] for each in staged.connection.execute('SELECT "row" FROM outgoing').fetchall()]
        staged.confirm(numbers, "u" * len(numbers), self.folder / "notes")
        staged.confirmed(self.folder / "ledger.parquet")
        return self.folder / "ledger.parquet"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A room that closes what it opened."""
    found = Room(tmp_path)
    yield found
    for each in found.opened:
        each.close()


def test_records_are_told_apart_by_key(room: Room) -> None:
    """New, equal, changed and ambiguous add up to what goes out; the key is compared in its canonical form."""
    staged = room.staged(pipeline("email", "n"), "email,n\nnew@x,1\nEqual@X,2\nother@x,3\ntwice@x,4\n")
    facts = room.look(
        staged,
        [
            {"email": "equal@x ", "n": "2"},
            {"email": "OTHER@x", "n": "9"},
            {"email": "twice@x", "n": "4"},
            {"email": "twice@x", "n": "5"},
        ],
    )
    assert facts == ReadFacts(4, 2, absent=1, equal=1, changed=1, ambiguous=1, drifted=0, fields=(("n", 1),))


def test_a_record_given_twice_is_one(room: Room) -> None:
    """Pages may repeat a record; its id says that it is the same."""
    staged = room.staged(pipeline("email", "n"), "email,n\na@x,1\n")
    facts = room.look(staged, [{"id": "7", "email": "a@x", "n": "1"}, {"id": "7", "email": "a@x", "n": "1"}])
    assert (facts.equal, facts.ambiguous) == (1, 0)


def test_keys_are_asked_for_once(room: Room) -> None:
    """A key that goes out in several waves is one question, and its later rows are changes."""
    staged = room.staged(pipeline("email", "n"), "email,n\na@x,1\nA@x,2\nb@x,1\nb@x,1\n")
    drift = staged.drift("id")
    assert sorted(each for page in drift.questions() for each in page.column("email").to_pylist()) == ["a@x", "b@x"]
    assert drift.count() == 2
    drift.close()
    facts = room.look(staged, [{"email": "b@x", "n": "1"}])
    assert (facts.absent, facts.equal, facts.changed) == (1, 0, 3)


def test_drift_is_what_changed_behind_our_back(room: Room) -> None:
    """Rows that were confirmed and stay at home are looked up too: other values, or a record that is gone."""
    rows = "email,n\nsame@x,1\nother@x,2\ngone@x,3\nseq@x,4\nseq@x,5\n"
    first = room.staged(pipeline("email", "n"), rows)
    ledger = room.confirmed(first)
    second = room.staged(pipeline("email", "n"), rows + "late@x,6\n", ledger)
    assert (second.facts.unchanged, second.facts.outgoing) == (5, 1)
    held = [{"email": "same@x", "n": "1"}, {"email": "other@x", "n": "9"}, {"email": "seq@x", "n": "0"}]
    facts = room.look(second, held)
    assert (facts.keys, facts.absent, facts.drifted) == (5, 1, 2)
    assert second.drift("id").count() == 5


@pytest.mark.parametrize(
    ("kind", "sent", "held", "is_same"),
    [
        (ColumnType.TEXT, "a", " a ", True),
        (ColumnType.TEXT, "a", "A", False),
        (ColumnType.TEXT, "007", "7", False),
        (ColumnType.TEXT, "a", None, False),
        (ColumnType.TEXT, "2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00.123+0000", True),
        (ColumnType.TEXT, "2024-05-01T10:00:00+02:00", "2024-05-01T10:00:00Z", False),
        (ColumnType.INTEGER, "12", "12.0", True),
        (ColumnType.INTEGER, "16777217", "16777216", False),
        (ColumnType.INTEGER, "12", None, False),
        (ColumnType.FLOAT, "0.1", "0.10000000149011612", True),
        (ColumnType.FLOAT, "0.1", "0.11", False),
        (ColumnType.BOOLEAN, "true", "1", True),
        (ColumnType.BOOLEAN, "false", None, True),
        (ColumnType.BOOLEAN, "true", "false", False),
    ],
)
def test_values_are_compared_as_vendors_keep_them(
    room: Room, kind: ColumnType, sent: str, held: str | None, *, is_same: bool
) -> None:
    """A number, moment or boolean that comes back in another form is the same value; text is text."""
    staged = room.staged(pipeline("email", "v", types={"v": kind}), f"email,v\na@x,{sent}\n")
    assert room.look(staged, [{"email": "a@x", "v": held}]).equal == int(is_same)


@pytest.mark.parametrize(
    ("when_null", "held", "is_same"),
    [
        (WhenNull.OMIT, "old", True),
        (WhenNull.CLEAR, "old", False),
        (WhenNull.CLEAR, "", True),
        (WhenNull.CLEAR, None, True),
    ],
)
def test_a_null_changes_only_what_it_clears(
    room: Room, when_null: WhenNull, held: str | None, *, is_same: bool
) -> None:
    """A field that is left alone never differs; one that is emptied differs where something stands in it."""
    staged = room.staged(pipeline("email", field("v", when_null=when_null)), "email,v\na@x,\n")
    assert room.look(staged, [{"email": "a@x", "v": held}]).equal == int(is_same)


def test_a_boolean_that_clears_is_false(room: Room) -> None:
    """Vendors keep a null boolean as false."""
    made = pipeline("email", field("v", when_null=WhenNull.CLEAR), types={"v": ColumnType.BOOLEAN})
    staged = room.staged(made, "email,v\na@x,\nb@x,\n")
    assert room.look(staged, [{"email": "a@x", "v": "false"}, {"email": "b@x", "v": "true"}]).equal == 1


def test_a_field_that_cannot_be_read_is_named(room: Room) -> None:
    """Nothing is said of a field that no answer holds, and the reviewer sees its name."""
    staged = room.staged(pipeline("email", "n", "m"), "email,n,m\na@x,1,2\n")
    facts = room.look(staged, [{"email": "a@x", "n": "1"}])
    assert (facts.equal, facts.unread) == (1, ("m",))


def test_a_deletion_compares_no_values(room: Room) -> None:
    """A record that is there will go; one that is not has nothing to lose."""
    staged = room.staged(pipeline("email"), "email\na@x\nb@x\n")
    facts = room.look(staged, [{"email": "a@x"}], compares_values=False)
    assert (facts.absent, facts.changed, facts.equal, facts.fields) == (1, 1, 0, ())


def test_an_answer_of_nothing_is_an_answer(room: Room) -> None:
    """A target without any of the keys makes every record a new one."""
    facts = room.look(room.staged(pipeline("email", "n"), "email,n\na@x,1\n"), [])
    assert (facts.absent, facts.calls, facts.unread) == (1, 2, ())
