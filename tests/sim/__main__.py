"""`python -m tests.sim --seed N` plays one seed and says what it broke; `--count` plays as many from there on."""

# ruff: noqa: BLE001, T201 - any failure is a finding, and a command speaks

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.sim.check import violations
from tests.sim.play import Played, play
from tests.sim.soak import prepare


def main() -> int:
    """Play, check, and return 1 when an invariant broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seed", type=lambda text: int(text, 0), default=0)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--log", action="store_true", help="show scene, journal and calls")
    options = parser.parse_args()
    prepare()
    broken, began, virtual = 0, time.process_time(), 0.0
    for seed in range(options.seed, options.seed + options.count):
        with tempfile.TemporaryDirectory() as folder:
            try:
                played = play(seed, Path(folder))
                found = violations(played)
            except Exception as error:
                found = ["".join(traceback.format_exception(error)[-12:]) if options.log else f"stopped: {error!r}"]
                played = None
        if options.log and played is not None:
            show(played)
        virtual += played.seconds if played else 0
        for sentence in found:
            print(f"{sentence}\n    python -m tests.sim --seed {seed}")
        broken += bool(found)
    took = time.process_time() - began
    print(
        f"{options.count} seeds, {broken} broken; {virtual / 3600:.1f} h in {took:.1f} s, "
        f"{options.count / took:.1f} seeds a second of one core"
    )
    return 1 if broken else 0


def show(played: Played) -> None:
    """Print scene, journal, calls and jobs."""
    scene = played.scene
    for op in scene.ops:
        print(op.name, op.way.name, op.way.writes, "size", op.size, op.on_unknown, op.max_creates, op.max_rejected)
        for row in op.rows:
            print("   ", row)
    for name in (
        "people",
        "twins",
        "concurrency",
        "faults",
        "lasting",
        "snags",
        "meddling",
        "endings",
        "offsets",
        "clock_is_set",
        "latency",
        "tight",
        "on_disk",
        "has_person",
        "token_seconds",
    ):
        print(name, getattr(scene, name))
    for edge in played.plan.edges:
        print("edge", edge.before, edge.after)
    for note in played.notes:
        print(note.model_dump_json())
    for entry in played.entries:
        print(entry)
    for job in played.jobs:
        print(job)
    for life in played.lives:
        print(life)
    print(played.result)


if __name__ == "__main__":
    sys.exit(main())
