"""What a source is to the engine: a relation that DuckDB can scan, with a fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from syncer.errors import SourceError
    from syncer.manifest.models import ColumnType


POSITION = " position"
"""No header can be called so, because padded headers are refused."""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as it stands in the source. `type` is the declared type, `raw` the engine's before parsing."""

    name: str
    type: ColumnType
    raw: str
    format: str | None = None
    is_required: bool = False
    is_unique: bool = False


class ReadAgain(Exception):  # noqa: N818 - no error: the first scan was not exact, `relation` is
    """The scan lost step, which its count of rows showed; scan `relation` instead, which is slower and exact."""

    def __init__(self, relation: Relation) -> None:
        """Keep the relation to scan."""
        super().__init__()
        self.relation = relation


@dataclass(frozen=True, slots=True)
class Relation:
    """A scan: `sql` is one SELECT in DuckDB's dialect giving `columns` by name, in source order when scanned in order.

    `finish` is called once, after the whole relation was scanned, with the number of rows: it raises `SourceError`
    where only a full read can tell that the source is not what it was declared to be, or `ReadAgain`, and returns the
    fingerprint. Only then `structural_rejects` holds: a SELECT of (row BIGINT, line BIGINT, code VARCHAR, reason
    VARCHAR) for rows that could not be split into the header's columns and are missing from the scan, or "" when the
    source cannot have any. Rows are numbered from 1, those included. `explain` turns an error of the scan into words
    of the source. `may_hold_nul` is false where no cell can hold a NUL character. `numbered` is the same SELECT with a
    column `POSITION`, counted from 0, where a scan is cheap and gives the same rows every time; "" elsewhere.
    """

    sql: str
    columns: tuple[SourceColumn, ...]
    finish: Callable[[int], str]
    explain: Callable[[duckdb.Error], SourceError]
    structural_rejects: str = ""
    may_hold_nul: bool = True
    numbered: str = ""


class Source(Protocol):
    """A declared source. `open` may raise `SourceError`; it validates what can be known before rows are read."""

    @property
    def name(self) -> str:
        """The name in the manifest."""
        ...

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the source's columns without reading its rows; raises `SourceError`."""
        ...

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Register what the scan needs on `connection` and return the relation; raises `SourceError`."""
        ...
