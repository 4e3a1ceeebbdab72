"""P5: the mapping alone, compiled, beside SQL written by hand and beside Jinja; all over the same Parquet file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, faster, slower

ID = "P5"
SIZES = (100_000, 1_000_000, 10_000_000)
JINJA_ROWS = 50_000
BY_HAND = {
    "email": "lower(trim(email))",
    "firstName": "trim(first_name)",
    "lastName": "trim(last_name)",
    "company": "company",
    "title": "coalesce(title, 'Contact')",
    "phone": "replace(phone, ' ', '')",
    "country": "upper(country)",
    "externalKey": "id",
    "customerNumber": "employees",
    "rating": "CASE WHEN TRY_CAST(score AS BIGINT) >= 80 THEN 'Hot' ELSE 'Cold' END",
    "segment": "concat(first_name, ' ', last_name)",
    "signedUpOn": "strftime(TRY_CAST(signed_up AS DATE), '%Y-%m-%d')",
}


def results(bench: Bench) -> Iterator[Row]:
    """Compare the time of the statement alone."""
    from benchmarks.workload import made

    for size in bench.chosen(SIZES):
        made(size, bench.folder, ending="parquet")
        sides = bench.turns(__name__, size, "ours", "by_hand", "jinja")
        is_reach = size == SIZES[-1]
        yield slower(
            "P5",
            "mapping alone against SQL by hand",
            size,
            sides,
            "by_hand",
            1.3 if is_reach else None,
            note="cells equal",
        )
        yield faster(
            "P5",
            "mapping alone against Jinja rendered",
            size,
            sides,
            "jinja",
            150 if is_reach else None,
            note=f"Jinja on {sides['jinja'].rows:,} rows",
        )


def _select(size: int, folder: Path, values: dict[str, str], setup: tuple[str, ...] = ()) -> dict[str, Any]:
    """Time a statement that computes every cell and adds up their lengths; then, untimed, compare the cells themselves."""
    import duckdb

    from benchmarks.workload import made

    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        for each in setup:
            connection.execute(each)
        scan = f"read_parquet('{made(size, folder, ending='parquet')}')"
        # Typed columns are typed before, as the mapping stage finds them.
        typed = f"SELECT * REPLACE (TRY_CAST(employees AS BIGINT) AS employees, TRY_CAST(signed_up AS DATE) AS signed_up) FROM {scan}"
        cells = {name: f"CAST({value} AS VARCHAR)" for name, value in values.items()}
        lengths = ", ".join(f"sum(strlen({cell}))" for cell in cells.values())
        start, used = time.perf_counter(), time.process_time()
        connection.execute(f"SELECT {lengths} FROM ({typed})").fetchall()
        taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
        hashed = " + ".join(f"coalesce(md5_number({cell}) >> 16, 0)" for cell in cells.values())
        [(digest,)] = connection.execute(
            f"SELECT CAST(bit_xor({hashed}) AS VARCHAR) FROM ({typed} LIMIT 200000)"
        ).fetchall()
    return {**taken, "digest": digest}


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Run the compiled templates."""
    from benchmarks.leads import project, source
    from syncer.engine import sql
    from syncer.mapping.pipeline import mapped
    from syncer.workflow import load

    pipeline = load.load(project(folder, source(100_000, folder))).pipelines["leads"]
    values = {each.name: sql.tree(each.value) for each in pipeline.fields}
    assert mapped("email") == "m:email"
    return _select(
        size, folder, values | {"signedUpOn": f"strftime({values['signedUpOn']}, '%Y-%m-%d')"}, pipeline.setup
    )


def by_hand(size: int, folder: Path) -> dict[str, Any]:
    """Run the SQL that a person would write."""
    return _select(size, folder, BY_HAND)


def jinja(size: int, folder: Path) -> dict[str, Any]:
    """Render templates for each row."""
    import csv

    from benchmarks.leads import source
    from benchmarks.rowwise import jinja as templates

    mapper = templates()
    rows = min(size, JINJA_ROWS)
    with source(100_000, folder).open(encoding="utf-8", newline="") as file:
        read = [row for _, row in zip(range(rows), csv.DictReader(file), strict=False)]
    start, used = time.perf_counter(), time.process_time()
    for row in read:
        mapper(row)
    return {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used, "rows": rows}
