"""Delimited files are read strictly: one message for each way in which a file can be wrong."""

from __future__ import annotations

import csv as reference
import gzip
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.errors import SourceError
from syncer.sources.csv import CsvForm, CsvSource
from syncer.sources.protocol import ReadAgain, Relation

if TYPE_CHECKING:
    from collections.abc import Callable

Rows = list[tuple[str | None, ...]]


def source(tmp_path: Path, *texts: bytes | str, form: CsvForm | None = None, name: str = "a.csv") -> CsvSource:
    """Return a source over files of these contents."""
    paths = []
    for number, text in enumerate(texts):
        path = tmp_path / (name if len(texts) == 1 else f"{number}{name}")
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        paths.append(path)
    return CsvSource("contacts", tuple(paths), form or CsvForm(","), {})


def scan(made: CsvSource, spill: Path) -> tuple[Rows, list[tuple[int, str]], str]:
    """Return rows, rejects (row, code) and fingerprint."""
    with duckdb.connect(config={"temp_directory": str(spill / "spill"), "threads": 2}) as connection:
        relation = made.open(connection)
        for _ in range(2):
            try:
                rows = connection.execute(relation.sql).fetchall()
                digest = relation.finish(len(rows))
                break
            except ReadAgain as exact:
                relation = exact.relation
        rejects = connection.execute(f'SELECT "row", code FROM ({relation.structural_rejects}) ORDER BY ALL').fetchall()
        return rows, rejects, digest


def code(made: CsvSource, tmp_path: Path) -> str:
    """Return the code of the error that reading ends in."""
    with pytest.raises(SourceError) as caught:
        scan(made, tmp_path)
    return caught.value.code


def test_cells_are_text(tmp_path: Path) -> None:
    """Nothing is guessed: leading zeros, dates and booleans stay as they stand."""
    rows, _, _ = scan(source(tmp_path, "a,b\n007,2024-01-01\ntrue,\n"), tmp_path)
    assert rows == [("007", "2024-01-01"), ("true", None)]


def test_null_values_are_declared(tmp_path: Path) -> None:
    """The declared texts are null; what is not declared is text."""
    form = CsvForm(",", null_values=("NULL", "-"))
    rows, _, _ = scan(source(tmp_path, "a,b\nNULL,-\n,x\n", form=form), tmp_path)
    assert rows == [(None, None), ("", "x")]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfa,b\n1,2\n",
        b"a,b\r\n1,2\r\n",
        b"a,b\r\n1,2\n",
        b"a,b\n1,2",
        b"a,b\n\n1,2\n\n",
        b"a;b\n1;2\n",
        b"a\tb\n1\t2\n",
        b'"a";"b"\n"1";"2"\n',
        gzip.compress(b"a,b\n1,2\n", mtime=0),
    ],
    ids=["mark", "crlf", "mixed", "no end", "blank lines", "semicolon", "tab", "quoted", "gzip"],
)
def test_forms_that_mean_the_same(tmp_path: Path, text: bytes) -> None:
    """Marks, line ends, packing and an undeclared delimiter change nothing about the rows."""
    assert scan(source(tmp_path, text), tmp_path)[0] == [("1", "2")]


@pytest.mark.parametrize("text", ["a,b\né,ü\n".encode("utf-16"), b"\xfe\xff" + "a,b\né,ü\n".encode("utf-16-be")])
@pytest.mark.parametrize("pack", [bytes, lambda text: gzip.compress(text, mtime=0)], ids=["plain", "gzip"])
def test_a_mark_tells_the_encoding(tmp_path: Path, text: bytes, pack: Callable[[bytes], bytes]) -> None:
    """What spreadsheets save as "Unicode text" begins with a mark of UTF-16, and needs no declaration."""
    assert scan(source(tmp_path, pack(text)), tmp_path)[0] == [("é", "ü")]


def test_a_declared_encoding_goes_before_a_mark(tmp_path: Path) -> None:
    """Bytes that look like a mark are text where the encoding is declared."""
    made = source(tmp_path, b"\xff\xfea,b\n1,2\n", form=CsvForm(",", encoding="latin-1"))
    assert [each.name for each in made.columns()] == ["ÿþa", "b"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_apostrophes_quote_where_every_name_stands_in_them(tmp_path: Path, delimiter: str) -> None:
    """A header in apostrophes says how its rows are quoted, whatever delimits them."""
    text = "'a','b'\n'x,y','O''Brien'\n".replace("','", f"'{delimiter}'")
    assert scan(source(tmp_path, text), tmp_path)[0] == [("x,y", "O'Brien")]


def test_apostrophes_are_text_where_one_name_stands_without(tmp_path: Path) -> None:
    """One name without apostrophes, or a declared quote, and they belong to the cells."""
    assert scan(source(tmp_path, "'a',b\n'x',O'Brien\n"), tmp_path)[0] == [("'x'", "O'Brien")]
    made = source(tmp_path, "'a','b'\n'x','y'\n", form=CsvForm(",", quote='"'))
    assert scan(made, tmp_path)[0] == [("'x'", "'y'")]


def test_declared_encodings_are_decoded(tmp_path: Path) -> None:
    """UTF-16 and Latin-1 are read where they are declared."""
    for encoding in ("utf-16", "latin-1"):
        made = source(tmp_path, "a,b\né,ü\n".encode(encoding), form=CsvForm(",", encoding=encoding))
        assert scan(made, tmp_path)[0] == [("é", "ü")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"", "S101"),
        (b"\n\n", "S101"),
        (b"\n\r\na,b\n", "S107"),
        (b"a,a\n", "S107"),
        (b"a,A\n", "S107"),
        (b"a,\n", "S107"),
        (b"a, b\n", "S107"),
        (b"a,b\0\n", "S107"),
        (",".join(f"c{n}" for n in range(5_001)).encode() + b"\n", "S107"),
        (b'a,"b\n1,2\n', "S104"),
        (b'a,b\n1,"2\n3,4\n', "S104"),
        (b'a,b\n1,"2"x\n3,4\n', "S104"),
        (b"a,b\n1,\xff\n", "S103"),
        (b"\xff\xfea\0,\0b\0\n", "S103"),
        (b"a\xff,b\n", "S103"),
        (b"a,b\r1,2\r", "S108"),
        (b"a,b\n1,2\r3\n", "S108"),
        (b"sep=;\na;b\n", "S106"),
        (gzip.compress(b"a,b\n1,2\n" * 500, mtime=0)[:-9], "S111"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n", mtime=0), mtime=0), "S111"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 20_000_000, 9, mtime=0), "S111"),
    ],
)
def test_each_broken_file_has_its_code(tmp_path: Path, text: bytes, wanted: str) -> None:
    """A file that cannot be believed is one error."""
    assert code(source(tmp_path, text), tmp_path) == wanted


def test_a_wrong_delimiter_is_guessed_in_words_only(tmp_path: Path) -> None:
    """Where the delimiter was declared, another one is advice and never taken."""
    with pytest.raises(SourceError, match="semicolon"):
        source(tmp_path, "a;b\n1;2\n", form=CsvForm(",", is_declared=True)).columns()


def test_places_are_named(tmp_path: Path) -> None:
    """The line where a quote opened, and the byte that is not UTF-8."""
    with pytest.raises(SourceError, match="line 4"):
        scan(source(tmp_path, 'a,b\n"x\ny",2\n1,"2\n3,4\n'), tmp_path)
    with pytest.raises(SourceError, match="byte 11, in line 3"):
        scan(source(tmp_path, b"a,b\n1,2\nx,y\xff\n"), tmp_path)
    with pytest.raises(SourceError, match="Line 2 "):
        scan(source(tmp_path, b"a,b\n1,2\r3\n"), tmp_path)


def test_rows_that_do_not_fit_are_rejects(tmp_path: Path) -> None:
    """Rows are numbered by their place among the rows, whatever stands between."""
    text = 'a,b\n1,2\n\n3\n"x\ny",2\n\n4,5,6\n7,8\n' + "z" * 2_100_000 + ",1\n"
    rows, rejects, _ = scan(source(tmp_path, text), tmp_path)
    assert rows == [("1", "2"), ("x\ny", "2"), ("7", "8")]
    assert rejects == [(2, "V220"), (4, "V220"), (6, "V221")]


def test_several_files_are_one_table(tmp_path: Path) -> None:
    """Rows go on from file to file, numbers too; every file has the header."""
    rows, rejects, _ = scan(source(tmp_path, "a,b\n1,2\n3\n", "a,b\n4,5\n6\n"), tmp_path)
    assert rows == [("1", "2"), ("4", "5")]
    assert rejects == [(2, "V220"), (4, "V220")]
    assert code(source(tmp_path, "a,b\n1,2\n", "b,a\n1,2\n"), tmp_path) == "S107"


def test_a_delimiter_at_the_end_of_a_row_is_no_cell(tmp_path: Path) -> None:
    """An empty cell beyond the header is passed over; one that says something is a reject."""
    rows, rejects, _ = scan(source(tmp_path, "a,b\n1,2,\n3,4\n5,6,7\n"), tmp_path)
    assert rows == [("1", "2"), ("3", "4")]
    assert rejects == [(3, "V220")]


def test_the_fingerprint_is_of_the_bytes(tmp_path: Path) -> None:
    """One file has its own digest; any byte, and any name of several, changes it."""
    assert scan(source(tmp_path, "a\n1\n"), tmp_path)[2] == hashlib.sha256(b"a\n1\n").hexdigest()
    packed = gzip.compress(b"a\n1\n", mtime=0)
    assert scan(source(tmp_path, packed), tmp_path)[2] == hashlib.sha256(packed).hexdigest()
    both = scan(source(tmp_path, "a\n1\n", "a\n2\n"), tmp_path)[2]
    assert both != scan(source(tmp_path, "a\n2\n", "a\n1\n"), tmp_path)[2]


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """What was read is no file that ever existed."""
    made = source(tmp_path, "a\n1\n")
    with duckdb.connect() as connection:
        relation: Relation = made.open(connection)
        (tmp_path / "a.csv").write_text("a\n1\n2\n")
        with pytest.raises(SourceError) as caught:
            relation.finish(1)
    assert caught.value.code == "S105"


def test_a_reader_that_lost_step_is_unmasked(tmp_path: Path) -> None:
    """A count of rows that the bytes contradict asks for the exact, slower scan."""
    with duckdb.connect() as connection:
        relation = source(tmp_path, "a,b\n1,2\n3,4\n").open(connection)
        connection.execute(relation.sql).fetchall()
        with pytest.raises(ReadAgain) as caught:
            relation.finish(3)
        exact = caught.value.relation
        assert connection.execute(exact.sql).fetchall() == [("1", "2"), ("3", "4")]
        assert exact.finish(2)


CELL = st.text(st.sampled_from(list('a",;\n\r\t é😀')), max_size=5)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELL, CELL), max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from(["all", "minimal"]),
)
def test_what_was_written_is_read(tmp_path: Path, rows: list[tuple[str, str]], end: str, quoting: str) -> None:
    """Every table that a writer of RFC 4180 writes is read back, cell by cell."""
    text = io.StringIO()
    if quoting == "minimal":
        # The writer leaves a lone CR bare, which is refused for good reason.
        rows = [(a.replace("\r", ""), b.replace("\r", "")) for a, b in rows]
    style = reference.QUOTE_ALL if quoting == "all" else reference.QUOTE_MINIMAL
    writer = reference.writer(text, lineterminator=end, quoting=style)
    writer.writerow(["x", "y"])
    writer.writerows(rows)
    found, rejects, _ = scan(source(tmp_path, text.getvalue()), tmp_path)
    assert found == [(a or None, b or None) for a, b in rows]
    assert rejects == []
