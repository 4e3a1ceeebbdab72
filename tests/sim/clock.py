"""The time of a scene: an event loop's clock that goes straight to whatever is waited for next.

Trio's own `MockClock` first waits to see that nothing happens meanwhile. In a scene nothing can: all of it is in one
process, without sockets and without threads.
"""

# ruff: noqa: D102 - the methods are a protocol's, and documented there

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import trio
import trio.abc

from syncer.sandbox.clock import Clock


@dataclass(slots=True)
class JumpClock(trio.abc.Clock):
    """Trio's clock: it stands still while anybody works, and jumps when all wait."""

    now: float = 0.0

    def start_clock(self) -> None:
        """Begin at nought."""

    def current_time(self) -> float:
        return self.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Trio asks when all wait; this is the answer, and no wait."""
        if not isfinite(deadline):
            return deadline
        self.now = max(self.now, deadline)
        return 0.0


class SimClock(Clock):
    """The sandbox's clock on trio's own time, where nobody moves it."""

    def elapsed(self) -> float:
        """Seconds since the scene began."""
        return trio.current_time()

    async def sleep(self, seconds: float) -> None:
        """Wait on virtual time."""
        await trio.sleep(max(0.0, seconds))
