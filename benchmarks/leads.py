"""The reference project: the workload *leads*, mapped to twelve fields of a Marketo lead and sent as import files.

Makes the project's folder, plans it as `syncer plan --offline` does, and writes the payloads that `apply` would send.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from benchmarks import workload
from benchmarks.measure import ROOT
from syncer.engine.protocol import Cut
from syncer.targets import registry
from syncer.workflow import load, planning
from syncer.workflow.endpoints import declared_endpoint

FIELDS = {
    "email": "{{ email | trim | lower }}",
    "firstName": "{{ first_name | trim }}",
    "lastName": "{{ last_name | trim }}",
    "company": "{{ company }}",
    "title": "{{ title | default('Contact') }}",
    "phone": "{{ phone | replace(' ', '') }}",
    "country": "{{ country | upper }}",
    "externalKey": "{{ id }}",
    "customerNumber": "{{ employees }}",
    "rating": "{{ 'Hot' if score | int >= 80 else 'Cold' }}",
    "segment": "{{ first_name ~ ' ' ~ last_name }}",
    "signedUpOn": "{{ signed_up }}",
}
MANIFEST = """version: 1
connections:
  marketo:
    system: marketo
    base_url: "{{{{ env.MARKETO_BASE_URL }}}}"
    client_id: "{{{{ env.MARKETO_CLIENT_ID }}}}"
    client_secret: "{{{{ secret.MARKETO_CLIENT_SECRET }}}}"
    company_fields: written
    blank_cells: {blank_cells}
    budget: {{ calls_per_day: 1000000, reserve: 0%, concurrency: 10 }}
sources:
  leads: {{ file: "{file}", columns: {{ employees: integer, signed_up: date }} }}
targets:
  leads: {{ connection: marketo, object: lead, key: email }}
mappings:
  leads:
{fields}
operations:
  leads: {{ source: leads, mapping: leads, target: leads{path} }}
"""


def project(folder: Path, source: Path, *, blank_cells: str = "keep", path: str = "bulk") -> Path:
    """Write the project of a source file and return its folder."""
    home = folder / f"project-{source.stem}-{blank_cells}-{path}"
    (home / "data").mkdir(parents=True, exist_ok=True)
    link = home / "data" / source.name
    if not link.exists():
        link.hardlink_to(source)
    if not (home / "schemas").exists():
        (home / "schemas").symlink_to(ROOT / "schemas")
    fields = "\n".join(f'    {name}: "{template}"' for name, template in FIELDS.items())
    chosen = "" if path == "auto" else f', path: {path}, because: "what is measured is this path"'
    text = MANIFEST.format(blank_cells=blank_cells, file=f"data/{source.name}", fields=fields, path=chosen)
    (home / "syncer.yaml").write_text(text, encoding="utf-8")
    return home


@contextmanager
def planned(home: Path, work: Path, memory_limit: str = "1GB") -> Iterator[planning.Planned]:
    """Plan the project offline, with its state in `work`."""
    loaded = load.load(home)
    settings = planning.Settings(work=work, offline=True, memory_limit=memory_limit)
    with planning.workspace(loaded, settings) as folder:
        made = planning.make_plan(loaded, settings, folder, lambda *_: None)
        try:
            yield made
        finally:
            made.close()


def emit(made: planning.Planned, out: Path) -> dict[str, int]:
    """Write every payload of the plan to `out`; return counts."""
    shutil.rmtree(out, ignore_errors=True)
    records = units = total = largest = 0
    fill: list[float] = []
    for node in made.plan.nodes:
        operation = next(each for each in made.plan.operations if each.name == node.operation)
        able = registry.capabilities(operation.object, declared_endpoint(made.loaded.manifest, operation.connection))
        form = next(each.format for each in able.paths if each.name == node.path)
        sizes = []
        for each in made.staged[node.operation].payloads(
            Cut(node.wave, node.shapes, form), out / node.id.replace("/", "_")
        ):
            records, units, total = records + each.records, units + 1, total + each.byte_count
            largest = max(largest, each.byte_count)
            sizes.append(each.byte_count / form.max_bytes)
            if isinstance(each.body, bytes):
                (out / node.id.replace("/", "_") / f"{each.index}.json").write_bytes(each.body)
        assert len(sizes) == node.units
        fill += sizes[:-1]
    return {
        "records": records,
        "units": units,
        "bytes": total,
        "largest": largest,
        "least_fill_percent": int(min(fill, default=1) * 100),
    }


def cells_digest(out: Path) -> str:
    """Return a digest of all rows of all CSV files under `out`, whatever the order of rows, columns and files."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            CREATE VIEW cells AS FROM read_csv('{out}/**/*.csv', all_varchar = true, header = true, union_by_name = true,
                                               delim = ',', quote = '"', escape = '"')
            """
        )
        # By name: which file is read first decides the order of columns that not every file has.
        names = ", ".join(sorted(f'"{name}"' for name, *_ in connection.execute("DESCRIBE cells").fetchall()))
        [(rows, digest)] = connection.execute(
            f"SELECT count(*), CAST(bit_xor(md5_number(to_json(struct_pack({names})))) AS VARCHAR) FROM cells"
        ).fetchall()
    return f"{rows} {digest}"


def source(rows: int, folder: Path) -> Path:
    """Return the CSV of the workload."""
    return workload.made(rows, folder)
