"""State in a bucket, for machines that forget: journal, leases, spent plans and ledger as objects.

Everything rests on two promises of the store: an object can be written on condition that there is none, or that it is
still the one that was read; and whoever reads after a write sees it. There is no file lock here, so a silent holder is
always waited for.
"""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING

from syncer.errors import StateError
from syncer.state import object_journal
from syncer.state.envelope import Content, unwrap, wrap
from syncer.state.lease import spent
from syncer.state.object_journal import ObjectJournal, encoded
from syncer.state.object_lease import Leases, ObjectLease
from syncer.state.protocol import KEPT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.clock import Clock
    from syncer.state.bucket import Bucket
    from syncer.state.lease import LeaseRecord
    from syncer.state.protocol import Lease, Ledger


class Spent(Content):
    """Which run used a plan."""

    plan: str
    run: str


class Calls(Content):
    """Calls that were made outside of runs, by vendor instance."""

    calls: tuple[tuple[str, int], ...]


_CALLS = "calls"


class ObjectStore:
    """A bucket of state; nothing is touched before it is asked for."""

    def __init__(self, bucket: Bucket, clock: Clock) -> None:
        """Keep state in `bucket`."""
        self._bucket = bucket
        self._clock = clock
        self._leases = Leases(bucket, clock)
        self._held: dict[int, tuple[str, ObjectLease]] = {}

    async def acquire(self, key_spaces: tuple[str, ...], holder: str, run: str) -> ObjectLease:
        """Take the lease of `key_spaces` and of `run`; raises `LockedError` while somebody else has one of them."""
        names = tuple(sorted({*key_spaces, f"run:{run}"}))
        lease = await self._leases.acquire(names, holder, run)
        self._held[lease.epoch] = (run, lease)
        return lease

    async def unlock(self, epoch: int, by: str) -> None:
        """Break a lease on a person's word, and keep the word; raises `StateError` when no such lease is held."""
        await self._leases.unlock(epoch, by)

    async def journal(self, run: str, lease: Lease | None) -> ObjectJournal:
        """Open the run's journal; without a lease it can only be read."""
        if lease is None:
            return ObjectJournal(self._bucket, run, None)
        owner, held = self._held.get(lease.epoch, ("", None))
        if held is None or owner != run:
            raise StateError("R211", f'The lease of epoch {lease.epoch} is not one of this process for run "{run}".')
        return await object_journal.open_for_writing(self._bucket, run, held)

    async def runs(self) -> tuple[str, ...]:
        """Return run ids, oldest first."""
        return await object_journal.runs(self._bucket)

    async def held(self) -> tuple[LeaseRecord, ...]:
        """Return the leases that are held, oldest first."""
        return await self._leases.held()

    async def spend(self, plan: str, run: str) -> None:
        """Mark a plan as used by `run`; raises `StalePlanError` when another run used it."""
        path = _spent_path(plan)
        if await self._bucket.create(path, wrap(Spent(plan=plan, run=run))) is not None:
            return
        owner = await self.spent_by(plan)
        if owner != run:
            raise spent(plan, owner or "")

    async def spent_by(self, plan: str) -> str | None:
        """Return the run that used the plan, or None."""
        kept = await self._bucket.get(_spent_path(plan))
        return None if kept is None else unwrap(Spent, kept.body, _spent_path(plan)).run

    async def count_calls(self, calls: Mapping[str, int]) -> None:
        """Add calls that were made outside of runs, now; each count is an object of its own, so that none is lost."""
        await self._leases.begin()
        now = self._clock.now()
        for path in await self._bucket.names(_CALLS):
            if _moment(path) < now - KEPT_SECONDS:
                await self._bucket.delete(path)
        path = f"{_CALLS}/{now:.3f}-{secrets.token_hex(4)}"
        await self._bucket.put(path, wrap(Calls(calls=tuple(sorted(calls.items())))))

    async def calls_since(self, moment: float) -> Mapping[str, int]:
        """Return the calls that were counted since, by vendor instance."""
        found = Counter[str]()
        for path in await self._bucket.names(_CALLS):
            kept = await self._bucket.get(path) if _moment(path) >= moment else None
            if kept is not None:
                found.update(dict(unwrap(Calls, kept.body, path).calls))
        return found

    def ledger(self) -> Ledger:
        """Return the ledger, which lives in objects of its own."""
        from syncer.state.object_ledger import ObjectLedger

        return ObjectLedger(self._bucket)

    def close(self) -> None:
        """Forget the leases that were not released; they stay noted, and are silent from now on."""
        for _, lease in self._held.values():
            lease.is_over = True
        self._held.clear()


def _moment(path: str) -> float:
    """Return when the calls of an object were made; one of another name is old."""
    try:
        return float(path.rpartition("/")[2].partition("-")[0])
    except ValueError:
        return 0.0


def _spent_path(plan: str) -> str:
    return f"spent/{encoded(plan)}"
