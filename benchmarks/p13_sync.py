"""P13: Sync Leads with no limit in force, lanes and journal on, beside marketorestpython without its pause between calls.

The plan is drawn up before the clock starts, as the peer's file is there before it starts. Each side sends the same rows in
the same requests of 300 to the same server, a process of its own that answers at once.
"""

from __future__ import annotations

import csv
import os
import shutil
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, faster
from benchmarks.measure import PEERS, ROOT, Seen, process, take_turns
from benchmarks.stub import serving

ID = "P13"
SIZES = (10_000, 100_000, 1_000_000)
RECORDS = 300
UNLIMITED = 1_000_000_000


def results(bench: Bench) -> Iterator[Row]:
    """Send so many leads."""
    for size in bench.chosen(SIZES):
        leads_file(size, bench.folder)
        sides = take_turns(
            {
                "ours": lambda size=size: _measured(sys.executable, "ours", size, bench.folder),
                "marketorestpython": lambda size=size: _measured(str(PEERS), "marketorestpython", size, bench.folder),
            },
            size,
            bench.rounds,
            agree="sent",
        )
        yield faster(
            "P13", "Sync Leads, limits off", size, sides, "marketorestpython", 2 if size == SIZES[-1] else None
        )


def _measured(python: str, side: str, size: int, folder: Path) -> Seen:
    with serving() as base:
        command = [python, "-m", "benchmarks.child", "p13_sync", side, str(size), str(folder)]
        return process(command, {"STUB_URL": base})


def leads_file(size: int, folder: Path) -> Path:
    """Return the file of leads as both sides send them: each address once, every value valid."""
    import duckdb

    from benchmarks.workload import made

    path = folder / f"sync-{size}.csv"
    if not path.exists():
        draft = path.with_suffix(".part")
        with duckdb.connect() as connection:
            connection.execute(
                f"""
                COPY (SELECT lower(id) || '@example.com' AS email, first_name AS firstName, last_name AS lastName, company,
                             title, phone, country, id AS externalKey FROM read_csv('{made(size, folder)}', all_varchar = true))
                TO '{draft}' (FORMAT csv, HEADER true)
                """
            )
        draft.replace(path)
    return path


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Send the leads with no limit in force."""
    import dataclasses

    from syncer.facts import System
    from syncer.targets import registry
    from syncer.targets.pace import Limits

    open_limits = Limits(calls=UNLIMITED, window_seconds=0.0, concurrency=10, jobs=10, calls_today=UNLIMITED)
    registry.TARGETS[System.MARKETO] = dataclasses.replace(
        registry.TARGETS[System.MARKETO], limits=lambda _: open_limits
    )
    return sent(size, folder)


def sent(size: int, folder: Path) -> dict[str, Any]:
    """Plan the leads for Sync Leads, then time the run: every request journalled before and after."""
    import dataclasses

    from syncer.execution import executor  # noqa: F401 - importing is no part of the run
    from syncer.workflow import applying, load, planning

    os.environ.update(MARKETO_BASE_URL=os.environ["STUB_URL"], MARKETO_CLIENT_ID="id", MARKETO_CLIENT_SECRET="secret")
    loaded = load.load(project(size, folder))
    work = folder / "work-sync"
    shutil.rmtree(work, ignore_errors=True)
    settings = planning.Settings(work=work, offline=True, sandbox=True)
    with applying.new_run(loaded, settings) as new:
        planned = planning.make_plan(loaded, settings, new.folder, lambda *_: None)
        start, used = time.perf_counter(), time.process_time()
        applied = applying.apply_plan(planned, new, dataclasses.replace(settings, offline=False), lambda *_: None)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - used
    assert applied.result.exit_code == 0, applied.result
    return {"sent": size, "seconds": seconds, "cpu_seconds": cpu_seconds}


def project(size: int, folder: Path, *, path: str = ', path: sync, because: "what is measured is this path"') -> Path:
    """Make the project that sends the leads; `path` goes into the manifest's operation, nothing leaves it to the plan."""
    from benchmarks.leads import MANIFEST

    source = leads_file(size, folder)
    home = folder / f"project-{source.stem}{'' if path else '-planned'}"
    (home / "data").mkdir(parents=True, exist_ok=True)
    link = home / "data" / source.name
    if not link.exists():
        link.hardlink_to(source)
    if not (home / "schemas").exists():
        (home / "schemas").symlink_to(ROOT / "schemas")
    with source.open(encoding="utf-8") as file:
        names = file.readline().strip().split(",")
    fields = "\n".join(f'    {name}: "{{{{ {name} }}}}"' for name in names)
    text = MANIFEST.format(
        blank_cells="keep",
        file=f"data/{source.name}",
        fields=fields,
        path=path,
    ).replace(", columns: { employees: integer, signed_up: date }", "")
    (home / "syncer.yaml").write_text(text, encoding="utf-8")
    return home


def marketorestpython(size: int, folder: Path) -> dict[str, Any]:
    """Send with the peer, its fixed pause between calls taken out."""
    return peer(size, folder, pauses=False)


def peer(size: int, folder: Path, *, pauses: bool) -> dict[str, Any]:
    """Send the file's rows with the peer, one call after the other, as it does."""
    from marketorestpython.client import MarketoClient
    from marketorestpython.helper import http_lib

    if not pauses:
        http_lib.time.sleep = lambda _: None
    client = MarketoClient("123-ABC-456", "id", "secret")
    client.host = os.environ["STUB_URL"]
    sent = 0
    start, used = time.perf_counter(), time.process_time()
    with (folder / f"sync-{size}.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        while leads := list(islice(rows, RECORDS)):
            answers = client.execute("create_update_leads", leads=leads, action="createOrUpdate", lookupField="email")
            sent += sum(each["status"] == "created" for each in answers)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - used
    return {"sent": sent, "seconds": seconds, "cpu_seconds": cpu_seconds}
