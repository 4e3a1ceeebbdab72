"""A store on a disk of this machine, called in the loop."""

# ruff: noqa: D102, D107 - the methods are a protocol's, and documented there

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncer.state.local import LocalStore
from tests.fakes.world import directly

Opener = Callable[[], LocalStore]


class HandClock:
    """A `Clock` that is set by hand."""

    def __init__(self) -> None:
        self.wall = 1_772_438_400.0
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


@pytest.fixture
def clock() -> HandClock:
    """Time stands still until it is moved."""
    return HandClock()


@pytest.fixture
def opened(tmp_path: Path, clock: HandClock) -> Iterator[Opener]:
    """Open the same folder as another process would; all are closed in the end."""
    stores: list[LocalStore] = []

    def opener() -> LocalStore:
        stores.append(LocalStore(tmp_path / "state", clock, offload=directly))
        return stores[-1]

    yield opener
    for store in stores:
        store.close()
