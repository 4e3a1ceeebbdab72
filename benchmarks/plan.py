"""P14 and P15: calls of a plan against the least there can be, and the time of `build_plan` as operations grow.

Run: `python -m benchmarks.plan`. Facts are made up, as the planner reads nothing else.
"""

from __future__ import annotations

import gc
import math
import time
from itertools import pairwise
from math import ceil
from random import Random
from statistics import median

from syncer.facts import SharedKeys
from syncer.plan.build import build_plan
from tests.fakes.capabilities import BULK, LEAD, SYNC
from tests.fakes.projects import ABLE, INPUTS, manifest
from tests.fakes.rows import facts

SIZES = (10, 100, 1_000, 10_000)
ROUNDS = 3


def seconds(count: int, kind: str) -> tuple[float, int, int]:
    """Return the median time of `count` operations of five steps, with the steps and edges made."""
    names = [f"operation_{index:05d}" for index in range(count)]
    after = {
        name: {"after": [names[index - 1]]} if kind == "after" and index % 10 else {}
        for index, name in enumerate(names)
    }
    made = manifest(after)
    known = {name: facts(name, LEAD, ((40_000, 8_000, 210), (212,), (100,), (5,))) for name in names}
    shared = [SharedKeys(a, b, i % 3) for i, (a, b) in enumerate(pairwise(names))]
    taken, nodes, edges = [], 0, 0
    for _ in range(ROUNDS):
        gc.collect()
        start = time.perf_counter()
        plan = build_plan("acme", made, known, ABLE, {}, INPUTS, shared if kind == "pairs" else [], {})
        taken.append(time.perf_counter() - start)
        nodes, edges = len(plan.nodes), len(plan.edges)
    return median(taken), nodes, edges


def least(shapes: tuple[int, ...]) -> int:
    """Return the fewest calls of any split of the shapes between files and requests, by trying all of them."""
    job = BULK.calls_per_unit + BULK.polls_per_unit
    return min(
        sum(job * ceil(n * 130 / BULK.format.max_bytes) for i, n in enumerate(shapes) if files >> i & 1)
        + ceil(sum(n for i, n in enumerate(shapes) if not files >> i & 1) / (SYNC.format.max_records or 1))
        for files in range(2 ** len(shapes))
    )


def overhead(rounds: int = 2_000) -> tuple[float, float]:
    """Return planned calls over the least for random waves: in sum, and at worst where the least is at least 50."""
    random, planned, fewest, worst = Random(7), 0, 0, 1.0  # noqa: S311 - a workload, no secret
    made = manifest({"a": {}})
    for _ in range(rounds):
        shapes = tuple(int(10 ** random.uniform(0, 5)) for _ in range(random.randint(1, 6)))
        plan = build_plan("acme", made, {"a": facts("a", LEAD, (shapes,))}, ABLE, {}, INPUTS, [], {})
        calls, best = sum(node.calls + node.polls for node in plan.nodes), least(shapes)
        planned, fewest = planned + calls, fewest + best
        if best >= 50:
            worst = max(worst, calls / best)
    return planned / fewest, worst


def main() -> None:
    """Print both tables."""
    print("P15  kind    operations   steps    edges   seconds   growth exponent")
    for kind in ("plain", "after", "pairs"):
        before = 0.0
        for count in SIZES:
            taken, nodes, edges = seconds(count, kind)
            growth = f"{math.log10(taken / before):.2f}" if before else ""
            print(f"     {kind:6}  {count:10,}  {nodes:6,}  {edges:7,}  {taken:8.3f}   {growth}")
            before = taken
    mean, worst = overhead()
    print(f"P14  planned calls over the least possible: {mean:.4f} in sum, {worst:.4f} at worst")


if __name__ == "__main__":
    main()
