"""The rows of a cell: what the engine would have staged, with ids as numbers and empty values left out."""

from __future__ import annotations

import csv
import hashlib
import json
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncer.capability import JsonFormat
from syncer.engine.protocol import Payload, Reconciled, RowReject
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


class CellStaged(FakeStaged):
    """Two waves at the most, each in one unit."""

    def __init__(self, operation: str, rows: Sequence[Row], fields: Fields) -> None:
        """Stage `rows` under the names of `fields`."""
        super().__init__(operation, rows)
        self.fields = fields

    def reconcile(self, payload: Payload, files: Sequence[ResultFile], succeeded: str) -> Reconciled:
        """Tell a job's rows apart by their keys in its result files."""
        keys = {number: key for _, number, (key, _) in self.rows}
        told: dict[str, tuple[str, str]] = {}
        for file in files:
            with file.path.open(encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines):
                    letter = {"failed": "x", "unprocessed": "."}.get(file.kind, "u")
                    if letter == "u" and (row.get(file.created_column) or "").lower() == "true":
                        letter = "c"
                    error = row.get(file.error_column) or ""
                    if letter == "x" and file.nothing_to_do and error.startswith(file.nothing_to_do):
                        letter = "s"
                    told[row.get(self.fields.key) or row.get(file.id_column) or ""] = (letter, error)
        letters = "".join(told.get(keys[row], (succeeded, ""))[0] for row in payload.rows)
        rejects = [
            RowReject(row, "V500", told[keys[row]][1])
            for row, letter in zip(payload.rows, letters, strict=True)
            if letter == "x"
        ]
        return Reconciled(letters, tuple(rejects))

    def payloads(self, cut: Cut, folder: Path, start: int = 0) -> Iterator[Payload]:
        """Yield the one unit of a wave."""
        rows = self.wave(cut.wave)
        if not rows or start:
            return
        names = [self.fields.key, *([self.fields.value] if self.fields.value else [])]
        names += [name for name, _ in self.fields.constant]
        records = [dict(zip(names, self._values(row), strict=True)) for _, row in rows]
        body: bytes | Path
        if isinstance(cut.format, JsonFormat):
            opened = {name: json.loads(text) for name, text in cut.format.constants}
            content = json.dumps([opened | record for record in records]).encode()
            body = content
        else:
            opened = dict(cut.format.constants)
            lines = [",".join(opened | dict.fromkeys(names))]
            lines += [",".join(map(str, (opened | record).values())) for record in records]
            content = ("\n".join(lines) + "\n").encode()
            body = folder / f"{cut.wave}.csv"
            body.write_bytes(content)
        yield Payload(
            index=0,
            records=len(rows),
            rows=array("q", (number for number, _ in rows)),
            lanes=array("Q", (lane(key) for _, (key, _) in rows)),
            fields=tuple(names),
            body=body,
            byte_count=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )

    def _values(self, row: tuple[str, str]) -> list[Any]:
        key, value = row
        told: list[Any] = [int(key) if self.fields.key in {"id", "leadId"} else key]
        told += [int(value) if self.fields.value == "quantity" else value] if self.fields.value else []
        return [*told, *(text for _, text in self.fields.constant)]
