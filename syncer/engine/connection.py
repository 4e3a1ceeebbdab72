"""Opens the embedded engine with a memory limit, its own spill folder and nothing fetched from outside.

Hands on a DuckDB connection. Every file that the engine leaves behind is private to its owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from syncer.engine import sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

RECORDS_PER_ARROW_PIECE = 8_192
ROWS_PER_GROUP = 10_240
"""Each thread that reads a Parquet file holds a group of its rows: small ones cost no time and keep memory small."""


def connect(folder: Path, *, memory_limit: str = "1GB", threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database that spills to `folder`; `threads` None takes all cores."""
    config: dict[str, Any] = {
        "memory_limit": memory_limit,
        "temp_directory": str(private(folder / "spill")),
        "preserve_insertion_order": True,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "arrow_large_buffer_size": True,
        "python_enable_replacements": False,
    }
    if threads is not None:
        config["threads"] = threads
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def private(folder: Path) -> Path:
    """Make the folder, for its owner only, and return it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path, metadata: str = "") -> int:
    """Write the query's rows, in its order, to a Parquet file of mode 0600; return their number.

    `metadata` is one struct of DuckDB, kept beside the rows.
    """
    path.touch(mode=0o600)
    # A staged file is read once or twice and thrown away: packing it well costs more than the bytes it saves.
    options = (
        f"FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE {ROWS_PER_GROUP}, WRITE_BLOOM_FILTER false, "
        "STRING_DICTIONARY_PAGE_SIZE_LIMIT 1024"
    )
    options += f", KV_METADATA {metadata}" if metadata else ""
    [(rows,)] = connection.execute(f"COPY ({query}) TO {sql.text(path)} ({options})").fetchall()
    path.chmod(0o600)
    return int(rows)


def stream(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    """Yield the query's rows in order, as Arrow pieces; never all of them at once."""
    yield from connection.sql(query).to_arrow_reader(RECORDS_PER_ARROW_PIECE)


def count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return the single number that the query gives, 0 for null."""
    [(found,)] = connection.execute(query).fetchall()
    return int(found or 0)
