"""P7: one template that has no SQL form, as generated Python over Arrow columns, beside Jinja inside an Arrow function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, faster
from benchmarks.workload import made

ID = "P7"
COLUMNS = ("first_name", "last_name", "title")
SIZES = (100_000, 1_000_000)
TEMPLATE = "{{ (first_name | trim | lower) ~ '-' ~ (last_name | trim | upper) ~ (' ' ~ title if title else '') }}"


def results(bench: Bench) -> Iterator[Row]:
    """Compare a statement with the one function in it."""
    for size in bench.chosen(SIZES):
        made(size, bench.folder, ending="parquet")
        sides = bench.turns(__name__, size, "ours", "jinja")
        yield faster(
            "P7", "one template outside SQL", size, sides, "jinja", 8 if size == 1_000_000 else None, note="cells equal"
        )


def _run(size: int, folder: Path, call: Callable[..., Any]) -> dict[str, Any]:
    """Read three columns, compute the fourth in Python, and write it down: what staging does with such a template."""
    from dataclasses import replace

    import duckdb

    from syncer.engine import interpret
    from syncer.manifest.models import ColumnType
    from syncer.mapping.pipeline import ArrowFunction
    from tests.fakes.pipelines import field, pipeline

    made_of = ", ".join(f'"{each}"' for each in COLUMNS)
    function = ArrowFunction("outside", "segment", (ColumnType.TEXT,) * len(COLUMNS), "VARCHAR", call)
    operation = replace(pipeline("email", field("segment", f"outside({made_of})")), functions=(function,))
    target = folder / "interpreted.parquet"
    with duckdb.connect() as connection:
        scan = f"SELECT {made_of} FROM read_parquet('{made(size, folder, ending='parquet')}')"
        start, used = time.perf_counter(), time.process_time()
        interpret.write(connection, operation, scan, target)
        taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
        [(digest,)] = connection.execute(
            f"SELECT CAST(bit_xor(md5_number(\" value:outside\")) AS VARCHAR) FROM '{target}'"
        ).fetchall()
        return {**taken, "digest": digest}


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Call the function that is generated from the typed tree."""
    from syncer.mapping import python
    from syncer.mapping.dialect.entry import Type
    from syncer.mapping.parse import parse
    from syncer.mapping.scope import Scope
    from syncer.mapping.tree import columns

    tree = parse(TEMPLATE, Scope(dict.fromkeys(COLUMNS, Type.TEXT), {})).tree
    assert tuple(each.name for each in columns(tree)) == COLUMNS
    return _run(size, folder, python.over_arrow(tree))


def jinja(size: int, folder: Path) -> dict[str, Any]:
    """Render the template for each row."""
    import pyarrow as pa
    from jinja2 import Environment

    template = Environment(autoescape=False).from_string(TEMPLATE)  # noqa: S701 - text for an API, no HTML

    def call(*columns: pa.Array) -> pa.Array:
        rows = zip(*(each.to_pylist() for each in columns), strict=True)
        return pa.array([template.render(zip(COLUMNS, row, strict=True)) for row in rows], pa.string())

    return _run(size, folder, call)
