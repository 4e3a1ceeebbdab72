"""`kill -9` at ten places of a run: what `syncer resume` leaves at the vendors is what an uncut run leaves.

Real processes, real servers, real files. Both sides share one clock that jumps over idle waits, so that the honest wait
of a doubt, which is the vendor's own time-out, costs no minutes.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.fast.served import ROOT, Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEMO = ROOT / "manifests" / "demo"
CONTACTS = 1_500
SIDE_BY_SIDE = 2
REJECTS, IN_DOUBT, RESUMABLE = 7, 9, {1, 8, 10}
MOST_RESUMES = 5
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.003

PLACES = {
    "the run has just started": ("started", ""),
    "a request is cut but not sent": ("intended", "season_campaigns/1/"),
    "a request is on its way": ("committing", "crm_contacts/1/"),
    "a file is cut but not sent": ("intended", "newsletter/1/bulk/"),
    "some requests are settled": ("settled", "crm_contacts/1/"),
    "an import runs": ("accepted", "newsletter/1/bulk/"),
    "one operation is in the ledger, others are not": ("merged", "season_campaigns"),
    "the second wave of a key is on its way": ("committing", "crm_contacts/2/"),
    "an import is settled": ("settled", "newsletter/1/bulk/"),
    "an import is on its way, so that no one knows its number": ("committing", "newsletter/2/bulk/"),
}
"""What the journal said last: the kind of a note, and of which unit or operation."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A reduced demo in a folder of its own, and the commands about it."""

    folder: Path
    served: Served

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command as a process."""
        silent = subprocess.DEVNULL
        return subprocess.Popen(  # noqa: S603 - our own program
            [*self.served.command(), *words],
            cwd=self.folder,
            env=self.served.environment(),
            stdin=silent,
            stdout=silent,
            stderr=silent,
        )

    def apply(self) -> subprocess.Popen[bytes]:
        """Start to plan and apply everything."""
        return self.start("apply", "--yes", "--sandbox")

    def resume(self) -> int:
        """Go on with the run and return the exit code."""
        return self.start("resume", "--sandbox").wait(PATIENCE_SECONDS)

    def notes(self) -> list[dict[str, Any]]:
        """Return what the journal holds."""
        place = self.folder / ".syncer" / "state" / "state.sqlite"
        if not place.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as state:
                lines = state.execute("select text from note order by number").fetchall()
        except sqlite3.OperationalError:  # Not made yet, or locked for this moment.
            return []
        return [json.loads(line) for (line,) in lines]

    def has_come_to(self, kind: str, what: str) -> bool:
        """Say whether such a note was written."""
        return any(
            each["kind"] == kind and str(each.get("unit", each.get("operation", ""))).startswith(what)
            for each in self.notes()
        )

    def decide_as_a_person(self) -> None:
        """Look at the vendor whether a doubted import ever arrived, and say so."""
        arrived = sum(
            each["method"] == "POST" and "/bulk/v1/leads" in each["endpoint"] for each in self.served.ask("log")
        )
        accepted = sum(each["kind"] == "accepted" and "/bulk/" in each["unit"] for each in self.notes())
        verdict = "sent" if arrived > accepted else "unsent"
        [run] = (self.folder / ".syncer" / "runs").iterdir()
        assert self.start("resolve", run.name, "--as", verdict).wait(PATIENCE_SECONDS) == 0

    def held(self) -> dict[str, Any]:
        """Return what both vendors hold, in an order that tells nothing of when it came."""
        return {
            f"{system} {name}": sorted(map(repr, records)) if isinstance(records, list) else records
            for system, objects in self.served.ask("state").items()
            for name, records in objects.items()
        }

    def twice(self) -> list[str]:
        """Return the keys that more than one record has."""
        state = self.served.ask("state")
        keys = [each["email"].casefold() for each in state["marketo"]["leads"]]
        keys += [each["Crm_Key__c"].casefold() for each in state["salesforce"]["Contact"]]
        return [key for key, count in Counter(keys).items() if count > 1]


def _shop(folder: Path, served: Served) -> Shop:
    """Lay out the demo with fewer contacts, and with an import where so few would go by requests."""
    (folder / "schemas").symlink_to(ROOT / "schemas")
    place = folder / "shop"
    (place / "data").mkdir(parents=True)
    for each in DEMO.glob("*.yaml"):
        shutil.copy(each, place)
    for each in (DEMO / "data").iterdir():
        lines = each.read_text(encoding="utf-8").splitlines(keepends=True)
        (place / "data" / each.name).write_text("".join(lines[: CONTACTS + 1]), encoding="utf-8")
    contacts = place / "contacts.yaml"
    text = contacts.read_text(encoding="utf-8")
    by_file = "    target: leads\n    path: bulk\n    because: a kill shall meet an import too\n"
    assert text.count("    target: leads\n") == 1
    contacts.write_text(text.replace("    target: leads\n", by_file), encoding="utf-8")
    return Shop(place, served)


@dataclass(frozen=True, slots=True)
class Left:
    """What a run left: exit codes from the kill on, records, and keys that stand twice."""

    codes: tuple[int, ...]
    held: dict[str, Any]
    twice: list[str]


def _uncut(folder: Path) -> Left:
    with serving() as served:
        shop = _shop(folder, served)
        code = shop.apply().wait(PATIENCE_SECONDS)
        return Left((code,), shop.held(), shop.twice())


def _killed(folder: Path, kind: str, what: str) -> Left:
    with serving() as served:
        shop = _shop(folder, served)
        process = shop.apply()
        while not shop.has_come_to(kind, what) and process.poll() is None:
            time.sleep(LOOK_SECONDS)
        process.kill()
        codes = [process.wait(PATIENCE_SECONDS)]
        while codes[-1] != REJECTS and len(codes) <= MOST_RESUMES:
            codes.append(shop.resume())
            if codes[-1] == IN_DOUBT:
                shop.decide_as_a_person()
        return Left(tuple(codes), shop.held(), shop.twice())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Left]]]:
    """All runs, several at a time."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        folders = {name: tmp_path_factory.mktemp("run") for name in ("uncut", *PLACES)}
        uncut = {"uncut": pool.submit(_uncut, folders["uncut"])}
        yield uncut | {name: pool.submit(_killed, folders[name], *note) for name, note in PLACES.items()}


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_run_is_resumed_to_the_same_end(place: str, runs: dict[str, Future[Left]]) -> None:
    """Killed there and resumed, a run leaves the same records, and no key twice."""
    uncut, left = runs["uncut"].result(), runs[place].result()
    assert uncut.codes == (REJECTS,)
    assert left.codes[0] < 0, "the run was over before it could be killed"
    assert left.codes[-1] == REJECTS, left.codes
    assert set(left.codes[1:-1]) <= RESUMABLE | {IN_DOUBT}
    assert left.twice == []
    assert left.held == uncut.held


@pytest.mark.parametrize("place", [name for name in PLACES if "number" not in name])
def test_no_person_is_needed(place: str, runs: dict[str, Future[Left]]) -> None:
    """Only an import whose start was cut off may need a person: Marketo keeps no list of imports to look in."""
    codes = runs[place].result().codes
    assert IN_DOUBT not in codes
