"""The reference job as people write it by hand: row after row in Python, once with Jinja and once with closures.

Throw-away baselines of P4 and P5. The meaning is that of `benchmarks.leads`: the cells written must be the same.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from benchmarks.leads import FIELDS

MAX_BYTES = 9_998_976
EMAIL = re.compile(r"[!-?A-~]+@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+")
WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LIMITS = dict.fromkeys(FIELDS, 255) | {"segment": 50}
Row = dict[str, str]
Mapper = Callable[[Row], list[str]]


def closures() -> Mapper:
    """Return the mapping as plain Python functions, one a field."""
    functions: list[Callable[[Row], str]] = [
        lambda row: row["email"].strip().lower(),
        lambda row: row["first_name"].strip(),
        lambda row: row["last_name"].strip(),
        lambda row: row["company"],
        lambda row: row["title"] or "Contact",
        lambda row: row["phone"].replace(" ", ""),
        lambda row: row["country"].upper(),
        lambda row: row["id"],
        lambda row: row["employees"],
        lambda row: "Hot" if int(row["score"]) >= 80 else "Cold",
        lambda row: row["first_name"] + " " + row["last_name"],
        lambda row: row["signed_up"],
    ]
    return lambda row: [each(row) for each in functions]


def jinja() -> Mapper:
    """Return the mapping as Jinja templates, rendered for each row and field."""
    from jinja2 import Environment

    environment = Environment(autoescape=False)  # noqa: S701 - text for an API, no HTML
    templates = [environment.from_string(each.replace("'Contact'", "'Contact', true")) for each in FIELDS.values()]
    return lambda row: [each.render(row) for each in templates]


def flaw(row: Row, cells: list[str]) -> str:
    """Return why the row is refused, empty where it is not."""
    if not WHOLE.fullmatch(row["employees"]):
        return "employees"
    try:
        if not DAY.fullmatch(row["signed_up"]):
            return "signed_up"
        date.fromisoformat(row["signed_up"])
    except ValueError:
        return "signed_up"
    if not EMAIL.fullmatch(cells[0]):
        return "email"
    return next((name for name, cell in zip(FIELDS, cells, strict=True) if len(cell) > LIMITS[name]), "")


def run(source: Path, out: Path, mapper: Mapper, rows: int) -> dict[str, int]:
    """Map, check, hash, put into waves, compare with an empty ledger, and write CSV files below the limit."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    waves: dict[bytes, int] = {}
    ledger: dict[bytes, bytes] = {}
    files: dict[int, _Files] = {}
    counts = {"records": 0, "rejected": 0}
    for row in _rows(source, rows):
        cells = mapper(row)
        if flaw(row, cells):
            counts["rejected"] += 1
            continue
        key = hashlib.md5(b"marketo/lead/email\0" + cells[0].encode(), usedforsecurity=False).digest()
        row_hash = hashlib.md5("\0".join(cells).encode(), usedforsecurity=False).digest()[:8]
        if ledger.get(key) == row_hash:
            continue
        wave = waves[key] = waves.get(key, 0) + 1
        if wave not in files:
            files[wave] = _Files(out, wave)
        files[wave].add(cells)
        counts["records"] += 1
    for each in files.values():
        each.close()
    return counts


def _rows(source: Path, most: int) -> Iterator[Row]:
    with source.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if number == most:
                return
            yield row


class _Files:
    """CSV files of one wave, cut before a row would break the limit."""

    def __init__(self, out: Path, wave: int) -> None:
        self.out, self.wave, self.count = out, wave, 0
        self.text = io.StringIO(newline="")
        self.writer = csv.writer(self.text, lineterminator="\n")
        self.open()

    def open(self) -> None:
        self.sink = (self.out / f"wave{self.wave}-{self.count:05}.csv").open("wb")
        self.used = self.sink.write((",".join(FIELDS) + "\n").encode())
        self.count += 1

    def add(self, cells: list[str]) -> None:
        self.text.seek(0)
        self.text.truncate()
        self.writer.writerow(cells)
        line = self.text.getvalue().encode()
        if self.used + len(line) > MAX_BYTES:
            self.sink.close()
            self.open()
        self.used += self.sink.write(line)

    def close(self) -> None:
        self.sink.close()
