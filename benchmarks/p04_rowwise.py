"""P4: the same work row by row, with Jinja rendered for each field and with closures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, faster

ID = "P4"
SIZES = (100_000, 1_000_000)
JINJA_ROWS = 100_000
"""Rendering a million rows takes minutes and costs the same a row."""


def results(bench: Bench) -> Iterator[Row]:
    """Compare plan and payloads; closures must write the same cells."""
    from benchmarks.leads import cells_digest, source

    for size in bench.chosen(SIZES):
        source(size, bench.folder)
        sides = bench.turns(__name__, size, "ours", "closures")
        mine, theirs = cells_digest(bench.folder / "payloads-rows"), cells_digest(bench.folder / "payloads-closures")
        assert mine == theirs, (mine, theirs)
        sides |= bench.turns(__name__, size, "jinja")
        assert sides["jinja"].rows < size or cells_digest(bench.folder / "payloads-jinja") == mine
        most = size if size > 100_000 else None
        yield faster(
            "P4", "plan and payloads against closures with csv", size, sides, "closures", most and 9, note="cells equal"
        )
        yield faster(
            "P4",
            "plan and payloads against Jinja rendered per row",
            size,
            sides,
            "jinja",
            most and 50,
            note=f"Jinja on {sides['jinja'].rows:,} rows",
        )


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Plan and write import files."""
    from benchmarks.leads import emit, planned, project, source

    with planned(project(folder, source(size, folder)), folder / "work-rows") as made:
        return emit(made, folder / "payloads-rows")


def closures(size: int, folder: Path) -> dict[str, Any]:
    """Do the same with the csv module and functions."""
    from benchmarks import rowwise
    from benchmarks.leads import source

    return rowwise.run(source(size, folder), folder / "payloads-closures", rowwise.closures(), size)


def jinja(size: int, folder: Path) -> dict[str, Any]:
    """Do the same with templates."""
    from benchmarks import rowwise
    from benchmarks.leads import source

    rows = min(size, JINJA_ROWS)
    done = rowwise.run(source(size, folder), folder / "payloads-jinja", rowwise.jinja(), rows)
    return {**done, "rows": rows}
