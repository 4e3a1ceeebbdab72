"""Databases keep one contract: what a query gives is the same from SQLite and from a running PostgreSQL server.

The server's clock stands in Tokyo, so that a time that is read in the server's zone would show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pytest

from syncer.engine import columns
from syncer.engine.connection import connect
from syncer.errors import SourceError
from syncer.manifest import models
from syncer.sources.registry import source
from tests.fakes import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from syncer.sources.database import DatabaseSource
    from syncer.sources.protocol import Source

PEOPLE = {
    "id": "integer",
    "email": "text",
    "score": "float",
    "amount": "decimal",
    "vip": "boolean",
    "born": "date",
    "seen": "moment",
}
KINDS = {
    "sqlite": "id INTEGER, email TEXT, score REAL, amount TEXT, vip INTEGER, born TEXT, seen TEXT",
    "postgresql": "id bigint, email text, score float8, amount numeric, vip boolean, born date, seen timestamptz",
}
ROWS = """
    INSERT INTO people VALUES
    (9223372036854775807, 'Zoë 😀 日本', 0.1, '12345678901234567890.123456789012345678', '1',
     '2024-02-29', '2024-01-02 03:04:05.123456+02:00'),
    (-1, '', -1e300, '-0.000000000000000001', '0', '0001-01-01', '1969-12-31 23:59:59Z'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""
ORDERED = "SELECT * FROM people ORDER BY id DESC NULLS LAST"


@dataclass(frozen=True, slots=True)
class Database:
    """A database with the table `people`, by its address."""

    scheme: str
    url: str

    def source(self, sql: str, url: str = "", **kinds: str) -> Source:
        """Return the source of a query."""
        declared = models.Source(database=url or self.url, sql=sql, columns=kinds)  # type: ignore[arg-type]
        return source("people", declared, (), {})


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[postgres.Server]:
    with postgres.running() as server:
        yield server


@pytest.fixture(name="database", params=list(KINDS))
def _database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        url, driver, at = f"sqlite:///{tmp_path / 'people.db'}", adbc_driver_sqlite.dbapi, str(tmp_path / "people.db")
    else:
        url = at = request.getfixturevalue("server").url()
        driver = adbc_driver_postgresql.dbapi
    with driver.connect(at) as connection, connection.cursor() as cursor:
        for statement in ("DROP TABLE IF EXISTS people", f"CREATE TABLE people ({KINDS[request.param]})", ROWS):
            cursor.execute(statement)
        connection.commit()
    return Database(request.param, url)


def read(made: Source, folder: Path) -> tuple[list[tuple[str | None, ...]], str]:
    """Return the rows as their declarations mean them, as text, and the fingerprint."""
    with connect(folder) as connection:
        relation = made.open(connection)
        assert relation.columns == made.columns()
        typed, _ = columns.select(f"({relation.sql})", relation.columns, may_hold_nul=relation.may_hold_nul)
        cells = f'SELECT CAST(COLUMNS(* EXCLUDE ("{columns.FLAW}")) AS VARCHAR) FROM ({typed})'
        rows = connection.execute(cells).fetchall()
        [(broken,)] = connection.execute(f'SELECT count(*) FROM ({typed}) WHERE "{columns.FLAW}" <> 0').fetchall()
        assert broken == 0
        return rows, relation.finish(len(rows))


def test_every_type_keeps_its_value(database: Database, tmp_path: Path) -> None:
    """Large numbers keep their digits, times become UTC, text keeps every letter, and null stays null."""
    rows, _ = read(database.source(ORDERED, **PEOPLE), tmp_path)
    assert rows == [
        (
            "9223372036854775807",
            "Zoë 😀 日本",
            "0.1",
            "12345678901234567890.123456789012345678",
            "true",
            "2024-02-29",
            "2024-01-02 01:04:05.123456",
        ),
        ("-1", "", "-1e+300", "-0.000000000000000001", "false", "0001-01-01", "1969-12-31 23:59:59"),
        (None,) * 7,
    ]


def test_the_fingerprint_is_of_the_rows_in_their_order(database: Database, tmp_path: Path) -> None:
    """The same rows have the same fingerprint at every reading, in another order another one."""
    first, again, other = (
        read(database.source(f"SELECT id, email FROM people ORDER BY id {order}"), tmp_path)[1]
        for order in ("DESC", "DESC", "ASC")
    )
    assert first == again != other


def test_no_rows_are_an_empty_source(database: Database, tmp_path: Path) -> None:
    """A query without rows is no error and keeps its columns."""
    made = database.source("SELECT id, email FROM people WHERE id = 5", id="integer")
    assert read(made, tmp_path)[0] == []
    assert [each.name for each in made.columns()] == ["id", "email"]


def test_a_number_as_cursor_is_pushed_into_the_query(database: Database, tmp_path: Path) -> None:
    """Rows at the cursor come, and those without a value; those before it never leave the database."""
    whole = cast(
        "DatabaseSource", database.source("SELECT id FROM people ORDER BY id NULLS FIRST -- all", id="integer")
    )
    for since, rows in (("-2", 3), ("-1", 3), ("0", 2), ("9223372036854775807", 2)):
        found, _ = read(replace(whole, cursor="id", since=since), tmp_path)
        assert (since, len(found)) == (since, rows)


@pytest.mark.parametrize(
    ("since", "seconds"),
    [("2024-01-02 01:04:05.123456", 1), ("2024-01-02 01:04:05.123457", 0), ("1969-12-31 23:59:59", 2)],
)
def test_a_moment_as_cursor_is_pushed_where_the_database_has_moments(
    database: Database, tmp_path: Path, since: str, seconds: int
) -> None:
    """To the microsecond and in UTC, whatever zone the server stands in; SQLite has texts, and gives all of them."""
    whole = cast("DatabaseSource", database.source("SELECT id, seen FROM people ORDER BY id", id="integer"))
    found, _ = read(replace(whole, cursor="seen", since=since), tmp_path)
    assert len(found) == (3 if database.scheme == "sqlite" else seconds + 1)


def test_a_cursor_that_is_declared_as_another_type_is_left_to_the_scan(database: Database, tmp_path: Path) -> None:
    """A number that is read as a moment has another order in the database."""
    whole = cast("DatabaseSource", database.source("SELECT id FROM people ORDER BY id", id="integer"))
    found, _ = read(replace(whole, cursor="id", since="2024-01-02 00:00:00"), tmp_path)
    assert len(found) == 3


def test_many_rows_come_in_their_order(database: Database, tmp_path: Path) -> None:
    """A result of many pieces is read to its end."""
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000) SELECT i FROM n ORDER BY i"
    )
    rows, _ = read(database.source(numbers, i="integer"), tmp_path)
    assert [rows[0], rows[-1], len(rows)] == [("1",), ("150000",), 150_000]


def test_a_query_may_end_in_a_comment(database: Database, tmp_path: Path) -> None:
    """What the drivers write around a query is not lost in its last line."""
    assert read(database.source("SELECT 1 AS one -- the loneliest"), tmp_path)[0] == [("1",)]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC email FROM people", "S120"),
        ("SELECT 1; DROP TABLE people", "S120"),
        ("DELETE FROM people", "S120"),
        ("SELECT email INTO others FROM people", "S120"),
        ("SELECT nope FROM people", "S122"),
        ("SELECT email FROM nowhere", "S122"),
        ("SELECT email AS a, id AS a FROM people", "S107"),
    ],
)
def test_a_bad_query_has_a_code_and_shows_no_words_of_the_server(
    database: Database, tmp_path: Path, sql: str, code: str
) -> None:
    """Errors name the source; the server's own words, which quote the query and its rows, stay out."""
    with pytest.raises(SourceError) as caught:
        read(database.source(sql), tmp_path)
    assert caught.value.code == code
    assert "nope" not in str(caught.value)


def test_a_query_that_fails_at_a_row_does_not_quote_it(server: postgres.Server, tmp_path: Path) -> None:
    """A failure in the middle of a result is an error of the source, and no cell stands in it."""
    cell = "CASE WHEN i < 90000 THEN '1' ELSE 'ada@example.com' END"
    sql = f"SELECT CAST({cell} AS integer) AS score FROM generate_series(1, 100000) AS n(i)"
    with pytest.raises(SourceError) as caught:
        read(Database("postgresql", server.url()).source(sql), tmp_path)
    assert caught.value.code == "S122"
    assert "ada" not in f"{caught.value}{caught.value.__cause__}"


def test_a_function_cannot_change_data(server: postgres.Server, tmp_path: Path) -> None:
    """The server itself refuses what a SELECT would write."""
    with (
        adbc_driver_postgresql.dbapi.connect(server.url()) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE SEQUENCE turns")
        connection.commit()
    with pytest.raises(SourceError, match="S122"):
        read(Database("postgresql", server.url()).source("SELECT nextval('turns') AS turn"), tmp_path)


@pytest.mark.parametrize(
    "value", ["inet '127.0.0.1'", "bytea 'abc'", "'1 2'::tsvector", "date 'infinity'", "timestamptz '-infinity'"]
)
def test_what_has_no_form_is_refused(server: postgres.Server, tmp_path: Path, value: str) -> None:
    """Neither raw bytes nor an endless day would mean to a target what they mean to the server."""
    with pytest.raises(SourceError, match="S123"):
        read(Database("postgresql", server.url()).source(f"SELECT 1 AS id, {value} AS given"), tmp_path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("inet '127.0.0.1'::text", "127.0.0.1/32"),
        ("uuid '3f2504e0-4f89-11d3-9a0c-0305e82c3301'", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("jsonb '{\"a\":1}'", '{"a": 1}'),
        ("array['a', 'b']", "[a, b]"),
        ("time '01:02:03'", "01:02:03"),
        ("numeric 'NaN'", "nan"),
    ],
)
def test_other_types_are_text(server: postgres.Server, tmp_path: Path, value: str, text: str) -> None:
    """A type that no column can be declared as reads as text."""
    rows, _ = read(Database("postgresql", server.url()).source(f"SELECT {value} AS given"), tmp_path)
    assert rows == [(text,)]


def test_a_wrong_password_is_refused_and_not_shown(server: postgres.Server, tmp_path: Path) -> None:
    """The server asks for the password, and neither a right nor a wrong one stands in the error."""
    with pytest.raises(SourceError) as caught:
        read(Database("postgresql", server.url("wr0ng")).source("SELECT 1 AS one"), tmp_path)
    assert caught.value.code == "S122"
    said = f"{caught.value}{caught.value.__cause__}"
    assert "wr0ng" not in said
    assert server.password not in said
    assert str(server.folder) not in said


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://owner:pa55@/postgres?host=/nowhere", "S122"),
        ("postgresql://owner:pa55@127.0.0.1:1/postgres", "S122"),
        ("postgresql://owner:pa55℀@host/postgres", "S121"),
        ("postgresql://owner:pa55@[::1/postgres", "S121"),
        ("sqlite:////nowhere/pa55.db", "S122"),
        ("oracle://owner:pa55@host/x", "S121"),
    ],
)
def test_no_server_is_an_error_without_the_address(tmp_path: Path, url: str, code: str) -> None:
    """An address that leads nowhere, or is none, is not quoted."""
    with pytest.raises(SourceError) as caught:
        read(Database("", url).source("SELECT 1 AS one"), tmp_path)
    assert caught.value.code == code
    assert "pa55" not in f"{caught.value}{caught.value.__cause__}"


def test_a_column_of_several_types_is_read_as_text(tmp_path: Path) -> None:
    """SQLite types values: many rows are looked at before a column has a type, and null has none."""
    path = tmp_path / "mixed.db"
    with adbc_driver_sqlite.dbapi.connect(str(path)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE mixed AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
            "SELECT i, CASE WHEN i > 4999 THEN 'last' WHEN i > 4998 THEN i END AS cell FROM n"
        )
        connection.commit()
    made = Database("sqlite", f"sqlite:///{path}").source("SELECT cell FROM mixed ORDER BY i")
    assert read(made, tmp_path)[0][-3:] == [(None,), ("4999",), ("last",)]
