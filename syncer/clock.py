"""The one place that knows what time it is.

Everything that waits or stamps takes a `Clock`, so a test or a simulation can drive hours in milliseconds.
Durations are seconds; moments are seconds since the Unix epoch (UTC).
"""

from __future__ import annotations

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """Time as the engine sees it. `monotonic` never jumps; `now` is for stamps only, never for durations."""

    def now(self) -> float:
        """Return the wall clock, in seconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; it also counts while the machine is suspended."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait at least `seconds`; cancellable."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the wall clock, in seconds since the Unix epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since boot, suspension included, where the system offers that."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    async def sleep(self, seconds: float) -> None:
        """Wait at least `seconds`; cancellable."""
        await anyio.sleep(seconds)
