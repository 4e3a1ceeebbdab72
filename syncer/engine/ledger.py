"""Compares accepted rows with what was last confirmed.

A row is unchanged when the ledger holds its key with its row hash. A key that stands several times is unchanged only
as a whole: the ledger holds one hash over the row hashes in order, and any difference in the sequence sends all of it
again, because what the target holds is the result of the sequence and not of its last row. Where records must have a
name, so that they can be deleted one day, a row whose record has none is not unchanged either. Beside the hash of what
was sent may stand that of the source row it came from, by which a row is known before it is mapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.engine.chain import KEY
from syncer.engine.connection import count

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

SEQUENCE = "CAST(md5_number(string_agg(CAST(rh AS VARCHAR), ',' ORDER BY turn)) >> 64 AS UBIGINT)"
"""One hash for a key's rows in order of their turns."""


HASH = "sh"
"""The column with the hash of the source row and all that was done with it; null where several rows made a record."""
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
class Ledger:
    """What was last confirmed, which the view `ledger` shows: key, row hash, name and source hash."""

    has_hashes: bool
    """Whether it may hold source hashes: one that an older version wrote holds none."""
    needs_names: bool
    """Whether a row is to be sent as long as its record has no name."""

    @property
    def is_named(self) -> str:
        """The condition that a key needs no sending for the sake of its record's name."""
        return "name IS NOT NULL" if self.needs_names else "true"


def view(connection: duckdb.DuckDBPyConnection, path: Path, naming: Naming = Naming.NONE) -> Ledger:
    """Make the view `ledger` of the file."""
    import pyarrow.parquet as pq

    there = pq.read_schema(path).names
    name = "name" if "name" in there else "NULL::VARCHAR AS name"
    told = HASH if HASH in there else f"NULL::UBIGINT AS {HASH}"
    connection.execute(f"CREATE TEMP VIEW ledger AS SELECT {KEY}, rh, {name}, {told} FROM {sql.parquet(path)}")
    return Ledger(HASH in there, naming in {Naming.KEY, Naming.LEARNT})


def match(connection: duckdb.DuckDBPyConnection, rows: str, is_equal: str, table: str) -> None:
    """Make `table` of the positions of equal rows, and the table `gone` of the ledger's keys that no row has."""
    # One join tells both: a row of the ledger finds the rows that say the same, or no row at all, in any order.
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE matched AS
        SELECT position, {", ".join(f"CASE WHEN position IS NULL THEN {each} END AS {each}" for each in _GONE)}
        FROM (SELECT * FROM ({rows}) WHERE kh_high IS NOT NULL) AS source
        RIGHT JOIN ledger USING ({KEY}) WHERE position IS NULL OR {is_equal}
        """
    )
    connection.execute("SET preserve_insertion_order = true")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE gone AS SELECT {', '.join(_GONE)} FROM matched WHERE position IS NULL"
    )
    connection.execute("DELETE FROM matched WHERE position IS NULL")
    connection.execute(f"ALTER TABLE matched RENAME TO {table}")


def compare(
    connection: duckdb.DuckDBPyConnection, ledger: Ledger | None, *, only_changed: bool, has_told_gone: bool = False
) -> None:
    """Make the table `unchanged` (position), and the table `gone` of keys that left unless it was told before."""
    if ledger is None:
        connection.execute("CREATE TEMP TABLE unchanged (position BIGINT)")
        return
    rows = f"SELECT position, {KEY}, rh, flaw FROM rows"
    is_equal = f"flaw = 0 AND source.rh = ledger.rh AND {ledger.is_named}" if only_changed else "false"
    if has_told_gone:
        connection.execute(
            f"CREATE TEMP TABLE unchanged AS SELECT position FROM ({rows}) AS source JOIN ledger USING ({KEY}) "
            f"WHERE {is_equal}"
        )
    else:
        match(connection, rows, is_equal, "unchanged")
    connection.execute(
        """
        DELETE FROM unchanged WHERE position IN (
            SELECT position FROM again UNION ALL SELECT position FROM skipped UNION ALL SELECT position FROM refused)
        """
    )
    if only_changed:
        believed = f"(FROM ledger WHERE {ledger.is_named})"
        connection.execute(
            f"""
            INSERT INTO unchanged (position) SELECT position FROM again SEMI JOIN (
                SELECT {KEY} FROM (SELECT {KEY}, {SEQUENCE} AS rh FROM again GROUP BY {KEY})
                SEMI JOIN {believed} USING ({KEY}, rh)
            ) USING ({KEY})
            """
        )


def known_keys(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many outgoing keys the ledger holds; every outgoing key stands once in the first wave."""
    return count(connection, f'SELECT count(*) FROM "first" SEMI JOIN ledger USING ({KEY})')
