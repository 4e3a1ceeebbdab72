"""Writes payloads: rows become text in SQL and arrive as Arrow buffers, which are cut at record ends.

A record's text carries its own line end or comma, so consecutive records are consecutive bytes of one buffer, and its
offsets are the running totals that `pack` reads. No record is touched on its own.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol

from syncer.capability import CsvFormat, JsonFormat
from syncer.engine import csv_form, json_form, layout, shape
from syncer.engine.connection import private, stream
from syncer.engine.digest import values
from syncer.engine.pack import Limits, Oversize, Span, spans
from syncer.engine.protocol import Payload
from syncer.errors import BugError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from syncer.engine.protocol import Cut
    from syncer.engine.shape import Shape
    from syncer.engine.wire import Wire


def payloads(  # noqa: PLR0913, PLR0917 - the parts of a staged operation
    cursor: duckdb.DuckDBPyConnection, wire: Wire, shapes: Sequence[Shape], cut: Cut, folder: Path, start: int
) -> Iterator[Payload]:
    """Yield the payloads of a cut from index `start`: one run of rows, or one a shape where files are uniform."""
    private(folder)
    index = 0
    for members in _runs(cursor, shapes, cut):
        fields = shape.columns(cut.format, members, wire)
        _refuse_what_cannot_be_said(wire, members, cut)
        wanted = (
            "true"
            if cut.shapes is None and len(members) == len(shapes)
            else shape.condition(shapes, [each.id for each in members], wire)
        )
        rows = f"{layout.wave(cut.wave)} WHERE {wanted}"
        if isinstance(cut.format, JsonFormat):
            records = json_form.records(wire, cut.format, rows)
        else:
            records = csv_form.records(wire, cut.format, fields, rows)
        query = f'SELECT CAST("row" AS BIGINT) AS "row", kh_high, record FROM ({records})'
        limits, _ = shape.limits(cut.format, fields)
        unit: _Unit | None = None
        for piece, span in _cut(stream(cursor, query), limits):
            if span.opens:
                if unit is not None:
                    yield from unit.close()
                unit = _open(cut, folder, fields, index, start)
                index += 1
            if unit is not None:
                unit.add(piece, span)
        if unit is not None:
            yield from unit.close()


def _runs(cursor: duckdb.DuckDBPyConnection, shapes: Sequence[Shape], cut: Cut) -> list[list[Shape]]:
    """Return the shapes of each run of rows that share a header."""
    masks = ", ".join(f"mask{number}" for number in range(len(shapes[0].any_masks))) if shapes else ""
    if not masks:
        return []
    # Told apart by masks, which are staged with the rows: the table of shapes is gone when rows are opened again.
    own = {each.any_masks: each.id for each in shapes if each.id != shape.MIXED}
    rows = cursor.execute(f"SELECT DISTINCT {masks} FROM {layout.wave(cut.wave)}").fetchall()
    there = {own.get(tuple(row), shape.MIXED) for row in rows}
    members = [each for each in shapes if each.id in there and (cut.shapes is None or each.id in cut.shapes)]
    if isinstance(cut.format, CsvFormat) and cut.format.needs_uniform_shape:
        return [[each] for each in members]
    return [members] if members else []


def _refuse_what_cannot_be_said(wire: Wire, members: Sequence[Shape], cut: Cut) -> None:
    """Stop before a wrong byte is written: the planner must not ask a format for what it cannot say."""
    if not isinstance(cut.format, CsvFormat):
        return
    if cut.format.clear_text is None and any(each.clears(wire) for each in members):
        raise BugError("S192", "A file that cannot empty a field was asked to carry records that do.")
    if cut.format.needs_uniform_shape and any(each.id == shape.MIXED for each in members):
        raise BugError("S192", "A file of one shape was asked to carry the pool of rare shapes.")


def _cut(pieces: Iterator[pa.RecordBatch], limits: Limits) -> Iterator[tuple[pa.RecordBatch, Span]]:
    """Yield each piece of records with a span of it that belongs to one unit."""
    waiting: deque[pa.RecordBatch] = deque()
    numbers = deque([0])

    def totals() -> Iterator[memoryview]:
        for piece in pieces:
            waiting.append(piece)
            yield _offsets(piece.column(2))

    try:
        for number, span in spans(totals(), limits):
            while numbers[0] < number:
                waiting.popleft()
                numbers[0] += 1
            yield waiting[0], span
    except Oversize as problem:
        raise BugError("S192", "A record alone is larger than the format's limit.") from problem


def _offsets(column: pa.Array) -> memoryview:
    whole = memoryview(column.buffers()[1]).cast("q")
    return whole[column.offset : column.offset + len(column) + 1]


class _Unit(Protocol):
    """One payload being filled."""

    def add(self, piece: pa.RecordBatch, span: Span) -> None:
        """Take the records of a span."""
        ...

    def close(self) -> Iterator[Payload]:
        """Finish the unit and yield it, if it is wanted."""
        ...


class _Unwanted:
    """A unit before the index to start from: counted, not written."""

    def add(self, piece: pa.RecordBatch, span: Span) -> None:
        """Let the records pass."""

    def close(self) -> Iterator[Payload]:
        """Yield nothing."""
        yield from ()


@dataclass(slots=True)
class _Members:
    """Whose records a unit holds."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    lanes: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, piece: pa.RecordBatch, span: Span) -> memoryview:
        """Note the records of a span and return their bytes."""
        count = span.stop - span.start
        self.rows.frombytes(values(piece.column(0).slice(span.start, count)))
        self.lanes.frombytes(values(piece.column(1).slice(span.start, count)))
        offsets = _offsets(piece.column(2))
        return memoryview(piece.column(2).buffers()[2])[offsets[span.start] : offsets[span.stop]]


@dataclass(slots=True)
class _List:
    """A JSON list in memory: a request's size."""

    index: int
    fields: tuple[str, ...]
    members: _Members = field(default_factory=_Members)
    chunks: list[memoryview] = field(default_factory=list)

    def add(self, piece: pa.RecordBatch, span: Span) -> None:
        """Take the records of a span."""
        self.chunks.append(self.members.add(piece, span))

    def close(self) -> Iterator[Payload]:
        """Yield the list; the comma behind the last record makes way for the bracket."""
        body = b"".join((b"[", *self.chunks))[:-1] + b"]"
        rows, lanes = self.members.rows, self.members.lanes
        yield Payload(
            self.index, len(rows), rows, lanes, self.fields, body, len(body), hashlib.sha256(body).hexdigest()
        )


@dataclass(slots=True)
class _File:
    """A CSV file, streamed: it may be larger than memory."""

    index: int
    fields: tuple[str, ...]
    path: Path
    sink: BinaryIO
    digest: hashlib._Hash
    byte_count: int
    members: _Members = field(default_factory=_Members)

    def add(self, piece: pa.RecordBatch, span: Span) -> None:
        """Write the records of a span."""
        data = self.members.add(piece, span)
        self.sink.write(data)
        self.digest.update(data)
        self.byte_count += len(data)

    def close(self) -> Iterator[Payload]:
        """Give the file its name and yield it."""
        self.sink.close()
        _draft(self.path).replace(self.path)
        rows, lanes = self.members.rows, self.members.lanes
        yield Payload(
            self.index, len(rows), rows, lanes, self.fields, self.path, self.byte_count, self.digest.hexdigest()
        )


def _open(cut: Cut, folder: Path, fields: tuple[str, ...], index: int, start: int) -> _Unit:
    """Begin the unit of this index."""
    if index < start:
        return _Unwanted()
    if isinstance(cut.format, JsonFormat):
        return _List(index, fields)
    path = folder / f"wave{cut.wave}-{index:05}.csv"
    header = csv_form.header(cut.format, fields)
    sink = os.fdopen(os.open(_draft(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    sink.write(header)
    return _File(index, fields, path, sink, hashlib.sha256(header), len(header))


def _draft(path: Path) -> Path:
    return path.with_name(path.name + ".part")
