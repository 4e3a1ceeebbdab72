"""What the engine gives: staged rows on disk, measured facts, payloads cut to the byte, and reconciled results.

`Staged` is immutable once made: the same cut gives the same bytes for ever, which is what resume relies on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from syncer.capability import PayloadFormat
    from syncer.facts import OperationFacts


@dataclass(frozen=True, slots=True)
class Cut:
    """Which outgoing rows become payloads, and how. `shapes` None means all of the wave, mixed."""

    wave: int
    shapes: tuple[int, ...] | None
    format: PayloadFormat


@dataclass(frozen=True, slots=True)
class Payload:
    """One unit's bytes: the JSON list of an immediate request, or the file of a job.

    `rows` are source row numbers and `lanes` 64-bit key lanes, both in payload order and of length `records`. Lanes
    are unique within a payload and within a cut. `body` is the JSON list's bytes, or the path of a file of mode 0600.
    """

    index: int
    records: int
    rows: Sequence[int]
    lanes: Sequence[int]
    fields: tuple[str, ...]
    body: bytes | Path
    byte_count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A result file of a job, as fetched. Columns have the vendor's names, key columns those of the fields."""

    kind: str
    """`succeeded`, `failed` or `unprocessed`."""
    path: Path
    error_column: str = ""
    id_column: str = ""
    created_column: str = ""
    nothing_to_do: str = ""
    """The opening of an error that means that the target is as it should be already."""


@dataclass(frozen=True, slots=True)
class RowReject:
    """One refused row for the rejects file: `reason` is the vendor's or ours, without a value of the row."""

    row: int
    code: str
    reason: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Learnt:
    """Rows that were written, and the vendor's ids of their records; of equal length."""

    rows: Sequence[int] | pa.Array
    ids: Sequence[str] | pa.Array


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A job's rows told apart: one outcome letter a record in payload order, the refused rows, and the ids told."""

    letters: str
    rejects: tuple[RowReject, ...]
    learnt: Learnt | None = None


class Staged(Protocol):
    """The staged rows of one operation."""

    facts: OperationFacts

    def payloads(self, cut: Cut, folder: Path, start: int = 0) -> Iterator[Payload]:
        """Yield the cut's payloads in source order from index `start`; files are written to `folder`.

        Deterministic: index, rows, bytes and sha256 are the same at every call. Raises `BugError` where one record
        alone is over the format's limit (stage rejects such rows).
        """
        ...

    def reconcile(self, payload: Payload, files: Sequence[ResultFile], succeeded: str) -> Reconciled:
        """Match result rows to the payload by key, as multisets, never by position.

        Rows in no file get the letter `succeeded` ("c", "u", "w", or "?" when the vendor's counts do not prove
        success).
        """
        ...

    def rejects(self) -> Iterator[RowReject]:
        """Yield the rows refused at plan time, in source order."""
        ...

    def confirm(self, rows: Sequence[int], letters: str, folder: Path) -> None:
        """Note outcome letters of rows for `confirmed`; called once a unit, idempotent by row."""
        ...

    def learn(self, learnt: Learnt, folder: Path) -> None:
        """Note the vendor's ids of rows for `confirmed`; the newest word on a row counts."""
        ...

    def confirmed(self, path: Path) -> int:
        """Write (kh_high, kh_low, rh) of the keys that were written to Parquet; return how many are confirmed.

        Where the state names records, `name` is one column more; where rows are known by their source, `sh` is one.
        Rows that delete what left another operation's source give the keys that it sent, to be forgotten.

        A key is confirmed when all its rows are; `rh` is null for a key of which a part is, or which is in doubt: the
        ledger forgets it.
        """
        ...

    def written_again(self, folder: Path) -> int:
        """Return how many records to delete are among those whose ids were noted in `folder`, another operation's."""
        ...

    def close(self) -> None:
        """Release the engine's handles; the files stay."""
        ...
