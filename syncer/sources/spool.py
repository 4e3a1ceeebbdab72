"""Writes down what a query gave, so that it is read once and every later look sees the same rows in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.sources import header
from syncer.sources.column import name, source_column, text
from syncer.sources.protocol import POSITION, Relation, SourceColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb

    from syncer.errors import SourceError
    from syncer.manifest.models import Column


def write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write the query's rows in their order; return their number."""
    path.touch(mode=0o600)
    [(rows,)] = connection.execute(
        f"COPY (\n{query}\n) TO {text(str(path))} (FORMAT parquet, USE_TMP_FILE false)"
    ).fetchall()
    return int(rows)


def columns(
    connection: duckdb.DuckDBPyConnection, path: Path, declared: Mapping[str, Column], label: str
) -> tuple[SourceColumn, ...]:
    """Return the columns of the written rows."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({text(str(path))})").fetchall()
    header.check_names([row[0] for row in rows], label)
    return tuple(source_column(row[0], declared, row[1]) for row in rows)


def relation(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    found: tuple[SourceColumn, ...],
    explain: Callable[[duckdb.Error], SourceError],
) -> Relation:
    """Return the scan of the written rows; the fingerprint is over numbered rows, the same everywhere."""
    scan = f"read_parquet({text(str(path))}, file_row_number = true)"
    members = ", ".join(f"{name(each.name)} := {name(each.name)}" for each in found)

    def finish(_rows: int) -> str:
        [(digest,)] = connection.execute(
            f"""
            SELECT CAST(coalesce(bit_xor(md5_number(file_row_number || to_json(struct_pack({members})))), 0) AS VARCHAR)
            FROM {scan}
            """
        ).fetchall()
        return str(digest)

    rows = f"SELECT * EXCLUDE (file_row_number) FROM {scan}"
    numbered = f"SELECT * RENAME (file_row_number AS {name(POSITION)}) FROM {scan}"
    return Relation(rows, found, finish, explain, numbered=numbered)
