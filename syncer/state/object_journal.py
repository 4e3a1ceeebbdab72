"""A run's journal in a bucket: numbered segments of sealed lines, each written only if its number is free.

The number is the fence. Whoever opens a journal for writing, and whoever takes a key space from a silent holder, first
takes the next number with a line that says nothing; a late note of the old holder then meets a taken number, and is
refused by the store itself. Notes that wait while a segment is under way go together in the next one. Of a finished run
all lines go into one object, and only the numbers stay that keep an old holder out.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

import anyio

from syncer.errors import StateError
from syncer.state import lease as terms
from syncer.state.envelope import Content, unwrap, wrap
from syncer.state.journal import Line, broken, fence, opening, read, seal
from syncer.state.protocol import Finished
from syncer.state.together import Together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from syncer.state.bucket import Bucket
    from syncer.state.object_lease import ObjectLease
    from syncer.state.protocol import Note
    from syncer.state.together import Waiting

_TRIES: Final = 20
_PAGE: Final = 16
"""Segments read at once."""
_PACKED_BYTES: Final = 4 * 1024 * 1024
"""The most that one object of lines may hold; a longer journal stays in its segments."""


class Segment(Content):
    """A few lines of one run. `token` makes it differ from every other that could have been written there."""

    run: str
    segment: int
    token: str
    lines: tuple[tuple[int, int, str, str], ...]


class EndMark(Content):
    """How far the journal had come when its last holder left in good order."""

    segments: int
    checksum: str


class Packed(Content):
    """All lines of a finished run, which were in segments 1 to `segments`."""

    run: str
    segments: int
    lines: tuple[tuple[int, int, str, str], ...]


@dataclass(frozen=True, slots=True)
class _End:
    """Where a journal ends: what the next segment and its first line follow."""

    segment: int
    number: int
    checksum: str
    epoch: int


def encoded(name: str) -> str:
    """Return a name as one part of a path, whatever it holds."""
    return quote(name, safe="").replace(".", "%2E")


def _path(run: str, segment: int) -> str:
    return f"journal/{encoded(run)}/{segment:08}"


def _mark_path(run: str) -> str:
    return f"ends/{encoded(run)}"


def _packed_path(run: str) -> str:
    return f"packed/{encoded(run)}"


async def runs(bucket: Bucket) -> tuple[str, ...]:
    """Return the runs whose journal was opened for writing, oldest first."""
    names = [path.rpartition("/")[2].partition("-")[2] for path in await bucket.names("runs")]
    return tuple(dict.fromkeys(unquote(name) for name in names))


async def open_for_writing(bucket: Bucket, run: str, lease: ObjectLease) -> ObjectJournal:
    """Fence off whoever wrote before and return the journal; raises `LeaseLostError` when the lease is gone."""
    await bucket.put(f"runs/{lease.epoch:012}-{encoded(run)}", b"")
    for _ in range(_TRIES):
        end = await _end(bucket, run)
        # In this order: who takes the lease over ends it first and fences the journal then, so either is seen here.
        await lease.renew()
        fenced = await _fence(bucket, run, end, lease.epoch)
        if fenced is not None:
            return ObjectJournal(bucket, run, lease, fenced)
    raise _busy(run)


async def fence_off(bucket: Bucket, run: str, epoch: int) -> None:
    """Take the journal's next number, so that nothing under way of `epoch` or an older one can be written any more."""
    for _ in range(_TRIES):
        try:
            end = await _end(bucket, run)
        except StateError as error:
            if error.code not in {"R201", "R202", "R223"}:
                raise
            # Nobody will believe this journal beyond its damage; the number still keeps a late note out.
            end = _End(await _last(bucket, run), 0, "", epoch)
        if await _fence(bucket, run, end, max(epoch, end.epoch)) is not None:
            return
    raise _busy(run)


async def _fence(bucket: Bucket, run: str, end: _End, epoch: int) -> _End | None:
    line = fence(end.checksum, end.number + 1, epoch)
    body = _body(run, end.segment + 1, [line])
    if await bucket.create(_path(run, end.segment + 1), body) is None:
        return None
    return _End(end.segment + 1, line.number, line.checksum, epoch)


async def _last(bucket: Bucket, run: str) -> int:
    names = await bucket.names(f"journal/{encoded(run)}")
    return int(names[-1].rpartition("/")[2]) if names else 0


async def _end(bucket: Bucket, run: str) -> _End:
    last = await _last(bucket, run)
    if not last:
        return _End(0, 0, opening(run), 0)
    line = (await _lines(bucket, run, last))[-1]
    return _End(last, line.number, line.checksum, line.epoch)


async def _lines(bucket: Bucket, run: str, segment: int) -> list[Line]:
    path = _path(run, segment)
    kept = await bucket.get(path)
    if kept is None:
        raise broken(run, f"Segment {segment} is missing")
    found = unwrap(Segment, kept.body, path)
    if (found.run, found.segment) != (run, segment) or not found.lines:
        raise broken(run, f"Segment {segment} is not the one that was written there")
    return [Line(*line) for line in found.lines]


async def _packed(bucket: Bucket, run: str) -> Packed | None:
    path = _packed_path(run)
    kept = await bucket.get(path)
    if kept is None:
        return None
    found = unwrap(Packed, kept.body, path)
    if found.run != run or not found.lines:
        raise broken(run, "Its packed lines are not those that were written")
    return found


def _body(run: str, segment: int, lines: list[Line]) -> bytes:
    return wrap(Segment(run=run, segment=segment, token=secrets.token_hex(8), lines=_told(lines)))


def _told(lines: list[Line]) -> tuple[tuple[int, int, str, str], ...]:
    return tuple((line.number, line.epoch, line.text, line.checksum) for line in lines)


def _busy(run: str) -> StateError:
    return StateError(
        "R220",
        f'The journal of run "{run}" is being written by somebody else all the time.',
        "See which runs go on, then try again:",
        "syncer runs",
    )


class ObjectJournal:
    """One run's notes in a bucket; `lease` None is for reading."""

    def __init__(self, bucket: Bucket, run: str, lease: ObjectLease | None, end: _End | None = None) -> None:
        """Belong to `bucket`; a journal to write in begins at `end`, which is its own fence."""
        self._bucket = bucket
        self._run = run
        self._lease = lease
        self._end = end
        self._unsure: tuple[bytes, _End] | None = None
        self._is_finished = False
        self._together: Together | None = None
        if lease is not None:
            lease.journals.append(self)
            self._together = Together(partial(self._write, lease))

    async def append(self, note: Note) -> None:
        """Make `note` durable; raises `LeaseLostError` when the lease is no longer ours."""
        if self._together is None:
            raise StateError("R211", f'The journal of run "{self._run}" was opened without a lease, for reading only.')
        await self._together.append(note)

    async def notes(self) -> AsyncIterator[Note]:
        """Yield the notes in order; raises `StateError` at the first that cannot be believed."""
        # The mark first: what it tells of is there already, while segments may still be added.
        kept = await self._bucket.get(_mark_path(self._run))
        packed = await _packed(self._bucket, self._run)
        last = self._end.segment if self._end else await _last(self._bucket, self._run)
        try:
            segments = await self._segments(packed, last)
        except StateError:
            # Its segments may have been packed just now, under the eyes of who read them.
            packed = None if packed else await _packed(self._bucket, self._run)
            if packed is None:
                raise
            segments = await self._segments(packed, last)
        for note in read(self._run, [line for _, lines in segments for line in lines]):
            yield note
        if kept is not None:
            mark = unwrap(EndMark, kept.body, _mark_path(self._run))
            ends = {0: opening(self._run), **{segment: lines[-1].checksum for segment, lines in segments}}
            if ends.get(mark.segments) != mark.checksum:
                raise broken(self._run, "The last notes are not there")

    async def mark_end(self) -> None:
        """Say how far the journal came, so that a lost end is noticed; pack the lines of a run that is finished."""
        if self._end is not None:
            mark = EndMark(segments=self._end.segment, checksum=self._end.checksum)
            await self._bucket.put(_mark_path(self._run), wrap(mark))
            if self._is_finished:
                await self._pack(self._end.segment)

    async def _pack(self, last: int) -> None:
        """Put all lines into one object, and delete the segments that keep nobody out.

        A holder that was replaced would write the number after its last one, where a fence stands: fences stay, and
        the last segment, from which a journal is gone on with.
        """
        if await _packed(self._bucket, self._run) is not None:
            return
        segments = await self._segments(None, last)
        lines = [line for _, some in segments for line in some]
        body = wrap(Packed(run=self._run, segments=last, lines=_told(lines)))
        if len(body) > _PACKED_BYTES:
            return
        await self._bucket.put(_packed_path(self._run), body)
        for segment, some in segments:
            is_fence = not some[0].text
            if segment != last and not is_fence:
                await self._bucket.delete(_path(self._run, segment))

    async def _segments(self, packed: Packed | None, last: int) -> list[tuple[int, list[Line]]]:
        """Return the lines by the number of their segment; those that were packed are one."""
        found: list[tuple[int, list[Line]]] = []
        begins = 1
        if packed is not None:
            found.append((packed.segments, [Line(*line) for line in packed.lines]))
            begins = packed.segments + 1
        for start in range(begins, last + 1, _PAGE):
            numbers = range(start, min(last + 1, start + _PAGE))
            found += zip(numbers, await self._page(numbers), strict=True)
        return found

    async def _page(self, segments: range) -> list[list[Line]]:
        """Return the lines of a few segments, read at once; the first trouble is raised."""
        found: dict[int, list[Line]] = {}
        troubles: dict[int, StateError] = {}

        async def fetch(segment: int) -> None:
            try:
                found[segment] = await _lines(self._bucket, self._run, segment)
            except StateError as error:
                troubles[segment] = error

        async with anyio.create_task_group() as tasks:
            for segment in segments:
                tasks.start_soon(partial(fetch, segment))
        if troubles:
            raise troubles[min(troubles)]
        return [found[segment] for segment in segments]

    async def _write(self, lease: ObjectLease, batch: Sequence[Waiting]) -> None:
        """Write notes as one segment, after the one before it whose fate is not known."""
        await self._send(lease)
        self._unsure = self._segment([each.note for each in batch], lease.epoch)
        await self._send(lease)
        self._is_finished = isinstance(batch[-1].note, Finished)

    def _segment(self, notes: list[Note], epoch: int) -> tuple[bytes, _End]:
        end = self._end
        assert end is not None  # noqa: S101 - a journal with a lease has an end
        lines: list[Line] = []
        checksum = end.checksum
        for number, note in enumerate(notes, start=end.number + 1):
            lines.append(seal(checksum, number, epoch, note))
            checksum = lines[-1].checksum
        after = _End(end.segment + 1, lines[-1].number, checksum, epoch)
        return _body(self._run, after.segment, lines), after

    async def _send(self, lease: ObjectLease) -> None:
        if lease.is_over:
            raise terms.lost(lease.epoch)
        if self._unsure is None:
            return
        body, end = self._unsure
        if await self._bucket.create(_path(self._run, end.segment), body) is None:
            lease.is_over = True
            raise terms.lost(lease.epoch)
        self._end, self._unsure = end, None
