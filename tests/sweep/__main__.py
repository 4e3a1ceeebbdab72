"""`python -m tests.sweep kill|error|pairs|stops`: long runs of real processes; one line a point, then the figures.

Every line begins with the point's name; `--only NAME` plays it again. Needs strace and the right to trace.
"""

from __future__ import annotations

import argparse
import shutil
import sys

from tests.sweep import appliers, cuts


def main() -> int:
    """Play, and return 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    parser.add_argument("what", choices=("kill", "error", "pairs", "stops"))
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3_600.0, help="begin no point after so long")
    parser.add_argument("--side-by-side", type=int, default=2)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a point as it was printed")
    given = parser.parse_args()
    if given.what in {"kill", "error"}:
        if shutil.which("strace") is None:
            parser.error("strace is not installed")
        told = cuts.sweep(
            given.what, given.points, given.seed, given.seconds, side_by_side=given.side_by_side, only=given.only
        )
    else:
        told = appliers.sweep(given.what, given.points, given.seed, given.seconds)
    is_wrong = False
    for line in told:
        is_wrong |= "WRONG" in line
        print(line, flush=True)  # noqa: T201 - a command speaks
    return is_wrong


if __name__ == "__main__":
    sys.exit(main())
