"""Takes a few staged rows out for a person who asked to see them: those that go out, and those that were refused.

Beside payloads this is the only door by which values leave the engine. It is narrow: `ROWS` of a kind, always the same
ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.engine.chain import KEY
from syncer.engine.connection import count, write_parquet
from syncer.sample import SampleCell, SampleKind, SampleRow
from syncer.sources.protocol import ReadAgain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import duckdb

    from syncer.engine.wire import Wire
    from syncer.sources.protocol import Relation, Source

ROWS = 5
"""Rows of one kind that are shown of an operation."""

_Cells = tuple[SampleCell, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where refused rows came from: the source, the columns to show, its digest when it was staged.

    `path` is a file that the rows are read by way of; it is gone afterwards.
    """

    source: Source
    columns: tuple[str, ...]
    digest: str
    path: Path


def first(cursor: duckdb.DuckDBPyConnection, wire: Wire) -> tuple[SampleRow, ...]:
    """Return the first rows of the first wave as they would be sent."""
    found = _records(cursor, wire, f'(SELECT * FROM "first" ORDER BY position LIMIT {ROWS})')
    return tuple(SampleRow(row, SampleKind.SENT, cells) for row, cells in found.items())


def refused(cursor: duckdb.DuckDBPyConnection, origin: Origin | None) -> tuple[SampleRow, ...]:
    """Return refused rows, the first of each reason before the second of any; with cells where `origin` has them."""
    found = cursor.execute(
        f"""
        SELECT "row", code, field, reason FROM (
            SELECT *, row_number() OVER (PARTITION BY code, field ORDER BY "row", reason) AS turn FROM rejected
            ORDER BY turn, "row", code, field LIMIT {ROWS})
        ORDER BY "row", code, field
        """
    ).fetchall()
    cells = _cells_of(cursor, origin, [row for row, *_ in found]) if origin and found else {}
    return tuple(SampleRow(row, SampleKind.REJECTED, cells.get(row, ()), *why) for row, *why in found)


def held_against(
    cursor: duckdb.DuckDBPyConnection, wire: Wire, keys: frozenset[str], compared: Sequence[str], answers: str
) -> tuple[SampleRow, ...]:
    """Return new rows whole, and of changed ones the key and what differs, by the table `matched` of a look-up.

    `answers` is the SELECT of what the target holds: the hashed key, and a `value` for each `compared` field.
    """
    differs = [f"NOT same{place}" for place in range(len(compared))]
    values = ", ".join(f"value{place}" for place in range(len(compared)))
    picked = cursor.execute(
        f"""
        SELECT "row", records = 0, CAST([{", ".join(differs)}] AS BOOLEAN[]), CAST([{values}] AS VARCHAR[]) FROM (
            SELECT * FROM matched
            WHERE is_outgoing AND wave = 1 AND (records = 0 OR records = 1 AND NOT repeats AND ({sql.either(differs)}))
            QUALIFY row_number() OVER (PARTITION BY records ORDER BY "row") <= {ROWS})
        LEFT JOIN ({answers}) USING ({KEY}) ORDER BY records, "row"
        """
    ).fetchall()
    rows = ", ".join(str(row) for row, *_ in picked) or "NULL"
    sent = _records(cursor, wire, f'(SELECT * FROM "first" WHERE "row" IN ({rows}))')
    return tuple(
        SampleRow(row, SampleKind.NEW, sent[row])
        if is_new
        else SampleRow(row, SampleKind.CHANGED, _changes(sent[row], keys, zip(compared, held, is_other, strict=True)))
        for row, is_new, is_other, held in picked
    )


def _changes(sent: _Cells, keys: frozenset[str], held: Iterable[tuple[str, str | None, bool]]) -> _Cells:
    """Return the key's cells, and the cells that differ beside what the target holds."""
    values = {each.name: each.value for each in sent}
    changed = (SampleCell(name, values.get(name), was, is_changed=True) for name, was, is_other in held if is_other)
    return (*(each for each in sent if each.name in keys), *changed)


def _records(cursor: duckdb.DuckDBPyConnection, wire: Wire, rows: str) -> dict[int, _Cells]:
    """Return the cells of records in mapping order: what is carried, and what is emptied; the rest is left alone."""
    texts = ", ".join(
        f"CASE WHEN {wire.carries(position)} THEN {wire.part(each.name)} END"
        for position, each in enumerate(wire.fields)
    )
    found = cursor.execute(f'SELECT "row", {texts} FROM ({wire.parted(rows)}) ORDER BY position').fetchall()
    return {
        int(row): tuple(
            SampleCell(each.name, value)
            for each, value in zip(wire.fields, values, strict=True)
            if value is not None or each.clears
        )
        for row, *values in found
    }


def _cells_of(cursor: duckdb.DuckDBPyConnection, origin: Origin, rows: Sequence[int]) -> dict[int, _Cells]:
    """Return the origin's columns of these rows; none where it is not what it was any more."""
    try:
        relation = origin.source.open(cursor)
        known = [each.name for each in relation.columns if each.name in origin.columns]
        try:
            digest = relation.finish(_written(cursor, relation, known, origin.path))
        except ReadAgain as exact:
            relation = exact.relation
            digest = relation.finish(_written(cursor, relation, known, origin.path))
        return _picked(cursor, relation, known, rows, origin.path) if digest == origin.digest else {}
    finally:
        origin.path.unlink(missing_ok=True)


def _written(cursor: duckdb.DuckDBPyConnection, relation: Relation, columns: Sequence[str], path: Path) -> int:
    texts = ", ".join(f"CAST({sql.name(each)} AS VARCHAR) AS {sql.name(each)}" for each in columns)
    return write_parquet(cursor, f"SELECT {texts or 'NULL'} FROM ({relation.sql})", path)


def _picked(
    cursor: duckdb.DuckDBPyConnection, relation: Relation, columns: Sequence[str], rows: Sequence[int], path: Path
) -> dict[int, _Cells]:
    """Read the rows. One that could not be split into columns is numbered as the others, and is not in the file."""
    split = f'(SELECT "row" AS broken FROM ({relation.structural_rejects}))' if relation.structural_rejects else ""
    cells = {}
    for row in rows:
        if split and count(cursor, f"SELECT count(*) FROM {split} WHERE broken = {row}"):
            continue
        before = count(cursor, f"SELECT count(*) FROM {split} WHERE broken < {row}") if split else 0
        [(_, *values)] = cursor.execute(
            f"""
            SELECT file_row_number, {sql.names(columns) or "NULL"} FROM {sql.parquet(path, numbered=True)}
            WHERE file_row_number = {row - 1 - before}
            """
        ).fetchall()
        cells[row] = tuple(SampleCell(name, value) for name, value in zip(columns, values, strict=False))
    return cells
