"""Stopping: politely at the first wish, at once at the second, and never with a lie in the journal."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import anyio
import pytest

from syncer.errors import RetryableError
from syncer.execution.context import Stop
from syncer.execution.running import fence
from syncer.execution.signals import listen
from syncer.outcome import Outcome
from syncer.state.protocol import Doubted, Parked
from tests.fakes.world import Op, World, rows, world

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.state.protocol import Lease

pytestmark = pytest.mark.anyio


async def _stop(it: World, *moments: float) -> None:
    for moment in moments:
        await anyio.sleep(moment - anyio.current_time())
        it.stop.request(143)


async def test_a_first_signal_lets_what_is_under_way_settle(tmp_path: Path) -> None:
    """Nothing new is sent, what was sent is settled, exit 143, and resume does the rest."""
    async with world(tmp_path, Op("a", rows(10)), concurrency=1) as it:
        it.vendor.latency = 5.0
        it.vendor.tasks.start_soon(_stop, it, 7.0)
        result = await it.run()
        assert result.exit_code == 143
        assert anyio.current_time() <= 11.0
        assert result.operations[0].count(Outcome.CREATED) == 4
        assert isinstance((await it.notes())[-1], Parked)
        it.stop = Stop()
        assert (await it.run()).exit_code == 0
        assert it.vendor.duplicates() == []


async def test_what_does_not_settle_in_the_grace_is_noted_as_in_doubt(tmp_path: Path) -> None:
    """After ten seconds the send is cut, and the journal says so."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.latency = 60.0
        it.vendor.tasks.start_soon(_stop, it, 7.0)
        result = await it.run()
        assert result.exit_code == 143
        assert anyio.current_time() == pytest.approx(17.0, abs=0.5)
        assert any(isinstance(note, Doubted) for note in await it.notes())
        assert result.operations[0].count(Outcome.IN_DOUBT) == 2
        it.stop = Stop()
        assert (await it.run()).exit_code == 0
        assert it.vendor.duplicates() == []


async def test_a_second_signal_is_obeyed_at_once(tmp_path: Path) -> None:
    """The grace ends there; the journal is as good as after the first."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.latency = 60.0
        it.vendor.tasks.start_soon(_stop, it, 7.0, 8.0)
        assert (await it.run()).exit_code == 143
        assert anyio.current_time() == pytest.approx(8.0, abs=0.5)
        it.stop = Stop()
        assert (await it.run()).exit_code == 0


async def test_a_doubt_does_not_keep_a_stopped_run_waiting(tmp_path: Path) -> None:
    """It is noted already, so there is nothing to wait for."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"]}
        it.vendor.tasks.start_soon(_stop, it, 30.0)
        assert (await it.run()).exit_code == 143
        assert anyio.current_time() == pytest.approx(30.0, abs=1)


async def test_a_job_under_way_is_adopted_after_a_stop(tmp_path: Path) -> None:
    """The run leaves, the job stays, resume finds it."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.job_seconds = 600.0
        it.vendor.tasks.start_soon(_stop, it, 30.0)
        assert (await it.run()).exit_code == 143
        it.stop = Stop()
        assert (await it.run()).exit_code == 0
        assert len(it.vendor.jobs) == 1


async def test_after_an_error_answers_on_their_way_are_still_noted(tmp_path: Path) -> None:
    """The unit beside the one that failed ends as it would have."""
    async with world(tmp_path, Op("a", rows(4))) as it:
        it.vendor.latency = 20.0
        it.vendor.faults = {("commit", "a/1/sync/0000"): ["refuse caller"]}
        result = await it.run()
        assert result.exit_code == 1
        assert result.operations[0].count(Outcome.CREATED) in {0, 2}


async def test_after_an_error_nobody_waits_for_a_long_job(tmp_path: Path) -> None:
    """A job goes on without us; the run ends within minutes."""
    async with world(tmp_path, Op("a", rows(6), path="job")) as it:
        it.vendor.job_seconds = 5_000.0
        it.vendor.faults = {("commit", "a/1/job/0001"): ["wait 5", "refuse caller"], ("settle", "*"): []}
        it.vendor.faults[("prepare", "a/1/job/0001")] = ["", ""]
        it.vendor.faults[("commit", "a/1/job/0001")] = ["refuse caller"]
        assert (await it.run()).exit_code == 1
        assert anyio.current_time() < 200
        it.vendor.faults = {}
        assert (await it.run()).exit_code == 0
        assert len(it.vendor.calls) == 2


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_the_systems_signals_become_the_wish_to_stop() -> None:
    """SIGTERM ends with 143, and a second signal urges."""
    stop = Stop()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen, stop)
        await anyio.wait_all_tasks_blocked()
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.asked.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await stop.urged.wait()
        tasks.cancel_scope.cancel()
    assert stop.exit_code == 143


async def test_a_write_does_not_leave_after_a_wish_to_stop() -> None:
    """The fence that a session asks while a write waits says that nothing of it was carried out."""
    stop = Stop()
    check = fence(cast("Lease", SimpleNamespace(remaining_seconds=lambda: 60.0)), stop)
    check()
    stop.request(143)
    with pytest.raises(RetryableError) as stopped:
        check()
    assert stopped.value.code == "R111"
