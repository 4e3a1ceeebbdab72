"""The one gate of a connection: every call and every job of every task passes here, in turn.

An async shell around `pace`, which decides. Nothing is sent past the gate but the sign-in, which no vendor counts.
Gates of one vendor instance share its `Instance`, as they share its limits.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf, isinf
from typing import TYPE_CHECKING

import anyio

from syncer.targets import failure
from syncer.targets.pace import Traffic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from syncer.clock import Clock
    from syncer.targets.pace import Pace

CHECK_SECONDS = 0.5
"""How soon a write that waits notices that it must not leave any more."""
JOB_WAIT_SECONDS = 7_200.0
"""How long a job may wait for a place in the vendor's queue before the run parks."""


@dataclass(slots=True)
class Instance:
    """What all gates to one vendor instance have in common: its traffic, and a call to look again."""

    traffic: Traffic = field(default_factory=Traffic)
    _changed: anyio.Event | None = None

    def wake(self) -> None:
        """Let those who wait look again."""
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    @property
    def changed(self) -> anyio.Event:
        """The event that is set when something changes."""
        if self._changed is None:
            self._changed = anyio.Event()
        return self._changed


@dataclass(slots=True)
class Pass:
    """The right to make one call."""

    gate: Gate
    number: int
    is_counted: bool = True

    def sent(self) -> None:
        """Note that the request's last byte left."""
        self.gate.pace.sent(self.number, self.gate.clock.monotonic())
        self.gate.wake()

    def refuse_rate(self) -> None:
        """Note that the vendor's window is full."""
        self.gate.pace.refuse_rate(self.number, self.gate.clock.monotonic())

    def refuse_concurrency(self) -> None:
        """Note that too many calls run at the vendor's."""
        self.gate.pace.refuse_concurrency(self.gate.clock.monotonic())


@dataclass(slots=True)
class Gate:
    """Paces all tasks of one connection; first come, first served."""

    pace: Pace
    clock: Clock
    connection: str
    instance: Instance = field(default_factory=Instance)
    _turn: anyio.Lock = field(default_factory=anyio.Lock)
    _job_turn: anyio.Lock = field(default_factory=anyio.Lock)

    @asynccontextmanager
    async def call(self, check: Callable[[], None] | None = None) -> AsyncIterator[Pass]:
        """Wait for the right to make one call and hold it; raises `QuotaSpentError` when the day's share is used up.

        `check` is asked twice a second while the call waits, and may raise to give the wait up.
        """
        async with self._turn:
            while (seconds := self.pace.wait_seconds(self.clock.monotonic())) > 0:
                if check is None:
                    await self._wait(seconds)
                else:
                    check()
                    await self._wait(seconds, CHECK_SECONDS)
            if self.pace.is_spent:
                raise failure.budget_spent(self.connection, self.clock.now())
            number = self.pace.start()
        ticket = Pass(self, number)
        try:
            yield ticket
        finally:
            self.pace.end(number, self.clock.monotonic(), is_counted=ticket.is_counted)
            self.wake()

    async def take_job(self, job: str) -> None:
        """Wait for a place among the vendor's jobs; raises `QuotaSpentError` after two hours, so that the run parks."""
        deadline = self.clock.monotonic() + JOB_WAIT_SECONDS
        async with self._job_turn:
            while (seconds := self.pace.job_wait_seconds(job, self.clock.monotonic())) > 0:
                if self.clock.monotonic() >= deadline:
                    raise failure.queue_full(self.connection)
                await self._wait(seconds, deadline - self.clock.monotonic())
            self.pace.take_job(job)

    def free_job(self, job: str) -> None:
        """Give the job's place back."""
        self.pace.free_job(job)
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again, at whatever gate of the instance."""
        self.instance.wake()

    async def _wait(self, seconds: float, most: float = inf) -> None:
        """Wait so long, or, where that is for ever, until something changed; in no case longer than `most`."""
        if not isinf(seconds):
            await self.clock.sleep(min(seconds, most))
            return
        changed = self.instance.changed
        if isinf(most):
            await changed.wait()
            return
        async with anyio.create_task_group() as tasks:

            async def until_changed() -> None:
                await changed.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(until_changed)
            await self.clock.sleep(most)
            tasks.cancel_scope.cancel()
