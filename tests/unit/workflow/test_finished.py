"""A run that another process ends while this one waits for the lease is not taken up again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from syncer.errors import UserError
from syncer.state.protocol import Finished, Started
from syncer.workflow import applying
from tests.fakes.hand import HandClock
from tests.fakes.projects import manifest, plan
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.anyio
async def test_a_run_that_was_just_ended_stays_ended(tmp_path: Path) -> None:
    """Its rows are gone; one more note would make it stand as cut, for ever."""
    store: Any = MemoryStore(HandClock())
    store.close = lambda: None
    lease = await store.acquire((), "first", "run1")
    journal = await store.journal("run1", lease)
    for note in (Started(plan="p", tool="1"), Finished(exit_code=0)):
        await journal.append(note)
    await lease.release()
    loaded: Any = SimpleNamespace(root=tmp_path, manifest=manifest({}))
    settings: Any = SimpleNamespace(store=lambda _: store, clock=HandClock())

    def rows(_opened: object) -> dict[str, Any]:
        pytest.fail("rows that the other process clears away were opened")

    with pytest.raises(UserError, match="is finished"):
        await applying._run(loaded, plan({}, {}), "run1", tmp_path, settings, lambda _: None, rows)
    left = [note async for note in (await store.journal("run1", None)).notes()]
    assert isinstance(left[-1], Finished)
