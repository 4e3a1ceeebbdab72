"""T3: a run killed at each of its state-changing system calls, resumed, and compared; and again with a crash in resume.

A point is a name: `apply:12` is the twelfth such call of the whole command, `run:12` of a run that has begun and sent
nothing, and a number after `+` is that of the resume that follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.sweep import calls, forked

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.sweep.canon import Canon, Ended, Place

BEFORE, AFTER = "apply", "run"
_NAME: Final = re.compile(r"(apply|run):(\d+(?:\+\d+)*)")


@dataclass(frozen=True, slots=True)
class Point:
    """Where commands are killed one after another."""

    begin: str
    cuts: tuple[int, ...]

    def __str__(self) -> str:
        """Return the name that `parse` reads."""
        return f"{self.begin}:{'+'.join(map(str, self.cuts))}"


def parse(name: str) -> Point:
    """Return the point of a name."""
    found = _NAME.fullmatch(name)
    if found is None:
        message = f'"{name}" is no point; write it like run:12 or run:12+30'
        raise ValueError(message)
    return Point(found[1], tuple(int(each) for each in found[2].split("+")))


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many state-changing calls there are until the run has begun, and from there to its end."""

    before: int
    after: int

    def singles(self, draw: random.Random) -> list[Point]:
        """Return every point with one crash by chance, those where something may have been sent first."""
        found = []
        for begin, size in ((AFTER, self.after), (BEFORE, self.before)):
            found += draw.sample([Point(begin, (n,)) for n in range(1, size + 1)], size)
        return found

    def pairs(self, points: int, draw: random.Random) -> list[Point]:
        """Return points with a second crash in the resume that follows the first."""
        return [
            Point(AFTER, (first, draw.randint(1, max(1, self.after - first // 2))))
            for first in (draw.randint(1, self.after) for _ in range(points))
        ]


def count(process: forked.Process) -> int:
    """Let a watched command run to its end, and return how many state-changing calls it made."""
    assert process.listener is not None
    found = 0
    for call in process.listener.calls(forked.PATIENCE_SECONDS):
        found += calls.changes_state(call)
        process.listener.go_on(call)
    process.wait()
    return found


def cut(process: forked.Process, number: int, root: str) -> str:
    """Kill a watched command as it comes to its `number`-th state-changing call; return the call, "" if none came."""
    assert process.listener is not None
    found = 0
    for call in process.listener.calls(forked.PATIENCE_SECONDS):
        found += calls.changes_state(call)
        if found == number:
            told = calls.told(call, root)
            process.kill()
            process.wait()
            return told
        process.listener.go_on(call)
    process.wait()
    return ""


def measured(canon: Canon) -> tuple[Sizes, Ended, Ended]:
    """Return the sizes, and how a run ends that nobody cuts: a whole one, and one that has begun."""
    place = canon.planned()
    process = place.apply(watched=calls.STATE)
    whole = count(process)
    uncut = place.end([process.wait()])
    place.forget()
    place = canon.begun()
    process = place.resume(watched=calls.STATE)
    after = count(process)
    begun = place.end([process.wait()])
    place.forget()
    return Sizes(max(1, whole - after), after), uncut, begun


def play(canon: Canon, point: Point) -> tuple[Ended, tuple[str, ...], Place]:
    """Play one point; return how it ended, the calls that were not made, and the place."""
    place = canon.planned() if point.begin == BEFORE else canon.begun()
    codes: list[int] = []
    found: list[str] = []
    for number in point.cuts:
        if place.is_finished():
            break
        is_resumed = point.begin == AFTER or bool(place.runs())
        process = place.resume(watched=calls.STATE) if is_resumed else place.apply(watched=calls.STATE)
        found.append(cut(process, number, str(place.folder)))
        codes.append(process.wait())
    return place.end(codes), tuple(found), place


def shared(points: Sequence[Point], part: int, parts: int) -> list[Point]:
    """Return one of several equal parts, for sweeps side by side."""
    return list(points[part::parts])
