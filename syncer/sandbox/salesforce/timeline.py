"""What is going to happen, in order of time.

The org does not run in the background: before it answers anybody it lets happen everything that was due by
now, each thing at its own moment. So what a job did does not depend on who looked, or when.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Timeline:
    """Events that wait for their moment; `moment` is the time of the last one that happened."""

    moment: float = 0.0
    _waiting: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def at(self, moment: float, happen: Callable[[], None]) -> None:
        """Let something happen at a moment; of two at the same moment the first that was asked for comes first."""
        self._count += 1
        heapq.heappush(self._waiting, (moment, self._count, happen))

    def reach(self, now: float) -> None:
        """Let everything happen that is due."""
        while self._waiting and self._waiting[0][0] <= now:
            moment, _, happen = heapq.heappop(self._waiting)
            self.moment = max(self.moment, moment)
            happen()
        self.moment = max(self.moment, now)
