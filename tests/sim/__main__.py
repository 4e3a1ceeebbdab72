"""`python -m tests.sim --seed N` plays one seed and says what it broke; `--count` plays as many from there on."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.sim.check import violations
from tests.sim.play import play


def main() -> int:
    """Play, check, and return 1 when an invariant broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seed", type=lambda text: int(text, 0), default=0)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--log", action="store_true", help="show journal and calls")
    options = parser.parse_args()
    broken, began, virtual = 0, time.monotonic(), 0.0
    for seed in range(options.seed, options.seed + options.count):
        with tempfile.TemporaryDirectory() as folder:
            played = play(seed, Path(folder))
        virtual += played.seconds
        found = violations(played)
        if options.log:
            for note in played.notes:
                print(note.model_dump_json())  # noqa: T201 - a command speaks
            for entry in played.sandbox.traffic.entries:
                print(entry)  # noqa: T201 - as above
        for sentence in found:
            print(f"{sentence}\n    python -m tests.sim --seed {seed}")  # noqa: T201 - as above
        broken += bool(found)
    took = time.monotonic() - began
    print(  # noqa: T201 - as above
        f"{options.count} seeds, {broken} broken; {virtual / 3600:.1f} h in {took:.1f} s, "
        f"{options.count / took:.1f} seeds a second"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
