"""State in a folder of this machine: journal, leases and spent plans in one SQLite file, the ledger beside it.

Every call is one transaction with synchronous=FULL, so a note is on the disk when `append` returns, and it is refused
in the same transaction in which a newer holder would be seen. Notes that wait share the next transaction. A holder
keeps a file lock, which the system drops when its process dies: such a lease is taken over at once; one whose process
lives, or cannot be seen, only after the longest request that it can have under way.
"""

from __future__ import annotations

import fcntl
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from syncer.errors import StateError
from syncer.state import lease as terms
from syncer.state import place
from syncer.state.database import as_state_errors, open_database, transaction
from syncer.state.journal import Line, broken, opening, read, seal
from syncer.state.protocol import KEPT_SECONDS, Intended, in_thread
from syncer.state.reserve import Reserve
from syncer.state.together import Together

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from syncer.clock import Clock
    from syncer.state.protocol import Lease, Ledger, Note, Offload
    from syncer.state.together import Waiting

T = TypeVar("T")

_PAGE = 1_000
_CALLS = "create table if not exists call (at real not null, instance text not null, calls integer not null) strict"
"""Made when first written to, so that states of versions without it stay as they are."""


class LocalStore:
    """A folder of state; opened when first asked, and to be closed."""

    def __init__(
        self, folder: Path, clock: Clock, *, allow_network: bool = False, offload: Offload = in_thread
    ) -> None:
        """Keep what is needed to open; nothing is touched yet."""
        self._folder = folder
        self._clock = clock
        self._allow_network = allow_network
        self._offload = offload
        self._reserve = Reserve(folder)
        self._turn = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._locks: dict[int, int] = {}

    async def acquire(self, key_spaces: tuple[str, ...], holder: str, run: str) -> LocalLease:
        """Take the lease of `key_spaces` and of `run`; raises `LockedError` while somebody else has one of them."""
        names = tuple(sorted({*key_spaces, f"run:{run}"}))
        before = self._clock.monotonic()
        taken: list[int] = []
        try:
            epoch, held = await self._call(
                lambda db: self._acquire(db, names, holder, run, taken), first=self._reserve.take
            )
        except BaseException:
            for handle in taken:
                os.close(handle)
            raise
        self._locks[epoch] = taken[-1]
        # Only now: whoever was replaced must look abandoned for as long as the replacement can still fail.
        await self._offload(lambda: self._forget_locks(epoch, held))
        return LocalLease(self, self._clock, epoch, before)

    async def unlock(self, epoch: int, by: str) -> None:
        """Break a lease on a person's word, and keep the word; raises `UserError` when no such lease is held."""

        def work(db: sqlite3.Connection) -> None:
            if not _drop(db, epoch):
                raise terms.not_held(epoch)
            db.execute("insert into unlocked values (?, ?, ?)", (epoch, by, self._clock.now()))

        await self._call(work)

    async def journal(self, run: str, lease: Lease | None) -> LocalJournal:
        """Open the run's journal; without a lease it can only be read."""
        epoch = None if lease is None else lease.epoch
        if epoch is not None:
            await self._call(
                lambda db: db.execute(
                    "insert or ignore into run (id, notes, checksum) values (?, 0, ?)", (run, opening(run))
                )
            )
        return LocalJournal(self, run, epoch)

    async def runs(self) -> tuple[str, ...]:
        """Return run ids, oldest first."""
        rows = await self._read(lambda db: db.execute("select id from run order by number").fetchall())
        return tuple(str(run) for (run,) in rows)

    async def held(self) -> tuple[terms.LeaseRecord, ...]:
        """Return the leases that are held, oldest first."""
        return await self._read(_leases)

    async def spend(self, plan: str, run: str) -> None:
        """Mark a plan as used by `run`; raises `StalePlanError` when another run used it."""

        def work(db: sqlite3.Connection) -> str:
            db.execute("insert or ignore into spent values (?, ?)", (plan, run))
            return str(db.execute("select run from spent where plan = ?", (plan,)).fetchone()[0])

        owner = await self._call(work)
        if owner != run:
            raise terms.spent(plan, owner)

    async def spent_by(self, plan: str) -> str | None:
        """Return the run that used the plan, or None."""
        row = await self._read(lambda db: db.execute("select run from spent where plan = ?", (plan,)).fetchone())
        return None if row is None else str(row[0])

    async def count_calls(self, calls: Mapping[str, int]) -> None:
        """Add calls that were made outside of runs, now."""
        now = self._clock.now()

        def work(db: sqlite3.Connection) -> None:
            db.execute(_CALLS)
            db.execute("delete from call where at < ?", (now - KEPT_SECONDS,))
            db.executemany("insert into call values (?, ?, ?)", [(now, *each) for each in calls.items()])

        await self._call(work)

    async def calls_since(self, moment: float) -> Mapping[str, int]:
        """Return the calls that were counted since, by vendor instance."""

        def work(db: sqlite3.Connection) -> list[tuple[str, int]]:
            if not db.execute("select 1 from sqlite_master where name = 'call'").fetchone():
                return []
            return db.execute(
                "select instance, sum(calls) from call where at >= ? group by instance", (moment,)
            ).fetchall()

        return dict(await self._read(work))

    def ledger(self) -> Ledger:
        """Return the ledger, which lives in a folder of its own."""
        from syncer.state.ledger import LocalLedger

        return LocalLedger(self._folder / "ledger")

    def close(self) -> None:
        """Release files and locks. Leases that were not released stay noted, and are seen to be without a holder."""
        with self._turn:
            for handle in self._locks.values():
                os.close(handle)
            self._locks.clear()
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    # What journal and lease do in one transaction each.

    async def _append(self, run: str, epoch: int, notes: Sequence[Note]) -> None:
        def work(db: sqlite3.Connection) -> None:
            if not _is_held(db, epoch):
                raise terms.lost(epoch)
            end = db.execute("select notes, checksum from run where id = ?", (run,)).fetchone()
            if end is None:
                raise broken(run, "The run itself is not there")
            number, checksum = end
            for note in notes:
                number += 1
                line = seal(checksum, number, epoch, note)
                checksum = line.checksum
                db.execute("insert into note values (?, ?, ?, ?, ?)", (run, number, epoch, line.text, checksum))
            db.execute("update run set notes = ?, checksum = ? where id = ?", (number, checksum, run))

        # A request needs the whole reserve; what came of one may use it up.
        begins = any(isinstance(note, Intended) for note in notes)
        await self._call(work, first=self._reserve.take if begins else None)

    async def _end(self, run: str) -> tuple[int, str]:
        """Return how many notes the run has and the checksum of the last, by which a lost end is seen."""
        row = await self._read(lambda db: db.execute("select notes, checksum from run where id = ?", (run,)).fetchone())
        return row or (0, opening(run))

    async def _lines(self, run: str, after: int) -> list[Line]:
        rows = await self._read(
            lambda db: db.execute(
                "select number, epoch, text, checksum from note where run = ? and number > ? order by number limit ?",
                (run, after, _PAGE),
            ).fetchall()
        )
        return [Line(*row) for row in rows]

    async def _renew(self, epoch: int) -> None:
        def work(db: sqlite3.Connection) -> None:
            if not db.execute("update lease set renewed = ? where epoch = ?", (self._clock.now(), epoch)).rowcount:
                raise terms.lost(epoch)

        await self._call(work)

    async def _release(self, epoch: int) -> None:
        await self._call(lambda db: _drop(db, epoch))
        self._reserve.give_up()
        handle = self._locks.pop(epoch, None)
        if handle is not None:
            self._lock_path(epoch).unlink(missing_ok=True)
            os.close(handle)

    def _acquire(
        self, db: sqlite3.Connection, names: tuple[str, ...], holder: str, run: str, taken: list[int]
    ) -> tuple[int, frozenset[int]]:
        """Return the new epoch, and all that are held now; the file lock is the last of `taken`."""
        now = self._clock.now()
        others = [record for record in _leases(db) if not set(names).isdisjoint(record.key_spaces)]
        for record in others:
            if terms.wait_seconds(record, now) > 0 and not self._is_abandoned(record.epoch):
                raise terms.locked(record, now)
        for record in others:
            _drop(db, record.epoch)
        db.execute("update epoch set last = last + 1")
        epoch = int(db.execute("select last from epoch").fetchone()[0])
        db.execute("insert into lease values (?, ?, ?, ?, ?)", (epoch, holder, run, now, now))
        db.executemany("insert into key_space values (?, ?)", [(name, epoch) for name in names])
        taken.append(os.open(self._lock_path(epoch), os.O_RDWR | os.O_CREAT, 0o600))
        fcntl.flock(taken[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        return epoch, frozenset(record.epoch for record in _leases(db))

    def _forget_locks(self, epoch: int, held: frozenset[int]) -> None:
        """Delete the lock files of older epochs that nobody holds any more."""
        for path in self._folder.glob("holder-*.lock"):
            number = path.stem.removeprefix("holder-")
            if number.isdigit() and int(number) < epoch and int(number) not in held:
                path.unlink(missing_ok=True)

    def _is_abandoned(self, epoch: int) -> bool:
        """Whether the holder's process is certainly gone: its lock exists and nobody holds it."""
        if self._allow_network:
            return False
        try:
            handle = os.open(self._lock_path(epoch), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True

    def _lock_path(self, epoch: int) -> Path:
        return self._folder / f"holder-{epoch}.lock"

    # The database.

    async def _call(self, work: Callable[[sqlite3.Connection], T], first: Callable[[], None] | None = None) -> T:
        """Do `work` as one transaction that writes; on a full disk once more, in the room that was reserved."""

        def turn() -> T:
            try:
                return self._once(work, first, writes=True)
            except StateError as error:
                if error.code != "R204" or first is not None or not self._reserve.give_up():
                    raise
                return self._once(work, first, writes=True)

        return await self._offload(turn)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work`, which only reads and so waits for nobody."""
        return await self._offload(lambda: self._once(work, None, writes=False))

    def _once(self, work: Callable[[sqlite3.Connection], T], first: Callable[[], None] | None, *, writes: bool) -> T:
        with self._turn, as_state_errors(self._folder):
            if self._opened is None:
                place.make_private(self._folder, allow_network=self._allow_network)
                self._opened = open_database(self._folder / "state.sqlite")
            if first is not None:
                first()
            with transaction(self._opened, writes=writes) as db:
                return work(db)


class LocalJournal:
    """One run's notes in a `LocalStore`."""

    def __init__(self, store: LocalStore, run: str, epoch: int | None) -> None:
        """Belong to `store`; `epoch` None is for reading."""
        self._store = store
        self._run = run
        self._epoch = epoch
        self._together = None if epoch is None else Together(partial(self._write, epoch))

    async def append(self, note: Note) -> None:
        """Make `note` durable; raises `LeaseLostError` when the lease is no longer ours."""
        if self._together is None:
            raise StateError("R211", f'The journal of run "{self._run}" was opened without a lease, for reading only.')
        await self._together.append(note)

    async def notes(self) -> AsyncIterator[Note]:
        """Yield the notes in order; raises `StateError` at the first that cannot be believed."""
        count, checksum = await self._store._end(self._run)  # noqa: SLF001 - one room
        lines: list[Line] = []
        while page := await self._store._lines(self._run, len(lines)):  # noqa: SLF001 - as above
            lines += page
        for note in read(self._run, lines):
            yield note
        end = lines[count - 1].checksum if 0 < count <= len(lines) else opening(self._run)
        if end != checksum or count > len(lines):
            raise broken(self._run, "The last notes are not there")

    async def _write(self, epoch: int, batch: Sequence[Waiting]) -> None:
        """Write notes in one transaction, or, on a full disk, each in its own: outcomes may use the reserve."""
        try:
            await self._store._append(self._run, epoch, [each.note for each in batch])  # noqa: SLF001 - one room
        except StateError as error:
            if error.code != "R204" or len(batch) == 1:
                raise
            for each in batch:
                try:
                    await self._store._append(self._run, epoch, [each.note])  # noqa: SLF001 - one room
                except StateError as refusal:
                    each.error = refusal


class LocalLease:
    """The lease of a `LocalStore`. Time is counted from before the last renewal that was confirmed."""

    def __init__(self, store: LocalStore, clock: Clock, epoch: int, confirmed: float) -> None:
        """Hold `epoch`, confirmed at the monotonic moment `confirmed`."""
        self.epoch = epoch
        self._store = store
        self._clock = clock
        self._confirmed = confirmed

    def remaining_seconds(self) -> float:
        """Return how long sending is still safe."""
        return terms.safe_seconds(self._confirmed, self._clock.monotonic())

    async def renew(self) -> None:
        """Confirm the lease; raises `LeaseLostError`."""
        before = self._clock.monotonic()
        await self._store._renew(self.epoch)  # noqa: SLF001 - one room, one transaction
        self._confirmed = before

    async def release(self) -> None:
        """Give the lease back; a no-op when it was lost."""
        await self._store._release(self.epoch)  # noqa: SLF001 - as above


def _leases(db: sqlite3.Connection) -> tuple[terms.LeaseRecord, ...]:
    rows = db.execute("select epoch, holder, run, acquired, renewed from lease order by epoch").fetchall()
    names: dict[int, list[str]] = {}
    for name, epoch in db.execute("select name, epoch from key_space order by name"):
        names.setdefault(epoch, []).append(name)
    return tuple(
        terms.LeaseRecord(epoch, holder, run, acquired, renewed, tuple(names.get(epoch, ())))
        for epoch, holder, run, acquired, renewed in rows
    )


def _is_held(db: sqlite3.Connection, epoch: int) -> bool:
    return db.execute("select 1 from lease where epoch = ?", (epoch,)).fetchone() is not None


def _drop(db: sqlite3.Connection, epoch: int) -> bool:
    db.execute("delete from key_space where epoch = ?", (epoch,))
    return db.execute("delete from lease where epoch = ?", (epoch,)).rowcount > 0
