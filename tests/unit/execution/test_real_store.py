"""The executor with the store that people have: SQLite on a disk, threads, and the machine's own clock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from syncer.clock import SystemClock
from syncer.execution.executor import run
from syncer.state.local import LocalStore
from syncer.state.protocol import in_thread
from tests.fakes.store import MemoryLedger
from tests.fakes.world import Op, rows, world

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.execution.report import RunResult
    from tests.fakes.world import World

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Real time, for there is nothing to wait for."""
    return str(request.param)


class _Store(LocalStore):
    books = MemoryLedger()

    def ledger(self) -> MemoryLedger:
        return self.books


async def _run(it: World, folder: Path) -> RunResult:
    store = _Store(folder / "state", SystemClock())
    lease = await store.acquire(("leads",), "ada", it.run_id)
    context = replace(await it.context(), store=store, lease=lease, clock=SystemClock(), offload=in_thread)
    try:
        return await run(it.plan, context)
    finally:
        await lease.release()
        await it.store.unlock(it.store.epoch, "ada")
        store.close()


async def test_a_run_parks_and_is_resumed_on_disk(tmp_path: Path) -> None:
    """What the first process noted is what the second goes on from."""
    async with world(tmp_path, Op("a", rows(30)), Op("j", rows(5, "j"), path="job"), concurrency=4) as it:
        it.vendor.latency = it.vendor.job_seconds = 0.0
        it.vendor.faults = {("commit", "a/1/sync/0007"): ["quota"]}
        assert (await _run(it, tmp_path)).exit_code == 8
        result = await _run(it, tmp_path)
        assert result.exit_code == 0
        assert it.vendor.duplicates() == []
        assert len(it.vendor.state()) == 35
