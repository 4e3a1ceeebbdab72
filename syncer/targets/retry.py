"""When a failed call is tried again: a pure function of what went wrong, how often and for how long.

Nothing here waits, and nobody asks here about a write whose answer was lost: that is a doubt, which no time heals.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncer.targets.exchange import Trouble


@dataclass(frozen=True, slots=True)
class Rule:
    """Waits grow from `first_seconds` by `growth` to `longest_seconds`, spread by ±`spread`, until a limit ends it."""

    first_seconds: float
    longest_seconds: float
    tries: int
    growth: float = 2.0
    spread: float = 0.25
    total_seconds: float = 7_200.0


RULES = {
    # Suggested client behaviour for transport errors: base 1 s, doubled, capped at 60 s, up to 8 tries.
    Trouble.NOT_SENT: Rule(1.0, 60.0, tries=8),
    Trouble.BROKEN: Rule(1.0, 60.0, tries=8),
    Trouble.BUSY: Rule(1.0, 60.0, tries=8),
    # "Error Codes", 606: the gate keeps the window; this only bounds how long neighbours may use all of it up.
    Trouble.RATE: Rule(0.0, 0.0, tries=400),
    # "Error Codes", 615: a call slot is free again as soon as some call returned.
    Trouble.CONCURRENCY: Rule(1.0, 5.0, tries=400, growth=1.5),
    # "Bulk Import": ten imports queued or running; "Error Codes", 1019: an import into the same list is running.
    Trouble.QUEUE: Rule(45.0, 45.0, tries=1_000, growth=1.0),
    Trouble.LOCKED: Rule(45.0, 45.0, tries=1_000, growth=1.0),
}
"""Troubles without a rule are never tried again by themselves."""


def pause(trouble: Trouble, attempt: int, waited_seconds: float, chance: float) -> float | None:
    """Return how long to wait before the next try, or None to stop.

    `attempt` counts failed tries from 1, `chance` in [0, 1) spreads callers that failed together.
    """
    rule = RULES.get(trouble)
    if rule is None or attempt >= rule.tries or waited_seconds >= rule.total_seconds:
        return None
    wait = min(rule.longest_seconds, rule.first_seconds * rule.growth ** min(attempt - 1, 64))
    return wait * (1.0 + rule.spread * (2.0 * chance - 1.0))
