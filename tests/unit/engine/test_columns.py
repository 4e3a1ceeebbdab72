"""A declared type means the same for text and for the types of databases and Parquet, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from syncer.engine import columns
from syncer.engine.connection import connect
from syncer.manifest.models import ColumnType
from syncer.sources.protocol import SourceColumn

ZONED = "TIMESTAMP WITH TIME ZONE"


@pytest.fixture(name="engine", scope="module")
def _engine(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    return connect(tmp_path_factory.mktemp("engine"), threads=1)


def read(engine: duckdb.DuckDBPyConnection, kind: ColumnType, value: str, form: str | None = None) -> tuple[str, str]:
    """Return a value of the engine, read as the declared type and printed, and the code of its flaw."""
    [(raw,)] = engine.execute(f"SELECT typeof({value})").fetchall()
    column = SourceColumn("a", kind, str(raw), form)
    select, flaws = columns.select(f"(SELECT {value} AS a)", [column], may_hold_nul=False)
    [(text, flaw)] = engine.execute(f'SELECT CAST(a AS VARCHAR), "{columns.FLAW}" FROM ({select})').fetchall()
    return text, flaws[flaw - 1].code if flaw else ""


TEXT, WHOLE, EXACT, FLOAT = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.FLOAT
FLAG, DAY, LOCAL, MOMENT = ColumnType.BOOLEAN, ColumnType.DATE, ColumnType.DATETIME, ColumnType.MOMENT


@pytest.mark.parametrize(
    ("kind", "value", "read_as"),
    [
        (LOCAL, "'2024-07-01 12:00:00'", "2024-07-01 12:00:00"),
        (LOCAL, "TIMESTAMP '2024-07-01 12:00:00'", "2024-07-01 12:00:00"),
        (LOCAL, "CAST('2024-07-01 12:00:00' AS TIMESTAMP_NS)", "2024-07-01 12:00:00"),
        (LOCAL, "DATE '2024-07-01'", "2024-07-01 00:00:00"),
        (MOMENT, "'2024-07-01T12:00:00+02:00'", "2024-07-01 10:00:00"),
        (MOMENT, "'2024-07-01 12:00Z'", "2024-07-01 12:00:00"),
        (MOMENT, f"CAST('2024-07-01 12:00:00+02' AS {ZONED})", "2024-07-01 10:00:00"),
        (TEXT, f"CAST('2024-07-01 12:00:00.5+02' AS {ZONED})", "2024-07-01T10:00:00.5Z"),
        (TEXT, "1.10::DECIMAL(9, 2)", "1.10"),
        (TEXT, "9007199254740993", "9007199254740993"),
        (DAY, "TIMESTAMP '2024-07-01 00:00:00'", "2024-07-01"),
        (WHOLE, "3::DOUBLE", "3"),
        (WHOLE, "3.00::DECIMAL(9, 2)", "3"),
        (WHOLE, "true", "1"),
        (EXACT, "0.1::DOUBLE", "0.100000000000000000"),
        (EXACT, "0.1::FLOAT", "0.100000000000000000"),
        (EXACT, "12::INTEGER", "12.000000000000000000"),
        (FLOAT, "0.1::FLOAT", "0.1"),
        (FLOAT, "12::INTEGER", "12.0"),
        (FLAG, "1::INTEGER", "true"),
        (FLAG, "0::BIGINT", "false"),
    ],
)
def test_a_value_keeps_what_it_says(
    engine: duckdb.DuckDBPyConnection, kind: ColumnType, value: str, read_as: str
) -> None:
    """Text and the engine's own values of one meaning are read as one value."""
    assert read(engine, kind, value) == (read_as, "")


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (LOCAL, "'2024-07-01T12:00:00Z'", "V207"),
        (LOCAL, "'2024-07-01 12:00:00+02:00'", "V207"),
        (LOCAL, f"CAST('2024-07-01 12:00:00+02' AS {ZONED})", "V207"),
        (LOCAL, "'midday'", "V201"),
        (LOCAL, "TIME '12:00:00'", "V201"),
        (MOMENT, "'2024-07-01 12:00:00'", "V208"),
        (MOMENT, "'2024-07-01'", "V208"),
        (MOMENT, "TIMESTAMP '2024-07-01 12:00:00'", "V208"),
        (MOMENT, "DATE '2024-07-01'", "V208"),
        (MOMENT, "'midday'", "V201"),
        (MOMENT, "42", "V201"),
        (DAY, f"CAST('2024-07-01 00:00:00+00' AS {ZONED})", "V201"),
        (DAY, "TIMESTAMP '2024-07-01 12:00:00'", "V201"),
        (WHOLE, "1.5::DOUBLE", "V201"),
        (WHOLE, "2.5::DECIMAL(9, 2)", "V201"),
        (WHOLE, "'nan'::DOUBLE", "V201"),
        (WHOLE, "1e300::DOUBLE", "V201"),
        (EXACT, "1e-30::DOUBLE", "V201"),
        (EXACT, "'inf'::DOUBLE", "V201"),
        (FLAG, "2::INTEGER", "V201"),
    ],
)
def test_a_value_that_would_lose_something_is_refused(
    engine: duckdb.DuckDBPyConnection, kind: ColumnType, value: str, code: str
) -> None:
    """No zone is guessed or dropped, no fraction cut, no time of day forgotten: the row is a reject."""
    assert read(engine, kind, value) == (None, code)


@pytest.mark.parametrize(
    ("kind", "form", "value", "read_as"),
    [
        (LOCAL, "%d.%m.%Y %H:%M", "'1.7.2024 12:00'", "2024-07-01 12:00:00"),
        (MOMENT, "%d.%m.%Y %H:%M %z", "'1.7.2024 12:00 +0200'", "2024-07-01 10:00:00"),
        (DAY, "%d.%m.%Y", "'1.7.2024'", "2024-07-01"),
    ],
)
def test_a_form_of_its_own(
    engine: duckdb.DuckDBPyConnection, kind: ColumnType, form: str, value: str, read_as: str
) -> None:
    """A declared form is read, and nothing else; a moment's form reads its offset."""
    assert read(engine, kind, value, form) == (read_as, "")
    assert read(engine, kind, "'2024-07-01 12:00:00'", form) == (None, "V201")


def test_parquet_moments_do_not_shift(engine: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A Parquet column of moments is read as moments, and refused as times without a zone."""
    path = tmp_path / "a.parquet"
    engine.execute(f"COPY (SELECT CAST('2024-07-01 12:00:00+02' AS {ZONED}) AS a) TO '{path}'")
    [(_, raw, *_)] = engine.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    for kind, expected in ((MOMENT, ("2024-07-01 10:00:00", 0)), (LOCAL, (None, 1))):
        select, _ = columns.select(f"'{path}'", [SourceColumn("a", kind, raw)], may_hold_nul=False)
        assert engine.execute(f'SELECT CAST(a AS VARCHAR), "{columns.FLAW}" FROM ({select})').fetchall() == [expected]
