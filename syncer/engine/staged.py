"""The staged rows of one operation, as the plan and the executor hold them.

Immutable once saved: the same cut gives the same bytes for ever. Every call works on a cursor of its own, so calls may
run in several threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from syncer.engine import payload
from syncer.engine.connection import connect, stream
from syncer.engine.layout import Layout
from syncer.engine.protocol import Cut, Payload, RowReject
from syncer.engine.shape import Shape
from syncer.engine.wire import Wire, WireField
from syncer.errors import StateError
from syncer.facts import OperationFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

VERSION = 1


@dataclass(frozen=True, slots=True)
class Form:
    """What must be known, beside the rows, to write payloads and to read results."""

    fields: tuple[WireField, ...]
    shapes: tuple[Shape, ...]
    key_space: str


@dataclass(frozen=True, slots=True)
class _Summary:
    version: int
    facts: OperationFacts
    form: Form


@dataclass(slots=True)
class StagedOperation:
    """Implements `engine.protocol.Staged`."""

    facts: OperationFacts
    form: Form
    files: Layout
    connection: duckdb.DuckDBPyConnection
    _lock: Lock = field(default_factory=Lock)

    def save(self) -> None:
        """Write facts and form beside the rows, so that `reopen` finds them."""
        text = TypeAdapter(_Summary).dump_json(_Summary(VERSION, self.facts, self.form), indent=1)
        draft = self.files.summary.with_suffix(".part")
        draft.touch(mode=0o600)
        draft.write_bytes(text)
        draft.replace(self.files.summary)

    def payloads(self, cut: Cut, folder: Path, start: int = 0) -> Iterator[Payload]:
        """Yield the cut's payloads in source order from index `start`; files are written to `folder`."""
        with self._cursor() as cursor:
            yield from payload.payloads(cursor, Wire(self.form.fields), self.form.shapes, cut, folder, start)

    def rejects(self) -> Iterator[RowReject]:
        """Yield the rows refused at plan time, in source order."""
        with self._cursor() as cursor:
            for piece in stream(cursor, 'SELECT "row", code, reason, field FROM rejected ORDER BY "row"'):
                yield from map(RowReject, *(column.to_pylist() for column in piece.columns))

    def close(self) -> None:
        """Release the engine's handles; the files stay."""
        self.connection.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            cursor = self.connection.cursor()
        self.files.prepare(cursor)
        return cursor


def reopen(folder: Path, *, memory_limit: str = "1GB", threads: int | None = None) -> StagedOperation:
    """Open what an earlier process staged; raises `StateError` where it is not whole."""
    files = Layout(folder)
    try:
        summary = TypeAdapter(_Summary).validate_json(files.summary.read_bytes())
    except (OSError, ValueError) as problem:
        detail = "The folder of staged rows is not whole."
        raise StateError("S191", detail) from problem
    connection = connect(folder, memory_limit=memory_limit, threads=threads)
    files.open(connection)
    return StagedOperation(summary.facts, summary.form, files, connection)
