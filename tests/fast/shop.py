"""A reduced demo in a folder of its own, the commands about it as real processes, and what both vendors hold after.

For tests that cut, break or double a run: they say how, this says what must be the same at the end.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fast.served import ROOT, Served

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DEMO = ROOT / "manifests" / "demo"
REJECTS, IN_DOUBT = 7, 9
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Shop:
    """A reduced demo in a folder of its own, and the commands about it."""

    folder: Path
    served: Served

    def start(self, *words: str, under: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start a command as a process, `under` another one if wanted; what it says is kept beside the manifests."""
        with (self.folder / "said.txt").open("ab") as said:
            return subprocess.Popen(  # noqa: S603 - our own program
                [*under, *self.served.command(), *words],
                cwd=self.folder,
                env=self.served.environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def run(self, *words: str, under: Sequence[str] = ()) -> int:
        """Run a command to its end and return the exit code."""
        process = self.start(*words, under=under)
        try:
            return process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()

    def apply(self, *, under: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start to plan and apply everything."""
        return self.start("apply", "--yes", "--sandbox", under=under)

    def resume(self, *, under: Sequence[str] = ()) -> int:
        """Go on with the run and return the exit code."""
        return self.run("resume", "--sandbox", under=under)

    def said(self) -> str:
        """Return everything that the commands said so far."""
        place = self.folder / "said.txt"
        return place.read_text(encoding="utf-8", errors="replace") if place.exists() else ""

    def runs(self) -> list[str]:
        """Return the runs that the state knows, oldest first."""
        return [run for (run,) in self._read("select id from run order by number")]

    def notes(self) -> list[dict[str, Any]]:
        """Return what the journal holds."""
        return [json.loads(line) for (line,) in self._read("select text from note order by run, number")]

    def has_come_to(self, kind: str, what: str) -> bool:
        """Say whether such a note was written."""
        return any(
            each["kind"] == kind and str(each.get("unit", each.get("operation", ""))).startswith(what)
            for each in self.notes()
        )

    def decide_as_a_person(self) -> None:
        """Look at the vendor, unit by unit, for an import of so many records that no answer told of, and say so."""
        notes = self.notes()
        told = {each["reference"] for each in notes if each["kind"] == "accepted"}
        lost = Counter(
            each["record_count"]
            for each in self.served.ask("log")
            if each["operation"] == "import" and each["applied_at"] is not None and each["job_id"] not in told
        )
        records = {each["unit"]: each["records"] for each in notes if each["kind"] == "intended"}
        held: dict[str, None] = {}
        for each in notes:
            if each["kind"] == "held":
                held[each["unit"]] = None
            elif each["kind"] in {"ruled", "settled"}:
                held.pop(each["unit"], None)
        for unit in held:
            verdict = "sent" if lost[records[unit]] else "unsent"
            lost[records[unit]] -= 1
            assert self.run("resolve", self.runs()[-1], "--as", verdict, "--unit", unit) == 0

    def _read(self, question: str) -> list[Any]:
        place = self.folder / ".syncer" / "state" / "state.sqlite"
        if not place.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as state:
                return state.execute(question).fetchall()
        except sqlite3.OperationalError:  # Not made yet, or locked for this moment.
            return []


def lay_out(folder: Path, served: Served, rows: Mapping[str, int], paths: Mapping[str, str]) -> Shop:
    """Lay out the demo with at most so many `rows` of each file, and these `paths` by the target's line."""
    (folder / "schemas").symlink_to(ROOT / "schemas")
    place = folder / "shop"
    (place / "data").mkdir(parents=True)
    for each in DEMO.glob("*.yaml"):
        shutil.copy(each, place)
    for each in (DEMO / "data").iterdir():
        lines = each.read_text(encoding="utf-8").splitlines(keepends=True)
        (place / "data" / each.name).write_text("".join(lines[: rows[each.stem] + 1]), encoding="utf-8")
    contacts = place / "contacts.yaml"
    text = contacts.read_text(encoding="utf-8")
    for target, path in paths.items():
        line = f"    target: {target}\n"
        assert text.count(line) == 1
        text = text.replace(line, f"{line}    path: {path}\n    because: a fault shall meet this path too\n")
    contacts.write_text(text, encoding="utf-8")
    return Shop(place, served)
