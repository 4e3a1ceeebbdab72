"""The world of the stories: a served sandbox, reset for each, and credentials in the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fast.world import FastTime, words
from tests.scenarios.story import Player

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FAST = ROOT / "tests" / "fast"
SPEED = 20.0
READING = ("token", "oauth", "query", "describe")


@dataclass(frozen=True, slots=True)
class Served:
    """A sandbox in a process of its own, and the time in which it lives."""

    facts: dict[str, Any]
    time: FastTime

    def ask(self, place: str, body: object = None) -> Any:
        """Return what a control route answers; with a body it is posted."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.facts['control_url']}/{place}", data)  # noqa: S310 - loopback
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def command(self, given: list[str]) -> str:
        """Answer a story's `sandbox …`: what reached it, what it holds, what shall go wrong."""
        match given:
            case ["writes"]:
                return f"{self.writes()}\n"
            case ["fault", rule]:
                self.ask("faults", json.loads(rule))
                return ""
            case ["records", system, name, *fields]:
                held = self.ask("state")[system].get(name, [])
                lines = [[str(each.get(field, "")) for field in fields] for each in held]
                return "".join("  ".join(line).rstrip() + "\n" for line in sorted(lines)) or "(none)\n"
            case ["calls", *part]:
                calls = [f"{each['method']} {each['endpoint']}" for each in self.ask("log")]
                return "".join(f"{each}\n" for each in calls if all(word in each for word in part))
        message = f"a story cannot say: sandbox {' '.join(given)}"
        raise ValueError(message)

    def writes(self) -> int:
        """Return how many requests arrived that could change a record."""
        return sum(each["method"] != "GET" and "oauth" not in each["endpoint"] for each in self.ask("log"))

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the environment of a story: credentials, a fixed width, and a `syncer` for the shell."""
        programs = folder / "bin"
        programs.mkdir()
        command = " ".join([sys.executable, str(FAST / "syncer.py"), *words(self.time)])
        (programs / "syncer").write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        (programs / "syncer").chmod(0o700)
        found = {
            f"{system.upper()}_{name}": value
            for system in ("marketo", "salesforce")
            for name, value in (
                ("BASE_URL", self.facts["base_url"]),
                ("CLIENT_ID", self.facts[system]["client_id"]),
                ("CLIENT_SECRET", self.facts[system]["client_secret"]),
            )
        }
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "USER") if name in os.environ}
        return {**kept, **found, "PATH": f"{programs}:{os.environ['PATH']}", "COLUMNS": "100", "TZ": "UTC"}


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """One sandbox for all stories."""
    fast = FastTime(SPEED, time.time())
    process = subprocess.Popen(
        [sys.executable, FAST / "sandbox.py", *words(fast)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        yield Served(json.loads(process.stdout.readline()), fast)
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def player(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Player:
    """An empty project folder named `shop`, below a folder with the object snapshots, and a fresh sandbox."""
    served.ask("reset", {})
    served.time.hasten(monkeypatch)
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    folder = tmp_path / "shop"
    folder.mkdir()
    return Player(folder, served.environment(tmp_path), served.command, monkeypatch)
