"""The clock that everything in a sandbox lives by."""

from __future__ import annotations

import time
from typing import Any

import anyio
import pytest
from trio.testing import MockClock

from syncer.sandbox.clock import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both event loops; trio's on virtual time."""
    return ("trio", {"clock": MockClock(autojump_threshold=0)}) if request.param == "trio" else "asyncio"


async def test_the_clock_starts_where_it_is_told() -> None:
    """The first reading is the start."""
    assert Clock(1000.0).now() == 1000.0


async def test_advancing_wakes_who_sleeps() -> None:
    """A day passes at once for a sleeper when the clock is driven."""
    clock, woken = Clock(), list[float]()

    async def sleeper() -> None:
        await clock.sleep(86_400)
        woken.append(clock.elapsed())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper)
        await clock.sleep(0)
        clock.advance(86_000)
        await clock.sleep(0)
        assert woken == []
        clock.advance(400)
    assert woken[0] >= 86_400


async def test_the_clock_does_not_run_backwards() -> None:
    """Driving it back is refused."""
    with pytest.raises(ValueError, match="backwards"):
        Clock().advance(-1)


@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})])
async def test_virtual_time_drives_the_clock() -> None:
    """A year under trio's MockClock is what it sleeps."""
    clock = Clock()
    await clock.sleep(365 * 86_400.0)
    assert clock.elapsed() == pytest.approx(365 * 86_400.0)


async def test_a_served_clock_starts_now() -> None:
    """Clients of a socket live in real time, so the sandbox does."""
    before = time.time()
    assert before <= Clock.starting_now().now()
