"""Compares accepted rows with what was last confirmed.

A row is unchanged when the ledger holds its key with its row hash. A key that stands several times is unchanged only
as a whole: the ledger holds one hash over the row hashes in order, and any difference in the sequence sends all of it
again, because what the target holds is the result of the sequence and not of its last row. Where records must have a
name, so that they can be deleted one day, a row whose record has none is not unchanged either.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from syncer.engine import sql
from syncer.engine.chain import KEY
from syncer.engine.connection import count

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

SEQUENCE = "CAST(md5_number(string_agg(CAST(rh AS VARCHAR), ',' ORDER BY turn)) >> 64 AS UBIGINT)"
"""One hash for a key's rows in order of their turns."""


_GONE = (*KEY.split(", "), "name")


class Naming(StrEnum):
    """What the state calls a record, so that it can be deleted when its key left."""

    NONE = ""
    KEY = "key"
    """Its key, which is the vendor's id."""
    LEARNT = "learnt"
    """The vendor's id, learnt when it was written."""
    ONCE = "once"
    """As `LEARNT`, but a row is not sent again to learn it: that would create a second record."""


@dataclass(frozen=True, slots=True)
class Known:
    """A ledger was there; `gone` keys of it have left the source."""

    gone: int


def compare(
    connection: duckdb.DuckDBPyConnection, ledger: Path | None, *, only_changed: bool, naming: Naming = Naming.NONE
) -> Known | None:
    """Make the table `unchanged` (position); None without a ledger. With one, the table `gone` holds what left."""
    if ledger is None:
        connection.execute("CREATE TEMP TABLE unchanged (position BIGINT)")
        return None
    name = "name" if "name" in pq.read_schema(ledger).names else "NULL::VARCHAR AS name"
    connection.execute(f"CREATE TEMP VIEW ledger AS SELECT {KEY}, rh, {name} FROM {sql.parquet(ledger)}")
    must_be_named = naming in {Naming.KEY, Naming.LEARNT}
    is_equal = "flaw = 0 AND source.rh = ledger.rh" if only_changed else "false"
    if must_be_named:
        is_equal += " AND name IS NOT NULL"
    # One join tells both: a row of the ledger finds the rows that say the same, or no row at all, in any order.
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(
        f"""
        CREATE TEMP TABLE unchanged AS
        SELECT position, {", ".join(f"CASE WHEN position IS NULL THEN {each} END AS {each}" for each in _GONE)}
        FROM (SELECT position, {KEY}, rh, flaw FROM rows WHERE kh_high IS NOT NULL) AS source
        RIGHT JOIN ledger USING ({KEY}) WHERE position IS NULL OR {is_equal}
        """
    )
    connection.execute("SET preserve_insertion_order = true")
    connection.execute(f"CREATE TEMP TABLE gone AS SELECT {', '.join(_GONE)} FROM unchanged WHERE position IS NULL")
    connection.execute(
        """
        DELETE FROM unchanged WHERE position IS NULL OR position IN (
            SELECT position FROM again UNION ALL SELECT position FROM skipped UNION ALL SELECT position FROM refused)
        """
    )
    if only_changed:
        believed = f"(FROM ledger {'WHERE name IS NOT NULL' if must_be_named else ''})"
        connection.execute(
            f"""
            INSERT INTO unchanged (position) SELECT position FROM again SEMI JOIN (
                SELECT {KEY} FROM (SELECT {KEY}, {SEQUENCE} AS rh FROM again GROUP BY {KEY})
                SEMI JOIN {believed} USING ({KEY}, rh)
            ) USING ({KEY})
            """
        )
    return Known(count(connection, "SELECT count(*) FROM gone"))


def known_keys(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many outgoing keys the ledger holds; every outgoing key stands once in the first wave."""
    return count(connection, f'SELECT count(*) FROM "first" SEMI JOIN ledger USING ({KEY})')
