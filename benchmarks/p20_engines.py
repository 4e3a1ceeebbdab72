"""P20: leads read, mapped, planned and sent, beside engines that hand records on one by one.

The others map nothing, check what they check by default, and give their records to a sink that only counts them: 300
at a time, or a whole file. So our side is measured by both of its paths: as requests of 300, which the manifest must
ask for at these sizes, and by plain `syncer apply`, where the plan takes import files. The second is compared by
processor time alone: how long a job is waited for is the vendor's.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, faster, less
from benchmarks.measure import PEERS, Seen, process, take_turns

ID = "P20"
SIZES = (100_000, 1_000_000)
ENGINES = {"singer": ("Singer SDK sink", 40), "dicts": ("dlt, dictionaries", 25), "arrow": ("dlt, Arrow", 4)}
RECORDS = 300
SLOW_ROWS = 200_000
"""As many rows are enough for engines that take a second for a few thousand; of fewer, their start would be a part."""


def results(bench: Bench) -> Iterator[Row]:
    """Compare by the row; the whole process counts on every side."""
    from benchmarks.p13_sync import leads_file

    for size in bench.chosen(SIZES):
        leads_file(size, bench.folder)
        sides = take_turns(
            {
                "ours": lambda size=size: _ours(size, bench.folder),
                "as planned": lambda size=size: _as_planned(size, bench.folder),
            }
            | {name: (lambda name=name, size=size: _peer(name, size, bench.folder)) for name in ENGINES},
            size,
            bench.rounds,
        )
        for name, (title, least) in ENGINES.items():
            yield faster(
                "P20",
                f"leads planned and posted against {title}",
                size,
                sides,
                name,
                least if size == SIZES[-1] else None,
                note=f"{title} on {sides[name].rows:,} rows, nothing posted",
            )
            yield less(
                "P20",
                f"leads imported by the path of the plan against {title}, processor time",
                size,
                sides | {"ours": sides["as planned"]},
                name,
                least if size == SIZES[-1] else None,
            )


def _ours(size: int, folder: Path) -> Seen:
    from benchmarks.stub import serving

    with serving() as base:
        return process(
            [sys.executable, "-m", "benchmarks.child", "p20_engines", "ours", str(size), str(folder)],
            {"STUB_URL": base},
        )


def _as_planned(size: int, folder: Path) -> Seen:
    from benchmarks.p13_sync import project
    from benchmarks.stub import serving

    home, work = project(size, folder, path=""), folder / "work-import"
    shutil.rmtree(work, ignore_errors=True)
    with serving() as base:
        address = {"MARKETO_BASE_URL": base, "MARKETO_CLIENT_ID": "id", "MARKETO_CLIENT_SECRET": "secret"}
        command = [str(Path(sys.executable).with_name("syncer")), "apply", str(home), "--yes", "--sandbox"]
        return process([*command, "--work", str(work)], address)


def _peer(name: str, size: int, folder: Path) -> Seen:
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "SINGER_SDK_LOG_LEVEL": "ERROR"}
    return process([str(PEERS), "-m", "benchmarks.child", "p20_engines", name, str(size), str(folder)], quiet)


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Plan and send: journal, lanes and ledger on, no limit in force."""
    from benchmarks import p13_sync

    return {"sent": p13_sync.ours(size, folder)["sent"]}


def _rows(size: int, folder: Path, most: int) -> Iterator[dict[str, str]]:
    import csv

    from benchmarks.p13_sync import leads_file

    with leads_file(size, folder).open(encoding="utf-8", newline="") as file:
        yield from islice(csv.DictReader(file), most)


def singer(size: int, folder: Path) -> dict[str, Any]:
    """Write the rows as Singer messages, and let a target of the SDK read them into batches of 300."""
    import io
    import json

    from singer_sdk import typing as th
    from singer_sdk.sinks import BatchSink
    from singer_sdk.target_base import Target

    counted = []

    class Sink(BatchSink):
        max_size = RECORDS

        def process_batch(self, context: dict[str, Any]) -> None:
            counted.append(len(context["records"]))

    class Counting(Target):
        name = "target-count"
        config_jsonschema = th.PropertiesList().to_dict()
        default_sink_class = Sink

    rows = list(_rows(size, folder, SLOW_ROWS))
    kinds = {name: {"type": ["string", "null"]} for name in rows[0]}
    first = {"type": "SCHEMA", "stream": "leads", "schema": {"properties": kinds}, "key_properties": ["email"]}
    records = ({"type": "RECORD", "stream": "leads", "record": row} for row in rows)
    Counting().listen(io.StringIO("".join(json.dumps(each) + "\n" for each in (first, *records))))
    assert sum(counted) == len(rows)
    return {"rows": len(rows)}


def _dlt(data: Any, file_format: str, folder: Path) -> int:
    os.environ["DLT_DATA_DIR"] = str(folder / "dlt")
    shutil.rmtree(folder / "dlt", ignore_errors=True)
    import dlt

    counted = []

    @dlt.destination(batch_size=RECORDS if file_format == "typed-jsonl" else 0, loader_file_format=file_format)  # type: ignore[untyped-decorator]
    def sink(items: Any, table: Any) -> None:  # noqa: ARG001 - the engine's
        counted.append(len(items) if isinstance(items, list) else _length(items))

    pipeline = dlt.pipeline("leads", destination=sink, pipelines_dir=str(folder / "dlt"))
    pipeline.run(data, table_name="leads")
    return sum(counted)


def _length(path: str) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def dicts(size: int, folder: Path) -> dict[str, Any]:
    """Give dictionaries to a destination of dlt that takes 300 at a time."""
    rows = min(size, SLOW_ROWS)
    assert _dlt(_rows(size, folder, SLOW_ROWS), "typed-jsonl", folder) == rows
    return {"rows": rows}


def arrow(size: int, folder: Path) -> dict[str, Any]:
    """Give Arrow tables to a destination of dlt that takes Parquet files."""
    import pyarrow as pa
    from pyarrow import csv

    from benchmarks.p13_sync import leads_file

    def tables() -> Iterator[pa.Table]:
        for piece in csv.open_csv(leads_file(size, folder)):
            yield pa.Table.from_batches([piece])

    assert _dlt(tables(), "parquet", folder) == size
    return {"rows": size}
