"""P6: how many random templates compile to SQL, and whether any cell differs from the reference meaning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, within

ID = "P6"
SIZES = (100_000, 1_000_000, 5_000_000)
ROWS = 2_000


def results(bench: Bench) -> Iterator[Row]:
    """Compare this many cells; the size is the number of cells."""
    for size in bench.chosen(SIZES):
        sides = bench.turns(__name__, size, "ours", rounds=1)
        said = sides["ours"].said
        share = 100 * said["compiled"] / said["drawn"]
        seconds = sides["ours"].seconds
        yield within(
            "P6",
            "templates of the corpus that compile",
            size,
            share,
            "%",
            "≥ 95 %",
            is_reached=share >= 95,
            note=f"{said['compiled']:,} of {said['drawn']:,} drawn, of which {said['valid']:,} are accepted at load",
        )
        yield within(
            "P6",
            "cells that differ",
            size,
            said["differ"],
            "cells",
            "0 of ≥ 5 M",
            memory=sides["ours"].peak_mb,
            is_reached=said["differ"] == 0 if size >= 5_000_000 else None,
            note=f"{said['cells']:,} cells in {seconds:.0f} s",
        )


def ours(size: int, _folder: Path) -> dict[str, Any]:
    """Draw templates and rows from a seed until enough cells were compared."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    from syncer.mapping import sql
    from syncer.mapping.dialect.entry import Type
    from tests.unit.mapping.sides import read
    from tests.unit.mapping.templates import ROW, TEMPLATE
    from tests.unit.mapping.test_differential import differences

    quiet = settings(
        max_examples=ROWS,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    rows: list[Any] = []
    templates: dict[str, None] = {}

    @quiet
    @given(ROW)
    def draw_row(row: Any) -> None:
        rows.append(row)

    @settings(quiet, max_examples=size // ROWS * 3 // 2 + 50)
    @given(st.lists(TEMPLATE, min_size=1, max_size=1))
    def draw_template(found: list[str]) -> None:
        templates.update(dict.fromkeys(found))

    draw_row()
    draw_template()
    counts = {"drawn": 0, "valid": 0, "compiled": 0, "cells": 0, "differ": 0}
    for template in templates:
        counts["drawn"] += 1
        parsed = read(template)
        if parsed.problems:
            continue
        counts["valid"] += 1
        if not sql.has_sql(parsed.tree):
            continue
        counts["compiled"] += 1
        if parsed.tree.type in (Type.MIXED, Type.LIST):
            continue
        counts["differ"] += len(differences(parsed.tree, rows))
        counts["cells"] += len(rows)
        if counts["cells"] >= size:
            break
    return counts
