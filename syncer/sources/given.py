"""Rows that stand in a manifest test: few, and read exactly as a file's cells would be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from syncer.errors import SourceError
from syncer.sources.protocol import Relation, SourceColumn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from syncer.manifest.models import Scalar


@dataclass(frozen=True, slots=True)
class GivenRows:
    """Rows written down beside the source's columns; a column that a row does not name is null."""

    name: str
    declared: Sequence[SourceColumn]
    rows: Sequence[Mapping[str, Scalar]]

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the source's columns, every cell being text that the declared type is read from."""
        return tuple(replace(each, raw="VARCHAR") for each in self.declared)

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Register the rows and return their scan."""
        cells = {each.name: [_cell(row.get(each.name)) for row in self.rows] for each in self.declared}
        table = pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()})
        place = f"given_{self.name}"
        connection.register(place, table)
        return Relation(f'SELECT * FROM "{place}"', self.columns(), lambda _rows: "given", _explain)


def _cell(value: Scalar) -> str | None:
    """Return a value as a file would hold it."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _explain(_error: duckdb.Error) -> SourceError:
    return SourceError("S131", "The given rows cannot be read as the source's columns.", "Write each value as text.")
