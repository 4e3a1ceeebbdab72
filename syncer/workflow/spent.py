"""What runs and plans of a state have called today: manifests and projects on one instance share one budget."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from syncer.execution.spending import Spending
from syncer.targets.failure import next_reset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.clock import Clock
    from syncer.state.protocol import Store

DAY_SECONDS = 86_400.0


async def spent_today(store: Store, clock: Clock) -> Mapping[str, int]:
    """Return the calls of today by instance: of all runs, as their journals tell, and of plans."""
    began = next_reset(clock.now()) - DAY_SECONDS
    spending = Spending(began)
    for run in await store.runs():
        journal = await store.journal(run, None)
        spending.add_run([note async for note in journal.notes()])
    return spending.calls + Counter(await store.calls_since(began))
