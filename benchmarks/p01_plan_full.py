"""P1 and P2: plan and payload files of a full load from CSV, beside the engine's own CSV-to-CSV copy of the same file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, slower

ID = "P1"
SIZES = (100_000, 1_000_000, 10_000_000)


def results(bench: Bench) -> Iterator[Row]:
    """Plan at the default limit and at 512 MB, for files that may hold blank cells and for files of one shape each."""
    from benchmarks.leads import source

    for size in bench.chosen(SIZES):
        source(size, bench.folder)
        sides = bench.turns(__name__, size, "ours", "limited", "shapes", "copy")
        said = sides["ours"].said
        note = f"{said['records']:,} records in {said['units']} files, fill ≥ {said['least_fill_percent']} %"
        is_reach = size == SIZES[-1]
        yield slower(
            "P1", "plan and payloads, CSV, default memory", size, sides, "copy", 2.8 if is_reach else None, note=note
        )
        yield slower("P1", "the same at a 512 MB limit", size, sides, "copy", 3.2 if is_reach else None, "limited")
        yield slower(
            "P1",
            "the same, blank cells unknown: paths as planned",
            size,
            sides,
            "copy",
            None,
            "shapes",
            note=f"{sides['shapes'].said['units']} units",
        )
        yield slower(
            "P2",
            "peak memory at a 512 MB limit",
            size,
            sides,
            "copy",
            None,
            "limited",
            memory=700 if is_reach else None,
        )
        yield slower("P2", "peak memory at defaults", size, sides, "copy", None, memory=1024 if is_reach else None)


def _plan(size: int, folder: Path, memory_limit: str, blank_cells: str = "keep", path: str = "bulk") -> dict[str, Any]:
    from benchmarks.leads import emit, planned, project, source

    home = project(folder, source(size, folder), blank_cells=blank_cells, path=path)
    with planned(home, folder / f"work-{memory_limit}", memory_limit) as made:
        facts = made.staged["leads"].facts
        counts = emit(made, folder / f"payloads-{memory_limit}-{blank_cells}")
        assert counts["records"] == facts.outgoing
        assert facts.outgoing + facts.rejected == size
        return {**counts, "digest": facts.rows_digest, "rejected": facts.rejected}


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Plan with the default memory limit and write the payloads."""
    return _plan(size, folder, "1GB")


def limited(size: int, folder: Path) -> dict[str, Any]:
    """Plan within 512 MB and write the payloads."""
    return _plan(size, folder, "512MB")


def shapes(size: int, folder: Path) -> dict[str, Any]:
    """Plan for an instance of which nobody knows what blank cells do: files of one shape, and calls for the rest."""
    return _plan(size, folder, "1GB", "unknown", "auto")


def copy(size: int, folder: Path) -> dict[str, Any]:
    """Copy CSV to CSV with the engine alone: the floor."""
    import duckdb

    from benchmarks.workload import made

    path = made(size, folder)
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(folder / "spill")}) as connection:
        connection.execute(
            f"COPY (FROM read_csv('{path}', all_varchar = true)) TO '{folder / 'copy.csv'}' (FORMAT csv)"
        )
    return {}
