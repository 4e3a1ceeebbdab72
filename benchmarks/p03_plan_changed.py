"""P3: plan and payloads from Parquet when one row in ten has changed since the ledger was written, within 512 MB."""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio

from benchmarks.bench import Bench, Row, slower

ID = "P3"
SIZES = (100_000, 1_000_000, 10_000_000)


def results(bench: Bench) -> Iterator[Row]:
    """Make the ledger of the first version once, then plan the second."""
    from benchmarks.workload import made

    for size in bench.chosen(SIZES):
        made(size, bench.folder, 2, ending="parquet")
        confirm_all(size, bench.folder)
        sides = bench.turns(__name__, size, "ours", "raw_hashes")
        said = sides["ours"].said
        most = 4 if size == SIZES[-1] else None
        note = f"{said['records']:,} go out, {said['unchanged']:,} unchanged"
        yield slower(
            "P3",
            "plan and payloads, Parquet, 10 % changed, 512 MB",
            size,
            sides,
            "raw_hashes",
            most,
            memory=650 if most else None,
            note=note,
        )


def confirm_all(size: int, folder: Path) -> None:
    """Plan the first version and let the ledger believe that all of it arrived."""
    from benchmarks.leads import planned, project
    from benchmarks.workload import made
    from syncer.engine.digest import values
    from syncer.workflow.planning import Settings

    work = folder / f"work-changed-{size}"
    shutil.rmtree(work, ignore_errors=True)
    home = project(folder, made(size, folder, 1, ending="parquet"))
    with planned(home, work) as plan:
        staged = plan.staged["leads"]
        with staged._cursor() as cursor:  # noqa: SLF001 - rows as the payloads have them
            for piece in cursor.sql('SELECT CAST("row" AS BIGINT) FROM outgoing').to_arrow_reader(1 << 20):
                rows = array("q", bytes(values(piece.column(0))))
                staged.confirm(rows, "u" * len(rows), work / "notes")
        staged.confirmed(work / "confirmed.parquet")
    store = Settings(work=work).store(home)
    anyio.run(store.ledger().merge, "leads", 0, work / "confirmed.parquet")
    store.close()


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Plan the second version against the ledger and write what has changed."""
    from benchmarks.leads import emit, planned, project
    from benchmarks.workload import made

    home = project(folder, made(size, folder, 2, ending="parquet"))
    with planned(home, folder / f"work-changed-{size}", "512MB") as plan:
        facts = plan.staged["leads"].facts
        counts = emit(plan, folder / "payloads-changed")
        assert facts.outgoing + facts.unchanged + facts.rejected == size
        assert counts["records"] == facts.outgoing
        return {**counts, "unchanged": facts.unchanged}


def raw_hashes(size: int, folder: Path) -> dict[str, Any]:
    """Scan the file and hash its raw columns: the least that finds a changed row."""
    import duckdb

    from benchmarks.workload import COLUMNS, made

    path = made(size, folder, 2, ending="parquet")
    with duckdb.connect(config={"memory_limit": "512MB", "temp_directory": str(folder / "spill")}) as connection:
        connection.execute(f"SELECT bit_xor(hash({', '.join(COLUMNS)})) FROM read_parquet('{path}')").fetchall()
    return {}
