"""Which system calls change the world, where a run can be cut or broken at them, and the words that make strace do it.

strace counts each call of each thread by itself, so a place is "the n-th call of this name in whichever thread comes to
it first". The kill comes as the call is entered, so the call itself is not performed.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence


WRITES = (
    "write",
    "writev",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "fallocate",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
)
"""What can find a full or a broken disk."""
CALLS = (*WRITES, "unlink", "unlinkat", "rmdir", "sendto", "sendmsg", "connect")
"""What changes a file or leaves the process."""
_LINE = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """The `number`-th call named `call` in one thread."""

    call: str
    number: int

    def __str__(self) -> str:
        """Return the form that `parse` reads."""
        return f"{self.call}:{self.number}"


def parse(text: str) -> Place:
    """Return the place that `text` names, as in `fsync:3`."""
    call, _, number = text.partition(":")
    return Place(call, int(number))


def counting(log: Path, calls: Sequence[str] = CALLS) -> list[str]:
    """Return the words that run a command and write its calls to `log`."""
    return ["strace", "-f", "-qq", "-o", str(log), "-e", "signal=none", "-e", f"trace={','.join(calls)}"]


def killing(place: Place) -> list[str]:
    """Return the words that run a command until it comes to `place`, and no further."""
    return _injecting(place, f"signal=KILL:when={place.number}")


def failing(place: Place, error: str, *, for_good: bool) -> list[str]:
    """Return the words that run a command whose call at `place` fails, and `for_good` all such calls after it too."""
    return _injecting(place, f"error={error}:when={place.number}{'+' if for_good else ''}")


def _injecting(place: Place, what: str) -> list[str]:
    return [*counting(Path("/dev/null"), calls=(place.call,)), "-e", f"inject={place.call}:{what}"]


def counted(log: str) -> tuple[int, tuple[Place, ...]]:
    """Return how many calls a log holds, and every place that a thread of that run came to."""
    threads = Counter(_LINE.findall(log))
    most: Counter[str] = Counter()
    for (_, call), count in threads.items():
        most[call] = max(most[call], count)
    return threads.total(), tuple(Place(call, n) for call in sorted(most) for n in range(1, most[call] + 1))


def drawn(places: Iterable[Place], points: int, draw: random.Random) -> list[Place]:
    """Return `points` places by chance; all of them, in another order, when there are no more."""
    known = list(places)
    return draw.sample(known, min(points, len(known)))
