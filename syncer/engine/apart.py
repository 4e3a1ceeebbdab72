"""Tells scanned rows apart: refused, left out, unchanged, for a later wave, and those that go out at once.

Works on narrow columns; whole rows are read only of keys that stand more than once, and where most rows stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import chain, columns, duplicates, ledger, scan, shape, sql
from syncer.engine.connection import count, write_parquet
from syncer.facts import RejectFacts
from syncer.manifest.models import Duplicates

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from syncer.engine.scan import Scan, Scanned

FIRST_ROWS = 5


@dataclass(frozen=True, slots=True)
class Apart:
    """The rows of one scan."""

    made: Scan
    scanned: Scanned

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection that holds the views and tables of rows."""
        return self.made.connection

    def judge(self) -> int:
        """Make the views and tables that tell rows apart; refuse records that no path can carry."""
        self._view_rows()
        for table in ("refused (position BIGINT, row BIGINT, flaw INTEGER, other BIGINT)", "skipped (position BIGINT)"):
            self.connection.execute(f"CREATE TEMP TABLE {table}")
        names = [each.name for each in self.scanned.wire.fields]
        fits = [
            f"{shape.record_bytes(self.scanned.wire, form)} <= {shape.limits(form, names)[0].max_bytes}"
            for form in self.made.formats.values()
        ]
        if fits:
            self.connection.execute(
                f"""
                INSERT INTO refused SELECT position, "row", {duplicates.OVERSIZE_FLAW}, NULL FROM rows
                WHERE flaw = 0 AND NOT ({sql.either(fits)})
                """
            )
        for place, column in enumerate(columns.unique(scan.used(self.made.pipeline, self.scanned.relation))):
            duplicates.refuse_repeated(self.connection, column, duplicates.UNIQUE_FLAW - place)
        has_refused = count(self.connection, "SELECT count(*) FROM refused")
        rest = "AND position NOT IN (SELECT position FROM refused)" if has_refused else ""
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW accepted AS SELECT * FROM rows WHERE flaw = 0 {rest}")
        return count(self.connection, "SELECT count(*) FROM accepted")

    @property
    def _repeated_path(self) -> Path:
        return self.made.files.folder / "repeated.parquet"

    def _view_rows(self) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW rows AS {self.made.files.rows()}")

    def look_at_repeated(self) -> int:
        """Put the rows of repeated keys aside, which are few and looked at again; return how many are folded."""
        path = self._repeated_path
        write_parquet(self.connection, "SELECT * FROM accepted SEMI JOIN again USING (position)", path)
        self.connection.execute(f"CREATE TEMP VIEW repeated AS SELECT * FROM {sql.parquet(path)}")
        return duplicates.folded(self.connection, self.made.pipeline, self.scanned.wire)

    def settle_duplicates(self) -> int:
        """Apply the rule; return how many rows a merge left out."""
        duplicates.settle(self.connection, self.made.pipeline.duplicates)
        if self.made.pipeline.duplicates is not Duplicates.MERGE:
            return 0
        path = self.made.files.folder / "merged.parquet"
        merged = duplicates.merged(self.made.pipeline, self.scanned.wire, with_json=self.made.has_json)
        whole = f"""
            SELECT * FROM (SELECT * FROM rows WHERE position NOT IN (SELECT position FROM again)
                           UNION ALL BY NAME {merged}) ORDER BY position
            """
        before = count(self.connection, "SELECT count(*) FROM rows")
        after = write_parquet(self.connection, whole, path)
        self.made.files.replace_rows(path)
        self._view_rows()
        self.connection.execute("DELETE FROM again")
        return before - after

    def write_rejects(self) -> int:
        """Write down every refused row with its first flaw; return their number."""
        self.connection.execute("CREATE TEMP TABLE flaws (flaw INTEGER, code VARCHAR, field VARCHAR, reason VARCHAR)")
        known = [(number, each.code, each.field, each.reason) for number, each in enumerate(self.scanned.flaws, 1)]
        keys = ", ".join(each.field for each in self.made.pipeline.key)
        known += [
            (duplicates.REFUSED_FLAW, "V211", keys, "The key of this row stands also in row "),
            (duplicates.OVERSIZE_FLAW, "V212", "", "The record is larger than any path can carry."),
        ]
        for place, column in enumerate(columns.unique(scan.used(self.made.pipeline, self.scanned.relation)).values()):
            known.append((duplicates.UNIQUE_FLAW - place, "V206", column.name, "The cell stands also in row "))
        self.connection.executemany("INSERT INTO flaws VALUES (?, ?, ?, ?)", known)
        return write_parquet(
            self.connection,
            """
            SELECT * FROM (
                SELECT "row", code, field, reason FROM rows JOIN flaws USING (flaw) WHERE rows.flaw > 0
                UNION ALL
                SELECT "row", code, field, reason || coalesce(other || '.', '') FROM refused JOIN flaws USING (flaw)
                UNION ALL
                SELECT "row", code, '', reason FROM broken) ORDER BY "row"
            """,
            self.made.files.rejects,
        )

    def reject_facts(self) -> tuple[RejectFacts, ...]:
        """Return how many rows were refused for each reason, and the first of them."""
        rows = self.connection.execute(
            f"""
            SELECT code, field, count(*), list("row" ORDER BY "row")[:{FIRST_ROWS}] FROM rejected
            GROUP BY code, field ORDER BY code, field
            """
        ).fetchall()
        return tuple(RejectFacts(code, field, records, tuple(first)) for code, field, records, first in rows)

    def retell(self) -> None:
        """Write down the source hashes of unchanged rows that the ledger does not know them by."""
        told = f"{chain.KEY}, rh, {ledger.HASH}"
        rows = f"""
            SELECT {told} FROM rows SEMI JOIN unchanged USING (position) ANTI JOIN again USING (position)
            ANTI JOIN ledger USING ({told}) WHERE {ledger.HASH} IS NOT NULL
            """
        if not write_parquet(self.connection, rows, self.made.files.retold):
            self.made.files.retold.unlink()

    def separate(self, *, keeps_unchanged: bool) -> None:
        """Write later waves apart and note which rows stay at home; keep only those that go where they are few."""
        going = "again ANTI JOIN unchanged USING (position)"
        if count(self.connection, f"SELECT count(*) FROM {going} WHERE turn > 1"):
            write_parquet(
                self.connection,
                f"""
                SELECT repeated.*, turn AS wave FROM repeated
                JOIN (SELECT position, turn FROM {going} WHERE turn > 1) USING (position) ORDER BY turn, position
                """,
                self.made.files.later,
            )
        self._repeated_path.unlink(missing_ok=True)
        dropped = """
            SELECT position FROM rows WHERE flaw > 0 UNION ALL SELECT position FROM refused
            UNION ALL SELECT position FROM skipped UNION ALL SELECT position FROM unchanged
            UNION ALL SELECT position FROM again ANTI JOIN unchanged USING (position) WHERE turn > 1
            """
        stays = write_parquet(self.connection, dropped, self.made.files.dropped)
        if not stays:
            self.made.files.dropped.unlink()
        elif keeps_unchanged:
            write_parquet(self.connection, "SELECT position FROM unchanged", self.made.files.unchanged)
        elif stays > count(self.connection, "SELECT count(*) FROM rows") / 2:
            self.made.files.prepare(self.connection)
            path = self.made.files.folder / "kept.parquet"
            mask = "get_bit(getvariable('dropped'), CAST(position AS INTEGER)) = 0"
            write_parquet(self.connection, f"SELECT * FROM rows WHERE {mask}", path)
            self.made.files.replace_rows(path)
            self.made.files.dropped.unlink()
