"""The rejects of a run as files for people: refused rows with number, code, reason and what to do.

Rows of each unit are put aside as it settles and joined in the plan's order at the end, so memory does not grow with
them. Cells that a spreadsheet would run as a formula are guarded in the CSV; the JSON lines hold them as they are.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from syncer import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import IO

    from syncer.engine.protocol import RowReject

COLUMNS: Final = ("operation", "row", "key_hash", "code", "field", "reason", "advice")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class RejectLine:
    """One refused row. `key_hash` is "" for a row that was refused before it had a key."""

    operation: str
    row: int
    key_hash: str
    code: str
    field: str
    reason: str
    advice: str


def line(operation: str, reject: RowReject, lane: int | None = None) -> RejectLine:
    """Return the line for one refused row; advice comes from the catalogue where the code is ours."""
    entry = catalogue.entries().get(reject.code)
    return RejectLine(
        operation,
        reject.row,
        "" if lane is None else f"{lane:016x}",
        reject.code,
        reject.field,
        reject.reason,
        entry.cure if entry else "",
    )


def guarded(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


class RejectSpool:
    """Refused rows put aside by unit, in a folder that only the owner can read."""

    def __init__(self, folder: Path) -> None:
        """Begin, or go on: a unit that a resumed run meets again is put aside in the same place."""
        self._folder = folder / "rejects.parts"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, place: tuple[int, int], lines: Iterable[RejectLine]) -> None:
        """Put aside the refused rows of the unit at `place`: its step's number in the plan and its own."""
        with _private(self._folder / f"{place[0]:06d}-{place[1]:09d}") as file:
            for each in lines:
                file.write(json.dumps(asdict(each), ensure_ascii=False, separators=(",", ":")) + "\n")

    def write(self, folder: Path, planned: Iterable[RejectLine], *, is_last: bool) -> int:
        """Write both files: first `planned`, then the units' in the plan's order; return the count.

        What was put aside goes when `is_last`: a run that will be resumed needs it again.
        """
        count = 0
        with _private(folder / "rejects.csv") as table, _private(folder / "rejects.jsonl") as lines:
            rows = csv.writer(table, lineterminator="\n")
            rows.writerow(COLUMNS)
            for count, each in enumerate(self._all(planned), start=1):  # noqa: B007 - the last one is the count
                lines.write(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n")
                rows.writerow([each["row"] if name == "row" else guarded(str(each[name])) for name in COLUMNS])
        if is_last:
            shutil.rmtree(self._folder)
        return count

    def _all(self, planned: Iterable[RejectLine]) -> Iterator[dict[str, object]]:
        yield from (asdict(each) for each in planned)
        for path in sorted(self._folder.iterdir()):
            with path.open(encoding="utf-8") as file:
                yield from (json.loads(text) for text in file)


def _private(path: Path) -> IO[str]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(handle, "w", encoding="utf-8", newline="")
