"""`kill -9` at ten places of a run: what `syncer resume` leaves at the vendors is what an uncut run leaves.

Real processes, a real server, real files. Both sides live in one faster time, so that the honest wait of a doubt, which
is the vendor's own time-out, takes seconds.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.fast.served import ROOT, Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEMO = ROOT / "manifests" / "demo"
SPEED = 60.0
CONTACTS = 1_500
PLACES = 10
REJECTS, RESUMABLE = 7, {1, 8, 10}
MOST_RESUMES = 5
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.003


@dataclass(frozen=True, slots=True)
class Shop:
    """A reduced demo in a folder of its own, and the commands about it."""

    folder: Path
    served: Served

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command as a process."""
        command = [*self.served.command(), *words, "--sandbox", "--log-format", "text"]
        silent = subprocess.DEVNULL
        return subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=self.folder, env=self.served.environment(), stdin=silent, stdout=silent, stderr=silent
        )

    def apply(self) -> subprocess.Popen[bytes]:
        """Start to plan and apply everything."""
        return self.start("apply", "--yes")

    def notes(self) -> int:
        """Return how many notes the journal holds."""
        place = self.folder / ".syncer" / "state" / "state.sqlite"
        if not place.exists():
            return 0
        try:
            with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as state:
                [(count,)] = state.execute("select count(*) from note").fetchall()
        except sqlite3.OperationalError:  # Not made yet, or locked for this moment.
            return 0
        return int(count)

    def held(self) -> dict[str, Any]:
        """Return what both vendors hold, in an order that tells nothing of when it came."""
        state = self.served.ask("state")
        return {
            f"{system} {name}": sorted(map(repr, records)) if isinstance(records, list) else records
            for system, objects in state.items()
            for name, records in objects.items()
        }

    def twice(self) -> list[str]:
        """Return the keys that more than one record has."""
        state = self.served.ask("state")
        keys = [each["email"].casefold() for each in state["marketo"]["leads"]]
        keys += [each["Crm_Key__c"].casefold() for each in state["salesforce"]["Contact"]]
        return [key for key, count in Counter(keys).items() if count > 1]


def _shop(folder: Path, served: Served) -> Shop:
    served.ask("reset", {})
    (folder / "schemas").symlink_to(ROOT / "schemas")
    place = folder / "shop"
    place.mkdir()
    for each in DEMO.glob("*.yaml"):
        shutil.copy(each, place)
    (place / "data").mkdir()
    for each in (DEMO / "data").iterdir():
        lines = each.read_text(encoding="utf-8").splitlines(keepends=True)
        (place / "data" / each.name).write_text("".join(lines[: CONTACTS + 1]), encoding="utf-8")
    contacts = place / "contacts.yaml"
    text = contacts.read_text(encoding="utf-8")
    by_file = "    target: leads\n    path: bulk\n    because: a kill shall meet an import too\n"
    assert text.count("    target: leads\n") == 1
    contacts.write_text(text.replace("    target: leads\n", by_file), encoding="utf-8")
    return Shop(place, served)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One sandbox for all runs."""
    with serving(SPEED) as sandbox:
        yield sandbox


@dataclass(frozen=True, slots=True)
class Uncut:
    """What a run leaves that nobody killed, and how many notes it wrote."""

    held: dict[str, Any]
    notes: int


@pytest.fixture(scope="module")
def uncut(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Uncut:
    """The run that all others are compared with."""
    shop = _shop(tmp_path_factory.mktemp("uncut"), served)
    assert shop.apply().wait(PATIENCE_SECONDS) == REJECTS
    return Uncut(shop.held(), shop.notes())


@pytest.mark.parametrize("place", range(PLACES))
def test_a_killed_run_is_resumed_to_the_same_end(place: int, uncut: Uncut, served: Served, tmp_path: Path) -> None:
    """Killed after any share of its notes and resumed, a run leaves the same records, and no key twice."""
    shop = _shop(tmp_path, served)
    process = shop.apply()
    wanted = 1 + place * (uncut.notes - 2) // (PLACES - 1)
    while shop.notes() < wanted and process.poll() is None:
        time.sleep(LOOK_SECONDS)
    process.kill()
    process.wait(PATIENCE_SECONDS)
    codes = []
    while (not codes or codes[-1] in RESUMABLE) and len(codes) < MOST_RESUMES:
        codes.append(shop.start("resume").wait(PATIENCE_SECONDS))
    assert codes[-1] == REJECTS, codes
    assert shop.twice() == []
    assert shop.held() == uncut.held
