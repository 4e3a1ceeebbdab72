"""How fast one connection may call: a pure core that is told the time and answers "now" or "in so many seconds".

The vendor counts what arrives at its side, so a call takes its place in the window from the moment it starts until a
full window after its latest possible arrival. Refusals teach what neighbours leave; clean windows let it grow again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

WINDOW_MARGIN_SECONDS = 0.05
"""Added to the vendor's window, so that a call on its very edge is outside by both clocks."""
TRAVEL_SECONDS = 0.35
"""Latest arrival after the last byte left. With the margin it costs 2 % of a window, however slow the answers are."""
CONCURRENCY_PAUSE_SECONDS = 1.0
QUEUE_PAUSE_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What the vendor, or the person's budget, allows one connection."""

    calls: int
    """In any window; each vendor call counts, answered or not."""
    window_seconds: float
    concurrency: int
    jobs: int
    """Running and queued together."""
    calls_today: int | None = None
    """What this project may still call today; None: no limit of its own."""
    reserve: float = 0.0
    """Share of the vendor's daily quota that is left to others."""


@dataclass(slots=True)
class _Call:
    frees_at: float = inf
    is_running: bool = True
    is_refused: bool = False


@dataclass(slots=True)
class Pace:
    """The state of one connection's calls. Every method takes the monotonic `now`; none of them waits."""

    limits: Limits
    allowed: int = 0
    """Calls that the window is believed to hold for us at present."""
    width: int = 0
    """Calls at once, at present."""
    calls_made: int = 0
    _calls: dict[int, _Call] = field(default_factory=dict)
    _next: int = 0
    _growth: int = 1
    _changed_at: float = -inf
    _narrowed_at: float = -inf
    _held_until: float = -inf
    _jobs: set[str] = field(default_factory=set)
    _jobs_closed_until: float = -inf
    _quota_left: int | None = None

    def __post_init__(self) -> None:
        """Begin at the vendor's limits."""
        self.allowed = self.limits.calls
        self.width = self.limits.concurrency

    @property
    def is_spent(self) -> bool:
        """Neither budget nor quota leaves another call today."""
        by_budget = self.limits.calls_today is not None and self.calls_made >= self.limits.calls_today
        return by_budget or (self._quota_left is not None and self._quota_left <= 0)

    def remember(self, calls: int, now: float) -> None:
        """Count calls of a process before this one, so that a restart does not forget the window."""
        for _ in range(calls):
            self._calls[self._take_number()] = _Call(self._free_after(now), is_running=False)

    def wait_seconds(self, now: float) -> float:
        """Return 0 when a call may start, the seconds until one may, or infinity: not before one of ours ends."""
        self._forget(now)
        self._grow(now)
        if self._held_until > now:
            return self._held_until - now
        if sum(each.is_running for each in self._calls.values()) >= self.width:
            return inf
        surplus = len(self._calls) - self.allowed + 1
        if surplus <= 0:
            return 0.0
        return sorted(each.frees_at for each in self._calls.values())[surplus - 1] - now

    def start(self) -> int:
        """Take a place and return its number."""
        number = self._take_number()
        self._calls[number] = _Call()
        self.calls_made += 1
        if self._quota_left is not None:
            self._quota_left -= 1
        return number

    def sent(self, number: int, now: float) -> None:
        """Note that the last byte left."""
        self._calls[number].frees_at = self._free_after(now + TRAVEL_SECONDS)

    def end(self, number: int, now: float, *, is_counted: bool) -> None:
        """Note the answer, or that none will come; a call that the vendor does not count gives its place back."""
        call = self._calls[number]
        call.is_running = False
        call.frees_at = min(call.frees_at, self._free_after(now))
        if not is_counted:
            del self._calls[number]
            self.calls_made -= 1
            if self._quota_left is not None:
                self._quota_left += 1

    def refuse_rate(self, number: int, now: float) -> None:
        """Learn from 606: the window held what was accepted of ours, and not one more."""
        self._calls[number].is_refused = True
        self.allowed = max(1, sum(not each.is_refused for each in self._calls.values()))
        self._growth = 1
        self._changed_at = now

    def refuse_concurrency(self, now: float) -> None:
        """Learn from 615: halve the calls at once, and hold back for a moment."""
        if now - self._narrowed_at >= CONCURRENCY_PAUSE_SECONDS:
            self.width = max(1, self.width // 2)
            self._narrowed_at = now
        self._held_until = max(self._held_until, now + CONCURRENCY_PAUSE_SECONDS)

    def learn_usage(self, used: int, quota: int) -> None:
        """Take the vendor's own count of everybody's calls today, where some are to be left to others.

        Without a reserve the vendor's refusal is the better judge: contracts allow more than pages say.
        """
        if self.limits.reserve:
            self._quota_left = int(quota * (1.0 - self.limits.reserve)) - used

    def job_wait_seconds(self, job: str, now: float) -> float:
        """Return 0 when the job may be handed in, the seconds until it may, or infinity: when one of ours ends."""
        if self._jobs_closed_until > now:
            return self._jobs_closed_until - now
        return 0.0 if job in self._jobs or len(self._jobs) < self.limits.jobs else inf

    def take_job(self, job: str) -> None:
        """Hold a place for a job that runs or will."""
        self._jobs.add(job)

    def free_job(self, job: str) -> None:
        """Give the job's place back; a no-op for one that holds none."""
        self._jobs.discard(job)

    def refuse_job(self, now: float) -> None:
        """Learn from 1016: others fill the queue."""
        self._jobs_closed_until = now + QUEUE_PAUSE_SECONDS

    def _take_number(self) -> int:
        self._next += 1
        return self._next

    def _free_after(self, arrival: float) -> float:
        return arrival + self.limits.window_seconds + WINDOW_MARGIN_SECONDS

    def _forget(self, now: float) -> None:
        for number in [key for key, each in self._calls.items() if not each.is_running and each.frees_at <= now]:
            del self._calls[number]

    def _grow(self, now: float) -> None:
        window = self.limits.window_seconds + WINDOW_MARGIN_SECONDS
        if self.allowed < self.limits.calls and now - self._changed_at >= 2 * window:
            self.allowed = min(self.limits.calls, self.allowed + self._growth)
            self._growth *= 2
            self._changed_at = now
        if self.width < self.limits.concurrency and now - self._narrowed_at >= window:
            self.width += 1
            self._narrowed_at = now
