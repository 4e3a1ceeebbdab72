"""Rows of a simulated operation: the engine's contract in memory, with the vendors' field names and result files."""

# ruff: noqa: D102, D107 - the methods are a protocol's, and documented there

from __future__ import annotations

import csv
import hashlib
import io
import json
from array import array
from collections import Counter
from typing import TYPE_CHECKING

from syncer.capability import CsvFormat, JsonFormat
from syncer.engine.protocol import Payload, Reconciled, RowReject
from syncer.facts import OperationFacts
from tests.sim.ways import TOO_LONG

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from syncer.engine.protocol import Cut, ResultFile
    from tests.sim.scene import Op, Row
    from tests.sim.ways import Record


def lane(op: Op, row: Row) -> int:
    """Return the lane of a row's key: of the way's key space, whatever case the key is written in."""
    space = f"{op.way.object} {op.way.key} {op.way.record(row.whom, '', row.is_spoilt)[op.way.key[0]]} {row.whom}"
    return int.from_bytes(hashlib.md5(space.encode(), usedforsecurity=False).digest()[:8], "little")


class SimStaged:
    """One operation's rows; the n-th row about somebody is of wave n."""

    def __init__(self, op: Op) -> None:
        self.op = op
        seen: Counter[int] = Counter()
        self.waves: dict[int, list[Row]] = {}
        for row in op.rows:
            seen[row.whom] += 1
            self.waves.setdefault(seen[row.whom], []).append(row)
        self.told: dict[int, str] = {}
        self.facts = OperationFacts(
            operation=op.name,
            source="rows",
            source_digest="s",
            rows_digest="r",
            read=len(op.rows) + op.unchanged + op.refused,
            outgoing=len(op.rows),
            unchanged=op.unchanged,
            skipped=0,
            rejected=op.refused,
            folded=0,
            keys=len(seen),
            known_keys=None,
            gone=0,
        )

    def _record(self, row: Row) -> Record:
        value = TOO_LONG if row.is_spoilt else row.value
        return self.op.way.record(row.whom, value, row.is_loud)

    def payloads(self, cut: Cut, folder: Path, start: int = 0) -> Iterator[Payload]:
        size = min(self.op.size, cut.format.max_records or self.op.size)
        rows = self.waves.get(cut.wave, [])
        for index, at in enumerate(range(0, len(rows), size)):
            if index < start:
                continue
            chosen = rows[at : at + size]
            records = [self._record(row) for row in chosen]
            body: bytes | Path
            if isinstance(cut.format, JsonFormat):
                opened = {name: json.loads(text) for name, text in cut.format.constants}
                content = json.dumps([opened | record for record in records]).encode()
                body = content
            else:
                assert isinstance(cut.format, CsvFormat)
                lines = [",".join(records[0]), *(",".join(map(str, record.values())) for record in records)]
                content = ("\n".join(lines) + "\n").encode()
                body = folder / f"{index}.csv"
                body.write_bytes(content)
            yield Payload(
                index=index,
                records=len(chosen),
                rows=array("q", (row.number for row in chosen)),
                lanes=array("Q", (lane(self.op, row) for row in chosen)),
                fields=tuple(records[0]),
                body=body,
                byte_count=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )

    def reconcile(self, payload: Payload, files: Sequence[ResultFile], succeeded: str) -> Reconciled:
        by_number = {row.number: row for row in self.op.rows}
        key = self.op.way.key
        keys = {number: tuple(str(self._record(by_number[number])[name]) for name in key) for number in payload.rows}
        mine = set(keys.values())
        told: dict[tuple[str, ...], tuple[str, str]] = {}
        for file in files:
            text = file.path.read_text(encoding="utf-8", errors="replace").replace("\0", "")
            for cells in csv.DictReader(io.StringIO(text, newline="")):
                place = tuple(cells.get(name) or "" for name in key)
                letter = {"failed": "x", "unprocessed": "."}.get(file.kind, "u")
                if letter == "u" and (cells.get(file.created_column) or "").lower() == "true":
                    letter = "c"
                if place in mine:
                    told[place] = (letter, cells.get(file.error_column) or "")
                else:
                    succeeded = "?"  # A row that nobody sent: what the file leaves out proves nothing.
        letters = "".join(told.get(keys[row], (succeeded, ""))[0] for row in payload.rows)
        rejects = [
            RowReject(row, "V500", told[keys[row]][1])
            for row, letter in zip(payload.rows, letters, strict=True)
            if letter == "x"
        ]
        return Reconciled(letters, tuple(rejects))

    def rejects(self) -> Iterator[RowReject]:
        last = len(self.op.rows) + self.op.unchanged + 1
        yield from (RowReject(last + each, "V210", "The key is blank.") for each in range(1, self.op.refused + 1))

    def confirm(self, rows: Sequence[int], letters: str, folder: Path) -> None:
        assert folder.is_dir()
        self.told.update(zip(rows, letters, strict=True))

    def confirmed(self, path: Path) -> int:
        """Write the last value of everybody all of whose rows are done; the others are forgotten."""
        kept: dict[str, str] = {}
        for row in self.op.rows:
            kept[str(row.whom)] = row.value
        for row in self.op.rows:
            if self.told.get(row.number, "") not in set("cuw"):
                kept[str(row.whom)] = ""
        path.write_text(json.dumps(kept))
        return len(kept)

    def close(self) -> None:
        """Nothing is open."""
