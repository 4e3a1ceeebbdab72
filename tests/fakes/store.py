"""State in memory with real lines, so that a cut, a crash and a stolen lease can be played at any note."""

# ruff: noqa: D102, D107 - the methods are a protocol's, and documented there

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from syncer.errors import LockedError, StalePlanError, StateError, UserError
from syncer.state import lease as terms
from syncer.state.journal import Line, opening, read, seal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from syncer.clock import Clock
    from syncer.state.protocol import Lease, Note


class Crash(BaseException):
    """The process dies here: nothing after it is done, and nobody catches it."""


class MemoryStore:
    """A `Store`. `before` and `after` are called around each append and may raise `Crash`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lines: dict[str, list[Line]] = {}
        self.plans: dict[str, str] = {}
        self.calls = Counter[str]()
        self.epoch = 0
        self.held = False
        self.is_dead = False
        self.before: Callable[[Note], None] = lambda _: None
        self.after: Callable[[Note], None] = lambda _: None
        self.books = MemoryLedger()

    async def acquire(self, key_spaces: tuple[str, ...], holder: str, run: str) -> MemoryLease:
        assert key_spaces is not None
        if self.held:
            raise LockedError("R210", f"{holder} has to wait for {run}.")
        self.epoch += 1
        self.held = True
        return MemoryLease(self, self.epoch)

    def steal(self) -> None:
        """Let somebody else take the lease over."""
        self.epoch += 1

    def die(self) -> None:
        """Lose the process: its lease goes, its later appends never happen."""
        self.is_dead = True

    def live(self) -> None:
        """Start a new process on the same state."""
        self.is_dead = False
        self.held = False
        self.before = self.after = lambda _: None

    async def unlock(self, epoch: int, by: str) -> None:
        assert by
        if epoch != self.epoch:
            raise UserError("R212", "No such lease.")
        self.held = False

    async def journal(self, run: str, lease: Lease | None) -> MemoryJournal:
        return MemoryJournal(self, run, None if lease is None else lease.epoch)

    async def runs(self) -> tuple[str, ...]:
        return tuple(self.lines)

    async def spend(self, plan: str, run: str) -> None:
        if self.plans.setdefault(plan, run) != run:
            raise StalePlanError("R213", "The plan is spent.")

    async def spent_by(self, plan: str) -> str | None:
        return self.plans.get(plan)

    async def count_calls(self, calls: Mapping[str, int]) -> None:
        self.calls.update(calls)

    async def calls_since(self, moment: float) -> Mapping[str, int]:
        assert moment <= self.clock.now()
        return self.calls

    def ledger(self) -> MemoryLedger:
        return self.books


class MemoryJournal:
    """The notes of one run."""

    def __init__(self, store: MemoryStore, run: str, epoch: int | None) -> None:
        self.store = store
        self.run = run
        self.epoch = epoch

    async def append(self, note: Note) -> None:
        if self.store.is_dead:
            raise Crash
        self.store.before(note)
        if self.epoch is None or self.epoch != self.store.epoch:
            raise terms.lost(self.epoch or 0)
        lines = self.store.lines.setdefault(self.run, [])
        previous = lines[-1].checksum if lines else opening(self.run)
        lines.append(seal(previous, len(lines) + 1, self.epoch, note))
        self.store.after(note)

    async def notes(self) -> AsyncIterator[Note]:
        for note in read(self.run, list(self.store.lines.get(self.run, ()))):
            yield note


class MemoryLease:
    """A lease whose renewals are the store's."""

    def __init__(self, store: MemoryStore, epoch: int) -> None:
        self.store = store
        self.epoch = epoch
        self.renewed = store.clock.monotonic()
        self.can_renew = True

    def remaining_seconds(self) -> float:
        return terms.safe_seconds(self.renewed, self.store.clock.monotonic())

    async def renew(self) -> None:
        if self.store.epoch != self.epoch:
            raise terms.lost(self.epoch)
        if not self.can_renew:
            raise StateError("R205", "The state is out of reach.")
        self.renewed = self.store.clock.monotonic()

    async def release(self) -> None:
        if self.store.epoch == self.epoch:
            self.store.held = False


class MemoryLedger:
    """What was confirmed last, by operation and key."""

    def __init__(self) -> None:
        self.content: dict[str, dict[str, str]] = {}
        self.serials: dict[str, int] = {}
        self.merges: list[str] = []

    async def serial(self, operation: str) -> int:
        return self.serials.get(operation, 0)

    async def cursor(self, operation: str) -> str:
        assert operation
        return ""

    async def fetch(self, operation: str, folder: Path) -> Path | None:
        assert folder
        return None if operation not in self.content else folder / operation

    async def merge(self, operation: str, serial: int, confirmed: Path) -> int:
        self.merges.append(operation)
        if self.serials.get(operation, 0) > serial:
            return self.serials[operation]
        self.content.setdefault(operation, {}).update(json.loads(confirmed.read_text()))  # noqa: ASYNC240 - a small file
        self.serials[operation] = serial + 1
        return serial + 1
