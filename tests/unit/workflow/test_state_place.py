"""Where the command line's words put the state, and what is said on a machine that lacks a run's rows."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from syncer.errors import UserError
from syncer.state.local import LocalStore
from syncer.state.object_store import ObjectStore
from syncer.state.protocol import Started
from syncer.workflow import applying, load
from syncer.workflow.planning import Settings

DEMO = Path(__file__).parents[3] / "manifests" / "demo"


def test_state_is_in_the_work_folder_unless_said(tmp_path: Path) -> None:
    """With --state it is where that says, and the work folder holds only runs."""
    assert isinstance(Settings(work=tmp_path).store(DEMO), LocalStore)
    assert isinstance(Settings(work=tmp_path, state="memory://place").store(DEMO), ObjectStore)
    assert isinstance(Settings(work=tmp_path, state=str(tmp_path / "state")).store(DEMO), LocalStore)


def test_a_run_is_resumed_only_where_its_rows_are(tmp_path: Path) -> None:
    """Another machine sees the run in the bucket, and learns what it needs to go on with it."""
    settings = Settings(work=tmp_path / "elsewhere", state=f"memory://{tmp_path.name}")

    async def begin() -> None:
        store = settings.store(DEMO)
        lease = await store.acquire(("leads",), "ada@runner-1", "20260301-101500-3f9c1b")
        journal = await store.journal("20260301-101500-3f9c1b", lease)
        await journal.append(Started(plan="p", tool="1"))
        await lease.release()
        store.close()

    anyio.run(begin)
    loaded = load.read(DEMO)
    assert [each.status for each in applying.list_runs(loaded, settings)] == ["cut"]
    with pytest.raises(UserError, match="R225") as caught:
        applying.find_run(loaded, settings, None)
    assert "--work" in caught.value.advice
