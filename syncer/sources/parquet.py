"""Reads Parquet files in place. Their own types are kept only where the declaration says the same; the rest is text."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import duckdb

from syncer.errors import SourceError
from syncer.sources import header, survey
from syncer.sources.column import fingerprint, name, source_column, text, unchanged
from syncer.sources.protocol import POSITION, Relation, SourceColumn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from syncer.manifest.models import Column

_ROW, _FILE = "file_row_number", "file_index"
"""Columns that the engine makes up for any file; a column of the same name hides them."""


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """One or several Parquet files with the same columns."""

    name: str
    files: tuple[Path, ...]
    declared: Mapping[str, Column]

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the columns of the files' footers; raises `SourceError`."""
        with duckdb.connect(":memory:") as connection:
            return self._columns(connection)

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Return the scan of all files, in order; raises `SourceError`."""
        columns = self._columns(connection)
        before = [survey.signature(each) for each in self.files]

        def finish(_rows: int) -> str:
            unchanged(self.files, before)
            return fingerprint([each.name for each in self.files], [survey.digest(each) for each in self.files])

        rows = f"SELECT * FROM {self._scan()}"
        return Relation(rows, columns, finish, self._explain, numbered=self._numbered(connection, columns))

    def _numbered(self, connection: duckdb.DuckDBPyConnection, columns: tuple[SourceColumn, ...]) -> str:
        """Return the scan with the position of each row in all files; "" where a column has a name of the engine's."""
        if {each.name.lower() for each in columns} & {_ROW, _FILE}:
            return ""
        footers = ", ".join(text(str(each)) for each in self.files)
        counts = connection.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata([{footers}])").fetchall()
        before = accumulate((dict(counts)[str(each)] for each in self.files[:-1]), initial=0)
        first = f"CAST({list(before)} AS BIGINT[])[CAST({_FILE} AS BIGINT) + 1]" if len(self.files) > 1 else "0"
        return f"SELECT *, {first} + {_ROW} AS {name(POSITION)} FROM {self._scan()}"

    def _columns(self, connection: duckdb.DuckDBPyConnection) -> tuple[SourceColumn, ...]:
        try:
            rows = connection.execute(f"DESCRIBE SELECT * FROM {self._scan()}").fetchall()
        except duckdb.Error as problem:
            raise self._explain(problem) from problem
        header.check_names([row[0] for row in rows], self.files[0].name)
        return tuple(source_column(row[0], self.declared, row[1]) for row in rows)

    def _scan(self) -> str:
        return f"read_parquet([{', '.join(text(str(each)) for each in self.files)}])"

    def _explain(self, _problem: duckdb.Error) -> SourceError:
        names = ", ".join(f'"{each.name}"' for each in self.files)
        return SourceError("S113", f"{names}: the footer or a page cannot be read, or the files' columns differ.")
