"""A world in which nobody waits: where syncer only sleeps, the clock that it shares with the sandbox jumps ahead.

Nothing of the protocol is weakened: every wait is as long as ever in the time that both sides read, and time jumps only
while no call and no work of a thread is under way. It is a test's world; no option of the command line leads here.
"""

from __future__ import annotations

import json
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread

from syncer.clock import SystemClock
from syncer.targets.http import Http

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import pytest

LOOK_SECONDS = 0.002
QUIET_LOOKS = 3
"""Jump only when nothing happened for so many looks: a task that was just woken has its turn in between."""
STALE_SECONDS = 0.1
"""Read the sandbox's clock anew after so long a silence: whoever stood still learns how others moved the time."""


class World:
    """The sandbox's time, as one process of syncer sees it."""

    def __init__(self, control_url: str) -> None:
        """Take the sandbox's time as it is now."""
        self._control = control_url
        self._sleepers: list[float] = []
        self._busy = 0
        self._happened = 0
        self._set(float(self._ask("overview")["now"]))

    def now(self) -> float:
        """Return the moment, in seconds since the epoch."""
        if time.monotonic() - self._looked_at > STALE_SECONDS:
            self._set(max(self._passed(), float(self._ask("overview")["now"])))
        self._looked_at = time.monotonic()
        return self._passed()

    async def sleep(self, seconds: float) -> None:
        """Sleep until that moment, by waiting or by jumping to it."""
        deadline = self.now() + seconds
        self._happened += 1
        self._sleepers.append(deadline)
        quiet, seen = 0, self._happened
        try:
            await anyio.lowlevel.checkpoint()
            while (left := deadline - self.now()) > 0:
                await anyio.sleep(min(left, LOOK_SECONDS))
                quiet = quiet + 1 if not self._busy and seen == self._happened else 0
                seen = self._happened
                if quiet >= QUIET_LOOKS and deadline == min(self._sleepers):
                    self._jump(deadline)
        finally:
            self._sleepers.remove(deadline)
            self._happened += 1

    def pass_by(self, seconds: float) -> None:
        """Let time go by while nothing runs."""
        self._jump(self.now() + seconds)

    def enter(self, patch: pytest.MonkeyPatch) -> None:
        """Let syncer in this process live in this time."""
        patch.setattr(SystemClock, "now", lambda _clock: self.now())
        patch.setattr(SystemClock, "monotonic", lambda _clock: self.now())
        patch.setattr(SystemClock, "sleep", lambda _clock, seconds: self.sleep(seconds))
        patch.setattr(Http, "send", self._watched(Http.send))
        patch.setattr(Http, "download", self._watched(Http.download))
        patch.setattr(anyio.to_thread, "run_sync", self._watched(anyio.to_thread.run_sync))

    def _watched(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(*given: Any, **named: Any) -> Any:
            with self._at_work():
                return await work(*given, **named)

        return watched

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self._happened += 1

    def _jump(self, moment: float) -> None:
        self._set(float(self._ask("clock/advance", {"seconds": max(0.0, moment - self.now())})["now"]))

    def _passed(self) -> float:
        return self._base + time.monotonic() - self._read_at

    def _set(self, now: float) -> None:
        self._base, self._read_at = now, time.monotonic()
        self._looked_at = self._read_at

    def _ask(self, place: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._control}/{place}", data)  # noqa: S310 - loopback
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return json.load(answer)
