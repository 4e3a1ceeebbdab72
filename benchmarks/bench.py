"""What a figure's module gets to work with, and the rows it hands back for the table.

A module has `ID`, `SIZES` and `results(bench)`, which yields rows; its sides are functions of (size, folder).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measure import Seen, Side, child, process, take_turns

LEAST_ROUNDS = 3
"""A ratio of fewer rounds is shown and not judged."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio` is what `reach` speaks of; `reached` None where the figure says nothing of this size."""

    figure: str
    what: str
    size: int
    ours: float
    unit: str
    baseline: str
    theirs: float | None
    ratio: float | None
    cpu_ratio: float | None
    reach: str
    reached: bool | None
    memory_mb: float | None
    note: str = ""
    rounds: int = 1

    def values(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the suite: where to work, which sizes, how many rounds."""

    folder: Path
    sizes: tuple[int, ...] | None
    rounds: int = 3
    say: Callable[[str], None] = print

    def chosen(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """Return the figure's own sizes that were asked for; all where nothing was."""
        return tuple(each for each in sizes if self.sizes is None or each in self.sizes)

    def turns(
        self, module: str, size: int, *sides: str, peers: Sequence[str] = (), rounds: int | None = None
    ) -> dict[str, Side]:
        """Run sides of a module in turns, each in a process of its own."""
        name = module.removeprefix("benchmarks.")

        def one(side: str) -> Callable[[], Seen]:
            return lambda: child(name, side, size, self.folder, is_peer=side in peers)

        return take_turns({side: one(side) for side in sides}, size, rounds or self.rounds)

    def commands(self, commands: dict[str, Sequence[str]], rounds: int | None = None) -> dict[str, Side]:
        """Run commands in turns."""
        return take_turns(
            {name: (lambda command=command: process(command)) for name, command in commands.items()},
            1,
            rounds or self.rounds,
        )


def slower(
    figure: str,
    what: str,
    size: int,
    sides: dict[str, Side],
    baseline: str,
    most: float | None,
    ours: str = "ours",
    memory: float | None = None,
    note: str = "",
) -> Row:
    """Return the row that says how many times the baseline's time we take: reached at `most` and within `memory`."""
    mine, other = sides[ours], sides[baseline]
    ratio = (mine.seconds / mine.rows) / (other.seconds / other.rows)
    cpu = (mine.cpu_seconds / mine.rows) / max(other.cpu_seconds / other.rows, 1e-12)
    wanted = [f"≤ {most:g} ×"] if most is not None else []
    wanted += [f"≤ {memory:,.0f} MB"] if memory is not None else []
    is_judged = wanted and len(mine.rounds) >= LEAST_ROUNDS
    reached = (most is None or ratio <= most) and (memory is None or mine.peak_mb <= memory) if is_judged else None
    return Row(
        figure,
        what,
        size,
        mine.seconds,
        "s",
        baseline,
        other.seconds,
        ratio,
        cpu,
        ", ".join(wanted),
        reached,
        mine.peak_mb,
        note,
        len(mine.rounds),
    )


def faster(
    figure: str,
    what: str,
    size: int,
    sides: dict[str, Side],
    baseline: str,
    least: float | None,
    ours: str = "ours",
    memory: float | None = None,
    note: str = "",
) -> Row:
    """Return the row that says how many times faster than the baseline we are, by the row."""
    row = slower(figure, what, size, sides, baseline, None, ours, None, note)
    assert row.ratio is not None
    assert row.cpu_ratio is not None
    ratio, peak = 1 / row.ratio, sides[ours].peak_mb
    wanted = [f"≥ {least:g} × faster"] if least is not None else []
    wanted += [f"≤ {memory:,.0f} MB"] if memory is not None else []
    is_judged = wanted and row.rounds >= LEAST_ROUNDS
    reached = (least is None or ratio >= least) and (memory is None or peak <= memory) if is_judged else None
    return Row(
        figure,
        what,
        size,
        row.ours,
        "s",
        baseline,
        row.theirs,
        ratio,
        1 / row.cpu_ratio if row.cpu_ratio else None,
        ", ".join(wanted),
        reached,
        peak,
        note,
        row.rounds,
    )


def less(figure: str, what: str, size: int, sides: dict[str, Side], baseline: str, least: float | None) -> Row:
    """Return the row that says how many times less processor time we take, by the row."""
    row = slower(figure, what, size, sides, baseline, None)
    assert row.cpu_ratio is not None
    ratio = 1 / row.cpu_ratio
    reached = ratio >= least if least is not None and row.rounds >= LEAST_ROUNDS else None
    reach = f"≥ {least:g} × less" if least is not None else ""
    return replace(
        row,
        ours=sides["ours"].cpu_seconds,
        theirs=sides[baseline].cpu_seconds,
        unit="CPU s",
        ratio=ratio,
        cpu_ratio=ratio,
        reach=reach,
        reached=reached,
    )


def within(
    figure: str,
    what: str,
    size: int,
    value: float,
    unit: str,
    reach: str,
    *,
    is_reached: bool | None,
    memory: float | None = None,
    note: str = "",
) -> Row:
    """Return the row of a figure that stands on its own."""
    return Row(figure, what, size, value, unit, "", None, None, None, reach, is_reached, memory, note)
