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
    connection.execute("CREATE TEMP TABLE unchanged (position BIGINT)")
    if ledger is None:
        return None
    name = "name" if "name" in pq.read_schema(ledger).names else "NULL::VARCHAR AS name"
    connection.execute(f"CREATE TEMP VIEW ledger AS SELECT {KEY}, rh, {name} FROM {sql.parquet(ledger)}")
    named = "WHERE name IS NOT NULL" if naming in {Naming.KEY, Naming.LEARNT} else ""
    connection.execute(f"CREATE TEMP VIEW believed AS SELECT * FROM ledger {named}")
    if only_changed:
        connection.execute(
            f"""
            INSERT INTO unchanged SELECT position FROM (
                SELECT position, {KEY}, rh FROM accepted SEMI JOIN believed USING ({KEY}, rh)
            ) ANTI JOIN (
                SELECT position FROM again UNION ALL SELECT position FROM skipped UNION ALL SELECT position FROM refused
            ) USING (position)
            """
        )
        connection.execute(
            f"""
            INSERT INTO unchanged SELECT position FROM again SEMI JOIN (
                SELECT {KEY} FROM (SELECT {KEY}, {SEQUENCE} AS rh FROM again GROUP BY {KEY})
                SEMI JOIN believed USING ({KEY}, rh)
            ) USING ({KEY})
            """
        )
    connection.execute(
        f"""
        CREATE TEMP TABLE gone AS SELECT {KEY}, name FROM ledger
        ANTI JOIN (SELECT {KEY} FROM rows WHERE kh_high IS NOT NULL) USING ({KEY})
        """
    )
    return Known(count(connection, "SELECT count(*) FROM gone"))


def known_keys(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many outgoing keys the ledger holds; every outgoing key stands once in the first wave."""
    return count(connection, f'SELECT count(*) FROM "first" SEMI JOIN ledger USING ({KEY})')
