"""Decides what happens to keys that stand in a source more than once: waves, one winner, a merge, or a refusal.

Works on narrow columns of the repeated keys alone. Leaves the table `again` (position, key, row hash, turn, turns) and
fills `refused` and `dropped`; a merge hands on the SELECT of merged rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.engine import chain, sql
from syncer.engine.connection import count
from syncer.manifest.models import Duplicates
from syncer.mapping.pipeline import conformed

if TYPE_CHECKING:
    import duckdb

    from syncer.engine.wire import Wire
    from syncer.mapping.pipeline import Pipeline

REFUSED_FLAW = -1
"""Flaw number of a row whose key stands more than once under `reject`; `other` names another row of the key."""
OVERSIZE_FLAW = -2
"""Flaw number of a record that no path can carry."""
UNIQUE_FLAW = -10
"""Flaw number of a row that repeats a cell of the first unique column; the next column's is one less."""


def find(connection: duckdb.DuckDBPyConnection) -> int:
    """Make the table `again` from the accepted rows; return how many rows it holds."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE again AS
        SELECT position, "row", {chain.KEY}, rh,
               row_number() OVER (PARTITION BY {chain.KEY} ORDER BY position) AS turn,
               count(*) OVER (PARTITION BY {chain.KEY}) AS turns,
               first("row") OVER (PARTITION BY {chain.KEY} ORDER BY position) AS first_row,
               last("row") OVER (
                   PARTITION BY {chain.KEY} ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
               ) AS last_row
        FROM accepted SEMI JOIN (SELECT {chain.KEY} FROM accepted GROUP BY ALL HAVING count(*) > 1) USING ({chain.KEY})
        """
    )
    return count(connection, "SELECT count(*) FROM again")


def folded(connection: duckdb.DuckDBPyConnection, pipeline: Pipeline, wire: Wire) -> int:
    """Return how many repeated rows spell their key otherwise than the first row of that key does."""
    spelled = ", ".join(wire.part(each.field) for each in pipeline.key)
    return count(
        connection,
        f"""
        SELECT count(*) FILTER (WHERE spelling IS DISTINCT FROM first_spelling) FROM (
            SELECT spelling, first(spelling) OVER (PARTITION BY {chain.KEY} ORDER BY position) AS first_spelling
            FROM (SELECT {chain.KEY}, position, [{spelled}] AS spelling FROM ({wire.parted("repeated")})))
        """,
    )


def refuse_repeated(connection: duckdb.DuckDBPyConnection, column: str, flaw: int) -> None:
    """Refuse the rows that share a value of the hash column, each with the number of another such row."""
    connection.execute(
        f"""
        INSERT INTO refused SELECT position, "row", {flaw}, CASE WHEN "row" = first_row THEN last_row ELSE first_row END
        FROM (SELECT position, "row", count(*) OVER same AS turns, min("row") OVER same AS first_row,
                     max("row") OVER same AS last_row
              FROM rows WHERE flaw = 0 AND {column} IS NOT NULL WINDOW same AS (PARTITION BY {column}))
        WHERE turns > 1 AND position NOT IN (SELECT position FROM refused)
        """
    )


def settle(connection: duckdb.DuckDBPyConnection, rule: Duplicates) -> None:
    """Apply every rule but `merge`: fill `skipped` and `refused`, and leave in `again` the rows that go on."""
    match rule:
        case Duplicates.SERIALIZE | Duplicates.MERGE:
            return
        case Duplicates.REJECT:
            connection.execute(
                f"""
                INSERT INTO refused SELECT position, "row", {REFUSED_FLAW},
                    CASE WHEN turn = 1 THEN last_row ELSE first_row END FROM again
                """
            )
        case Duplicates.FIRST:
            connection.execute("INSERT INTO skipped SELECT position FROM again WHERE turn > 1")
        case Duplicates.LAST:
            connection.execute("INSERT INTO skipped SELECT position FROM again WHERE turn < turns")
    connection.execute("DELETE FROM again")


def merged(pipeline: Pipeline, wire: Wire, *, with_json: bool) -> str:
    """Return the SELECT of one row for each repeated key, in its last row's place: later values over earlier ones."""
    fields = ", ".join(
        f"arg_max({column}, position) AS {column}"
        for column in (sql.name(conformed(each.name)) for each in wire.fields)
    )
    overlaid = f"""
        SELECT max(position) AS position, max("row") AS "row", 0::SMALLINT AS flaw, {fields}
        FROM ({wire.values("repeated")}) GROUP BY {chain.KEY}
        """
    drawn = chain.draw(pipeline, wire, overlaid)
    return chain.measure(pipeline, wire, drawn, with_json=with_json, carried='position, "row"')
