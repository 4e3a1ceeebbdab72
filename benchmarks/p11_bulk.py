"""P11: Bulk API 2.0 upsert of contacts: `syncer apply`, journal and reconciled results on, beside simple-salesforce.

Both send the same file to the same kind of server, the embedded sandbox in a process of its own, anew for each side and
round. Only the client's processor time and memory count. The peer stops once its jobs are complete: it keeps no journal,
checks no value and reads no results. Its `batch_size` is given by hand, because its own splitting raises on this file.
What `syncer plan` alone takes of the same file is told beside it: `apply` does that first, and the peer nothing like it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, less, within
from benchmarks.measure import PEERS, ROOT, Seen, process, take_turns

ID = "P11"
SIZES = (100_000, 1_000_000)
JOB_SPEED = 10_000
PEER_ROWS = 400_000
"""Records of one job of the peer: about 50 MB, under the vendor's limit of 100 MB."""
COLUMNS = {
    "Crm_Key__c": "id",
    "Email": "CASE WHEN contains(email, '@') THEN lower(email) END",
    "FirstName": "first_name",
    "LastName": "last_name",
    "Department": "company",
    "Title": "title",
    "Phone": "phone",
    "MailingCountry": "upper(country)",
    "Score__c": "score",
}
MANIFEST = """version: 1
connections:
  growth:
    system: salesforce
    base_url: "{{{{ env.SALESFORCE_BASE_URL }}}}"
    client_id: "{{{{ env.SALESFORCE_CLIENT_ID }}}}"
    client_secret: "{{{{ secret.SALESFORCE_CLIENT_SECRET }}}}"
    budget: {{ calls_per_day: 5000, concurrency: 5 }}
sources:
  contacts: {{ file: "data/{file}" }}
targets:
  contacts: {{ connection: growth, object: Contact, key: Crm_Key__c }}
mappings:
  contacts:
{fields}
operations:
  contacts: {{ source: contacts, mapping: contacts, target: contacts }}
"""


def results(bench: Bench) -> Iterator[Row]:
    """Send so many contacts; at the largest size see also what the peer does when left to split by itself."""
    for size in bench.chosen(SIZES):
        home = _project(size, bench.folder)
        sides = take_turns(
            {
                "ours": lambda home=home: _ours(home, bench.folder),
                "simple-salesforce": lambda size=size: _peer(size, bench.folder),
                "plan": lambda home=home: _plan(home, bench.folder),
            },
            size,
            bench.rounds,
        )
        is_reach = size == SIZES[-1]
        yield less("P11", "Bulk 2.0 upsert, processor time", size, sides, "simple-salesforce", 8 if is_reach else None)
        yield within(
            "P11",
            "the plan's part of it",
            size,
            sides["plan"].cpu_seconds,
            "CPU s",
            "",
            is_reached=None,
            memory=sides["plan"].peak_mb,
        )
        share = sides["ours"].peak_mb / sides["simple-salesforce"].peak_mb
        yield within(
            "P11",
            "Bulk 2.0 upsert, memory against the peer's",
            size,
            share,
            "×",
            "≤ 0.5 ×" if is_reach else "",
            is_reached=share <= 0.5 if is_reach else None,
            memory=sides["ours"].peak_mb,
        )
    if bench.chosen(SIZES[-1:]):
        yield within(
            "P11",
            "the peer left to split the file itself",
            SIZES[-1],
            0.0,
            "",
            "",
            is_reached=None,
            note=_by_itself(bench),
        )


def _contacts(size: int, folder: Path) -> Path:
    import duckdb

    from benchmarks.workload import made

    path = folder / f"contacts-{size}.csv"
    if not path.exists():
        values = ", ".join(f"{value} AS {name}" for name, value in COLUMNS.items())
        draft = path.with_suffix(".part")
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (SELECT {values} FROM read_csv('{made(size, folder)}', all_varchar = true)) "
                f"TO '{draft}' (FORMAT csv, HEADER true)"
            )
        draft.replace(path)
    return path


def _project(size: int, folder: Path) -> Path:
    path = _contacts(size, folder)
    home = folder / f"project-{path.stem}"
    (home / "data").mkdir(parents=True, exist_ok=True)
    link = home / "data" / path.name
    if not link.exists():
        link.hardlink_to(path)
    schemas = home / "schemas"
    if not schemas.exists():
        schemas.symlink_to(ROOT / "schemas")
    fields = "\n".join(f'    {name}: "{{{{ {name} }}}}"' for name in COLUMNS)
    (home / "syncer.yaml").write_text(MANIFEST.format(file=path.name, fields=fields), encoding="utf-8")
    return home


@contextmanager
def _sandbox() -> Iterator[dict[str, str]]:
    """Serve a fresh sandbox on loopback; yield the environment that reaches it."""
    command = [sys.executable, "-c", "from syncer.cli.main import run; run()", "sandbox", "serve", "--json"]
    server = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--job-speed", str(JOB_SPEED)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert server.stdout is not None
        facts = json.loads(server.stdout.readline())
        yield {
            "SALESFORCE_BASE_URL": facts["base_url"],
            "SALESFORCE_CLIENT_ID": facts["salesforce"]["client_id"],
            "SALESFORCE_CLIENT_SECRET": facts["salesforce"]["client_secret"],
            "SALESFORCE_TOKEN": facts["salesforce"]["access_token"],
        }
    finally:
        server.terminate()
        server.wait(timeout=30)


def _ours(home: Path, folder: Path) -> Seen:
    work = folder / "work-bulk"
    shutil.rmtree(work, ignore_errors=True)
    with _sandbox() as environment:
        command = [str(Path(sys.executable).with_name("syncer")), "apply", str(home), "--yes", "--sandbox"]
        return process([*command, "--work", str(work)], environment)


def _plan(home: Path, folder: Path) -> Seen:
    work = folder / "work-bulk-plan"
    shutil.rmtree(work, ignore_errors=True)
    unused = dict.fromkeys(("SALESFORCE_BASE_URL", "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"), "http://unused")
    command = [str(Path(sys.executable).with_name("syncer")), "plan", str(home), "--offline", "--work", str(work)]
    return process(command, unused)


def _peer(size: int, folder: Path, side: str = "simple_salesforce") -> Seen:
    with _sandbox() as environment:
        return process([str(PEERS), "-m", "benchmarks.child", "p11_bulk", side, str(size), str(folder)], environment)


def simple_salesforce(size: int, folder: Path) -> dict[str, Any]:
    """Upsert the file with the peer, in jobs of a size that its user must guess."""
    return _upsert(folder / f"contacts-{size}.csv", PEER_ROWS)


def simple_salesforce_by_itself(size: int, folder: Path) -> dict[str, Any]:
    """Upsert the file as the peer's documentation shows it, and say what came of it."""
    try:
        return _upsert(folder / f"contacts-{size}.csv", None)
    except Exception as problem:  # noqa: BLE001 - whatever it raises is the finding
        return {"raised": type(problem).__name__}


def _upsert(path: Path, batch_size: int | None) -> dict[str, Any]:
    from simple_salesforce.api import Salesforce

    base = os.environ["SALESFORCE_BASE_URL"]
    client = Salesforce(instance="localhost", session_id=os.environ["SALESFORCE_TOKEN"], version="62.0")
    client.bulk2_url = f"{base}/services/data/v62.0/jobs/"
    jobs = client.bulk2.Contact.upsert(
        csv_file=str(path), external_id_field="Crm_Key__c", batch_size=batch_size, wait=0
    )
    return {"sent": sum(each["numberRecordsProcessed"] for each in jobs), "raised": ""}


def _by_itself(bench: Bench) -> str:
    raised = _peer(SIZES[-1], bench.folder, "simple_salesforce_by_itself").said["raised"]
    return f"raises {raised}" if raised else "completes"
