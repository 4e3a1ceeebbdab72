"""A world in which time runs faster, for syncer and the sandbox alike: same waits, same limits, fewer real seconds.

Nothing of the protocol is weakened: both sides read the one virtual time, which began at a fixed moment. It is a test's
world only; no option of the command line leads here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from syncer.clock import SystemClock
from syncer.sandbox.clock import DEFAULT_START, Clock

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True, slots=True)
class FastTime:
    """Virtual time: `speed` virtual seconds pass in a real one, since the real moment `began`."""

    speed: float
    began: float

    def now(self) -> float:
        """Return the virtual wall clock, in seconds since the epoch."""
        return DEFAULT_START + (time.time() - self.began) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for virtual seconds."""
        await anyio.sleep(seconds / self.speed)

    def hasten(self, patch: pytest.MonkeyPatch) -> None:
        """Let the clock of syncer in this process run in this time."""
        patch.setattr(SystemClock, "now", lambda _clock: self.now())
        patch.setattr(SystemClock, "monotonic", lambda _clock: self.now())
        patch.setattr(SystemClock, "sleep", lambda _clock, seconds: self.sleep(seconds))


class FastSandboxClock(Clock):
    """The sandbox's clock in the same time; `advance` still moves it forward."""

    __slots__ = ("_time",)

    def __init__(self, fast: FastTime) -> None:
        """Begin at the moment that syncer's clock shows."""
        super().__init__(fast.now())
        self._time = fast

    def elapsed(self) -> float:
        """Return virtual seconds since the clock was made."""
        return self._time.now() - self.start + self._driven

    async def sleep(self, seconds: float) -> None:
        """Wait until that much virtual time has passed, by itself or by `advance`."""
        deadline = self.elapsed() + seconds
        await anyio.lowlevel.checkpoint()
        while (remaining := deadline - self.elapsed()) > 0:
            with anyio.move_on_after(remaining / self._time.speed):
                await self._until_moved()

    async def _until_moved(self) -> None:
        if self._moved is None:
            self._moved = anyio.Event()
        await self._moved.wait()


def words(fast: FastTime) -> list[str]:
    """Return the arguments that tell another process of this time."""
    return [str(fast.speed), str(fast.began)]


def taken(arguments: list[str]) -> tuple[FastTime, list[str]]:
    """Return the time that the first two arguments tell of, and the other arguments."""
    speed, began, *others = arguments
    return FastTime(float(speed), float(began)), others
