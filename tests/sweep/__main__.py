"""`python -m tests.sweep lint|kill|pairs|errors|races|stops`: real processes at their worst.

One line a point, then figures. Every line begins with the point's name; `--only NAME` plays it again. Needs Linux.
Several may run side by side, each with its `--share`.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tests.fast.served import bucketed, serving
from tests.sweep import calls, cuts, durable, faults, forked, races, seccomp
from tests.sweep.canon import Canon

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")
TAIL = 1_200
POINTS = {"lint": 0, "kill": 400, "pairs": 50, "errors": 10, "races": 200, "stops": 20}
"""Unless said: state-changing calls, pairs, points of each error, races on each store, stops of each kind there."""


class Sweep:
    """One sweep: what was asked for, and what came of it so far."""

    def __init__(self, given: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
        """Start the servers."""
        self.given = given
        self.folder = folder
        self.draw = random.Random(given.seed)  # noqa: S311 - a seed makes it repeatable
        self.points = POINTS[given.what] if given.points is None else given.points
        self.served = stack.enter_context(serving())
        self.bucket = stack.enter_context(bucketed()) if given.what in {"races", "stops"} else None
        self.played = self.missed = self.bad = self.ruled = 0
        self.began = time.monotonic()

    def lines(self) -> Iterator[str]:
        """Play, and yield what is to be told."""
        plays = {"lint": self._lint, "kill": self._cuts, "pairs": self._cuts, "errors": self._errors}
        yield from plays.get(self.given.what, self._races)()
        yield (
            f"{self.given.what}, seed {self.given.seed}: {self.played} points, {self.bad} with a difference, "
            f"{self.missed} over before their point, {self.ruled} rulings by a person, "
            f"{time.monotonic() - self.began:.0f} s"
        )

    def _mine(self, points: Sequence[T]) -> Iterator[T]:
        """Yield my share of `points`, until the time is up."""
        part, _, parts = self.given.share.partition("/")
        for each in points[int(part) - 1 :: int(parts)]:
            if time.monotonic() - self.began > self.given.seconds:
                return
            yield each

    def _told(self, name: object, told: str, wrong: Sequence[str], *, is_missed: bool = False) -> Iterator[str]:
        self.played, self.missed = self.played + (not is_missed), self.missed + is_missed
        self.bad += bool(wrong)
        yield f"{name}: {told}"
        yield from (f"    WRONG: {each}" for each in wrong)
        if wrong:
            yield f"    again: python -m tests.sweep {self.given.what} --only {name}"

    def _lint(self) -> Iterator[str]:
        canon = Canon.made(self.served, self.folder)
        for name, place in (("a whole run", canon.planned()), ("a run that is resumed", canon.begun())):
            process = (place.apply if place.runs() == [] else place.resume)(watched=calls.STATE)
            findings, count = durable.lint(process, str(place.folder))
            wrong = [each.replace(str(place.folder), "") for each in findings]
            yield from self._told(name, f"{count} calls read, {len(findings)} findings, exit {process.wait()}", wrong)

    def _cuts(self) -> Iterator[str]:
        canon = Canon.made(self.served, self.folder)
        sizes, uncut, begun = cuts.measured(canon)
        yield f"uncut: exits {uncut.codes} and {begun.codes}; {sizes.before} calls until it begins, {sizes.after} then"
        yield from (f"    WRONG: {each}" for each in begun.differences(uncut))
        if self.given.only:
            points = [cuts.parse(each) for each in self.given.only]
        elif self.given.what == "pairs":
            # Some resumes are over before their second crash; as many are played as are wanted.
            points = sizes.pairs(2 * self.points, self.draw)
        else:
            points = sizes.singles(self.draw)[: self.points or None]
        for point in self._mine(points):
            if self.given.what == "pairs" and self.played == self.points:
                return
            ended, found, place = cuts.play(canon, point)
            cut = " + ".join(each or "over before" for each in found)
            ruled = f", {ended.ruled} ruled" * bool(ended.ruled)
            is_missed = len(found) < len(point.cuts) or not all(found)
            self.ruled += ended.ruled
            wrong = ended.differences(uncut)
            yield from self._told(point, f"{cut}: exits {ended.codes}{ruled}", wrong, is_missed=is_missed)
            yield from [ended.said[-TAIL:]] * bool(wrong)
            place.forget()

    def _errors(self) -> Iterator[str]:
        canon = Canon.made(self.served, self.folder)
        uncut, counts = faults.measured(canon)
        yield f"uncut: exits {uncut.codes}; calls that an error can come to: {counts}"
        named = [faults.parse(each) for each in self.given.only]
        for point in self._mine(named or faults.drawn(counts, self.points, self.draw)):
            ended, call, place = faults.play(canon, point)
            self.ruled += ended.ruled
            wrong = ended.differences(uncut) + faults.rudeness(ended)
            told = f"{call or 'over before'}: exits {ended.codes}"
            yield from self._told(point, told, wrong, is_missed=not call)
            place.forget()

    def _races(self) -> Iterator[str]:
        for store, bucket in (("folder", None), ("bucket", self.bucket)):
            if self.given.only and not any(each.startswith(store) for each in self.given.only):
                continue
            canon = Canon.made(self.served, self.folder / store, bucket, races.FEW)
            uncut, writes, size = races.uncut(canon)
            yield f"{store}, uncut: exits {uncut.codes}, {writes} writes, {size} calls"
            kinds = ("race",) if self.given.what == "races" else ("stop", "send")
            names = [f"{store}:{kind}:{number}" for number in range(self.points) for kind in kinds]
            chosen = [each for each in self.given.only if each.startswith(store)] or names
            for name in self._mine(chosen):
                _, kind, number = name.split(":")
                seed = f"{self.given.seed} {number}"
                if kind == "race":
                    played = races.race(canon, seed, uncut, writes)
                else:
                    played = races.stop(canon, seed, uncut, size, at_send=kind == "send")
                yield from self._told(name, played.told, played.wrong, is_missed=played.is_missed)


def main() -> int:
    """Play, and return 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    parser.add_argument("what", choices=(*POINTS,))
    parser.add_argument("--points", type=int, help="how many; with `kill`, 0 is every call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", default="1/1", metavar="M/N", help="play only each N-th point from the M-th on")
    parser.add_argument("--seconds", type=float, default=36_000.0, help="begin no point after so long")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a point as it was printed")
    given = parser.parse_args()
    if not seccomp.is_able():
        parser.error("this machine's kernel does not let one process decide on another one's system calls")
    forked.warm_up()
    is_wrong = False
    room = Path("/dev/shm")  # noqa: S108 - a folder of a random name is made there
    is_there = os.access(room, os.W_OK)
    with tempfile.TemporaryDirectory(prefix="sweep-", dir=room if is_there else None) as folder, ExitStack() as stack:
        for line in Sweep(given, Path(folder), stack).lines():
            is_wrong |= "WRONG" in line
            print(line, flush=True)  # noqa: T201 - a command speaks
    return is_wrong


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # Without the farewell of native modules, of which this process has many.
