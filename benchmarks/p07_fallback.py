"""P7: one template that has no SQL form, as generated Python over Arrow columns, beside Jinja inside an Arrow function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, faster

ID = "P7"
SIZES = (100_000, 1_000_000)
TEMPLATE = "{{ (first_name | trim | lower) ~ '-' ~ (last_name | trim | upper) ~ (' ' ~ title if title else '') }}"


def results(bench: Bench) -> Iterator[Row]:
    """Compare a statement with the one function in it."""
    from benchmarks.workload import made

    for size in bench.chosen(SIZES):
        made(size, bench.folder, ending="parquet")
        sides = bench.turns(__name__, size, "ours", "jinja")
        yield faster("P7", "one template outside SQL", size, sides, "jinja", 8 if size == 1_000_000 else None, note="cells equal")


def _run(size: int, folder: Path, call: Callable[..., Any]) -> dict[str, Any]:
    import duckdb
    from duckdb.func import FunctionNullHandling, PythonUDFType

    from benchmarks.workload import made

    with duckdb.connect() as connection:
        connection.create_function(
            "outside", call, ["VARCHAR"] * 3, "VARCHAR",
            type=PythonUDFType.ARROW, null_handling=FunctionNullHandling.SPECIAL,
        )
        scan = f"read_parquet('{made(size, folder, ending='parquet')}')"
        start, used = time.perf_counter(), time.process_time()
        [(digest,)] = connection.execute(
            f"SELECT CAST(bit_xor(md5_number(outside(first_name, last_name, title))) AS VARCHAR) FROM {scan}"
        ).fetchall()
        return {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used, "digest": digest}


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Call the function that is generated from the typed tree."""
    from syncer.mapping import python
    from syncer.mapping.dialect.entry import Type
    from syncer.mapping.parse import parse
    from syncer.mapping.scope import Scope
    from syncer.mapping.tree import columns

    scope = Scope({name: Type.TEXT for name in ("first_name", "last_name", "title")}, {})
    tree = parse(TEMPLATE, scope).tree
    assert [each.name for each in columns(tree)] == ["first_name", "last_name", "title"]
    return _run(size, folder, python.over_arrow(tree))


def jinja(size: int, folder: Path) -> dict[str, Any]:
    """Render the template for each row."""
    import pyarrow as pa
    from jinja2 import Environment

    template = Environment(autoescape=False).from_string(TEMPLATE)  # noqa: S701 - text for an API, no HTML

    def call(first: Any, last: Any, title: Any) -> Any:
        rows = zip(first.to_pylist(), last.to_pylist(), title.to_pylist(), strict=True)
        return pa.array([template.render(first_name=a, last_name=b, title=c) for a, b, c in rows], pa.string())

    call.__annotations__.clear()
    return _run(size, folder, call)
