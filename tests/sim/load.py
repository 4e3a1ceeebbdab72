"""`python -m tests.sim.load --rows N`: very many rows about 5,000 people over four ways at once, and no duplicate.

The sandbox makes a second record whenever two writes with one key overlap, as the vendor warns. With `--unlocked` the
locks are taken out, and the duplicates that were kept from happening are seen.
"""

# ruff: noqa: T201 - a command speaks

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sim.bugs import no_lock
from tests.sim.play import enact
from tests.sim.scene import Op, Row, Scene
from tests.sim.ways import BY_NAME

if TYPE_CHECKING:
    from tests.sim.play import Played

PATHS = (
    "lead sync upsert lead upsert",
    "lead push upsert lead upsert push",
    "lead bulk upsert lead upsert",
    "program_member bulk upsert member upsert",
)
PEOPLE, WORKERS = 5_000, 8


def scene_of(rows: int, people: int = PEOPLE, size: int = 300) -> Scene:
    """Return four operations of as many rows each about the same people."""
    chance = random.Random(f"syncer load {rows}")  # noqa: S311 - a story, not a secret
    ops = tuple(
        Op(
            name=f"op{number}",
            way=BY_NAME[path],
            rows=tuple(
                Row(at + 2, chance.randrange(people), f"v{number}x{at}", chance.random() < 1 / 4)
                for at in range(rows // len(PATHS))
            ),
            size=size if "bulk" not in path else 10 * size,
        )
        for number, path in enumerate(PATHS)
    )
    return Scene(seed=rows, ops=ops, people=0, twins=(), concurrency=WORKERS, latency=0.3)


def duplicates(played: Played) -> int:
    """Return how many records there are beyond one a person."""
    return sum(len(values) - 1 for values in played.contents.leads.values())


def under_load(scene: Scene, *, unlocked: bool = False) -> Played:
    """Play the scene, with the locks or without."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        if unlocked:
            no_lock(patch)
            patch.setattr("tests.sim.play.build_edges", lambda *given: (tuple(each.name for each in given[0]), (), ()))
        return enact(scene, Path(folder))


def main() -> int:
    """Write, count, and return 1 when anybody is there twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.load", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--unlocked", action="store_true", help="take the locks out")
    options = parser.parse_args()
    began = time.monotonic()
    played = under_load(scene_of(options.rows), unlocked=options.unlocked)
    twice = duplicates(played)
    people = len(played.contents.leads)
    print(
        f"{options.rows:,} rows about {people:,} people over {len(PATHS)} paths, {WORKERS} workers: "
        f"{twice} duplicates, "
        f"{len(played.entries):,} calls, exit {played.result.exit_code if played.result else None}, "
        f"{played.seconds / 60:.0f} simulated min in {time.monotonic() - began:.0f} s"
    )
    return 1 if twice and not options.unlocked else 0


if __name__ == "__main__":
    sys.exit(main())
