"""One key, one writer: the second guard."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import BugError
from syncer.execution.lanes import Claim, Lanes


def test_lanes_are_one_units_until_it_gives_them_back() -> None:
    """A unit of another step that wants one of them waits."""
    lanes = Lanes()
    assert lanes.claim("a", "a/0", [1, 2]) is Claim.TAKEN
    assert lanes.claim("b", "b/0", [2, 3]) is Claim.BUSY
    assert lanes.claim("b", "b/1", [4]) is Claim.TAKEN
    lanes.release("a/0")
    assert lanes.claim("b", "b/0", [2, 3]) is Claim.TAKEN


def test_units_of_one_step_never_meet() -> None:
    """Within a step keys are unique by construction, so a meeting is a bug and stops the run."""
    lanes = Lanes()
    lanes.claim("a", "a/0", [1, 2])
    with pytest.raises(BugError):
        lanes.claim("a", "a/1", [2])


def test_a_key_is_in_a_unit_once() -> None:
    """One request with the same key twice has two writers of its own."""
    with pytest.raises(BugError):
        Lanes().claim("a", "a/0", [7, 1, 7])
    with pytest.raises(BugError):
        Lanes().claim("a", "a/0", array("Q", [*range(20_000, 0, -1), 7]))


def test_held_lanes_are_not_waited_for() -> None:
    """A person decides, perhaps tomorrow."""
    lanes = Lanes()
    lanes.claim("a", "a/0", [1])
    lanes.hold("a/0")
    lanes.release("a/0")
    assert lanes.claim("b", "b/0", [1]) is Claim.HELD


def test_a_unit_may_claim_again_what_it_has() -> None:
    """A resumed unit meets itself and nobody else."""
    lanes = Lanes()
    lanes.claim("a", "a/0", [1])
    assert lanes.claim("a", "a/0", [1]) is Claim.TAKEN


def test_giving_back_nothing_is_no_error() -> None:
    """A unit that never got lanes has none to give."""
    Lanes().release("a/0")


_numbers = st.sets(st.integers(0, 2**64 - 1) | st.integers(0, 50), max_size=60)


@given(_numbers, _numbers)
def test_a_meeting_is_seen_whatever_the_lanes(first: set[int], second: set[int]) -> None:
    """Exactly the units that share a lane meet."""
    lanes = Lanes()
    lanes.claim("a", "a/0", sorted(first))
    expected = Claim.TAKEN if first.isdisjoint(second) else Claim.BUSY
    assert lanes.claim("b", "b/0", sorted(second, reverse=True)) is expected


@pytest.mark.parametrize(("shared", "expected"), [((), Claim.TAKEN), ((39_998,), Claim.BUSY), ((2,), Claim.BUSY)])
def test_two_large_jobs_are_compared_key_by_key(shared: tuple[int, ...], expected: Claim) -> None:
    """Tens of thousands of keys of two jobs, with at most one in common."""
    lanes = Lanes()
    lanes.claim("a", "a/0", array("Q", range(0, 40_000, 2)))
    assert lanes.claim("b", "b/0", [*range(1, 40_000, 2), *shared]) is expected


@pytest.mark.parametrize(
    ("small", "expected"),
    [
        ([20_001], Claim.TAKEN),
        ([1, 20_000], Claim.BUSY),
        ([2**40], Claim.TAKEN),
        ([], Claim.TAKEN),
    ],
)
def test_a_request_is_looked_up_in_a_large_job(small: list[int], expected: Claim) -> None:
    """A few keys beside tens of thousands: between them, among them, beyond them, none at all."""
    lanes = Lanes()
    lanes.claim("a", "a/0", array("Q", range(0, 40_000, 2)))
    assert lanes.claim("b", "b/0", small) is expected
