"""Keys that left a source: told from the ledger, named by the vendor's ids, forgotten once their records are gone.

A key left only where every row's key can be read and no other operation still sends it. What cannot be named, or may
belong to somebody who stays, is counted and never handed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from syncer.engine import sql
from syncer.engine.chain import KEY
from syncer.engine.connection import count, write_parquet
from syncer.errors import BugError
from syncer.facts import GoneFacts
from syncer.outcome import Outcome
from syncer.sources.protocol import Relation, SourceColumn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from syncer.engine.layout import Layout
    from syncer.errors import SourceError

_DONE = tuple(
    each.letter for each in (Outcome.CREATED, Outcome.UPDATED, Outcome.WRITTEN, Outcome.UNCHANGED, Outcome.SKIPPED)
)
"""Deleted, or found to be gone already."""
_NOTHING = (
    "(SELECT NULL::UBIGINT AS kh_high, NULL::UBIGINT AS kh_low, NULL::VARCHAR AS name, false AS is_shared WHERE false)"
)


def keep(connection: duckdb.DuckDBPyConnection, files: Layout) -> None:
    """Write down the keys that left, with what the state calls their records.

    `is_shared` where a key that stays names the same record: its key was changed in the target and in the source.
    """
    write_parquet(
        connection,
        f"""
        SELECT {KEY}, name, coalesce(name IN (
            SELECT name FROM ledger ANTI JOIN gone USING ({KEY}) WHERE name IS NOT NULL), false) AS is_shared
        FROM gone ORDER BY {KEY}
        """,
        files.gone,
    )


def unreadable(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many rows have no key that can be read; each may be a row of any key that seems to have left."""
    blank = count(connection, "SELECT count(*) FROM rows WHERE kh_high IS NULL")
    return blank + count(connection, "SELECT count(*) FROM broken")


def keys_of(ledger: Path) -> pa.RecordBatchReader:
    """Return the keys that a ledger holds, as (kh_high, kh_low)."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(ledger)
    columns = KEY.split(", ")
    schema = pa.schema([file.schema_arrow.field(each) for each in columns])
    return pa.RecordBatchReader.from_batches(schema, file.iter_batches(columns=columns))


def settle(  # noqa: PLR0913, PLR0917 - all of them decide
    cursor: duckdb.DuckDBPyConnection,
    gone: Path,
    unreadable_rows: int,
    others: Mapping[str, pa.RecordBatchReader],
    blind: Sequence[str],
    path: Path,
) -> GoneFacts:
    """Write to `path` the records to delete, and return what becomes of all keys that left.

    `others` are the keys that other operations of the same key space send or have sent.
    """
    with cursor:
        first = (
            "'unsure'" if unreadable_rows else "CASE WHEN name IS NULL THEN 'unnamed' WHEN is_shared THEN 'shared' END"
        )
        left = sql.parquet(gone) if gone.exists() else _NOTHING
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE leaving AS SELECT {KEY}, name, {first} AS why FROM {left}")
        held = []
        for name, keys in others.items():
            cursor.register("others", keys)
            [(found,)] = cursor.execute(
                f"UPDATE leaving SET why = 'held' WHERE why IS NULL AND ({KEY}) IN (SELECT ({KEY}) FROM others)"
            ).fetchall()
            cursor.unregister("others")
            held += [(name, int(found))] if found else []
        cursor.execute(
            "UPDATE leaving SET why = 'shared' "
            "WHERE why IS NULL AND name IN (SELECT name FROM leaving WHERE why = 'held')"
        )
        write_parquet(
            cursor,
            f'SELECT dense_rank() OVER (ORDER BY name) AS "row", {KEY}, name FROM leaving WHERE why IS NULL '
            f'ORDER BY "row", {KEY}',
            path,
        )
        counts = dict(cursor.execute("SELECT why, count(*) FROM leaving WHERE why IS NOT NULL GROUP BY why").fetchall())
        deleted = count(cursor, f"SELECT count(DISTINCT name) FROM {sql.parquet(path)}")
    return GoneFacts(
        deleted=deleted,
        unnamed=counts.get("unnamed", 0),
        shared=counts.get("shared", 0),
        held=tuple(held),
        unsure=counts.get("unsure", 0),
        unreadable=unreadable_rows,
        blind=tuple(blind) if deleted else (),
    )


@dataclass(frozen=True, slots=True)
class GoneRows:
    """A source of the records to delete, one id a row. `source_digest` is that of the source they left."""

    name: str
    column: SourceColumn
    path: Path
    source_digest: str

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the one column."""
        return (self.column,)

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Return the scan."""
        del connection
        rows = f'SELECT DISTINCT "row", name FROM {sql.parquet(self.path)}'
        ids = f'SELECT name AS {sql.name(self.column.name)} FROM ({rows}) ORDER BY "row"'
        return Relation(ids, self.columns(), lambda _rows: self.source_digest, _explain, may_hold_nul=False)


def _explain(_error: duckdb.Error) -> SourceError:
    raise BugError("S190", "The ids of records that left a source could not be read.")


def forgotten(cursor: duckdb.DuckDBPyConnection, left: Path, path: Path) -> int:
    """Write the keys whose records are deleted, for the ledger to forget; `outcomes` tells which; return how many."""
    done = ", ".join(sql.text(each) for each in _DONE)
    return write_parquet(
        cursor,
        f'SELECT {KEY}, NULL::UBIGINT AS rh FROM {sql.parquet(left)} JOIN outcomes USING ("row") '
        f"WHERE letter IN ({done}) ORDER BY {KEY}",
        path,
    )


def written_again(cursor: duckdb.DuckDBPyConnection, left: Path, learnt: pa.Table) -> int:
    """Return how many records to delete have ids that were learnt meanwhile: they were written under another key."""
    cursor.register("learnt", learnt)
    try:
        return count(cursor, f"SELECT count(DISTINCT name) FROM {sql.scan(left)} SEMI JOIN learnt USING (name)")
    finally:
        cursor.unregister("learnt")
