"""The reference workload *leads*: 12 text columns, about 130 bytes a row, the same bytes for the same size and version.

2 % of e-mail addresses repeat in differing case, 5 % of the cells of four columns are null, 1 % of addresses and 1 % of
numbers and of dates are bad, one company in twelve needs quotes. Values come from an arithmetic mix of the row number,
so no random state and no row loop is needed.
Run: `python -m benchmarks.workload 1000000 leads.csv [--version 2] [--changed 0.1]`; `.parquet` gives Parquet.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

FIRST = (
    "Ada Alan Amélie Andrés Aoife Arjun Astrid Beatriz Björn Chloé Emre Fatima Félix Hana Ingrid João Kofi Zoë".split()
)
LAST = (
    "Almeida Bauer Brontë Çelik D'Angelo Dvořák García Hansen Ivanova Jönsson Kaya Müller Novák O'Brien Rossi".split()
)
TITLE = ["Buyer", "Head of Growth", "VP of Sales", "Engineer", "Director of Customer Success"]
COMPANY = [
    "Northwind Traders",
    "Acme Manufacturing",
    "Müller & Söhne",
    "Fjord Logistics AS",
    "Pampa Foods",
    "Helvetia Precision AG",
    "Blue Yonder Partners",
    "Aurora Biosciences",
    "Kestrel Software",
    "Meridian Health",
    "Sierra Outdoor",
    'The "Old" Company, Inc.',
]
COLUMNS = "id email first_name last_name company title phone country employees score signed_up opt_in".split()


def _pick(values: list[str], mix: str) -> str:
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"[{quoted}][1 + ({mix}) % {len(values)}]"


def select(rows: int, version: int = 1, changed: float = 0.1) -> str:
    """Return the SELECT that makes the workload; in version 2 the share `changed` of rows has another score."""

    def draw(salt: int) -> str:
        # Squared, so that two draws are not one another's shift.
        step = f"((i * 2654435761 + {salt * 40_503}) % 2147483647)"
        return f"({step} * {step} % 2147483647)"

    def sometimes(salt: int, value: str, percent: int = 5) -> str:
        return f"CASE WHEN {draw(salt)} % 100 < {percent} THEN NULL ELSE {value} END"

    moved = f"CASE WHEN {version} = 2 AND {draw(91)} % 10000 < {int(changed * 10_000)} THEN 1 ELSE 0 END"
    person = f"CASE WHEN i > 5000 AND {draw(1)} % 100 < 2 THEN i - 1 - {draw(2)} % 5000 ELSE i END"
    return f"""
    WITH numbers AS (SELECT i, {person} AS person FROM range({rows}) t(i))
    SELECT
      printf('L-%08d', i) AS id,
      CASE WHEN {draw(3)} % 100 < 1 THEN 'bad.address.' || i
           WHEN person <> i THEN upper('user' || person) || '@Mail-' || person % 800 || '.Example.com'
           ELSE 'user' || person || '@mail-' || person % 800 || '.example.com' END AS email,
      {_pick(FIRST, draw(4))} AS first_name,
      {_pick(LAST, draw(5))} AS last_name,
      {sometimes(6, _pick(COMPANY, draw(7)))} AS company,
      {sometimes(8, _pick(TITLE, draw(9)))} AS title,
      {sometimes(10, f"'+49 (0)30 ' || (1000000 + {draw(11)} % 9000000)")} AS phone,
      {sometimes(20, _pick(["de", "fr", "gb", "es", "pl", "tr"], draw(12)))} AS country,
      CASE WHEN {draw(13)} % 100 < 1 THEN 'many' ELSE CAST({draw(14)} % 20000 AS VARCHAR) END AS employees,
      CAST(({draw(15)} + ({moved}) * 7) % 101 AS VARCHAR) AS score,
      CASE WHEN {draw(16)} % 100 < 1 THEN '2024-02-30'
           ELSE CAST(DATE '2022-01-01' + CAST({draw(17)} % 1400 AS INTEGER) AS VARCHAR) END AS signed_up,
      CASE WHEN {draw(18)} % 3 = 0 THEN 'false' ELSE 'true' END AS opt_in
    FROM numbers ORDER BY i
    """


def write(rows: int, path: Path, version: int = 1, changed: float = 0.1) -> None:
    """Write the workload to `path`, CSV or Parquet by its ending."""
    form = "(FORMAT parquet)" if path.suffix == ".parquet" else "(FORMAT csv, HEADER true)"
    draft = path.with_name(path.name + ".part")
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(path.parent)}) as connection:
        connection.execute(f"COPY ({select(rows, version, changed)}) TO '{draft}' {form}")
    draft.replace(path)


def made(rows: int, folder: Path, version: int = 1, changed: float = 0.1, ending: str = "csv") -> Path:
    """Return the file of a workload in `folder`, written where it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"leads-{rows}-v{version}-{changed:g}.{ending}"
    if not path.exists():
        write(rows, path, version, changed)
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--changed", type=float, default=0.1)
    given = parser.parse_args()
    write(given.rows, given.path, given.version, given.changed)
