"""Marketo's counters: calls a day, calls in a window, calls at once, and who used them.

Numbers and codes: Adobe, "Marketo Integration Best Practices" and "Error Codes". The day turns at 00:00 US Central
Standard Time, as the vendor's pages say.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from syncer.sandbox.clock import Clock
from syncer.sandbox.options import MarketoOptions

CENTRAL = timedelta(hours=-6)
UNCOUNTED = frozenset({"601", "602", "604", "605", "608", "611"})
"""Answers that use up neither quota nor rate: marked with an asterisk on "Error Codes"."""
NEIGHBOUR = "neighbour@example.com"


@dataclass(slots=True)
class Meter:
    """What was used, by whom, and whether one more call may pass."""

    clock: Clock
    options: MarketoOptions
    window: deque[float] = field(default_factory=deque)
    usage: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    errors: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    in_flight: int = 0
    most_in_flight: int = 0
    _neighbours: list[tuple[float, float]] = field(default_factory=list)
    _neighbours_counted: float = 0.0

    def today(self) -> str:
        """The day of the quota."""
        return (datetime.fromtimestamp(self.clock.now(), UTC) + CENTRAL).strftime("%Y-%m-%d")

    def add_neighbours(self, calls: int, calls_per_second: float) -> None:
        """Counts calls of a pretended integration: some now, and some evenly from now on (0 stops those)."""
        now = self.clock.now()
        self._catch_up(now)
        self.window.extend([now] * calls)
        self.usage[self.today()][NEIGHBOUR] += calls
        self._neighbours = [(now, calls_per_second)] if calls_per_second > 0 else []
        self._neighbours_counted = 0.0

    def refusal(self, user: str, arrived_at: float) -> tuple[str, str] | None:
        """Counts a call and gives the code and words of the limit that it meets, in the order quota, rate.

        The window holds calls by their arrival: one that is slow to be taken up is no younger for it.
        """
        now = self.clock.now()
        self._catch_up(now)
        seconds, options = self.options.rate_seconds, self.options
        while self.window and self.window[0] <= now - seconds:
            self.window.popleft()
        today = self.today()
        used_today = self.usage[today].total()
        used_in_window = sum(arrived_at - seconds < moment <= arrived_at for moment in self.window)
        insort(self.window, arrived_at)
        self.usage[today][user] += 1
        if options.daily_calls is not None and used_today >= options.daily_calls:
            return "607", "Daily quota reached"
        if options.rate_calls is not None and used_in_window >= options.rate_calls:
            return "606", f"Max rate limit '{options.rate_calls}' exceeded with in '{seconds:g}' secs"
        if options.concurrent_calls is not None and self.in_flight >= options.concurrent_calls:
            return "615", f"Concurrent access limit '{options.concurrent_calls}' reached"
        return None

    def give_back(self, user: str, arrived_at: float) -> None:
        """Takes back the count of a call whose answer is not counted."""
        if arrived_at in self.window:
            self.window.remove(arrived_at)
        today = self.today()
        if self.usage[today][user] > 0:
            self.usage[today][user] -= 1

    def enter(self) -> None:
        """One more call is under way."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def leave(self) -> None:
        """A call is over."""
        self.in_flight -= 1

    def quota(self) -> list[dict[str, str | float | None]]:
        """The counters as rows of name, used and limit."""
        now, options = self.clock.now(), self.options
        self._catch_up(now)
        in_window = sum(1 for moment in self.window if moment > now - options.rate_seconds)
        return [
            {"name": "Calls today", "used": self.usage[self.today()].total(), "limit": options.daily_calls},
            {"name": f"Calls in {options.rate_seconds:g} s", "used": in_window, "limit": options.rate_calls},
            {"name": "Calls at once", "used": self.in_flight, "limit": options.concurrent_calls},
            {"name": "Most calls at once", "used": self.most_in_flight, "limit": options.concurrent_calls},
        ]

    def last_days(self, count: int) -> list[str]:
        """Days of the quota, today first."""
        today = datetime.fromtimestamp(self.clock.now(), UTC) + CENTRAL
        return [(today - timedelta(days=back)).strftime("%Y-%m-%d") for back in range(count)]

    def _catch_up(self, now: float) -> None:
        """Counts the steady calls of the neighbour up to now."""
        for since, calls_per_second in self._neighbours:
            due = int((now - since) * calls_per_second)
            while self._neighbours_counted < due:
                self._neighbours_counted += 1
                moment = since + self._neighbours_counted / calls_per_second
                if moment > now - self.options.rate_seconds:
                    self.window.append(moment)
                day = (datetime.fromtimestamp(moment, UTC) + CENTRAL).strftime("%Y-%m-%d")
                self.usage[day][NEIGHBOUR] += 1
