"""Tells, before anything is mapped, which rows of a source are as they were when they were last confirmed.

What becomes of a row follows from its cells and from the one statement that takes them, so a hash over both stands for
the outcome. A row is the same where the ledger has its key with that hash and its key stands once in the source; all
others are mapped. Hands on the view of those others, the table `gone` of keys that left, and counts.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import duckdb

from syncer.engine import columns, ledger, sql
from syncer.engine.chain import KEY
from syncer.engine.connection import count, write_parquet
from syncer.engine.ledger import HASH
from syncer.sources.protocol import POSITION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from syncer.capability import PayloadFormat
    from syncer.engine.ledger import Ledger
    from syncer.mapping.pipeline import Pipeline
    from syncer.sources.protocol import Relation, SourceColumn

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_EXACT = frozenset(("VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", *_WHOLE))
"""Types of which two values never share a hash for being called equal, as 0.0 and -0.0 do, which print otherwise."""
_PRINTED = frozenset(("FLOAT", "DOUBLE"))
SOURCE_HASH = " sh"
"""Column with the hash of the source row; no header can be called so."""
CARRIED = (POSITION, SOURCE_HASH)


def can_tell(pipeline: Pipeline, relation: Relation, used: Sequence[SourceColumn], *, has_cursor: bool) -> bool:
    """Return whether a row's outcome follows from its own cells alone, and the source can be scanned twice."""
    return (
        bool(relation.numbered and used)
        and not (pipeline.lookups or pipeline.functions or has_cursor or columns.unique(used))
        and all(each.raw in _EXACT | _PRINTED or each.raw.startswith("DECIMAL(") for each in used)
    )


def view(connection: duckdb.DuckDBPyConnection, relation: Relation, used: Sequence[SourceColumn]) -> str:
    """Make the view of the source rows with their positions and hashes; those found to be the same leave it."""
    for each in ("statement", "same"):
        connection.execute(f"RESET VARIABLE {each}")
    cells = ", ".join(
        f"CAST({sql.name(each.name)} AS VARCHAR)" if each.raw in _PRINTED else sql.name(each.name) for each in used
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW "source rows" AS
        SELECT *, hash(getvariable('statement'), {cells}) AS {sql.name(SOURCE_HASH)} FROM ({relation.numbered})
        WHERE getvariable('same') IS NULL OR get_bit(getvariable('same'), CAST({sql.name(POSITION)} AS INTEGER)) = 0
        """
    )
    return '"source rows"'


def bind(
    connection: duckdb.DuckDBPyConnection,
    pipeline: Pipeline,
    used: Sequence[SourceColumn],
    statement: str,
    formats: Mapping[str, PayloadFormat],
) -> None:
    """Let the hashes be of all that decides beside the cells: statement, macros, types, formats, and the engine."""
    parts = (statement, *pipeline.setup, *(f"{each.name} {each.raw}" for each in used), *map(repr, formats.values()))
    whole = hashlib.sha256("\0".join((duckdb.__version__, *parts)).encode()).hexdigest()
    connection.execute(f"SET VARIABLE statement = {sql.text(whole)}")


def named(rows: str, *, is_numbered: bool) -> str:
    """Return the SELECT of what is staged with the hashes under their own name; numbered where rows are left out."""
    position, told = map(sql.name, CARRIED)
    numbers = f'{position} AS position, {position} + 1 AS "row", ' if is_numbered else ""
    return f"SELECT {numbers}{told} AS {HASH}, * EXCLUDE ({position}, {told}) FROM ({rows})"


def find(connection: duckdb.DuckDBPyConnection, rows: str, known: Ledger, path: Path) -> int:
    """Take the rows that are the same out of the view, and return how many they are.

    `rows` is the SELECT of all that is staged, of which hashes alone are taken; `path` a file to write them down in.
    """
    position, told = map(sql.name, CARRIED)
    write_parquet(connection, f"SELECT {position} AS position, {told} AS {HASH}, {KEY} FROM ({rows})", path)
    narrow = sql.parquet(path)
    is_equal = f"source.{HASH} = ledger.{HASH} AND {known.is_named}"
    ledger.match(connection, f"SELECT * FROM {narrow}", is_equal, "same")
    connection.execute(
        f"""
        DELETE FROM same WHERE position IN (
            SELECT position FROM {narrow} SEMI JOIN
            (SELECT {KEY} FROM {narrow} WHERE kh_high IS NOT NULL GROUP BY ALL HAVING count(*) > 1) USING ({KEY}))
        """
    )
    last = count(connection, f"SELECT max(position) FROM {narrow}")
    connection.execute(f"SET VARIABLE same = (SELECT bitstring_agg(CAST(position AS INTEGER), 0, {last}) FROM same)")
    found = count(connection, "SELECT count(*) FROM same")
    connection.execute("DROP TABLE same")
    path.unlink()
    return found
