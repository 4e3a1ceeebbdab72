"""Incremental reads: the rows at a cursor and after it, and where the next read may begin.

The cursor never passes a row that is not in the target: it stops before the first one that was refused or not written.
Rows at the cursor's own value are read again, because others may have got it since; so are rows without a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.facts import CursorFacts
from syncer.manifest.models import ColumnType
from syncer.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

VALUE = "cursor_value"
"""The staged column of a row's cursor."""
STAMP = "cursor"
"""The member of a confirmed file's metadata that tells the ledger how far the source was read."""
_TYPES = {ColumnType.INTEGER: "BIGINT", ColumnType.DATE: "DATE"}
_SETTLED = tuple(
    each.letter for each in (Outcome.CREATED, Outcome.UPDATED, Outcome.WRITTEN, Outcome.UNCHANGED, Outcome.SKIPPED)
)


@dataclass(frozen=True, slots=True)
class Since:
    """Where a read begins. `value` "" is the start; `stamp` tells what the value is true of."""

    column: str
    type: ColumnType
    value: str = ""
    stamp: str = ""


def rest(path: Path, since: Since) -> str:
    """Return the SELECT of the rows of a file to go on with, with their `position` in it and their cursor."""
    column = sql.name(since.column)
    value = f"CAST({sql.text(since.value)} AS {_TYPES.get(since.type, 'TIMESTAMP')})"
    after = f"WHERE {column} IS NULL OR {column} >= {value}" if since.value else ""
    return (
        f"SELECT * EXCLUDE (file_row_number), file_row_number AS position, {column} AS {VALUE} "
        f"FROM {sql.parquet(path, numbered=True)} {after}"
    )


def facts(connection: duckdb.DuckDBPyConnection, since: Since) -> CursorFacts:
    """Return how far the source was read, and how far the cursor can come with the rows that are refused already."""
    [(newest, held)] = connection.execute(
        f"""
        SELECT CAST(max({VALUE}) AS VARCHAR),
               CAST(min({VALUE}) FILTER (flaw > 0 OR position IN (SELECT position FROM refused)) AS VARCHAR) FROM rows
        """
    ).fetchall()
    return CursorFacts(since.column, since.value, held or newest or since.value, held is not None, since.stamp)


def reached(cursor: duckdb.DuckDBPyConnection, known: CursorFacts) -> str:
    """Return the cursor of the next read, after the outcomes of this one; `outcomes` holds them."""
    if not known.until:
        return ""
    [(kind,)] = cursor.execute(f"SELECT typeof(any_value({VALUE})) FROM outgoing").fetchall()
    settled = ", ".join(sql.text(each) for each in _SETTLED)
    open_rows = f"""
        SELECT {VALUE} AS value FROM outgoing LEFT JOIN outcomes USING ("row")
        WHERE coalesce(letter, '.') NOT IN ({settled}) UNION ALL SELECT CAST({sql.text(known.until)} AS {kind})
        """
    [(value,)] = cursor.execute(f"SELECT CAST(min(value) AS VARCHAR) FROM ({open_rows})").fetchall()
    return f"{known.stamp} {value}"
