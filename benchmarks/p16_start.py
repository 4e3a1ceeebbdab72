"""P16: what the command line costs before it does anything: help, validation, a plan of a thousand rows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench, Row, slower
from benchmarks.measure import process, take_turns

ID = "P16"
OPERATIONS = (1, 10, 100)
os.environ.update(
    MARKETO_BASE_URL="https://123-ABC-456.mktorest.com", MARKETO_CLIENT_ID="id", MARKETO_CLIENT_SECRET="secret"
)


def results(bench: Bench) -> Iterator[Row]:
    """Run the command as people do."""
    syncer = [sys.executable, "-m", "syncer.cli.main"] if not _script().exists() else [str(_script())]
    nothing = [sys.executable, "-c", "pass"]
    sides = bench.commands({"ours": [*syncer, "--help"], "python": nothing}, 5)
    yield slower("P16", "syncer --help", 1, sides, "python", 8)
    for count in (1, 10, 50, 100):
        home = _many(bench.folder, count)
        sides = bench.commands({"ours": [*syncer, "validate", str(home)], "python": nothing}, 5)
        yield slower(
            "P16", "syncer validate of so many operations", count, sides, "python", 25 if count == 50 else None
        )
    home, bare = _thousand(bench.folder)
    command = [*syncer, "plan", str(home), "--offline", "--work", str(bench.folder / "work-thousand")]
    sides = take_turns({"ours": lambda: process(command), "duckdb": lambda: process(bare)}, 1_000, 5)
    yield slower("P16", "syncer plan of 1,000 rows", 1_000, sides, "duckdb", 2.8)


def _script() -> Path:
    return Path(sys.executable).parent / "syncer"


def _many(folder: Path, count: int) -> Path:
    from benchmarks.leads import project, source

    home = project(folder, source(1_000, folder), path="auto", blank_cells="unknown")
    text = (home / "syncer.yaml").read_text()
    at = text.index("  leads: { source: leads")
    operations = "".join(f"  leads{n}: {{ source: leads, mapping: leads, target: leads }}\n" for n in range(count))
    target = folder / f"project-{count}-operations"
    (target / "data").mkdir(parents=True, exist_ok=True)
    link = target / "data" / source(1_000, folder).name
    if not link.exists():
        link.hardlink_to(source(1_000, folder))
    (target / "syncer.yaml").write_text(text[:at] + operations)
    return target


def _thousand(folder: Path) -> tuple[Path, list[str]]:
    """Return the project of a thousand rows, and a script that only reads, maps, dedupes and writes them."""
    from benchmarks.leads import project, source
    from benchmarks.p05_mapping import BY_HAND

    path = source(1_000, folder)
    values = ", ".join(f"{value} AS {name}" for name, value in BY_HAND.items())
    script = f"""
import duckdb
c = duckdb.connect()
c.execute('''CREATE TABLE mapped AS SELECT {values.replace("employees AS", "TRY_CAST(employees AS BIGINT) AS")}
             FROM read_csv('{path}', all_varchar = true)''')
c.execute('''COPY (FROM mapped WHERE regexp_full_match(email, '[^@]+@[^@]+') AND customerNumber IS NOT NULL
             QUALIFY row_number() OVER (PARTITION BY email) = 1) TO '{folder / "bare.csv"}' ''')
"""
    return project(folder, path, path="auto", blank_cells="unknown"), [sys.executable, "-c", script]
