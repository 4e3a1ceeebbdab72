"""What a source is to the engine: a relation that DuckDB can scan, with a fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import duckdb

    from syncer.manifest.models import ColumnType


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as it stands in the source. `type` is the declared type, `raw` the engine type before declared parsing."""

    name: str
    type: ColumnType
    raw: str
    format: str | None = None
    is_required: bool = False
    is_unique: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A scan: `sql` is one SELECT in DuckDB's dialect giving `columns` by name, in source order when scanned in order.

    Where `row_column` is set, that column holds the source's own 1-based row number; otherwise the scan order counts.
    `structural_rejects` is a SELECT of (row BIGINT, line BIGINT, code VARCHAR, reason VARCHAR) for rows that could not be
    split into the header's columns, or "" when the source cannot have any.
    """

    sql: str
    columns: tuple[SourceColumn, ...]
    fingerprint: str
    row_column: str = ""
    structural_rejects: str = ""


class Source(Protocol):
    """A declared source. `open` may raise `SourceError`; it validates what can be known before rows are read."""

    name: str

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the source's columns without reading its rows; raises `SourceError`."""
        ...

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Register what the scan needs on `connection` and return the relation; raises `SourceError`."""
        ...
