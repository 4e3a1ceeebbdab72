"""One org without its doors: records, time, quotas and the user that everything is done as."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from syncer.sandbox.salesforce.ids import make_id
from syncer.sandbox.salesforce.options import DAY, SalesforceOptions
from syncer.sandbox.salesforce.store import Store
from syncer.sandbox.salesforce.timeline import Timeline


@dataclass(slots=True)
class Allowance:
    """So many of something in any 24 hours; None lifts the limit."""

    limit: int | None
    _taken: deque[tuple[float, int]] = field(default_factory=deque)
    _used: int = 0

    def used(self, now: float) -> int:
        """How many were taken in the 24 hours up to now."""
        while self._taken and self._taken[0][0] <= now - DAY:
            self._used -= self._taken.popleft()[1]
        return self._used

    def left(self, now: float) -> int:
        """How many may still be taken now."""
        return 10**9 if self.limit is None else max(0, self.limit - self.used(now))

    def take(self, now: float, count: int = 1) -> bool:
        """Take some if they are left; says whether it did."""
        if self.left(now) < count:
            return False
        self._taken.append((now, count))
        self._used += count
        return True


@dataclass(slots=True)
class Org:
    """What every operation works on; a reset makes a new one."""

    limits: SalesforceOptions
    seed: int
    overlaps: bool
    """Whether a look-up and its write are two moments, so that transactions can miss each other."""
    store: Store = field(init=False)
    timeline: Timeline = field(default_factory=Timeline)
    calls: Allowance = field(init=False)
    batches: Allowance = field(init=False)
    query_jobs: Allowance = field(init=False)
    user_id: str = field(init=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        """Open the tables and seat the integration user."""
        self.store = Store(self.limits.objects)
        self.calls = Allowance(self.limits.daily_calls)
        self.batches = Allowance(self.limits.daily_batches)
        self.query_jobs = Allowance(self.limits.daily_query_jobs)
        self.id = make_id("00D", 1)
        self.user_id = make_id("005", 1)
        users = self.store.table("User")
        if users is not None:
            user = {"Username": self.limits.username, "LastName": "Integration", "Email": self.limits.username}
            self.user_id = users.insert(user | {"IsActive": True})
