"""The gate under many tasks, on virtual time: fair, full and never over."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from syncer.errors import QuotaSpentError
from syncer.targets.gate import Gate, Instance
from syncer.targets.pace import Limits, Pace
from tests.fakes.clock import LoopClock, backend

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    """Trio on a clock that jumps over every wait."""
    return backend("trio")


class Server:
    """A vendor that counts arrivals in a sliding window, ours and the neighbours'."""

    def __init__(self, latency: float, limit: int = 100, neighbours_per_window: int = 0) -> None:
        """Answer after `latency` seconds."""
        self.latency = latency
        self.limit = limit
        self.neighbours = neighbours_per_window
        self.arrivals: deque[float] = deque()
        self.accepted = 0
        self.refused: list[float] = []
        self.running = 0
        self.most_running = 0

    async def answer(self) -> bool:
        """Take a call; False is a 606."""
        now = anyio.current_time()
        while self.arrivals and self.arrivals[0] <= now - 20.0:
            self.arrivals.popleft()
        self.arrivals.append(now)
        is_good = len(self.arrivals) + self.neighbours <= self.limit
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await anyio.sleep(self.latency)
        self.running -= 1
        if is_good:
            self.accepted += 1
        else:
            self.refused.append(now)
        return is_good


async def _work(gate: Gate, server: Server, until: float) -> None:
    while anyio.current_time() < until:
        async with gate.call() as ticket:
            ticket.sent()
            if not await server.answer():
                ticket.refuse_rate()


async def _run(server: Server, seconds: float, concurrency: int = 10, tasks: int = 12) -> float:
    """Let tasks call for so long; return accepted calls a second."""
    gate = Gate(Pace(Limits(100, 20.0, concurrency, 10)), LoopClock(), "marketo")
    began = anyio.current_time()
    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(_work, gate, server, began + seconds)
    return server.accepted / seconds


@pytest.mark.parametrize(("latency", "share"), [(0.3, 0.98), (1.5, 0.97)])
async def test_the_quota_is_used_up_and_never_passed(latency: float, share: float) -> None:
    """Half an hour at full speed uses at least 98 % of 5 calls a second, and 97 % where answers are slow."""
    server = Server(latency)
    rate = await _run(server, 1_800.0)
    assert server.refused == []
    assert rate >= 5.0 * share
    assert server.most_running <= 10


@pytest.mark.parametrize("neighbours", [50, 90])
async def test_neighbours_are_found_out_without_a_storm(neighbours: int) -> None:
    """Four fifths of what others leave are used; after the first minute at most one call a window is refused."""
    server = Server(0.3, neighbours_per_window=neighbours)
    rate = await _run(server, 1_800.0, concurrency=5)
    left = (100 - neighbours) / 20.0
    assert rate >= 0.8 * left
    later = [each for each in server.refused if each > 60.0]
    assert len(later) <= 1_740 / 20.0
    assert all(second - first >= 20.0 for first, second in pairwise(later))


async def test_gates_of_one_instance_never_pass_its_limits() -> None:
    """Two connections to one vendor instance use up one window between them, and are woken by each other's calls."""
    server, instance = Server(0.3), Instance()
    gates = [Gate(Pace(Limits(100, 20.0, most, 10), instance.traffic), LoopClock(), "m", instance) for most in (4, 10)]
    async with anyio.create_task_group() as group:
        for number in range(24):
            group.start_soon(_work, gates[number % 2], server, anyio.current_time() + 600.0)
    assert server.refused == []
    assert server.most_running <= 10
    assert server.accepted / 600.0 >= 5.0 * 0.97
    assert all(gate.pace.calls_made > server.accepted / 4 for gate in gates), "neither starves the other"


async def test_calls_start_in_the_order_in_which_they_asked() -> None:
    """First come, first served, also across a wait."""
    gate = Gate(Pace(Limits(1, 20.0, 1, 1)), LoopClock(), "marketo")
    order: list[int] = []

    async def one(number: int) -> None:
        await anyio.sleep(number / 100)
        async with gate.call() as ticket:
            ticket.sent()
            order.append(number)
            await anyio.sleep(0.5)

    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(one, number)
    assert order == [0, 1, 2, 3, 4]


async def test_a_slot_is_freed_by_a_failed_call() -> None:
    """An exception inside the call gives the slot back."""
    gate = Gate(Pace(Limits(10, 20.0, 1, 1)), LoopClock(), "marketo")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with gate.call():
                raise ZeroDivisionError
    async with gate.call() as ticket:
        ticket.refuse_concurrency()
    assert gate.pace.width == 1


async def test_a_spent_budget_ends_the_run_before_the_call() -> None:
    """The gate says no, with the moment of the next day."""
    gate = Gate(Pace(Limits(10, 20.0, 1, 1, calls_today=0)), LoopClock(), "marketo")
    with pytest.raises(QuotaSpentError) as caught:
        async with gate.call():
            pass
    assert caught.value.resets_at > LoopClock().now()


async def test_jobs_wait_for_each_other() -> None:
    """The second job is handed in when the first is over."""
    gate = Gate(Pace(Limits(10, 20.0, 1, 1)), LoopClock(), "marketo")
    await gate.take_job("a")

    async def later() -> None:
        await anyio.sleep(100)
        gate.free_job("a")

    async with anyio.create_task_group() as group:
        group.start_soon(later)
        await gate.take_job("b")
        assert anyio.current_time() == pytest.approx(100)


async def test_jobs_of_our_own_that_never_end_park() -> None:
    """Where no place becomes free, two hours of waiting are enough."""
    gate = Gate(Pace(Limits(10, 20.0, 1, 1)), LoopClock(), "marketo")
    await gate.take_job("a")
    with pytest.raises(QuotaSpentError):
        await gate.take_job("b")
    assert anyio.current_time() == pytest.approx(7_200)


async def test_a_queue_that_stays_full_parks() -> None:
    """After two hours of 1016 the wait ends."""
    gate = Gate(Pace(Limits(10, 20.0, 1, 5)), LoopClock(), "marketo")

    async def neighbours() -> None:
        while True:
            gate.pace.refuse_job(anyio.current_time())
            await anyio.sleep(10)

    async with anyio.create_task_group() as group:
        group.start_soon(neighbours)
        await anyio.lowlevel.checkpoint()
        with pytest.raises(QuotaSpentError) as caught:
            await gate.take_job("a")
        group.cancel_scope.cancel()
    assert caught.value.code == "R309"


async def test_a_write_that_must_not_leave_any_more_gives_its_wait_up() -> None:
    """It notices within a second, whatever the window still asks for, and the next in turn is served in time."""
    gate = Gate(Pace(Limits(1, 20.0, 1, 1)), LoopClock(), "marketo")
    began = anyio.current_time()

    def check() -> None:
        if anyio.current_time() >= began + 3.0:
            raise InterruptedError

    async with gate.call() as first:
        first.sent()
    with pytest.raises(InterruptedError):
        async with gate.call(check):
            pytest.fail("it was let through")
    assert anyio.current_time() - began <= 4.0
    async with gate.call(lambda: None) as third:
        third.sent()
        assert 20.0 <= anyio.current_time() - began <= 21.0
