"""T3 and T4: a run killed at a state-changing system call, and one whose disk is full or broken from there on."""

from __future__ import annotations

import itertools
import random
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from tests.fast.served import Served, serving
from tests.sweep import runs, strace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ERRORS = ("ENOSPC", "EIO")
SENSIBLE = {0, 1, 2, 3, 7, 8, 9, 10}
_BUG = re.compile(r"Traceback \(most recent|error R900|Fatal Python error")
TAIL = 1_200


@dataclass(frozen=True, slots=True)
class Point:
    """A way to disturb a run: its name, by which it can be asked for again, and the words to run each command under."""

    name: str
    under: tuple[tuple[str, ...], ...]


def kills(places: Sequence[strace.Place], points: int, draw: random.Random) -> list[Point]:
    """Return points of T3; at every fourth the first `resume` is killed as well."""
    found = []
    for number, first in enumerate(strace.drawn(places, points, draw)):
        cuts = (first, draw.choice(places)) if number % 4 == 3 else (first,)
        found.append(kill(cuts))
    return found


def kill(cuts: Sequence[strace.Place]) -> Point:
    """Return the point at which the commands are killed one after another."""
    return Point("+".join(map(str, cuts)), tuple(tuple(strace.killing(each)) for each in cuts))


def errors(places: Sequence[strace.Place], points: int, draw: random.Random) -> list[Point]:
    """Return points of T4: a disk is full until someone makes room, but fails to write once."""
    able = [each for each in places if each.call in strace.WRITES]
    kinds = itertools.cycle(ERRORS)
    return [fail(place, error) for place, error in zip(strace.drawn(able, points, draw), kinds, strict=False)]


def fail(place: strace.Place, error: str) -> Point:
    """Return the point at which a call fails."""
    return Point(f"{place}:{error}", (tuple(strace.failing(place, error, for_good=error == "ENOSPC")),))


def sweep(
    choose: str, points: int, seed: int, seconds: float, *, side_by_side: int, only: Sequence[str]
) -> Iterator[str]:
    """Play points until they or the `seconds` are spent; yield a line for each, and the figures."""
    draw = random.Random(seed)  # noqa: S311 - a seed makes it repeatable
    with ExitStack() as stack, ThreadPoolExecutor(side_by_side) as pool:
        free: SimpleQueue[Served] = SimpleQueue()
        for _ in range(side_by_side):
            free.put(stack.enter_context(serving()))
        uncut, calls, places = _uncut(free)
        yield f"uncut: exit {uncut.codes}, {calls} calls, {len(places)} places"
        if only:
            chosen = [_named(choose, each) for each in only]
        else:
            chosen = (kills if choose == "kill" else errors)(places, points, draw)
        began = time.monotonic()

        def play(point: Point) -> tuple[Point, runs.Ended | None]:
            if time.monotonic() - began > seconds:
                return point, None
            served = free.get()
            try:
                return point, runs.broken(served, *point.under)
            finally:
                free.put(served)

        reached = missed = bad = ruled = 0
        for point, ended in pool.map(play, chosen):
            if ended is None:
                continue
            wrong = ended.differences(uncut) + (_rudeness(ended) if choose == "error" else [])
            undisturbed = ended.codes == uncut.codes and choose == "kill"
            reached, missed = reached + (not undisturbed), missed + undisturbed
            bad, ruled = bad + bool(wrong), ruled + ended.ruled
            yield f"{point.name}: exits {ended.codes}{', a person ruled' * bool(ended.ruled)}"
            for each in wrong:
                yield f"    WRONG: {each}"
            if wrong:
                bug = _BUG.search(ended.said)
                yield ended.said[bug.start() :][:TAIL] if bug else ended.said[-TAIL:]
        yield (
            f"{choose}, seed {seed}: {reached} points, {bad} with a difference, {missed} runs over before their point, "
            f"{ruled} rulings, {time.monotonic() - began:.0f} s"
        )


def _uncut(free: SimpleQueue[Served]) -> tuple[runs.Ended, int, tuple[strace.Place, ...]]:
    served = free.get()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        ended = runs.broken(served, strace.counting(log))
        calls, places = strace.counted(log.read_text(encoding="utf-8", errors="replace"))
    free.put(served)
    return ended, calls, places


def _named(choose: str, name: str) -> Point:
    if choose == "kill":
        return kill([strace.parse(each) for each in name.split("+")])
    place, _, error = name.rpartition(":")
    return fail(strace.parse(place), error)


def _rudeness(ended: runs.Ended) -> list[str]:
    """Say where a failed command did not end as a command should."""
    found = [f"exit {code}" for code in ended.codes if code not in SENSIBLE]
    if _BUG.search(ended.said):
        found.append("a traceback or a bug was shown")
    return found
