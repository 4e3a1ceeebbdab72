"""What a folder of staged rows holds, and the views through which every query sees it.

`base` has all source rows that could be split, in source order; `first` are those that go out in the first wave,
`later` those of later waves, sorted. Rows that do not go out are masked by a bit each: a filter keeps the scan's
order, a join would not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.engine.connection import count

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one operation's staged rows."""

    folder: Path

    @property
    def base(self) -> Path:
        """All rows in source order; their number in the file is their position."""
        return self.folder / "rows.parquet"

    @property
    def numbered(self) -> Path:
        """Rows in source order with numbers of their own: after gaps, merges, or when most rows stay at home."""
        return self.folder / "numbered.parquet"

    @property
    def later(self) -> Path:
        """Rows of later waves, by wave and position."""
        return self.folder / "later.parquet"

    @property
    def dropped(self) -> Path:
        """Positions in `base` or `numbered` that do not go out in the first wave."""
        return self.folder / "dropped.parquet"

    @property
    def unchanged(self) -> Path:
        """Positions of rows that stay at home because they were confirmed as they are; kept only to be looked up."""
        return self.folder / "unchanged.parquet"

    @property
    def retold(self) -> Path:
        """Keys of unchanged rows that the ledger does not know by their source hash, with that and the row hash."""
        return self.folder / "retold.parquet"

    @property
    def gone(self) -> Path:
        """Keys that left the source, with what the state calls their records."""
        return self.folder / "gone.parquet"

    @property
    def left(self) -> Path:
        """For rows that delete what left another operation's source: which keys each of them is for."""
        return self.folder / "left.parquet"

    @property
    def rejects(self) -> Path:
        """Rows refused at plan time, by row number."""
        return self.folder / "rejects.parquet"

    @property
    def summary(self) -> Path:
        """Facts and form; written last, so a folder without it is no staged operation."""
        return self.folder / "staged.json"

    def rows(self) -> str:
        """Return the SELECT of all rows with `position` and `row`."""
        if self.numbered.exists():
            return f"SELECT * FROM {sql.parquet(self.numbered)}"
        return (
            'SELECT file_row_number AS position, file_row_number + 1 AS "row", * EXCLUDE (file_row_number) '
            f"FROM {sql.parquet(self.base, numbered=True)}"
        )

    def replace_rows(self, path: Path) -> None:
        """Take the rows of `path`, which have numbers of their own, in the place of all rows."""
        path.replace(self.numbered)
        self.base.unlink(missing_ok=True)

    def open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the views `first`, `later` and `outgoing`."""
        mask = "WHERE get_bit(getvariable('dropped'), CAST(position AS INTEGER)) = 0" if self.dropped.exists() else ""
        connection.execute(f'CREATE OR REPLACE VIEW "first" AS SELECT *, 1 AS wave FROM ({self.rows()}) {mask}')
        later = (
            f"SELECT * FROM {sql.parquet(self.later)}" if self.later.exists() else 'SELECT * FROM "first" WHERE false'
        )
        connection.execute(f'CREATE OR REPLACE VIEW "later" AS {later}')
        if self.rejects.exists():
            connection.execute(f"CREATE OR REPLACE VIEW rejected AS SELECT * FROM {sql.parquet(self.rejects)}")
        connection.execute('CREATE OR REPLACE VIEW outgoing AS FROM "first" UNION ALL BY NAME FROM "later"')

    def prepare(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Give a cursor the mask of dropped positions: variables belong to a connection, views to the database."""
        if not self.dropped.exists():
            return
        most = count(cursor, f"SELECT max(position) FROM ({self.rows()})")
        cursor.execute(
            f"""
            SET VARIABLE dropped = (
                SELECT bitstring_agg(CAST(position AS INTEGER), 0, {most}) FROM {sql.parquet(self.dropped)})
            """
        )


def wave(number: int) -> str:
    """Return the relation of one wave's outgoing rows, in source order."""
    return '"first"' if number == 1 else f'(SELECT * FROM "later" WHERE wave = {number})'
