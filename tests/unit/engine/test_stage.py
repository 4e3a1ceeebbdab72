"""Staging tells every row apart and counts each once."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from syncer.capability import CsvFormat, JsonFormat
from syncer.engine.protocol import Cut, RowReject
from syncer.engine.stage import stage
from syncer.engine.staged import reopen
from syncer.errors import SourceError, StateError
from syncer.facts import RejectFacts
from syncer.manifest.models import Column, ColumnType
from syncer.mapping.pipeline import Check, Lookup
from syncer.sources.csv import CsvForm, CsvSource
from tests.fakes.pipelines import Stage, field, pipeline, tree

NO_AT = Check("V101", "email", tree("NOT contains(\"f:email\", '@')"), "The value is no address.")


def test_every_row_is_counted_once(staged: Stage) -> None:
    """Read is outgoing, unchanged, skipped and rejected together."""
    facts = staged(pipeline("email", checks=[NO_AT]), "email\na@x\nbad\nA@x\n").facts
    assert (facts.read, facts.outgoing, facts.rejected, facts.skipped, facts.unchanged) == (3, 2, 1, 0, 0)


def test_the_first_flaw_of_a_row_is_its_reject(staged: Stage) -> None:
    """A row that fails several checks is refused once, with the first in declared order."""
    short = Check("V110", "email", tree('length("f:email") < 9'), "The text is too short.")
    rows = staged(pipeline("email", checks=[NO_AT, short]), "email\nbad\nlong-enough@x\nb@x\n")
    assert list(rows.rejects()) == [
        RowReject(1, "V101", "The value is no address.", "email"),
        RowReject(3, "V110", "The text is too short.", "email"),
    ]
    assert rows.facts.rejects[0] == RejectFacts("V101", "email", 1, (1,))


def test_a_blank_key_is_refused(staged: Stage) -> None:
    """A row whose key is empty after its canonical form is never sent."""
    rows = staged(pipeline("email", "name"), 'email,name\n,a\n"  ",b\nc@x,c\n')
    assert [(each.row, each.code, each.field) for each in rows.rejects()] == [
        (1, "V210", "email"),
        (2, "V210", "email"),
    ]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            ColumnType.INTEGER,
            ["12", "-0", "+9223372036854775807"],
            ["12.0", "1e3", "0x10", "1_000", " 1", "9223372036854775808"],
        ),
        (ColumnType.DECIMAL, ["1", "-1.50", "12345678901234567890.5"], ["1e3", ".5", "1.", "NaN"]),
        (ColumnType.FLOAT, ["1", ".5", "1e-3"], ["inf", "nan", "1e999", "1_0"]),
        (ColumnType.BOOLEAN, ["true", "FALSE"], ["1", "yes", "t"]),
        (
            ColumnType.DATE,
            ["2024-02-29"],
            ["2023-02-29", "0000-00-00", "0000-01-01", "24-01-01", "2024-1-1", "2024-01-01T00:00"],
        ),
        (
            ColumnType.DATETIME,
            ["2024-02-29T10:00:00", "2024-02-29 10:00", "2024-02-29"],
            ["2024-02-30T10:00:00", "10:00", "2024-02-29T25:00:00", "2024-02-29T24:00:00", "0000-01-01"],
        ),
        (
            ColumnType.MOMENT,
            ["2024-02-29T10:00:00Z", "2024-02-29 10:00+0200", "2024-02-29T10:00:00.123456-05:00"],
            ["2024-02-30T10:00:00Z", "2024-02-29T10:00:00 Europe/Berlin", "2024-02-29T24:00:00Z", "10:00Z"],
        ),
    ],
)
def test_a_declared_column_takes_its_grammar_only(
    staged: Stage, kind: ColumnType, good: list[str], bad: list[str]
) -> None:
    """A cell that is not written as its declared type is a reject, never a guess."""
    lines = "".join(f"{number}@x,{cell}\n" for number, cell in enumerate(good + bad))
    made = pipeline("email", field("n", 'CAST("n" AS VARCHAR)'), types={"n": kind})
    rows = staged(made, "email,n\n" + lines)
    assert [each.row for each in rows.rejects()] == list(range(len(good) + 1, len(good) + len(bad) + 1))
    assert {(each.code, each.field) for each in rows.rejects()} == {("V201", "n")}


def test_a_nul_character_is_refused(staged: Stage) -> None:
    """A cell with NUL is one reject, the rest goes on."""
    rows = staged(pipeline("email"), b"email\na@x\nb\0@x\n")
    assert [(each.row, each.code) for each in rows.rejects()] == [(2, "V203")]


def test_text_that_means_clear_is_refused(staged: Stage) -> None:
    """A literal clear text of a candidate file never reaches it."""
    rows = staged(pipeline("email", "name"), "email,name\na@x,#N/A\nb@x,b\n")
    assert [(each.row, each.code, each.field) for each in rows.rejects()] == [(1, "V114", "name")]


def test_a_record_too_large_for_every_path_is_refused(staged: Stage) -> None:
    """Only where no candidate can carry the record alone."""
    text = "email,name\na@x," + "x" * 100 + "\nb@x,b\n"
    small, large = JsonFormat(10, 60, overhead_bytes=0), CsvFormat(None, 1_000)
    assert [each.code for each in staged(pipeline("email", "name"), text, {"sync": small}).rejects()] == ["V212"]
    both = staged(pipeline("email", "name"), text, {"sync": small, "bulk": large})
    assert not list(both.rejects())
    assert [cut.path for cut in both.facts.waves[0].cuts] == ["bulk"]


def test_declared_contracts_are_kept(tmp_path: Path) -> None:
    """A required cell that is empty and a unique cell that is not are rejects, mapped or not."""
    (tmp_path / "a.csv").write_text("email,id,n\na@x,1,1\nb@x,2,\nc@x,1,3\nd@x,,4\ne@x,,5\n")
    declared = {"id": Column(unique=True), "n": Column(required=True)}
    source = CsvSource("contacts", (tmp_path / "a.csv",), CsvForm(","), declared)
    rows = stage(pipeline("email"), source, None, {"sync": JsonFormat(300, 1_000)}, tmp_path / "staged")
    assert list(rows.rejects()) == [
        RowReject(1, "V206", "The cell stands also in row 3.", "id"),
        RowReject(2, "V202", "The column is declared as required, and the cell is empty.", "n"),
        RowReject(3, "V206", "The cell stands also in row 1.", "id"),
    ]
    assert rows.facts.outgoing == 2
    rows.close()


def test_lookups_bring_a_column(tmp_path: Path) -> None:
    """Rows keep their order; a match that stands in several rows, or in none, gives null; nothing is left behind."""
    (tmp_path / "a.csv").write_text(
        "email,country\n" + "".join(f"{n}@x,{['DE', 'FR', 'XX'][n % 3]}\n" for n in range(9))
    )
    (tmp_path / "b.csv").write_text("code,name\nDE,Germany\nFR,France\nFR,Gaul\n")
    made = replace(
        pipeline("email", field("country", '"lookup:name"'), columns=["email", "country"]),
        columns=(("email", ColumnType.TEXT), ("country", ColumnType.TEXT)),
        lookups=(Lookup("name", "countries", "code", "name", tree('"country"')),),
    )
    source, countries = (CsvSource(each, (tmp_path / f"{each}.csv",), CsvForm(","), {}) for each in "ab")
    form = JsonFormat(300, 10_000)
    rows = stage(made, source, None, {"sync": form}, tmp_path / "staged", lookups={"countries": countries})
    (payload,) = rows.payloads(Cut(1, None, form), tmp_path)
    assert list(payload.rows) == list(range(1, 10))
    assert payload.body == (
        b'[{"email":"0@x","country":"Germany"},{"email":"1@x"},{"email":"2@x"},'
        b'{"email":"3@x","country":"Germany"},{"email":"4@x"},{"email":"5@x"},'
        b'{"email":"6@x","country":"Germany"},{"email":"7@x"},{"email":"8@x"}]'
    )
    assert not (tmp_path / "staged" / "source.parquet").exists()
    rows.close()


def test_broken_rows_keep_the_numbers_of_the_others(staged: Stage) -> None:
    """Rows that do not fit the header are rejects; the numbers of the rows behind them count them."""
    good = "".join(f"{number}@x,{number}\n" for number in range(20))
    rows = staged(pipeline("email", "n"), "email,n\n1,2,3\n\n" + good + "short\n\nz@x,z\n")
    assert [(each.row, each.code) for each in rows.rejects()] == [(1, "V220"), (22, "V220")]
    assert rows.facts.read == 23


def test_too_many_broken_rows_are_an_error(staged: Stage) -> None:
    """More than one row in ten means that the file is not what it was declared to be."""
    with pytest.raises(SourceError) as caught:
        staged(pipeline("email", "n"), "email,n\na@x,1\nb@x\n")
    assert caught.value.code == "S115"
    assert "line 3" in caught.value.detail


def test_a_missing_column_is_named(staged: Stage) -> None:
    """A mapping that reads a column which the source does not have stops with its name."""
    with pytest.raises(SourceError, match='"name"'):
        staged(pipeline("email", "name"), "email\na@x\n")


def test_a_source_of_no_rows_is_staged(staged: Stage) -> None:
    """A header alone is a source of zero rows."""
    facts = staged(pipeline("email"), "email\n").facts
    assert (facts.read, facts.outgoing, facts.waves, facts.slices) == (0, 0, (), ())


def test_staged_rows_can_be_reopened(staged: Stage, tmp_path: Path) -> None:
    """Another process finds the same facts, the same rows and the same payloads."""
    rows = staged(pipeline("email", checks=[NO_AT]), "email\na@x\nbad\nA@x\n")
    cut = Cut(1, None, JsonFormat(max_records=10, max_bytes=1_000))
    before = [each.body for each in rows.payloads(cut, tmp_path)]
    again = reopen(rows.files.folder)
    assert [each.body for each in again.payloads(cut, tmp_path)] == before != []
    assert again.facts == rows.facts
    assert list(again.rejects()) == list(rows.rejects())
    again.close()


def test_half_staged_rows_are_not_reopened(tmp_path: Path) -> None:
    """A folder without a summary is no staged operation."""
    with pytest.raises(StateError):
        reopen(tmp_path)


def test_staged_files_are_private(staged: Stage) -> None:
    """Rows of people are for their owner alone."""
    rows = staged(pipeline("email", checks=[NO_AT]), "email\na@x\nbad\nA@x\n")
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in rows.files.folder.iterdir() if each.is_file()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(rows.files.folder.stat().st_mode) == 0o700


def test_shapes_are_numbered_by_frequency(staged: Stage) -> None:
    """Shape 0 is the most frequent set of fields."""
    facts = staged(pipeline("email", "a"), "email,a\n1@x,\n2@x,1\n3@x,1\n").facts
    assert [(each.shape, each.fields, each.records) for each in facts.slices] == [
        (0, ("email", "a"), 2),
        (1, ("email",), 1),
    ]


def test_rare_shapes_are_pooled(staged: Stage) -> None:
    """At most 64 shapes have facts of their own; the rest is one pool."""
    names = [f"f{number}" for number in range(70)]
    lines = [f"{n}@x," + ",".join("1" if n == m else "" for m in range(70)) for n in range(70)]
    facts = staged(pipeline("email", *names), ",".join(["email", *names]) + "\n" + "\n".join(lines) + "\n").facts
    assert [each.shape for each in facts.slices] == [*range(64), -1]
    assert facts.slices[-1].records == 6
    assert len(facts.slices[-1].fields) == 7
