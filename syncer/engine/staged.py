"""The staged rows of one operation, as the plan and the executor hold them.

Immutable once saved: the same cut gives the same bytes for ever. Every call works on a cursor of its own, so calls may
run in several threads.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from syncer.engine import confirm, digest, gone, names, payload, reconcile, sample, sql
from syncer.engine.chain import KEY, Key
from syncer.engine.connection import connect, count, stream
from syncer.engine.cursor import reached
from syncer.engine.drift import Drift
from syncer.engine.layout import Layout
from syncer.engine.ledger import Naming
from syncer.engine.protocol import Cut, Learnt, Payload, Reconciled, ResultFile, RowReject
from syncer.engine.shape import Shape
from syncer.engine.wire import Wire, WireField
from syncer.errors import StateError
from syncer.facts import OperationFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb
    import pyarrow as pa

    from syncer.sample import SampleRow
    from syncer.sources.protocol import Source

VERSION = 1


@dataclass(frozen=True, slots=True)
class Form:
    """What must be known, beside the rows, to write payloads and to read results."""

    fields: tuple[WireField, ...]
    shapes: tuple[Shape, ...]
    key: Key
    setup: tuple[str, ...]
    """Macros that the key's canonical form calls."""
    naming: Naming = Naming.NONE
    """What the state calls the records."""
    has_columns: bool = False
    """Whether cells are staged each on its own."""
    has_hashes: bool = False
    """Whether the rows have hashes of their source rows."""

    @property
    def wire(self) -> Wire:
        """How the records are staged."""
        return Wire(self.fields, self.has_columns)


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
    _noted: dict[Path, None] = field(default_factory=dict)
    """Folders that hold notes of outcomes, in the order of their first note."""

    def save(self) -> None:
        """Write facts and form beside the rows, so that `reopen` finds them."""
        text = json.dumps(asdict(_Summary(VERSION, self.facts, self.form)), indent=1, ensure_ascii=False)
        draft = self.files.summary.with_suffix(".part")
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.files.summary)

    def payloads(self, cut: Cut, folder: Path, start: int = 0) -> Iterator[Payload]:
        """Yield the cut's payloads in source order from index `start`; files are written to `folder`."""
        with self._cursor() as cursor:
            yield from payload.payloads(cursor, self.form.wire, self.form.shapes, cut, folder, start)

    def rejects(self) -> Iterator[RowReject]:
        """Yield the rows refused at plan time, in source order."""
        with self._cursor() as cursor:
            for piece in stream(cursor, 'SELECT "row", code, reason, field FROM rejected ORDER BY "row"'):
                yield from map(RowReject, *(column.to_pylist() for column in piece.columns))

    def sample(self, source: Source | None = None, columns: Sequence[str] = ()) -> tuple[SampleRow, ...]:
        """Return the first rows that go out, and refused ones with their `columns` as they stand in the `source`."""
        path = self.files.folder / "sample.parquet"
        origin = sample.Origin(source, tuple(columns), self.facts.source_digest, path) if source else None
        with self._cursor() as cursor:
            return (*sample.first(cursor, self.form.wire), *sample.refused(cursor, origin))

    def reconcile(self, payload: Payload, files: Sequence[ResultFile], succeeded: str) -> Reconciled:
        """Match result rows to the payload by key, as multisets, never by position."""
        with self._cursor() as cursor:
            learns = self.form.naming in {Naming.LEARNT, Naming.ONCE}
            return reconcile.reconcile(cursor, self.form.key, payload, files, succeeded, learns=learns)

    def confirm(self, rows: Sequence[int], letters: str, folder: Path) -> None:
        """Note outcome letters of rows for `confirmed`; the newest word on a row counts."""
        with self._lock:
            self._noted.setdefault(folder)
            confirm.note(rows, letters, folder)

    def learn(self, learnt: Learnt, folder: Path) -> None:
        """Note the vendor's ids of rows for `confirmed`; the newest word on a row counts."""
        with self._lock:
            self._noted.setdefault(folder)
            names.note(learnt, folder)

    def confirmed(self, path: Path) -> int:
        """Write what the ledger may believe of the keys that were written; return how many are confirmed."""
        with self._cursor() as cursor:
            confirm.tell(cursor, tuple(self._noted))
            if self.files.left.exists():
                return gone.forgotten(cursor, self.files.left, path)
            far = reached(cursor, self.facts.cursor) if self.facts.cursor else ""
            called = names.relation(cursor, self._noted, self.form)
            has_hashes, retold = self.form.has_hashes, self.files.retold
            return confirm.confirmed(cursor, called, far, path, has_hashes=has_hashes, retold=retold)

    def shared_keys(self, other: StagedOperation) -> int:
        """Return how many keys both operations write; they need the same key space for it to mean anything."""
        with self._cursor() as cursor, other._cursor() as theirs:
            keys = theirs.sql(f'SELECT {KEY} FROM "first"').to_arrow_reader()
            cursor.register("others", keys)
            return count(cursor, f'SELECT count(*) FROM "first" SEMI JOIN others USING ({KEY})')

    def rows_digest(self) -> str:
        """Return the digest of the rows as they stand on disk now; `facts.rows_digest` says what was staged."""
        with self._cursor() as cursor:
            return digest.rows_digest(cursor)

    def drift(self, record_id: str, unaskable: str = "") -> Drift:
        """Return the room where a target's answers are held against these rows; `record_id` tells its records apart.

        Keys that hold the character `unaskable` are not asked for.
        """
        still = None
        if self.files.unchanged.exists():
            still = (
                f"(SELECT * FROM ({self.files.rows()}) SEMI JOIN {sql.parquet(self.files.unchanged)} USING (position))"
            )
        return Drift(self._cursor(), self._cursor(), self.form.wire, self.form.key, still, record_id, unaskable)

    def sends(self, ledger: Path | None) -> pa.RecordBatchReader:
        """Return the keys that stand in the source and are sent, or were: their records are this operation's too."""
        sent = f'SELECT {KEY} FROM "first"'
        if ledger is not None:
            left = f"ANTI JOIN {sql.scan(self.files.gone)} USING ({KEY})" if self.files.gone.exists() else ""
            sent += f" UNION ALL SELECT {KEY} FROM {sql.scan(ledger)} {left}"
        return self._cursor().sql(sent).to_arrow_reader()

    def clear_up(self, others: Mapping[str, pa.RecordBatchReader], blind: Sequence[str], path: Path) -> None:
        """Write to `path` the records of keys that left and may be deleted; `facts` say what becomes of the others."""
        unreadable = self.facts.cleared.unreadable if self.facts.cleared else 0
        cleared = gone.settle(self._cursor(), self.files.gone, unreadable, others, blind, path)
        self.facts = replace(self.facts, cleared=cleared)
        self.save()

    def delete_for(self, path: Path) -> None:
        """Keep beside these deletions which keys each of them is for."""
        shutil.copyfile(path, self.files.left)
        self.files.left.chmod(0o600)

    def written_again(self, folder: Path) -> int:
        """Return how many records to delete are among those whose ids were noted in `folder`, another operation's."""
        with self._cursor() as cursor:
            return gone.written_again(cursor, self.files.left, names.noted([folder]))

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
    from pydantic import TypeAdapter

    files = Layout(folder)
    try:
        summary = TypeAdapter(_Summary).validate_json(files.summary.read_bytes())
    except (OSError, ValueError) as problem:
        detail = "The folder of staged rows is not whole."
        raise StateError("S191", detail) from problem
    connection = connect(folder, memory_limit=memory_limit, threads=threads)
    for statement in summary.form.setup:
        connection.execute(statement)
    files.open(connection)
    return StagedOperation(summary.facts, summary.form, files, connection)
