"""When a failed call is tried again."""

from __future__ import annotations

import pytest

from syncer.targets.exchange import Trouble
from syncer.targets.retry import RULES, pause


@pytest.mark.parametrize(
    "trouble", [Trouble.TOKEN, Trouble.DENIED, Trouble.QUOTA, Trouble.MOVED, Trouble.TOO_LARGE, Trouble.REFUSED]
)
def test_some_troubles_are_never_tried_again(trouble: Trouble) -> None:
    """The same call would end the same way."""
    assert pause(trouble, 1, 0.0, 0.5) is None


@pytest.mark.parametrize("trouble", list(RULES))
def test_every_trouble_ends_one_day(trouble: Trouble) -> None:
    """Tries and total time are both bounded."""
    rule = RULES[trouble]
    assert pause(trouble, 1, 0.0, 0.5) is not None
    assert pause(trouble, rule.tries, 0.0, 0.5) is None
    assert pause(trouble, 1, rule.total_seconds, 0.5) is None


def test_waits_double_up_to_a_minute() -> None:
    """1, 2, 4 … 60 seconds."""
    assert [pause(Trouble.NOT_SENT, attempt, 0.0, 0.5) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 32, 60]


def test_chance_spreads_by_a_quarter() -> None:
    """Callers that failed together come back apart."""
    assert pause(Trouble.NOT_SENT, 1, 0.0, 0.0) == 0.75
    assert pause(Trouble.NOT_SENT, 1, 0.0, 0.999) == pytest.approx(1.25, abs=0.001)


def test_a_long_row_of_failures_does_not_overflow() -> None:
    """The growth is capped before it becomes infinite."""
    assert pause(Trouble.CONCURRENCY, 399, 0.0, 0.5) == 5.0
