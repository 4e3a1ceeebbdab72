"""What one process has of its own: a clock that may be set wrong or stop with the machine, a store's door, and an end.

`Life.moment` is called wherever the process touches the world: before and after each note, call, rest and renewal. At
one of them it may die; what it tries afterwards does not happen.
"""

# ruff: noqa: D102, D107 - most methods are a protocol's, and documented there

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from syncer.errors import StateError
from syncer.state import lease as terms
from syncer.state.journal import opening, read, seal
from syncer.state.lease import LeaseRecord
from syncer.state.local import LocalStore
from syncer.state.reserve import Reserve
from tests.fakes.clock import START
from tests.fakes.store import Crash, MemoryLedger
from tests.fakes.world import directly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from syncer.state.journal import Line
    from syncer.state.protocol import Lease, Note


RESERVE_BYTES = 4_096
"""Instead of 64 MB, which take a tenth of a second."""


@dataclass(slots=True)
class Life:
    """One process: when it began and ended, where it dies, when the state is out of its reach."""

    number: int
    dies_at: int | None = None
    moments: int = 0
    is_dead: bool = False
    began: float = field(default_factory=trio.current_time)
    ended: float | None = None
    signals: list[float] = field(default_factory=list)
    exit_code: int | None = None
    leased_at: float | None = None
    epoch: int = 0
    outage: tuple[float, float] = (0.0, 0.0)
    frozen: tuple[float, float] = (0.0, 0.0)

    async def thaw(self) -> None:
        """Stand still while the process is stopped from outside."""
        begins, ends = self.frozen
        if begins <= trio.current_time() - self.began < ends:
            await trio.sleep_until(self.began + ends)

    def moment(self, _what: str = "") -> None:
        """Die if it is time to; the dead do nothing."""
        self.moments += 1
        if self.is_dead or self.moments == self.dies_at:
            self.is_dead = True
            raise Crash

    def reach(self) -> None:
        """Touch the state; raises `StateError` while it is out of reach."""
        self.moment()
        begins, ends = self.outage
        if begins <= trio.current_time() - self.began < ends:
            raise StateError("R205", "The state is out of reach.")


class LifeClock:
    """A process's clock: `offset` is how wrong its wall clock is, `slept` what passed while the machine slept."""

    def __init__(self, life: Life | None = None, offset: float = 0.0) -> None:
        self.life = life
        self.offset = offset
        self.slept = 0.0

    def now(self) -> float:
        return START + trio.current_time() + self.offset

    def monotonic(self) -> float:
        return trio.current_time() + self.slept

    async def sleep(self, seconds: float) -> None:
        if self.life is not None:
            self.life.moment()
        await trio.sleep(max(0.0, seconds))
        if self.life is not None:
            await self.life.thaw()
            self.life.moment()


@dataclass(slots=True)
class Archive:
    """State in memory that outlives processes: notes, the lease's record, spent plans, the ledger."""

    lines: list[Line] = field(default_factory=list)
    record: LeaseRecord | None = None
    holder: Life | None = None
    epoch: int = 0
    spent: dict[str, str] = field(default_factory=dict)
    books: MemoryLedger = field(default_factory=MemoryLedger)


class ArchiveStore:
    """A `Store` on an archive, as one process opens it."""

    def __init__(self, archive: Archive, clock: LifeClock, life: Life) -> None:
        self.archive = archive
        self.clock = clock
        self.life = life

    async def acquire(self, key_spaces: tuple[str, ...], holder: str, run: str) -> ArchiveLease:
        self.life.reach()
        archive, now = self.archive, self.clock.now()
        record, past = archive.record, archive.holder
        if record is not None and past is not None and past.ended is None and terms.wait_seconds(record, now) > 0:
            raise terms.locked(record, now)
        archive.epoch += 1
        archive.holder = self.life
        archive.record = LeaseRecord(archive.epoch, holder, run, now, now, key_spaces)
        return ArchiveLease(self, archive.epoch)

    def unlock(self) -> None:
        """Break the lease, as a person may."""
        self.archive.record = None

    def is_held(self, epoch: int) -> bool:
        return self.archive.record is not None and self.archive.record.epoch == epoch

    async def journal(self, run: str, lease: Lease | None) -> ArchiveJournal:
        return ArchiveJournal(self, run, None if lease is None else lease.epoch)

    async def spend(self, plan: str, run: str) -> None:
        self.life.reach()
        self.archive.spent.setdefault(plan, run)

    def ledger(self) -> LifeLedger:
        return LifeLedger(self.archive.books, self.life)

    def close(self) -> None:
        """Leave nothing open."""


class ArchiveJournal:
    """The notes of the one run."""

    def __init__(self, store: ArchiveStore, run: str, epoch: int | None) -> None:
        self.store = store
        self.run = run
        self.epoch = epoch

    async def append(self, note: Note) -> None:
        await self.store.life.thaw()
        self.store.life.reach()
        if self.epoch is None or not self.store.is_held(self.epoch):
            raise terms.lost(self.epoch or 0)
        lines = self.store.archive.lines
        lines.append(seal(lines[-1].checksum if lines else opening(self.run), len(lines) + 1, self.epoch, note))
        await trio.lowlevel.checkpoint()
        self.store.life.moment()

    async def notes(self) -> AsyncIterator[Note]:
        for note in read(self.run, list(self.store.archive.lines)):
            yield note


class ArchiveLease:
    """A lease on an archive."""

    def __init__(self, store: ArchiveStore, epoch: int) -> None:
        self.store = store
        self.epoch = epoch
        self.confirmed = store.clock.monotonic()

    def remaining_seconds(self) -> float:
        return terms.safe_seconds(self.confirmed, self.store.clock.monotonic())

    async def renew(self) -> None:
        await self.store.life.thaw()
        self.store.life.reach()
        if not self.store.is_held(self.epoch):
            raise terms.lost(self.epoch)
        record = self.store.archive.record
        assert record is not None
        now = self.store.clock.now()
        self.store.archive.record = LeaseRecord(
            record.epoch, record.holder, record.run, record.acquired, now, record.key_spaces
        )
        self.confirmed = self.store.clock.monotonic()

    async def release(self) -> None:
        if self.store.is_held(self.epoch):
            self.store.archive.record = None


class LifeLedger:
    """The ledger, which a process may die before or after it writes."""

    def __init__(self, books: MemoryLedger, life: Life) -> None:
        self.books = books
        self.life = life

    async def merge(self, operation: str, serial: int, confirmed: Path) -> int:
        self.life.reach()
        merged = await self.books.merge(operation, serial, confirmed)
        self.life.moment()
        return merged


class DiskStore(LocalStore):
    """The real store of a folder, as one process opens it."""

    def __init__(self, folder: Path, clock: LifeClock, life: Life, books: MemoryLedger) -> None:
        super().__init__(folder, clock, offload=directly)
        self.life = life
        self.books = books
        self._reserve = Reserve(folder, RESERVE_BYTES)

    async def _append(self, run: str, epoch: int, notes: Sequence[Note]) -> None:
        await self.life.thaw()
        self.life.reach()
        await super()._append(run, epoch, notes)
        self.life.moment()

    async def _renew(self, epoch: int) -> None:
        await self.life.thaw()
        self.life.reach()
        await super()._renew(epoch)

    async def _release(self, epoch: int) -> None:
        if not self.life.is_dead:
            await super()._release(epoch)

    def ledger(self) -> LifeLedger:  # type: ignore[override]
        return LifeLedger(self.books, self.life)
