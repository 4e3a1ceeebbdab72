"""The reference workload *leads*: 12 text columns, about 130 bytes a row, the same bytes for the same size and version.

2 % of e-mail addresses repeat in differing case, 5 % of cells are null, 1 % of addresses, numbers and dates are bad.
Values come from an arithmetic mix of the row number, so no random state and no row loop is needed.
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
TITLE = ["Buyer", "Head of Growth", "VP, Sales", "Engineer"]
COMPANY = [
    "Northwind",
    "Borealis, Inc.",
    'The ""Blue"" Company',
    "Acme",
    "Müller & Söhne",
    "Fjord AS",
    "Pampa",
    "Helvetia AG",
]
COLUMNS = "id email first_name last_name company title phone country employees score signed_up opt_in".split()


def _pick(values: list[str], mix: str) -> str:
    quoted = ", ".join("'" + value.replace("'", "''").replace('""', '"') + "'" for value in values)
    return f"[{quoted}][1 + ({mix}) % {len(values)}]"


def select(rows: int, version: int = 1, changed: float = 0.1) -> str:
    """Return the SELECT that makes the workload; in version 2 the share `changed` of rows has another score."""
    mix = "(i * 2654435761 + {0} * 40503) % 4294967291"

    def draw(salt: int) -> str:
        return f"({mix.format(salt)})"

    moved = f"CASE WHEN {version} = 2 AND {draw(91)} % 10000 < {int(changed * 10_000)} THEN 1 ELSE 0 END"
    person = f"CASE WHEN i > 5000 AND {draw(1)} % 100 < 2 THEN i - 1 - {draw(2)} % 5000 ELSE i END"
    return f"""
    WITH numbers AS (SELECT i, {person} AS person FROM range({rows}) t(i))
    SELECT
      printf('L-%08d', i) AS id,
      CASE WHEN {draw(3)} % 100 < 1 THEN 'bad.address.' || i
           WHEN person <> i THEN upper('user' || person) || '@Example.com'
           ELSE 'user' || person || '@example.com' END AS email,
      {_pick(FIRST, draw(4))} AS first_name,
      {_pick(LAST, draw(5))} AS last_name,
      CASE WHEN {draw(6)} % 100 < 15 THEN NULL ELSE {_pick(COMPANY, draw(7))} END AS company,
      CASE WHEN {draw(8)} % 100 < 15 THEN NULL ELSE {_pick(TITLE, draw(9))} END AS title,
      CASE WHEN {draw(10)} % 100 < 15 THEN NULL ELSE '+49 ' || (100000 + {draw(11)} % 900000) END AS phone,
      {_pick(["de", "fr", "gb", "es", "pl", "tr"], draw(12))} AS country,
      CASE WHEN {draw(13)} % 100 < 1 THEN 'many' ELSE CAST({draw(14)} % 20000 AS VARCHAR) END AS employees,
      CAST(({draw(15)} + {moved} * 7) % 101 AS VARCHAR) AS score,
      CASE WHEN {draw(16)} % 100 < 1 THEN '2024-02-30'
           ELSE CAST(DATE '2022-01-01' + CAST({draw(17)} % 1400 AS INTEGER) AS VARCHAR) END AS signed_up,
      CASE WHEN {draw(18)} % 3 = 0 THEN 'false' ELSE 'true' END AS opt_in
    FROM numbers ORDER BY i
    """


def write(rows: int, path: Path, version: int = 1, changed: float = 0.1) -> None:
    """Write the workload to `path`, CSV or Parquet by its ending."""
    form = "(FORMAT parquet)" if path.suffix == ".parquet" else "(FORMAT csv, HEADER true)"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select(rows, version, changed)}) TO '{path}' {form}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--changed", type=float, default=0.1)
    given = parser.parse_args()
    write(given.rows, given.path, given.version, given.changed)
