"""T4: the n-th call of a kind fails in a run, on its disk or on its network; then all is well, and the run is resumed.

A disk without room stays so until the command ends, for a person makes room between two commands; every other error
comes once.
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.sweep import calls, forked

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.sweep.canon import Canon, Ended, Place
    from tests.sweep.seccomp import Call

DISK: Final = ("ENOSPC", "EDQUOT", "EIO", "EINTR", "EMFILE")
NETWORK: Final = ("ECONNRESET", "ETIMEDOUT", "EPIPE")
LASTING: Final = frozenset({"ENOSPC", "EDQUOT"})
SENSIBLE: Final = frozenset({0, 1, 2, 3, 7, 8, 9, 10})
WATCHED: Final = (*calls.STATE, "socket", "connect", "recvfrom")
GIVES_BACK: Final = frozenset({"unlink", "unlinkat", "rmdir"})
_BUG: Final = re.compile(r"Traceback \(most recent|error R900|Fatal Python error|is a bug in syncer")
_NAME: Final = re.compile(r"([A-Z]+):(\d+)")


@dataclass(frozen=True, slots=True)
class Point:
    """Which error comes, and at which of the calls that it can come to."""

    error: str
    number: int

    def __str__(self) -> str:
        """Return the name that `parse` reads."""
        return f"{self.error}:{self.number}"


def parse(name: str) -> Point:
    """Return the point of a name."""
    found = _NAME.fullmatch(name)
    if found is None or found[1] not in {*DISK, *NETWORK}:
        message = f'"{name}" is no point; write it like EIO:12'
        raise ValueError(message)
    return Point(found[1], int(found[2]))


def can_meet(error: str) -> Callable[[Call], bool]:
    """Return which calls an error can come to."""
    if error in NETWORK:
        return _is_network
    if error == "EMFILE":
        return lambda call: call.name in {"open", "openat", "socket"}
    return lambda call: call.name not in GIVES_BACK and _is_disk(call)


def _is_disk(call: Call) -> bool:
    if call.name in {"sendto", "sendmsg", "socket", "connect", "recvfrom"}:
        return False
    return calls.changes_state(call) and not call.path_of().startswith("socket:")


def _is_network(call: Call) -> bool:
    if call.name == "connect":
        return True
    if call.name == "recvfrom":
        return not _is_between_threads(call)
    return call.name in calls.SENDS and calls.changes_state(call) and call.path_of().startswith("socket:")


def _is_between_threads(call: Call) -> bool:
    """Say whether the socket is one by which a loop is woken; those have no address on any network."""
    node = call.path_of().removeprefix("socket:[").removesuffix("]")
    with open("/proc/net/unix", encoding="ascii", errors="replace") as known:  # noqa: PTH123 - the kernel's
        return any(line.split()[6] == node for line in known)


def measured(canon: Canon) -> tuple[Ended, dict[str, int]]:
    """Return how a run ends that meets no error, and how many calls each error can come to."""
    place = canon.begun()
    process = place.resume(watched=WATCHED)
    assert process.listener is not None
    kinds = {error: can_meet(error) for error in (*DISK, *NETWORK)}
    counts = dict.fromkeys(kinds, 0)
    for call in process.listener.calls(forked.PATIENCE_SECONDS):
        for error, can in kinds.items():
            counts[error] += can(call)
        process.listener.go_on(call)
    ended = place.end([process.wait()])
    place.forget()
    return ended, counts


def drawn(counts: dict[str, int], points: int, draw: random.Random) -> list[Point]:
    """Return so many points of each error, at most one a call."""
    return [
        Point(error, number)
        for error, size in counts.items()
        for number in sorted(draw.sample(range(1, size + 1), min(points, size)))
    ]


def play(canon: Canon, point: Point) -> tuple[Ended, str, Place]:
    """Play one point; return how it ended, the call that failed, and the place."""
    place = canon.begun()
    process = place.resume(watched=WATCHED)
    assert process.listener is not None
    can, number = can_meet(point.error), getattr(errno, point.error)
    found, told = 0, ""
    for call in process.listener.calls(forked.PATIENCE_SECONDS):
        is_met = can(call)
        found += is_met
        if is_met and (found == point.number or (found > point.number and point.error in LASTING)):
            told = told or calls.told(call, str(place.folder))
            process.listener.fail(call, number)
        else:
            process.listener.go_on(call)
    return place.end([process.wait()]), told, place


def rudeness(ended: Ended) -> list[str]:
    """Say where a command did not end as a command should."""
    found = [f"exit {code}" for code in ended.codes if code not in SENSIBLE]
    bug = _BUG.search(ended.said)
    if bug:
        found.append(f"a bug was shown: {ended.said[max(0, bug.start() - 200) :][:700]}")
    return found
