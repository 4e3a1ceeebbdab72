"""The one clock of a sandbox: a start, the time that passed on the event loop, and what a test added by hand.

Token lives, quota windows and job times are read from here only. Under trio's MockClock the whole sandbox runs on
virtual time; over HTTP, `advance` moves it forward and wakes whoever sleeps.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import anyio
import anyio.lowlevel

DEFAULT_START = 1_772_438_400.0
"""2026-03-02 08:00:00 UTC: a Monday, two hours after the daily quota is given back at 00:00 US Central."""

RESOLUTION = 1e-6
"""Seconds. A shorter rest is lost when added to the time of an event loop, and would be waited for for ever."""


@dataclass(slots=True)
class Clock:
    """Seconds since the epoch as the sandbox sees them; only ever moves forward."""

    start: float = DEFAULT_START
    _origin: float | None = field(default=None, init=False)
    _driven: float = field(default=0.0, init=False)
    _moved: anyio.Event | None = field(default=None, init=False)

    @classmethod
    def starting_now(cls) -> Clock:
        """A clock for a served sandbox, whose clients live in real time."""
        return cls(time.time())

    def elapsed(self) -> float:
        """Seconds since the clock was first read."""
        current = anyio.current_time()
        if self._origin is None:
            self._origin = current
        return current - self._origin + self._driven

    def now(self) -> float:
        """Epoch seconds."""
        return self.start + self.elapsed()

    async def sleep(self, seconds: float) -> None:
        """Waits on the event loop until that much has passed, by itself or by `advance`; always yields once."""
        deadline = self.elapsed() + seconds
        await anyio.lowlevel.checkpoint()
        while (remaining := deadline - self.elapsed()) > RESOLUTION:
            if self._moved is None:
                self._moved = anyio.Event()
            with anyio.move_on_after(remaining):
                await self._moved.wait()

    def advance(self, seconds: float) -> None:
        """Moves the clock forward at once and lets sleepers look again."""
        if seconds < 0:
            message = "a clock does not run backwards"
            raise ValueError(message)
        self._driven += seconds
        moved, self._moved = self._moved, None
        if moved is not None:
            moved.set()
