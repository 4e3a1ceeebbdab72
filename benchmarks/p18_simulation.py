"""P18: how much virtual time the simulation plays in a second of real time, and how many seeds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, within

ID = "P18"
SIZES = (25, 50, 100)


def results(bench: Bench) -> Iterator[Row]:
    """Play seeds of the whole machine, trouble included; the size is the number of seeds."""
    for size in bench.chosen(SIZES):
        sides = bench.turns(__name__, size, "ours")
        said = sides["ours"].said
        cpu = sides["ours"].cpu_seconds
        speed, rate = said["virtual"] / cpu, size / cpu
        is_reach = size == SIZES[-1]
        yield within(
            "P18",
            "virtual over processor seconds",
            size,
            speed,
            "×",
            "≥ 1,000 ×" if is_reach else "",
            is_reached=speed >= 1_000 if is_reach else None,
            memory=sides["ours"].peak_mb,
        )
        yield within(
            "P18",
            "seeds a processor second",
            size,
            rate,
            "a second",
            "≥ 25" if is_reach else "",
            is_reached=rate >= 25 if is_reach else None,
            note="whole scenes: faults, crashes, two sandboxes",
        )


def ours(size: int, _folder: Path) -> dict[str, Any]:
    """Play the seeds one after the other."""
    from tests.sim.play import play

    virtual = 0.0
    start, used = time.perf_counter(), time.process_time()
    for seed in range(size):
        with tempfile.TemporaryDirectory() as place:
            virtual += play(seed, Path(place)).seconds
    return {"virtual": virtual, "seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
