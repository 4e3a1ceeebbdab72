"""How fast one connection may call: a pure core that is told the time and answers "now" or "in so many seconds".

The vendor counts what arrives at its side, so a call takes its place in the window from the moment it starts until a
full window after its latest possible arrival. Refusals teach what neighbours leave; clean windows let it grow again.
Window, queue and day are the vendor instance's: connections that lead to one instance share its `Traffic`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

WINDOW_MARGIN_SECONDS = 0.02
"""Added to the vendor's window, so that a call on its very edge is outside by both clocks: over 20 s, one that is being
set right by NTP (500 parts in a million at most) goes 0.01 s wrong on either side."""
TRAVEL_SECONDS = 0.35
"""Latest arrival after the last byte left. It costs less than 2 % of a window, however slow the answers are."""
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
class Traffic:
    """What one vendor instance has seen of us and taught us, over all connections that lead to it."""

    allowed: int = 0
    """Calls that the window is believed to hold for us at present."""
    width: int = 0
    """Calls at once, at present."""
    widest: int = 0
    """Calls at once that the most generous of the connections allows."""
    calls_made: int = 0
    calls: dict[int, _Call] = field(default_factory=dict)
    last: int = 0
    growth: int = 1
    changed_at: float = -inf
    narrowed_at: float = -inf
    held_until: float = -inf
    jobs: set[str] = field(default_factory=set)
    jobs_closed_until: float = -inf
    used: int = 0
    """Everybody's calls today, by the vendor's count and ours since then."""
    quota: int | None = None
    """None until the vendor was heard."""


@dataclass(slots=True)
class Pace:
    """The calls of one connection. Every method takes the monotonic `now`; none of them waits."""

    limits: Limits
    traffic: Traffic = field(default_factory=Traffic)
    calls_made: int = 0
    """Of this connection alone."""
    running: int = 0

    def __post_init__(self) -> None:
        """Begin at the vendor's limits, or where other connections of the instance have come to."""
        traffic = self.traffic
        traffic.allowed = traffic.allowed or self.limits.calls
        if self.limits.concurrency > traffic.widest:
            traffic.width += self.limits.concurrency - traffic.widest
            traffic.widest = self.limits.concurrency

    @property
    def allowed(self) -> int:
        """Calls that the window is believed to hold for us at present."""
        return self.traffic.allowed

    @property
    def width(self) -> int:
        """Calls at once, at present."""
        return min(self.traffic.width, self.limits.concurrency)

    @property
    def is_spent(self) -> bool:
        """Neither budget nor quota leaves another call today; those of the instance's other connections count."""
        by_budget = self.limits.calls_today is not None and self.traffic.calls_made >= self.limits.calls_today
        return by_budget or self._is_reserve_reached

    @property
    def _is_reserve_reached(self) -> bool:
        """Without a reserve the vendor's refusal is the better judge: contracts allow more than pages say."""
        quota = self.traffic.quota
        if quota is None or not self.limits.reserve:
            return False
        return self.traffic.used >= int(quota * (1.0 - self.limits.reserve))

    def remember(self, calls: int, now: float) -> None:
        """Count calls of a process before this one, so that a restart does not forget the window."""
        for _ in range(calls):
            self.traffic.calls[self._take_number()] = _Call(self._free_after(now), is_running=False)

    def wait_seconds(self, now: float) -> float:
        """Return 0 when a call may start, the seconds until one may, or infinity: not before one of ours ends."""
        traffic = self.traffic
        self._forget(now)
        self._grow(now)
        if traffic.held_until > now:
            return traffic.held_until - now
        running = sum(each.is_running for each in traffic.calls.values())
        if running >= traffic.width or self.running >= self.limits.concurrency:
            return inf
        surplus = len(traffic.calls) - traffic.allowed + 1
        if surplus <= 0:
            return 0.0
        return sorted(each.frees_at for each in traffic.calls.values())[surplus - 1] - now

    def start(self) -> int:
        """Take a place and return its number."""
        number = self._take_number()
        self.traffic.calls[number] = _Call()
        self.running += 1
        self._count(1)
        return number

    def sent(self, number: int, now: float) -> None:
        """Note that the last byte left."""
        self.traffic.calls[number].frees_at = self._free_after(now + TRAVEL_SECONDS)

    def end(self, number: int, now: float, *, is_counted: bool) -> None:
        """Note the answer, or that none will come; a call that the vendor does not count gives its place back."""
        call = self.traffic.calls[number]
        call.is_running = False
        call.frees_at = min(call.frees_at, self._free_after(now))
        self.running -= 1
        if not is_counted:
            del self.traffic.calls[number]
            self._count(-1)

    def refuse_rate(self, number: int, now: float) -> None:
        """Learn from 606: the window held what was accepted of ours, and not one more."""
        traffic = self.traffic
        traffic.calls[number].is_refused = True
        traffic.allowed = max(1, sum(not each.is_refused for each in traffic.calls.values()))
        traffic.growth = 1
        traffic.changed_at = now

    def refuse_concurrency(self, now: float) -> None:
        """Learn from 615: halve the calls at once, and hold back for a moment."""
        traffic = self.traffic
        if now - traffic.narrowed_at >= CONCURRENCY_PAUSE_SECONDS:
            traffic.width = max(1, traffic.width // 2)
            traffic.narrowed_at = now
        traffic.held_until = max(traffic.held_until, now + CONCURRENCY_PAUSE_SECONDS)

    def learn_usage(self, used: int, quota: int) -> None:
        """Take the vendor's own count of everybody's calls today, of which some may have to be left to others."""
        self.traffic.used, self.traffic.quota = used, quota

    def job_wait_seconds(self, job: str, now: float) -> float:
        """Return 0 when the job may be handed in, the seconds until it may, or infinity: when one of ours ends."""
        traffic = self.traffic
        if traffic.jobs_closed_until > now:
            return traffic.jobs_closed_until - now
        return 0.0 if job in traffic.jobs or len(traffic.jobs) < self.limits.jobs else inf

    def take_job(self, job: str) -> None:
        """Hold a place for a job that runs or will."""
        self.traffic.jobs.add(job)

    def free_job(self, job: str) -> None:
        """Give the job's place back; a no-op for one that holds none."""
        self.traffic.jobs.discard(job)

    def refuse_job(self, now: float) -> None:
        """Learn from 1016: others fill the queue."""
        self.traffic.jobs_closed_until = now + QUEUE_PAUSE_SECONDS

    def _count(self, calls: int) -> None:
        self.calls_made += calls
        self.traffic.calls_made += calls
        self.traffic.used += calls

    def _take_number(self) -> int:
        self.traffic.last += 1
        return self.traffic.last

    def _free_after(self, arrival: float) -> float:
        return arrival + self.limits.window_seconds + WINDOW_MARGIN_SECONDS

    def _forget(self, now: float) -> None:
        calls = self.traffic.calls
        for number in [key for key, each in calls.items() if not each.is_running and each.frees_at <= now]:
            del calls[number]

    def _grow(self, now: float) -> None:
        traffic = self.traffic
        window = self.limits.window_seconds + WINDOW_MARGIN_SECONDS
        if traffic.allowed < self.limits.calls and now - traffic.changed_at >= 2 * window:
            traffic.allowed = min(self.limits.calls, traffic.allowed + traffic.growth)
            traffic.growth *= 2
            traffic.changed_at = now
        if traffic.width < traffic.widest and now - traffic.narrowed_at >= window:
            traffic.width += 1
            traffic.narrowed_at = now
