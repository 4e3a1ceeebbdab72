"""A store on a disk of this machine, called in the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncer.state.local import LocalStore
from tests.fakes.hand import HandClock
from tests.fakes.world import directly

Opener = Callable[[], LocalStore]


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
