"""Leases in a bucket: one table that is replaced only as it was read, and one small object per holder that beats.

Nobody compares clocks of two machines. A holder counts from its own monotonic clock; whoever finds it silent counts by
the server's dates of two objects, or by its own clock while it watches. A silent holder's beat is ended first, on
condition that it has not beaten since, then its journal is fenced, then it is struck from the table.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import anyio

from syncer.errors import LockedError, StateError
from syncer.state import lease as terms
from syncer.state.envelope import Content, unwrap, wrap
from syncer.state.object_journal import fence_off

if TYPE_CHECKING:
    from syncer.clock import Clock
    from syncer.state.bucket import Bucket, Kept, Tag
    from syncer.state.object_journal import ObjectJournal

TABLE: Final = "leases"
KNOCK: Final = "knock"
"""Written to learn the server's time; what it holds means nothing."""
DATE_SECONDS: Final = 3.0
"""Dates of objects are whole seconds of servers that agree within less than the rest of this."""
_TRIES: Final = 30


class Holding(Content):
    """One lease that is held; `token` names its beat, `acquired` is a stamp of the holder's clock, for people."""

    epoch: int
    holder: str
    run: str
    acquired: float
    key_spaces: tuple[str, ...]
    token: str


class Unlocked(Content):
    """A person's word that broke a lease."""

    epoch: int
    who: str
    at: float


class Table(Content):
    """Who holds what. `last` is the newest epoch that was ever given."""

    last: int = 0
    held: tuple[Holding, ...] = ()
    unlocked: tuple[Unlocked, ...] = ()


class Beat(Content):
    """A holder's sign of life; `is_over` was set by somebody else."""

    token: str
    count: int = 0
    is_over: bool = False


def _beat_path(token: str) -> str:
    return f"beats/{token}"


class Leases:
    """The leases of one bucket, as one process sees them."""

    def __init__(self, bucket: Bucket, clock: Clock) -> None:
        """Remember nothing yet; what is watched is remembered as long as this lives."""
        self._bucket = bucket
        self._clock = clock
        self._watched: dict[str, tuple[Tag, float]] = {}

    async def acquire(self, names: tuple[str, ...], holder: str, run: str) -> ObjectLease:
        """Take all of `names` or none; raises `LockedError`."""
        token = secrets.token_hex(16)
        beat: Tag | None = None
        before = self._clock.monotonic()
        for _ in range(_TRIES):
            table, tag = await self._table()
            epoch = next((each.epoch for each in table.held if each.token == token), 0)
            if not epoch:
                rivals = [each for each in table.held if not set(names).isdisjoint(each.key_spaces)]
                try:
                    is_clear = await self._clear(rivals, tag)
                except LockedError:
                    await self._bucket.delete(_beat_path(token))
                    raise
                if not is_clear:
                    await self._pause()
                    continue
                if beat is None:
                    before = self._clock.monotonic()
                    beat = await self._bucket.create(_beat_path(token), wrap(Beat(token=token)))
                entry = Holding(
                    epoch=table.last + 1,
                    holder=holder,
                    run=run,
                    acquired=self._clock.now(),
                    key_spaces=names,
                    token=token,
                )
                kept = tuple(each for each in table.held if each not in rivals)
                changed = table.model_copy(update={"last": entry.epoch, "held": (*kept, entry)})
                if await self._bucket.replace(TABLE, wrap(changed), tag) is None:
                    await self._pause()
                    continue
                epoch = entry.epoch
                for each in rivals:
                    await self._bucket.delete(_beat_path(each.token))
            if beat is not None:
                return ObjectLease(self, self._bucket, self._clock, epoch, token, beat, before)
        raise self._busy()

    async def unlock(self, epoch: int, by: str) -> None:
        """Break a lease on a person's word, and keep the word; raises `UserError` when no such lease is held."""
        for _ in range(_TRIES):
            table, tag = await self._table()
            entry = next((each for each in table.held if each.epoch == epoch), None)
            if entry is None:
                raise terms.not_held(epoch)
            kept = await self._bucket.get(_beat_path(entry.token))
            if not await self._end_beat(entry, kept):
                continue
            word = Unlocked(epoch=epoch, who=by, at=self._clock.now())
            held = tuple(each for each in table.held if each != entry)
            changed = table.model_copy(update={"held": held, "unlocked": (*table.unlocked, word)})
            if await self._bucket.replace(TABLE, wrap(changed), tag) is not None:
                await self._bucket.delete(_beat_path(entry.token))
                return
            await self._pause()
        raise self._busy()

    async def held(self) -> tuple[terms.LeaseRecord, ...]:
        """Return the leases that are held, oldest first."""
        table, _ = await self._table()
        found = []
        for each in table.held:
            kept = await self._bucket.get(_beat_path(each.token))
            found.append(self._record(each, await self._silent_seconds(each.token, kept) if kept else 0.0))
        return tuple(found)

    async def drop(self, token: str) -> None:
        """Strike a lease from the table; a no-op when it is not there."""
        for _ in range(_TRIES):
            table, tag = await self._table()
            kept = tuple(each for each in table.held if each.token != token)
            if len(kept) == len(table.held):
                return
            if await self._bucket.replace(TABLE, wrap(table.model_copy(update={"held": kept})), tag) is not None:
                await self._bucket.delete(_beat_path(token))
                return
            await self._pause()
        raise self._busy()

    async def begin(self) -> None:
        """See that this is a place of state, or make it one; raises `StateError` for somebody else's."""
        await self._table()

    async def _table(self) -> tuple[Table, Tag]:
        """Return the table; the first process that ever comes makes it, in a place that is empty."""
        for _ in range(_TRIES):
            kept = await self._bucket.get(TABLE)
            if kept is not None:
                return unwrap(Table, kept.body, TABLE), kept.tag
            if not await self._bucket.is_empty() and await self._bucket.get(TABLE) is None:
                raise StateError(
                    "R203",
                    f'"{self._bucket.name}" holds objects, but not the table of leases that every state of syncer has.',
                    "Choose an empty prefix, or restore the object that was deleted.",
                )
            if (tag := await self._bucket.create(TABLE, wrap(Table()))) is not None:
                await self._prove(tag)
        raise self._busy()

    async def _prove(self, tag: Tag) -> None:
        """Take the new table away again where the store cannot do what everything rests on."""
        try:
            await self._bucket.prove_conditions()
        except StateError:
            kept = await self._bucket.get(TABLE)
            if kept is not None and kept.tag == tag:
                await self._bucket.delete(TABLE)
            raise

    async def _clear(self, rivals: list[Holding], tag: Tag) -> bool:
        """End every rival, all being silent long enough; raises `LockedError` when one is not. False: look again."""
        silent: list[tuple[Holding, Kept]] = []
        for each in rivals:
            path = _beat_path(each.token)
            kept = await self._bucket.get(path)
            if kept is None:
                now = await self._bucket.get(TABLE)
                if now is not None and now.tag == tag:
                    # Somebody deleted it. A new one, in the holder's name, begins the wait that takes over by itself.
                    await self._bucket.create(path, wrap(Beat(token=each.token)))
                return False
            if not unwrap(Beat, kept.body, path).is_over:
                record = self._record(each, await self._silent_seconds(each.token, kept))
                if terms.wait_seconds(record, self._clock.now()) > 0:
                    raise terms.locked(record, self._clock.now())
            silent.append((each, kept))
        for each, kept in silent:
            if not await self._end_beat(each, kept):
                return False
        return True

    async def _end_beat(self, entry: Holding, kept: Kept | None) -> bool:
        """Let the holder never beat again, unless it just has, and fence its journal."""
        path = _beat_path(entry.token)
        over = wrap(Beat(token=entry.token, is_over=True))
        if kept is None:
            is_ended = await self._bucket.create(path, over) is not None
        else:
            is_over = unwrap(Beat, kept.body, path).is_over
            is_ended = is_over or await self._bucket.replace(path, over, kept.tag) is not None
        if is_ended:
            # Also when another one ended the beat: it may have died before it came to the journal.
            await fence_off(self._bucket, entry.run, entry.epoch)
        return is_ended

    async def _silent_seconds(self, token: str, kept: Kept) -> float:
        """Return how long the holder has certainly not beaten."""
        now = self._clock.monotonic()
        tag, since = self._watched.get(token, (None, now))
        if tag != kept.tag:
            since = now
            self._watched[token] = (kept.tag, now)
        await self._bucket.put(KNOCK, secrets.token_hex(8).encode())
        return max(0.0, now - since, await self._bucket.modified(KNOCK) - kept.modified - DATE_SECONDS)

    def _record(self, entry: Holding, silent: float) -> terms.LeaseRecord:
        renewed = self._clock.now() - silent
        acquired = min(entry.acquired, renewed)
        return terms.LeaseRecord(entry.epoch, entry.holder, entry.run, acquired, renewed, entry.key_spaces)

    async def _pause(self) -> None:
        """Let two who met part."""
        await self._clock.sleep(secrets.randbelow(1_000) / 2_000)

    def _busy(self) -> StateError:
        return StateError(
            "R220",
            f'The leases in "{self._bucket.name}" are changed by others all the time.',
            "Let fewer runs begin at once, then try again.",
        )


class ObjectLease:
    """A lease of a bucket. Time is counted from before the last beat that was confirmed."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a holder is
        self, leases: Leases, bucket: Bucket, clock: Clock, epoch: int, token: str, beat: Tag, confirmed: float
    ) -> None:
        """Hold `epoch`, confirmed at the monotonic moment `confirmed`."""
        self.epoch = epoch
        self.is_over = False
        self.journals: list[ObjectJournal] = []
        self._leases = leases
        self._bucket = bucket
        self._clock = clock
        self._token = token
        self._beat = beat
        self._count = 0
        self._confirmed = confirmed
        self._turn = anyio.Lock()

    def remaining_seconds(self) -> float:
        """Return how long sending is still safe."""
        return terms.safe_seconds(self._confirmed, self._clock.monotonic())

    async def renew(self) -> None:
        """Confirm the lease; raises `LeaseLostError`."""
        async with self._turn:
            path = _beat_path(self._token)
            for _ in range(_TRIES):
                if self.is_over:
                    raise terms.lost(self.epoch)
                before = self._clock.monotonic()
                self._count += 1
                beat = Beat(token=self._token, count=self._count)
                if (tag := await self._bucket.replace(path, wrap(beat), self._beat)) is not None:
                    self._beat, self._confirmed = tag, before
                    return
                kept = await self._bucket.get(path)
                if kept is None or unwrap(Beat, kept.body, path).is_over:
                    self.is_over = True
                else:
                    # A beat of our own, whose answer was lost and that arrived late.
                    self._beat = kept.tag
            raise StateError("R220", "The lease could not be renewed: every beat met another one.")

    async def release(self) -> None:
        """Give the lease back; a no-op when it was lost."""
        if not self.is_over:
            self.is_over = True
            for each in self.journals:
                await each.mark_end()
            await self._leases.drop(self._token)
