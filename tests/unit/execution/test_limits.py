"""Guards held against what really happens: a run that departs from its plan stops within a request, at any pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.execution import limits
from syncer.execution.context import Guard
from syncer.execution.limits import Limits
from syncer.facts import Action
from syncer.outcome import Outcome
from tests.fakes.world import Op, rows, world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.world import World

pytestmark = pytest.mark.anyio
RECORDS = 100
"""Two records a request: fifty requests."""


async def _departs(it: World, guard: Guard) -> tuple[int, int]:
    """Run under `guard`; return the exit code and the number of records that were sent."""
    it.guards["a"] = guard
    result = await it.run()
    return result.exit_code, sum(len(call.keys) for call in it.vendor.calls)


async def test_a_run_that_creates_far_more_than_planned_stops_within_its_first_requests(tmp_path: Path) -> None:
    """Planned with two new records in a hundred, it sees nothing but new ones: at most one request goes beyond."""
    async with world(tmp_path, Op("a", rows(RECORDS)), concurrency=8) as it:
        assert await _departs(it, Guard(max_creates=2)) == (5, 4)


async def test_a_run_that_is_refused_far_more_than_allowed_stops_within_its_first_requests(tmp_path: Path) -> None:
    """Every record is refused, and two may be."""
    async with world(tmp_path, Op("a", rows(RECORDS)), concurrency=8) as it:
        it.vendor.refused = {key for key, _ in rows(RECORDS)}
        assert await _departs(it, Guard(max_rejected=2)) == (5, 4)


async def test_without_a_first_request_alone_more_would_be_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The mutant that starts as many as the connection allows sends eight requests before it notices."""
    monkeypatch.setattr(limits.Limits, "may_start", lambda *_: True)
    async with world(tmp_path, Op("a", rows(RECORDS)), concurrency=8) as it:
        code, sent = await _departs(it, Guard(max_creates=2))
        assert code == 5
        assert sent > 4


async def test_a_guard_that_is_far_away_slows_nothing_but_the_first_request(tmp_path: Path) -> None:
    """One request alone, then as many as the connection allows: 49 requests in seven rounds."""
    async with world(tmp_path, Op("a", rows(RECORDS)), concurrency=8) as it:
        assert await _departs(it, Guard(max_creates=1_000, max_rejected=50)) == (0, RECORDS)
        assert len({call.arrived for call in it.vendor.calls}) == 1 + 7


def _after(letters: str, guard: Guard, *, action: Action = Action.UPSERT, rejected: int = 0) -> Limits:
    found = Limits("a", action, guard, rejected)
    found.tally.add(letters)
    return found


@pytest.mark.parametrize(
    ("letters", "guard", "action", "sentence"),
    [
        ("cc", Guard(max_creates=2), Action.UPSERT, ""),
        ("ccc", Guard(max_creates=2), Action.UPSERT, 'Operation "a" has created 3 records; its guard allows 2.'),
        ("xu", Guard(max_rejected=8), Action.UPSERT, ""),
        ("xx", Guard(max_rejected=8), Action.UPSERT, 'Operation "a" has 9 rejected rows; its guard allows 8.'),
        ("cuw", Guard(max_changes=3), Action.UPSERT, ""),
        ("cuww", Guard(max_changes=3), Action.UPSERT, 'Operation "a" has written 4 records; its guard allows 3.'),
        ("uu", Guard(max_deletes=1), Action.UPDATE, ""),
        ("uu", Guard(max_deletes=2), Action.DELETE, ""),
        (
            "uu",
            Guard(max_deletes=1),
            Action.DELETE,
            'Operation "a" has deleted or removed 2 records; its guard allows 1.',
        ),
        (
            "uu",
            Guard(max_deletes=1),
            Action.REMOVE,
            'Operation "a" has deleted or removed 2 records; its guard allows 1.',
        ),
        ("xc", Guard(), Action.UPSERT, ""),
    ],
)
async def test_each_limit_holds_up_to_its_number(letters: str, guard: Guard, action: Action, sentence: str) -> None:
    """Seven rows were rejected when the plan was made, and count."""
    assert _after(letters, guard, action=action, rejected=7).broken() == sentence


@pytest.mark.parametrize("name", ["max_rejected", "max_creates", "max_changes", "max_deletes"])
async def test_no_limit_may_be_forgotten(name: str) -> None:
    """A guard that is left out of the count lets everything pass, and this test fails."""
    assert _after("cux", Guard(**{name: 0}), action=Action.DELETE).broken()


async def test_more_goes_at_once_only_as_far_as_the_limit_would_hold() -> None:
    """A tenth was refused so far: of ten allowed, ninety more records may be under way and not a hundred."""
    found = _after(Outcome.REJECTED.letter + 9 * Outcome.UPDATED.letter, Guard(max_rejected=10))
    found.start(80)
    assert found.may_start(10)
    assert not found.may_start(11)
    found.end(80)
    assert found.may_start(1_000_000)


async def test_nothing_is_known_before_the_first_answer() -> None:
    """A second request waits for the first; without a limit nothing waits."""
    found = Limits("a", Action.UPSERT, Guard(max_creates=1_000))
    assert found.may_start(300)
    found.start(300)
    assert not found.may_start(1)
    free = Limits("a", Action.UPSERT, Guard(max_changes=5, max_deletes=5))
    free.start(300)
    assert free.may_start(300)
