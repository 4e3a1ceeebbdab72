"""JSON lines, Parquet, databases and SQL over other sources, by the same contract."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import adbc_driver_sqlite.dbapi
import duckdb
import pytest

from syncer.errors import SourceError
from syncer.manifest import models
from syncer.sources import digits
from syncer.sources.protocol import Source
from syncer.sources.registry import source

Rows = list[tuple[object, ...]]


def read(made: Source, spill: Path) -> tuple[list[str], Rows, str]:
    """Return names, rows and fingerprint."""
    with duckdb.connect(config={"temp_directory": str(spill / "spill")}) as connection:
        relation = made.open(connection)
        try:
            rows = connection.execute(relation.sql).fetchall()
        except duckdb.Error as problem:
            raise relation.explain(problem) from problem
        assert [(each.name, each.type) for each in relation.columns] == [
            (each.name, each.type) for each in made.columns()
        ]
        return [each.name for each in relation.columns], rows, relation.finish(len(rows))


def file_source(path: Path, **declared: object) -> Source:
    """Return the source of one file."""
    return source("s", models.Source(file=path.name, **declared), (path,), {})  # type: ignore[arg-type]


def test_json_lines_keep_their_digits(tmp_path: Path) -> None:
    """Every value is text as it stands; a missing member is null; nested values stay JSON."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":12345678901234567890123,"b":"x"}\n\n{"c":[1,{"d":null}],"a":null}\n')
    names, rows, _ = read(file_source(path), tmp_path)
    assert names == ["a", "b", "c"]
    assert rows == [("12345678901234567890123", "x", None), (None, None, '[1,{"d":null}]')]


DIGITS = [
    "1.10",
    "-0.50",
    "1E5",
    "1e-7",
    "-0.0",
    "0.00001",
    "12345678901234567890.5",
    "0.1000000000000000055511151231257827",
    "9007199254740993",
    "18446744073709551616",
    "5",
    "0.25",
]


@pytest.mark.parametrize("number", DIGITS)
def test_a_number_keeps_the_digits_it_is_written_with(tmp_path: Path, number: str) -> None:
    """A column is text unless it is declared, so its numbers are what stands in the file, at any depth."""
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"a":{number},"b":[{number}, {{"c": {number}}}],"c" : {number} }}\n')
    rows = read(file_source(path), tmp_path)[1]
    assert [(a, c) for a, _, c in rows] == [(number, number)]
    assert rows[0][1].replace(" ", "") == f'[{number},{{"c":{number}}}]'  # type: ignore[attr-defined]


def test_keeping_digits_changes_nothing_else(tmp_path: Path) -> None:
    """Text that looks like a number, a mark or JSON stays text, beside a number that has to be kept."""
    texts = [
        "1.10",
        ': 1.10 ,"x"',
        '"',
        "\\",
        "é😀",
        "[1.50]",
        '{"a": 1e5}',
        "true",
        "null",
        "",
        "a\nb\tc",
        "\x02",
        "'",
    ]
    lines = [json.dumps({"n": 1, "t": each, "u": each, "v": None}) for each in texts]
    short, long = tmp_path / "short.jsonl", tmp_path / "long.jsonl"
    short.write_text("\n".join(lines) + "\n")
    long.write_text("\n".join(lines).replace('"n": 1,', '"n": 1.50,') + "\n")
    expected = [(each, each, None) for each in texts]
    assert [row[1:] for row in read(file_source(short), tmp_path)[1]] == expected
    assert read(file_source(long), tmp_path)[1] == [("1.50", *row) for row in expected]


def test_a_number_across_two_blocks_is_seen(tmp_path: Path) -> None:
    """Whether digits are at risk does not depend on where the file is cut for reading."""
    path = tmp_path / "a.jsonl"
    for cut in range(1, 12):
        path.write_text(" " * (digits.BLOCK_BYTES - cut) + '{"a":1.10}')
        assert digits.are_at_risk(path)
    path.write_text('{"a":1.1,"at":"10:00:30.500","b":12345678.1234567}')
    assert not digits.are_at_risk(path)


@pytest.mark.parametrize("line", ["[1.50]", '{"a":1.50', '{"a":1.50}{"a":2}'])
def test_broken_lines_are_found_beside_digits_to_keep(tmp_path: Path, line: str) -> None:
    """The scan that keeps digits refuses what the other one refuses, and quotes no value."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":1.50}\n' * 200_000 + line + "\n")
    with pytest.raises(SourceError) as caught:
        read(file_source(path), tmp_path)
    assert caught.value.code == "S112"
    assert "1.50" not in str(caught.value)


def test_json_lines_may_be_packed(tmp_path: Path) -> None:
    """The ending before `.gz` says the format."""
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n'))
    assert read(file_source(path), tmp_path)[1] == [("1",)]


def test_declared_members_need_not_be_seen(tmp_path: Path) -> None:
    """A member that no row has is a column of nulls where it is declared."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":1}\n')
    assert read(file_source(path, columns={"z": "integer"}), tmp_path)[1] == [(None, "1")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "S101"),
        ('{"a":1}\n[1]\n', "S112"),
        ('{"a":1}\n{"a":\n', "S112"),
        ('{"a":1,"A":2}\n', "S107"),
        ('{"a":"' + "x" * 100 + '"}\n' + '{"a":1}\n' * 200_000 + '{"a":\n', "S112"),
    ],
)
def test_broken_json_lines_have_a_code(tmp_path: Path, text: str, code: str) -> None:
    """A line that is no object is an error with its place."""
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(SourceError) as caught:
        read(file_source(path), tmp_path)
    assert caught.value.code == code


def test_parquet_is_read_in_place(tmp_path: Path) -> None:
    """Columns come with the engine's types; declarations decide what they mean."""
    path = tmp_path / "a.parquet"
    duckdb.execute(f"COPY (SELECT 1 AS a, DATE '2024-01-02' AS b) TO '{path}'")
    made = file_source(path, columns={"a": "integer"})
    assert [(each.name, each.type, each.raw) for each in made.columns()] == [
        ("a", "integer", "INTEGER"),
        ("b", "text", "DATE"),
    ]
    assert len(read(made, tmp_path)[2]) == 64


def test_a_broken_parquet_file_is_refused(tmp_path: Path) -> None:
    """A file without a footer is one error."""
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(SourceError, match="S113"):
        file_source(path).columns()


def test_files_of_several_kinds_need_a_format(tmp_path: Path) -> None:
    """Nothing is guessed where endings disagree."""
    with pytest.raises(SourceError, match="S102"):
        source("s", models.Source(file="*"), (tmp_path / "a.csv", tmp_path / "b.jsonl"), {})


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with adbc_driver_sqlite.dbapi.connect(f"file:{path}") as database, database.cursor() as cursor:
        cursor.execute("CREATE TABLE people (id INTEGER, email TEXT)")
        cursor.execute("INSERT INTO people VALUES (2, 'b@x'), (1, 'a@x'), (3, NULL)")
        database.commit()
    return path


def database_source(path: Path, sql: str) -> Source:
    """Return the source of a query to SQLite."""
    return source("s", models.Source(database=f"sqlite:///{path}", sql=sql), (), {})


def test_a_database_gives_the_rows_of_a_query(tmp_path: Path, database: Path) -> None:
    """In the query's order, with a fingerprint of what it gave."""
    names, rows, first = read(database_source(database, "SELECT id, email FROM people ORDER BY id;"), tmp_path)
    assert (names, rows) == (["id", "email"], [(1, "a@x"), (2, "b@x"), (3, None)])
    other = read(database_source(database, "SELECT id, email FROM people ORDER BY id DESC"), tmp_path)[2]
    assert first != other


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM people", "S120"),
        ("SELECT 1; SELECT 2", "S120"),
        ("ATTACH 'x.db' AS x", "S120"),
        ("SELEC", "S120"),
        ("SELECT nope FROM people", "S122"),
    ],
)
def test_only_one_query_is_asked(tmp_path: Path, database: Path, sql: str, code: str) -> None:
    """Anything but one query is refused, and the driver's words are not shown."""
    with pytest.raises(SourceError) as caught:
        read(database_source(database, sql), tmp_path)
    assert caught.value.code == code
    assert "nope" not in str(caught.value)


@pytest.fixture(name="mixed")
def _mixed(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.db"
    with adbc_driver_sqlite.dbapi.connect(f"file:{path}") as database, database.cursor() as cursor:
        cursor.execute("CREATE TABLE t (a, b, c)")
        cursor.execute("INSERT INTO t VALUES (9007199254740993, 1.5, 1), (1.1, 0.1, 2), ('007', 2, NULL), (NULL, 3, 4)")
        database.commit()
    return path


def test_a_column_of_mixed_values_keeps_their_digits(tmp_path: Path, mixed: Path) -> None:
    """SQLite lets numbers and text stand in one column; each comes as the text that SQLite makes of it."""
    rows = read(database_source(mixed, "SELECT a, b, c FROM t ORDER BY rowid -- all"), tmp_path)[1]
    assert rows == [("9007199254740993", 1.5, 1), ("1.1", 0.1, 2), ("007", 2.0, None), (None, 3.0, 4)]


def test_a_number_that_no_float_holds_is_refused(tmp_path: Path, mixed: Path) -> None:
    """The driver would make a float of it, and another number."""
    with pytest.raises(SourceError, match="more than 15 digits") as caught:
        read(database_source(mixed, "SELECT a FROM t WHERE typeof(a) <> 'text'"), tmp_path)
    assert caught.value.code == "S123"
    as_text = "SELECT CAST(a AS TEXT) AS a FROM t WHERE typeof(a) IN ('integer', 'real') ORDER BY a"
    assert read(database_source(mixed, as_text), tmp_path)[1] == [("1.1",), ("9007199254740993",)]


def test_bytes_among_text_are_refused(tmp_path: Path, mixed: Path) -> None:
    """Making text of a column does not make text of its bytes."""
    with pytest.raises(SourceError) as caught:
        read(database_source(mixed, "SELECT a FROM t UNION ALL SELECT x'00ff'"), tmp_path)
    assert caught.value.code == "S123"


def test_a_database_without_a_driver_is_named() -> None:
    """An unknown scheme is a word of its own."""
    with pytest.raises(SourceError, match="S121"):
        source("s", models.Source(database="oracle://x", sql="SELECT 1"), (), {}).columns()


def others(tmp_path: Path) -> dict[str, Source]:
    """Return two small sources."""
    (tmp_path / "people.csv").write_text("id,email\n1,a@x\n2,b@x\n")
    (tmp_path / "scores.csv").write_text("id,score\n2,20\n1,10\n")
    found = {}
    for name in ("people", "scores"):
        found[name] = source(name, models.Source(file=f"{name}.csv"), (tmp_path / f"{name}.csv",), {})
    return found


def test_sql_reads_other_sources(tmp_path: Path) -> None:
    """Sources are tables under their names; a result without an order is sorted, so it is always the same."""
    points = "CAST(score AS INTEGER) * 2 AS points"
    query = f"WITH s AS (SELECT * FROM scores) SELECT email, {points} FROM people JOIN s USING (id)"
    made = source("s", models.Source(sql=query), (), others(tmp_path))
    names, rows, _ = read(made, tmp_path)
    assert (names, rows) == (["email", "points"], [("a@x", 20), ("b@x", 40)])


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM nobody",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT content FROM read_text('/etc/passwd')",
        "COPY people TO '/tmp/x.csv'",
        "SELECT * FROM people; SELECT 1",
        "SELECT getenv('HOME'), nope FROM people",
        "SELECT CAST(email AS INTEGER) AS n FROM people",
        "INSTALL httpfs",
        "SELECT",
    ],
)
def test_sql_reaches_nothing_else(tmp_path: Path, query: str) -> None:
    """No file, setting or statement beside one query over sources."""
    with pytest.raises(SourceError) as caught:
        read(source("s", models.Source(sql=query), (), others(tmp_path)), tmp_path)
    assert caught.value.code == "S120"
    assert "a@x" not in str(caught.value)


def test_sources_of_sql_have_to_be_whole(tmp_path: Path) -> None:
    """A broken row would be missing from a join in silence."""
    found = others(tmp_path)
    (tmp_path / "people.csv").write_text("id,email\n1,a@x\n2\n")
    with pytest.raises(SourceError, match="S115"):
        read(source("s", models.Source(sql="SELECT * FROM people"), (), found), tmp_path)
