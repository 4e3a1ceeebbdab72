"""Compares accepted rows with what was last confirmed.

A row is unchanged when the ledger holds its key with its row hash. A key that stands several times is unchanged only
as a whole: the ledger holds one hash over the row hashes in order, and any difference in the sequence sends all of it
again, because what the target holds is the result of the sequence and not of its last row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.engine.chain import KEY
from syncer.engine.connection import count

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

SEQUENCE = "CAST(md5_number(string_agg(CAST(rh AS VARCHAR), ',' ORDER BY turn)) >> 64 AS UBIGINT)"
"""One hash for a key's rows in order of their turns."""


@dataclass(frozen=True, slots=True)
class Known:
    """A ledger was there; `gone` keys of it have left the source."""

    gone: int


def compare(connection: duckdb.DuckDBPyConnection, ledger: Path | None, *, only_changed: bool) -> Known | None:
    """Make the table `unchanged` (position); None without a ledger."""
    connection.execute("CREATE TEMP TABLE unchanged (position BIGINT)")
    if ledger is None:
        return None
    connection.execute(f"CREATE TEMP VIEW ledger AS SELECT {KEY}, rh FROM {sql.parquet(ledger)}")
    if only_changed:
        connection.execute(
            f"""
            INSERT INTO unchanged SELECT position FROM (
                SELECT position, {KEY}, rh FROM accepted SEMI JOIN ledger USING ({KEY}, rh)
            ) ANTI JOIN (
                SELECT position FROM again UNION ALL SELECT position FROM skipped UNION ALL SELECT position FROM refused
            ) USING (position)
            """
        )
        connection.execute(
            f"""
            INSERT INTO unchanged SELECT position FROM again SEMI JOIN (
                SELECT {KEY} FROM (SELECT {KEY}, {SEQUENCE} AS rh FROM again GROUP BY {KEY})
                SEMI JOIN ledger USING ({KEY}, rh)
            ) USING ({KEY})
            """
        )
    gone = f"SELECT count(*) FROM ledger ANTI JOIN (SELECT {KEY} FROM rows WHERE kh_high IS NOT NULL) USING ({KEY})"
    return Known(count(connection, gone))


def known_keys(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many outgoing keys the ledger holds; every outgoing key stands once in the first wave."""
    return count(connection, f'SELECT count(*) FROM "first" SEMI JOIN ledger USING ({KEY})')
