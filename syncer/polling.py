"""When a running job is looked at: one schedule, which sessions keep and the planner reckons with. Pure."""

from __future__ import annotations

FIRST_POLL_SECONDS = 5.0
LONGEST_POLL_SECONDS = 300.0


def poll_seconds(elapsed_seconds: float, usual_seconds: float) -> float:
    """Return how long to wait before a job is looked at again: soon at first, as planned, and slowly when it is old.

    An old job is looked at when it has grown older by a twentieth, so that hours in a queue do not use up the day.
    """
    early = min(usual_seconds, max(FIRST_POLL_SECONDS, elapsed_seconds))
    return min(LONGEST_POLL_SECONDS, max(early, elapsed_seconds / 20))


def polls_until(seconds: float, usual_seconds: float) -> int:
    """Return how often a job that takes so long is looked at, the look that sees its end included."""
    elapsed, polls = 0.0, 0
    while elapsed < seconds or not polls:
        elapsed += poll_seconds(elapsed, usual_seconds)
        polls += 1
    return polls
