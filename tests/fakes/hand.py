"""A clock that stands still until a test moves it."""

# ruff: noqa: D102, D107 - the methods are a protocol's, and documented there

from __future__ import annotations

from tests.fakes.clock import START


class HandClock:
    """A `Clock` that is set by hand."""

    def __init__(self, start: float = START) -> None:
        self.wall = start
        self.ticks = 0.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def pass_by(self, seconds: float) -> None:
        """Let time pass on both."""
        self.wall += seconds
        self.ticks += seconds

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)
