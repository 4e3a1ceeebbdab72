"""The sweep finds its places in a log of calls and draws the same ones for the same seed; it is not played here."""

from __future__ import annotations

import random

from tests.sweep import cuts, strace

LOG = """\
7 write(1, "a", 1) = 1
7 fsync(3) = 0
8 fsync(4) = 0
8 fsync(4) = 0
8 sendto(5, "POST", 4, 0, NULL, 0) = 4
"""
PLACES = (
    strace.Place("fsync", 1),
    strace.Place("fsync", 2),
    strace.Place("sendto", 1),
    strace.Place("write", 1),
)


def test_a_place_is_a_call_that_a_thread_came_to() -> None:
    """Calls are counted by thread, as the one that kills counts them."""
    assert strace.counted(LOG) == (5, PLACES)


def test_the_same_seed_draws_the_same_points() -> None:
    """A sweep can be played again by its seed, and a point by its name."""
    first, second = (cuts.kills(PLACES, 4, random.Random(3)) for _ in range(2))  # noqa: S311 - no secret
    assert first == second
    assert [cuts.kill([strace.parse(each) for each in point.name.split("+")]) for point in first] == first


def test_a_disk_fails_at_what_writes_only() -> None:
    """A request has no disk to find full."""
    points = cuts.errors(PLACES, 4, random.Random(3))  # noqa: S311 - no secret
    assert sorted(point.name.split(":")[0] for point in points) == ["fsync", "fsync", "write"]
    assert {point.name.rsplit(":", 1)[1] for point in points} == {"ENOSPC", "EIO"}
