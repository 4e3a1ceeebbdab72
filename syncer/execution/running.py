"""What all units of a run share while it runs: journal, lanes, permission to send, and the reasons to stop.

Every note goes through here, so what the executor knows and what a resumed run would know are the same thing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import anyio

from syncer.errors import RetryableError, StateError, SyncerError
from syncer.execution.events import Waiting
from syncer.execution.lanes import Lanes
from syncer.execution.report import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncer.execution.context import Context, Stop
    from syncer.execution.history import History
    from syncer.execution.resume import Past
    from syncer.state.protocol import Journal, Lease, Note

WIND_DOWN_SECONDS = 150.0
"""After an error or a guard: longer than any one request may take, so that answers on their way are still noted."""


class Stopped(Exception):  # noqa: N818 - not an error: how a unit leaves off
    """The unit must not go on now; the journal says how far it came."""


class Running:
    """One run under way."""

    def __init__(self, context: Context, journal: Journal, past: Past, history: History) -> None:
        """Begin with what the journal says."""
        self.context = context
        self.past = past
        self.history = history
        self.settled_before = frozenset(past.settled())
        """Units that an earlier process brought to their end."""
        self.lanes = Lanes()
        self.is_recovering = False
        """While what was sent before is being settled, nothing new may be sent."""
        self.halted = anyio.Event()
        self.work = anyio.CancelScope()
        self.error: SyncerError | None = None
        self.guard = ""
        self.parked: dict[str, str] = {}
        self.until = 0.0
        self.rests: Counter[str] = Counter()
        """How many rests of a unit were begun in this process."""
        self._journal = journal
        self._changed = anyio.Event()
        self._moments: dict[str, tuple[float, float]] = {}
        """By unit, the moment that its last note names, and the same by the clock that never jumps."""

    def seconds_since(self, unit: str) -> float:
        """Return how long ago the moment is that the journal names: it may have been noted by another process.

        What this one noted is counted on the clock that nobody can set: one set forward would cut waits short.
        """
        clock, at = self.context.clock, self.past.units[unit].at
        known, moment = self._moments.get(unit, (0.0, 0.0))
        return clock.monotonic() - moment if known == at else clock.now() - at

    async def note(self, note: Note) -> None:
        """Make `note` durable and known; one that could not be written is not known either."""
        unit = getattr(note, "unit", "")
        before = self.past.units.get(unit)
        self.past.add(note)
        self._keep_moment(unit)
        try:
            await self._journal.append(note)
        except SyncerError:
            if before is not None:
                self.past.units[unit] = before
            else:
                self.past.units.pop(unit, None)
            raise
        self.history.add(note)

    def _keep_moment(self, unit: str) -> None:
        state = self.past.units.get(unit)
        if state is not None and self._moments.get(unit, (0.0, 0.0))[0] != state.at:
            clock = self.context.clock
            self._moments[unit] = state.at, clock.monotonic() - (clock.now() - state.at)

    def check(self, connection: str) -> None:
        """Raise `Stopped` unless something may be sent to `connection` now."""
        if not self.halted.is_set() and self.context.lease.remaining_seconds() <= 0:
            self.halt(lease_ran_out(), at_once=True)
        if self.halted.is_set() or connection in self.parked:
            raise Stopped

    def halt(self, error: SyncerError | None = None, *, guard: str = "", at_once: bool = False) -> None:
        """Send nothing more; the first reason given is the run's."""
        if self.error is None and not self.guard:
            self.error, self.guard = error, guard
        self.halted.set()
        self.changed()
        if at_once:
            self.work.cancel()

    def park(self, connection: str, reason: str, until: float = 0.0) -> None:
        """Send nothing more to `connection` in this run."""
        self.parked.setdefault(connection, reason)
        self.until = max(self.until, until)
        self.changed()

    async def pause(self, node: str, reason: str, seconds: float) -> None:
        """Wait in sight of the person; raises `Stopped` when the run is halted meanwhile."""
        if seconds > 0:
            self.context.listener(Waiting(node, reason, seconds))
            async with anyio.create_task_group() as tasks:

                async def until_halted() -> None:
                    await self.halted.wait()
                    tasks.cancel_scope.cancel()

                tasks.start_soon(until_halted)
                await self.context.clock.sleep(seconds)
                tasks.cancel_scope.cancel()
        if self.halted.is_set():
            raise Stopped

    def changed(self) -> None:
        """Tell who waits for lanes to look again."""
        happened, self._changed = self._changed, anyio.Event()
        happened.set()

    async def until_changed(self) -> None:
        """Wait until lanes were given back or held, or sending has ended somewhere."""
        await self._changed.wait()

    def ending(self) -> Ending:
        """Return why the run ended, as far as it ended early."""
        stop = self.context.stop
        signal = stop.exit_code if stop.asked.is_set() else 0
        return Ending(self.error, signal, self.guard, tuple(self.parked.values()), self.until)


def fence(lease: Lease, stop: Stop) -> Callable[[], None]:
    """Return what a session calls while a write waits and before it leaves: it raises when it must not any more."""

    def check() -> None:
        if lease.remaining_seconds() <= 0:
            raise lease_ran_out()
        if stop.asked.is_set():
            raise RetryableError(
                "R111",
                "The run was asked to stop before this write left.",
                "Nothing of it was carried out. Go on with:",
                "syncer resume",
            )

    return check


def lease_ran_out() -> StateError:
    """Return the error of a run whose lease was not confirmed in time."""
    return StateError(
        "R107",
        "The lease was not confirmed for so long that another run may take it over, so nothing more was sent.",
        "When the state can be written again, go on with:",
        "syncer resume",
    )
