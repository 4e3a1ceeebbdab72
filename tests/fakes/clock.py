"""Virtual time for asyncio and trio: an event loop that jumps to the next timer instead of waiting for it."""

# ruff: noqa: D102, D107 - the methods are a protocol's, and documented there

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

import anyio
import trio.testing

if TYPE_CHECKING:
    from collections.abc import Mapping

START = 1_772_438_400.0
"""2026-03-02 08:00:00 UTC."""


class LoopClock:
    """A `Clock` on the event loop's own time, which the backends below make virtual."""

    def __init__(self, start: float = START) -> None:
        self.start = start
        self.suspended = 0.0

    def now(self) -> float:
        return self.start + anyio.current_time()

    def monotonic(self) -> float:
        return anyio.current_time() + self.suspended

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class _Jumping(selectors.SelectSelector):
    """A selector that never waits: what would be waited for is time that has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            ready = super().select(0)
            if not ready:
                self.passed += timeout
            return ready
        return super().select(timeout)


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio under virtual time. Threads are not waited for, so nothing may be offloaded to one."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


def backend(name: str) -> tuple[str, Mapping[str, Any]]:
    """Return what anyio's `anyio_backend` fixture wants for virtual time."""
    if name == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": VirtualLoop}
