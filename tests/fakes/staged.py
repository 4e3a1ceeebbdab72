"""Staged rows in memory: the engine's contract without the engine."""

# ruff: noqa: D102, D107 - the methods are a protocol's, and documented there

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from typing import TYPE_CHECKING

from syncer.capability import CsvFormat
from syncer.engine.protocol import Payload, Reconciled, RowReject
from syncer.facts import OperationFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from syncer.engine.protocol import Cut, Learnt, ResultFile

Row = tuple[str, str]


def lane(key: str) -> int:
    """Return the lane of a key."""
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest()[:8], "little")


class FakeStaged:
    """Rows (key, value) of one operation; the n-th occurrence of a key is of wave n. Row numbers start at 2."""

    def __init__(self, operation: str, rows: Sequence[Row], planned_rejects: Sequence[RowReject] = ()) -> None:
        seen: Counter[str] = Counter()
        self.rows: list[tuple[int, int, Row]] = []
        for number, row in enumerate(rows, start=2):
            seen[row[0]] += 1
            self.rows.append((seen[row[0]], number, row))
        self.planned = tuple(planned_rejects)
        self.confirmed_rows: dict[int, str] = {}
        self.noted_in: set[Path] = set()
        self.learnt: dict[int, str] = {}
        self.again = 0
        self.closed = False
        self.facts = OperationFacts(
            operation=operation,
            source="rows",
            source_digest="s",
            rows_digest="r",
            read=len(rows) + len(self.planned),
            outgoing=len(rows),
            unchanged=0,
            skipped=0,
            rejected=len(self.planned),
            folded=0,
            keys=len(seen),
            known_keys=None,
            gone=0,
        )

    def wave(self, wave: int) -> list[tuple[int, Row]]:
        """Return the rows of one wave with their numbers."""
        return [(number, row) for each, number, row in self.rows if each == wave]

    def payloads(self, cut: Cut, folder: Path, start: int = 0) -> Iterator[Payload]:
        size = cut.format.max_records or 1_000_000
        rows = self.wave(cut.wave)
        for index, at in enumerate(range(0, len(rows), size)):
            if index < start:
                continue
            chosen = rows[at : at + size]
            if isinstance(cut.format, CsvFormat):
                content = ("key,value\n" + "".join(f"{key},{value}\n" for _, (key, value) in chosen)).encode()
                body: bytes | Path = folder / f"{index}.csv"
                (folder / f"{index}.csv").write_bytes(content)
            else:
                content = json.dumps([{"key": key, "value": value} for _, (key, value) in chosen]).encode()
                body = content
            yield Payload(
                index=index,
                records=len(chosen),
                rows=array("q", (number for number, _ in chosen)),
                lanes=array("Q", (lane(key) for _, (key, _) in chosen)),
                fields=("key", "value"),
                body=body,
                byte_count=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )

    def reconcile(self, payload: Payload, files: Sequence[ResultFile], succeeded: str) -> Reconciled:
        told = {file.kind: set(json.loads(file.path.read_text())) for file in files}
        keys = {number: key for _, number, (key, _) in self.rows}
        letters, rejects = [], []
        for row in payload.rows:
            if keys[row] in told["failed"]:
                letters.append("x")
                reason = "LOCKED by others." if keys[row] in told["locked"] else "The record is spoilt."
                rejects.append(RowReject(row, "V501", reason))
            else:
                letters.append("." if keys[row] in told["unprocessed"] else succeeded)
        return Reconciled("".join(letters), tuple(rejects))

    def rejects(self) -> Iterator[RowReject]:
        yield from self.planned

    def confirm(self, rows: Sequence[int], letters: str, folder: Path) -> None:
        assert folder.is_dir()
        self.noted_in.add(folder)
        self.confirmed_rows.update(zip(rows, letters, strict=True))

    def learn(self, learnt: Learnt, folder: Path) -> None:
        assert folder.is_dir()
        self.learnt.update(zip(learnt.rows, learnt.ids, strict=True))

    def written_again(self, folder: Path) -> int:
        assert folder.is_dir()
        return self.again

    def confirmed(self, path: Path) -> int:
        done = {row for row, letter in self.confirmed_rows.items() if letter in "cuw"}
        kept = {key: value for _, number, (key, value) in self.rows if number in done}
        path.write_text(json.dumps(kept))
        return len(kept)

    def close(self) -> None:
        self.closed = True
