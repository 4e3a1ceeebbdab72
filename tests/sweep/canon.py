"""The canonical run: 600 rows through every kind of path, with a plan made beforehand, and what it must leave.

A point of the sweep copies the folder with its plan, applies it in its own way, resumes, and compares.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.fakes.s3 import BUCKET
from tests.fast.served import ROOT, Bucketed, Served
from tests.sweep import calls, forked

if TYPE_CHECKING:
    from collections.abc import Sequence

REJECTS, IN_DOUBT = 7, 9
OVER: Final = frozenset({0, REJECTS})
PLAN: Final = "all.plan"
DOMAIN: Final = "example.com"
_STARTED: Final = re.compile(rb'kind\\?":\\?"started')
_INTENDED: Final = re.compile(rb'kind\\?":\\?"intended')


def lay_out(folder: Path) -> None:
    """Write manifests, schemas and 600 rows. Some keys come twice, and operations share leads."""
    folder.mkdir(parents=True)
    (folder / "schemas").symlink_to(ROOT / "schemas")
    place = folder / "shop"
    shutil.copytree(forked.PROJECT, place)
    (place / "data").mkdir()
    people = [f"p{number}@{DOMAIN}" for number in range(160)]
    rows = {
        "members": [(key, f"Member {n}") for n, key in enumerate([*people[:80], *people[:20]])],
        "visitors": [(key, f"Visitor {n}") for n, key in enumerate([*people[40:110], *people[60:90]])],
        "subscribers": [(key, f"Subscriber {n}") for n, key in enumerate(people[60:160])],
        "webinar": [(key, f"Guest {n}") for n, key in enumerate(people[100:140])],
        "attendees": [(key, "") for key in people[70:130]],
        "contacts": [(f"C-{n:04}", f"Contact {n}") for n in range(100)],
        "prospects": [(f"P-{n:04}", f"Prospect {n}") for n in range(50)],
    }
    for name, lines in rows.items():
        text = "".join(f"{key},{value}\n" for key, value in lines)
        (place / "data" / f"{name}.csv").write_text(f"key,name\n{text}", encoding="utf-8")
    orders = "".join(f"O-{n:04},{people[n]},{n % 7 + 1}\n" for n in range(50))
    (place / "data" / "orders.csv").write_text(f"key,name,quantity\n{orders}", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Ended:
    """Exit codes in the order of the commands, what both vendors hold, keys that stand twice, and what was said."""

    codes: tuple[int, ...]
    held: dict[str, Any]
    twice: tuple[str, ...]
    said: str
    ruled: int = 0

    def differences(self, uncut: Ended) -> list[str]:
        """Say what is not as it is after a run that nobody cut."""
        found = [
            f"{name} differs: {_difference(records, self.held.get(name))}"
            for name, records in uncut.held.items()
            if self.held.get(name) != records
        ]
        if self.twice:
            found.append(f"{len(self.twice)} keys stand twice: {', '.join(self.twice[:5])}")
        if self.codes[-1] not in OVER:
            found.append("it never came to its end")
        return found


def _difference(wanted: Any, found: Any) -> str:
    if isinstance(wanted, list) and isinstance(found, list):
        missing, more = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
        return f"{missing.total()} missing, {more.total()} more, such as {next(iter(missing or more), '')[:200]}"
    return f"{wanted!r} became {found!r}"


@dataclass(frozen=True, slots=True)
class Place:
    """A copy of the project with its plan; commands about it are forked processes. `bucket`: its state is there."""

    folder: Path
    served: Served
    bucket: Bucketed | None = None

    def environment(self) -> dict[str, str]:
        """Return what commands find in their environment."""
        known = self.served.environment()
        return (
            known if self.bucket is None else {**known, **self.bucket.facts, "SYNCER_STATE": f"s3://{self._prefix()}"}
        )

    def start(self, *words: str, **how: Any) -> forked.Process:
        """Start a command."""
        return forked.start(words, self.folder, self.environment(), self.served.control_url, **how)

    def run(self, *words: str) -> int:
        """Run a command to its end, unwatched."""
        return self.start(*words).wait()

    def pass_by(self, seconds: float) -> None:
        """Let time pass for the vendors, for commands, and for the store."""
        self.served.ask("clock/advance", {"seconds": seconds})
        if self.bucket is not None:
            self.bucket.ask("ahead", seconds)

    def apply(self, **how: Any) -> forked.Process:
        """Start to perform the plan."""
        return self.start("apply", PLAN, "--sandbox", **how)

    def resume(self, **how: Any) -> forked.Process:
        """Start to go on with the run."""
        return self.start("resume", "--sandbox", **how)

    def said(self) -> str:
        """Return everything that the commands said so far."""
        place = self.folder / "said.txt"
        return place.read_text(encoding="utf-8", errors="replace") if place.exists() else ""

    def runs(self) -> list[str]:
        """Return the runs that the state knows, oldest first."""
        if self.bucket is None:
            return [run for (run,) in self._read("select id from run order by number")]
        names = sorted(self._objects("runs"))
        return list(dict.fromkeys(name.rpartition("/")[2].partition("-")[2] for name in names))

    def notes(self) -> list[dict[str, Any]]:
        """Return what the journal holds."""
        if self.bucket is None:
            return [json.loads(line) for (line,) in self._read("select text from note order by run, number")]
        segments = [json.loads(body.partition("\n")[2]) for _, body in sorted(self._objects("journal").items())]
        return [json.loads(text) for each in segments for _, _, text, _ in each["lines"] if text]

    def is_finished(self) -> bool:
        """Say whether the journal notes an end."""
        return any(each["kind"] == "finished" for each in self.notes())

    def decide_as_a_person(self) -> int:
        """Look in the sandbox's log, unit by unit, for a write that no answer told of, and say so; return how many."""
        notes = self.notes()
        told = {each["reference"] for each in notes if each["kind"] == "accepted"}
        log = [each for each in self.served.ask("log") if each["applied_at"] is not None]
        pushes = [each["record_count"] for each in log if each["endpoint"].endswith("/push.json")]
        lost = Counter(
            each["record_count"] for each in log if each["operation"] == "import" and each["job_id"] not in told
        )
        records = {each["unit"]: each["records"] for each in notes if each["kind"] == "intended"}
        held: dict[str, None] = {}
        for each in notes:
            if each["kind"] == "held":
                held[each["unit"]] = None
            elif each["kind"] in {"ruled", "settled"}:
                held.pop(each["unit"], None)
        for unit in held:
            found = pushes if "/push/" in unit else lost[records[unit]]
            lost[records[unit]] -= 1
            assert self.run("resolve", self.runs()[-1], "--as", "sent" if found else "unsent", "--unit", unit) == 0
        return len(held)

    def end(self, codes: Sequence[int], *, most: int = 12) -> Ended:
        """Go on until the run is finished, as a person would; apply anew where none had begun."""
        codes, ruled = list(codes), 0
        while not self.is_finished() and len(codes) < most:
            codes.append((self.resume() if self.runs() else self.apply()).wait())
            if codes[-1] == IN_DOUBT:
                ruled += self.decide_as_a_person()
        if codes[-1] not in OVER and self.is_finished():
            codes.append(0)  # Everything was done and noted; only the last words were cut.
        return Ended(tuple(codes), self.served.held(), tuple(self.served.twice()), self.said(), ruled)

    def forget(self) -> None:
        """Delete the copy."""
        shutil.rmtree(self.folder.parent)
        if self.bucket is not None:
            self.bucket.ask("forget", f"{self.folder.parent.name}/")

    def _prefix(self) -> str:
        return f"{BUCKET}/{self.folder.parent.name}"

    def _objects(self, kind: str) -> dict[str, str]:
        assert self.bucket is not None
        found: dict[str, str] = self.bucket.ask("read", f"{self.folder.parent.name}/{kind}/")
        return found

    def _read(self, question: str) -> list[Any]:
        place = self.folder / ".syncer" / "state" / "state.sqlite"
        if not place.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=0.0)) as state:
                return state.execute(question).fetchall()
        except sqlite3.OperationalError:  # Not made yet, or locked for this moment.
            return []


@dataclass(frozen=True, slots=True)
class Canon:
    """A sandbox, and two folders that points copy: one with a plan, one with a run that has begun and sent nothing."""

    served: Served
    folder: Path
    bucket: Bucketed | None = None

    @classmethod
    def made(cls, served: Served, folder: Path, bucket: Bucketed | None = None, only: Sequence[str] = ()) -> Canon:
        """Plan once, and begin once; with state in `bucket`, if any, and `only` some of the operations."""
        canon = cls(served, folder, bucket)
        folder.mkdir(exist_ok=True)
        lay_out(folder / "planned")
        place = Place(folder / "planned" / "shop", served, bucket)
        words = [word for each in only for word in ("--select", each)]
        assert place.run("plan", "--sandbox", "-o", PLAN, *words) == 0, place.said()
        (place.folder / "said.txt").unlink()
        place = canon.planned()
        begin(place)
        assert [each["kind"] for each in place.notes()] == ["started"], place.said()
        place.folder.parent.rename(folder / "begun")
        if bucket is not None:
            bucket.ask("copy", f"{place.folder.parent.name}/", f"{folder.name}-begun/")
        return canon

    def planned(self) -> Place:
        """Return a place where the plan can be applied."""
        return self._copied("planned")

    def begun(self) -> Place:
        """Return a place where the run can be resumed that has begun and sent nothing."""
        return self._copied("begun")

    def _copied(self, name: str) -> Place:
        """Return a fresh copy, with both vendors as they were at first."""
        self.served.ask("reset", {})
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix="point-"))
        shutil.copytree(self.folder / name / "shop", folder / "shop")
        (folder / "schemas").symlink_to(ROOT / "schemas")
        if self.bucket is not None:
            self.bucket.ask("copy", f"{self.folder.name}-{name}/", f"{folder.name}/")
        return Place(folder / "shop", self.served, self.bucket)


def begin(place: Place) -> None:
    """Apply the plan and kill it when the journal says that it has started, and nothing more."""
    process = place.apply(watched=calls.STATE)
    assert process.listener is not None
    has_started = False
    for call in process.listener.calls(forked.PATIENCE_SECONDS):
        if calls.changes_state(call):
            text = call.payload() if call.name in {*calls.SENDS, *calls.WRITES} else b""
            if has_started and _INTENDED.search(text):
                process.kill()  # The note before it is kept, and this one is not.
                break
            has_started |= bool(_STARTED.search(text))
        process.listener.go_on(call)
    process.wait()
