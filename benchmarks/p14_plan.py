"""P14 and P15: calls of a plan against the least there can be, and how planning grows with operations."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import plan
from benchmarks.bench import Bench, Row, within

ID = "P14 P15"


def results(_bench: Bench) -> Iterator[Row]:
    """Plan made-up facts, as the planner reads nothing else."""
    mean, worst = plan.overhead()
    yield within(
        "P14",
        "planned calls over the least possible",
        2_000,
        mean,
        "×",
        "≤ 1.02 ×",
        is_reached=mean <= 1.02,
        note=f"{worst:.4f} × at worst where the least is at least 50 calls",
    )
    for kind in ("plain", "after", "pairs"):
        before = 0.0
        for count in plan.SIZES:
            taken, nodes, edges = plan.seconds(count, kind)
            note = f"{nodes:,} steps, {edges:,} edges" + (f", {taken / before:.1f} × the size before" if before else "")
            reached = taken <= 1 and (not before or taken / before <= 12) if count == 1_000 else None
            yield within(
                "P15",
                f"build_plan, operations: {kind}",
                count,
                taken,
                "s",
                "≤ 12 × for 10 ×, ≤ 1 s" if count == 1_000 else "",
                is_reached=reached,
                note=note,
            )
            before = taken
