"""Rows of a simulated operation: the engine's contract in memory, with the vendors' field names and result files."""

# ruff: noqa: D102, D107 - the methods are a protocol's, and documented there

from __future__ import annotations

import csv
import hashlib
import io
import json
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine.protocol import Payload, Reconciled, RowReject
from syncer.facts import CsvFormat, JsonFormat
from tests.fakes.staged import FakeStaged, lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from syncer.engine.protocol import Cut, ResultFile
    from tests.fakes.staged import Row


@dataclass(frozen=True)
class Fields:
    """The names under which a target takes key and value, and what every record carries beside them."""

    key: str
    value: str
    constant: tuple[tuple[str, str], ...] = ()


class SimStaged(FakeStaged):
    """`FakeStaged` in a vendor's clothes."""

    def __init__(self, operation: str, rows: Sequence[Row], fields: Fields) -> None:
        super().__init__(operation, rows)
        self.fields = fields

    def payloads(self, cut: Cut, folder: Path, start: int = 0) -> Iterator[Payload]:
        size = cut.format.max_records or 1_000_000
        rows = self.wave(cut.wave)
        names = (self.fields.key, self.fields.value, *(name for name, _ in self.fields.constant))
        for index, at in enumerate(range(0, len(rows), size)):
            if index < start:
                continue
            chosen = rows[at : at + size]
            records = [dict(zip(names, self._cells(row), strict=True)) for _, row in chosen]
            body: bytes | Path
            if isinstance(cut.format, JsonFormat):
                opened = {name: json.loads(text) for name, text in cut.format.constants}
                content = json.dumps([opened | record for record in records]).encode()
                body = content
            else:
                assert isinstance(cut.format, CsvFormat)
                lines = [",".join(names), *(",".join(record.values()) for record in records)]
                content = ("\n".join(lines) + "\n").encode()
                body = folder / f"{index}.csv"
                body.write_bytes(content)
            yield Payload(
                index=index,
                records=len(chosen),
                rows=array("q", (number for number, _ in chosen)),
                lanes=array("Q", (lane(key) for _, (key, _) in chosen)),
                fields=names,
                body=body,
                byte_count=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )

    def _cells(self, row: Row) -> tuple[str, ...]:
        return (*row, *(text for _, text in self.fields.constant))

    def reconcile(self, payload: Payload, files: Sequence[ResultFile], succeeded: str) -> Reconciled:
        keys = {number: key for _, number, (key, _) in self.rows}
        mine = {keys[row] for row in payload.rows}
        told: dict[str, tuple[str, str]] = {}
        for file in files:
            text = file.path.read_text(encoding="utf-8", errors="replace").replace("\0", "")
            for row in csv.DictReader(io.StringIO(text, newline="")):
                key = row.get(self.fields.key) or ""
                letter = {"failed": "x", "unprocessed": "."}.get(file.kind, "u")
                if letter == "u" and (row.get(file.created_column) or "").lower() == "true":
                    letter = "c"
                if key in mine:
                    told[key] = (letter, row.get(file.error_column) or "")
                else:
                    succeeded = "?"  # A row that nobody sent: what the file leaves out proves nothing.
        letters = "".join(told.get(keys[row], (succeeded, ""))[0] for row in payload.rows)
        rejects = [
            RowReject(row, "V500", told[keys[row]][1])
            for row, letter in zip(payload.rows, letters, strict=True)
            if letter == "x"
        ]
        return Reconciled(letters, tuple(rejects))
