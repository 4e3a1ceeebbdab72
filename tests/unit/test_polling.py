"""When a running job is looked at, and how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.polling import LONGEST_POLL_SECONDS, poll_seconds, polls_until


def test_jobs_are_polled_as_planned_and_less_when_old() -> None:
    """5, 5, 10, 20, 20 … seconds, then a twentieth of the job's age, and never more than five minutes."""
    seen, elapsed = [], 0.0
    while elapsed < 12 * 3_600:
        seen.append(poll_seconds(elapsed, 20.0))
        elapsed += seen[-1]
    assert seen[:5] == [5, 5, 10, 20, 20]
    assert seen[-1] == LONGEST_POLL_SECONDS
    assert len(seen) < 250


@pytest.mark.parametrize(
    ("seconds", "polls"), [(0.0, 1), (5.0, 1), (5.1, 2), (10.0, 2), (20.0, 3), (60.0, 5), (200.0, 12)]
)
def test_a_job_is_looked_at_until_its_end_is_seen(seconds: float, polls: int) -> None:
    """At 5, 10, 20, 40, 60 … seconds; a job is looked at once at least."""
    assert polls_until(seconds, 20.0) == polls


@given(st.floats(0, 90_000), st.floats(0, 10_000), st.sampled_from((5.0, 20.0, 30.0)))
def test_a_longer_job_is_never_looked_at_less_often(seconds: float, more: float, usual: float) -> None:
    """The number of looks grows with the job."""
    assert polls_until(seconds, usual) <= polls_until(seconds + more, usual)
