"""P8 and P9: staged rows become import files cut to the byte, and JSON lists of 300; beside a plain copy and fetch-and-dump."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench import Bench, Row, faster, slower, within

if TYPE_CHECKING:
    from syncer.capability import JsonFormat
    from syncer.engine.staged import StagedOperation

ID = "P8 P9"
SIZES = (100_000, 1_000_000, 10_000_000)
LIMIT = 10_000_000
COLUMNS = "columns.parquet"


def results(bench: Bench) -> Iterator[Row]:
    """Stage once, then time the payloads alone, each in a fresh process that opens the staged rows again."""
    for size in bench.chosen(SIZES):
        for name in ("usual", "hostile"):
            if name == "hostile" and size > 1_000_000:
                continue
            _stage(size, bench.folder, name)
            sides = bench.turns(__name__, size, f"{name}_files", f"{name}_copy")
            said = sides[f"{name}_files"].said
            over, split, least = _inspect(bench.folder / f"files-{name}", said["records"])
            assert (over, split) == (0, 0), (over, split)
            is_reach = size >= 1_000_000
            yield slower(
                "P8",
                f"payload files, {name} data",
                size,
                sides,
                f"{name}_copy",
                1.2 if is_reach else None,
                f"{name}_files",
                note=f"{said['files']} files, 0 over, 0 split, fill ≥ {least:.3f}",
            )
            if said["files"] > 1:
                yield within(
                    "P8", f"least fill, {name} data", size, least * 100, "%", "≥ 97 %", is_reached=least >= 0.97
                )
        if size <= 1_000_000:
            yield from _bodies(bench, size)


def _bodies(bench: Bench, size: int) -> Iterator[Row]:
    _stage_requests(size, bench.folder)
    sides = bench.turns(__name__, size, "bodies", "bodies_beside_files", "orjson", peers=("orjson",))
    is_reach = size == 1_000_000
    yield faster(
        "P9",
        "JSON bodies of 300 against fetch and orjson",
        size,
        sides,
        "orjson",
        2.8 if is_reach else None,
        "bodies",
        200 if is_reach else None,
        note="bodies equal",
    )
    yield faster(
        "P9",
        "the same rows staged for files, sent as requests",
        size,
        sides,
        "orjson",
        None,
        "bodies_beside_files",
        note="bodies equal",
    )


def _form() -> JsonFormat:
    from syncer.capability import JsonFormat

    return JsonFormat(300, 1_000_000)


def _stage_requests(size: int, folder: Path) -> None:
    """Stage the workload as for an object that takes requests only, as most objects do."""
    from benchmarks.leads import project, source
    from syncer.engine.stage import stage
    from syncer.workflow import load

    target = folder / "staged-requests"
    shutil.rmtree(target, ignore_errors=True)
    loaded = load.load(project(folder, source(size, folder)))
    stage(loaded.pipelines["leads"], loaded.sources["leads"], None, {"sync": _form()}, target).close()


def _stage(size: int, folder: Path, name: str) -> None:
    from benchmarks.leads import planned, project, source

    path = source(size, folder)
    if name == "hostile":
        path = _hostile(path)
    target = folder / f"staged-{name}"
    shutil.rmtree(target, ignore_errors=True)
    with planned(project(folder, path), folder / "work-cut") as made:
        shutil.copytree(made.folder / "staged" / "leads", target, ignore=shutil.ignore_patterns("spill"))
        _columns(made.staged["leads"], target / COLUMNS)


def _columns(staged: StagedOperation, path: Path) -> None:
    """Write the first wave's rows as a table of their fields, which is what the others start from."""
    from syncer.engine import sql
    from syncer.mapping.pipeline import conformed

    fields = staged.form.fields
    named = ", ".join(f"{sql.name(conformed(each.name))} AS {sql.name(each.name)}" for each in fields)
    with staged._cursor() as cursor:  # noqa: SLF001 - the same view of the rows as the payloads have
        values = staged.form.wire.values('"first"')
        cursor.execute(f"COPY (SELECT {named} FROM ({values})) TO {sql.text(path)} (FORMAT parquet)")


def _hostile(path: Path) -> Path:
    """Write the workload with quotes, delimiters, line ends and long scripts in most companies and titles."""
    import duckdb

    target = path.with_name(path.stem + "-hostile.csv")
    if not target.exists():
        with duckdb.connect() as connection:
            connection.execute(
                f"""
                COPY (SELECT * REPLACE (
                        company || ' "' || repeat('é,' || chr(10) || '"', 1 + CAST(score AS INTEGER) // 10) AS company,
                        title || repeat('漢😀', CAST(score AS INTEGER) % 20) AS title)
                      FROM read_csv('{path}', all_varchar = true)) TO '{target}' (FORMAT csv, HEADER true)
                """
            )
    return target


def _inspect(out: Path, records: int) -> tuple[int, int, float]:
    """Return files over the limit, rows missing or split, and the least fill but for the last file."""
    import duckdb

    files = sorted(out.glob("*.csv"))
    sizes = [each.stat().st_size for each in files]
    with duckdb.connect() as connection:
        [(rows,)] = connection.execute(
            f"SELECT count(*) FROM read_csv('{out}/*.csv', all_varchar = true, header = true, delim = ',', quote = '\"', "
            "escape = '\"', strict_mode = true, parallel = false)"
        ).fetchall()
    return sum(each > LIMIT for each in sizes), abs(rows - records), min(sizes[:-1], default=LIMIT) / LIMIT


def _files(folder: Path, name: str) -> dict[str, Any]:
    from syncer.capability import CsvFormat
    from syncer.engine.protocol import Cut
    from syncer.engine.staged import reopen

    out = folder / f"files-{name}"
    shutil.rmtree(out, ignore_errors=True)
    staged = reopen(folder / f"staged-{name}")
    found = list(staged.payloads(Cut(1, None, CsvFormat(None, LIMIT)), out))
    return {"files": len(found), "records": sum(each.records for each in found)}


def usual_files(_size: int, folder: Path) -> dict[str, Any]:
    """Cut the workload."""
    return _files(folder, "usual")


def hostile_files(_size: int, folder: Path) -> dict[str, Any]:
    """Cut cells full of quotes and line ends."""
    return _files(folder, "hostile")


def _copy(folder: Path, name: str) -> dict[str, Any]:
    import duckdb

    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(folder / "spill")}) as connection:
        connection.execute(
            f"COPY (FROM '{folder / f'staged-{name}' / COLUMNS}') TO '{folder / 'copy.csv'}' (FORMAT csv, HEADER true)"
        )
    return {}


def usual_copy(_size: int, folder: Path) -> dict[str, Any]:
    """Copy the workload's rows into one file with the engine alone."""
    return _copy(folder, "usual")


def hostile_copy(_size: int, folder: Path) -> dict[str, Any]:
    """Copy the hostile rows into one file."""
    return _copy(folder, "hostile")


def _requests(folder: Path, name: str) -> dict[str, Any]:
    from syncer.engine.protocol import Cut
    from syncer.engine.staged import reopen

    count = records = total = 0
    staged = reopen(folder / f"staged-{name}")
    for each in staged.payloads(Cut(1, None, _form()), folder / "bodies"):
        assert isinstance(each.body, bytes)
        count, records, total = count + 1, records + each.records, total + len(each.body)
    return {"digest": f"{count} {records} {total}"}


def bodies(_size: int, folder: Path) -> dict[str, Any]:
    """Yield JSON lists of 300 records, one after the other."""
    return _requests(folder, "requests")


def bodies_beside_files(_size: int, folder: Path) -> dict[str, Any]:
    """Yield the same from rows that were staged as rows of files."""
    return _requests(folder, "usual")


def orjson(_size: int, folder: Path) -> dict[str, Any]:
    """Fetch tuples of the same rows, make dictionaries, and dump lists of 300."""
    import duckdb
    import orjson as peer

    count = records = total = 0
    with duckdb.connect() as connection:
        cursor = connection.execute(f"FROM '{folder / 'staged-usual' / COLUMNS}'")
        names = [each[0] for each in cursor.description]
        while found := cursor.fetchmany(300):
            body = peer.dumps([{n: v for n, v in zip(names, row, strict=True) if v is not None} for row in found])
            count, records, total = count + 1, records + len(found), total + len(body)
    return {"digest": f"{count} {records} {total}"}
