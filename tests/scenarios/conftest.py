"""The world of the stories: a served sandbox, reset for each, and credentials in the environment."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.fast.served import ROOT, Served, serving
from tests.fast.world import World
from tests.scenarios.story import Player

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Witness:
    """Answers a story's `sandbox …`: what reached it, what it holds, what shall go wrong, how time goes by."""

    served: Served
    world: World

    def __call__(self, given: list[str]) -> str:
        """Return what the words ask for, as lines."""
        match given:
            case ["writes"]:
                return f"{self.served.writes()}\n"
            case ["fault", rule]:
                self.served.ask("faults", json.loads(rule))
                return ""
            case ["records", system, name, *fields]:
                held = self.served.ask("state")[system].get(name, [])
                lines = sorted("  ".join(str(each.get(field, "")) for field in fields).rstrip() for each in held)
                return "".join(f"{line}\n" for line in lines) or "(none)\n"
            case ["members", name]:
                held = self.served.ask("state")["marketo"]["lists"][name]
                return "".join(f"{each}\n" for each in held) or "(none)\n"
            case ["wait", hours]:
                self.world.pass_by(float(hours) * 3600)
                return ""
            case ["calls", *part]:
                calls = [f"{each['method']} {each['endpoint']}" for each in self.served.ask("log")]
                return "".join(f"{each}\n" for each in calls if all(word in each for word in part)) or "(none)\n"
        message = f"a story cannot say: sandbox {' '.join(given)}"
        raise ValueError(message)


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """One sandbox for all stories."""
    with serving() as sandbox:
        yield sandbox


@pytest.fixture
def player(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Player:
    """An empty project folder named `shop`, below a folder with the object snapshots, and a fresh sandbox."""
    served.ask("reset", {})
    world = World(served.control_url)
    world.enter(monkeypatch)
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    folder, programs = tmp_path / "shop", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (programs / "syncer").write_text(f'#!/bin/sh\nexec {shlex.join(served.command())} "$@"\n', encoding="utf-8")
    (programs / "syncer").chmod(0o700)
    environment = served.environment()
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    return Player(folder, environment, Witness(served, world), monkeypatch)
