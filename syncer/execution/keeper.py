"""What goes on beside the units of a run: the lease is renewed and watched, and a wish to stop is obeyed.

Sends nothing itself; it only says when nothing more may be sent, and when what is under way is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from syncer.errors import LeaseLostError, StateError
from syncer.execution.context import GRACE_SECONDS
from syncer.execution.events import Noticed
from syncer.execution.running import WIND_DOWN_SECONDS, lease_ran_out
from syncer.state.protocol import RENEW_SECONDS

if TYPE_CHECKING:
    from syncer.execution.running import Running


async def keep_lease(running: Running) -> None:
    """Confirm the lease for as long as the run lasts; a store that is out of reach is asked again until time is up."""
    while True:
        await running.context.clock.sleep(RENEW_SECONDS)
        try:
            await running.context.lease.renew()
        except LeaseLostError as error:
            running.halt(error, at_once=True)
            return
        except StateError as error:
            running.context.listener(Noticed("", f"The lease could not be renewed: {error.detail}"))


async def watch_lease(running: Running) -> None:
    """Stop whatever is about to send when the lease was not confirmed in time."""
    while (left := running.context.lease.remaining_seconds()) > 0:
        await running.context.clock.sleep(left)
    running.halt(lease_ran_out(), at_once=True)


async def wind_down(running: Running) -> None:
    """Let what is under way settle for a while after the wish to stop, or after an error; then stop it."""
    stop = running.context.stop
    async with anyio.create_task_group() as tasks:

        async def on_signal() -> None:
            await stop.asked.wait()
            running.halted.set()
            running.changed()
            with anyio.move_on_after(GRACE_SECONDS):
                await stop.urged.wait()
            running.work.cancel()

        tasks.start_soon(on_signal)
        await running.halted.wait()
        with anyio.move_on_after(WIND_DOWN_SECONDS):
            await stop.urged.wait()
        running.work.cancel()
        tasks.cancel_scope.cancel()
