"""P17: rows of a database on their way to the stage: Arrow through ADBC, beside SQLAlchemy's rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, faster

ID = "P17"
SIZES = (100_000, 1_000_000)
PIECE = 10_000


def results(bench: Bench) -> Iterator[Row]:
    """Read one table of a SQLite file into a Parquet file."""
    for size in bench.chosen(SIZES):
        database(size, bench.folder)
        sides = bench.turns(__name__, size, "ours", "sqlalchemy", peers=("sqlalchemy",))
        yield faster("P17", "SQL source to stage", size, sides, "sqlalchemy", 2.5 if size == 1_000_000 else None)


def database(size: int, folder: Path) -> Path:
    """Write the leads into a table of a SQLite file, and return its place."""
    path = folder / f"leads-{size}.sqlite"
    if not path.exists():
        import duckdb

        from benchmarks.workload import COLUMNS, made

        draft = path.with_suffix(".part")
        draft.unlink(missing_ok=True)
        with sqlite3.connect(draft) as store, duckdb.connect() as connection:
            store.execute(f"CREATE TABLE leads ({', '.join(f'{each} TEXT' for each in COLUMNS)})")
            cursor = connection.execute(f"FROM '{made(size, folder, ending='parquet')}'")
            while found := cursor.fetchmany(10_000):
                store.executemany(f"INSERT INTO leads VALUES ({', '.join('?' * len(COLUMNS))})", found)
        store.close()
        draft.replace(path)
    return path


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Open the source as the stage does: its rows are then a file that the engine scans."""
    from syncer.engine.connection import connect, count
    from syncer.sources.database import DatabaseSource

    connection = connect(folder / "engine")
    source = DatabaseSource("leads", f"sqlite:///{folder / f'leads-{size}.sqlite'}", "SELECT * FROM leads", {})
    relation = source.open(connection)
    return {"digest": count(connection, f"SELECT count(*) FROM ({relation.sql})")}


def sqlalchemy(size: int, folder: Path) -> dict[str, Any]:
    """Fetch row mappings in pieces and write them as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from sqlalchemy import create_engine, text

    rows = 0
    schema = None
    writer = None
    with create_engine(f"sqlite:///{folder / f'leads-{size}.sqlite'}").connect() as connection:
        found = connection.execution_options(yield_per=PIECE).execute(text("SELECT * FROM leads"))
        # Said here once more: without a size it gives a few rows at a time, whatever `yield_per` says.
        for piece in found.mappings().partitions(PIECE):
            table = pa.Table.from_pylist([dict(row) for row in piece], schema=schema)
            schema = schema or pa.schema([(each, pa.string()) for each in table.column_names])
            table = table.cast(schema)
            writer = writer or pq.ParquetWriter(folder / "sqlalchemy.parquet", table.schema)
            writer.write_table(table)
            rows += len(piece)
    if writer:
        writer.close()
    return {"digest": rows}
