"""What runs of a state have called today: manifests and projects on one instance share one budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.execution.spending import Spending
from syncer.targets.failure import next_reset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.clock import Clock
    from syncer.state.protocol import Store

DAY_SECONDS = 86_400.0


async def spent_today(store: Store, clock: Clock) -> Mapping[str, int]:
    """Return the calls of today by instance, as the journals of all runs tell them."""
    spending = Spending(next_reset(clock.now()) - DAY_SECONDS)
    for run in await store.runs():
        journal = await store.journal(run, None)
        spending.add_run([note async for note in journal.notes()])
    return spending.calls
