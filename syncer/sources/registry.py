"""Makes a source from its declaration: the one table of kinds.

A kind's module is imported where it is used: manifests of plain files are checked without an engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.errors import SourceError
from syncer.manifest.models import Column
from syncer.sources.column import source_column

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from syncer.manifest import models
    from syncer.manifest.models import ColumnType
    from syncer.sources.protocol import Source, SourceColumn

_ENDINGS = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "ssv": "ssv",
    "txt": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
}


def source(name: str, declared: models.Source, files: tuple[Path, ...], others: Mapping[str, Source]) -> Source:
    """Return the source; `files` are those that it names, resolved; `others` those that its SQL may read."""
    columns = {key: each if isinstance(each, Column) else Column(type=each) for key, each in declared.columns.items()}
    if declared.database is not None:
        from syncer.sources.database import DatabaseSource

        return DatabaseSource(name, declared.database, declared.sql or "", columns)
    if declared.sql is not None:
        from syncer.sources.sql import SqlSource

        return SqlSource(name, declared.sql, others, columns)
    kind = declared.format or _format(files)
    if kind == "parquet":
        from syncer.sources.parquet import ParquetSource

        return ParquetSource(name, files, columns)
    if kind == "jsonl":
        from syncer.sources.jsonl import JsonLinesSource

        return JsonLinesSource(name, files, declared.encoding, columns)
    from syncer.sources.csv import CsvForm, CsvSource
    from syncer.sources.header import DELIMITERS

    form = CsvForm(
        delimiter=declared.delimiter or DELIMITERS[kind],
        quote=declared.quote,
        encoding=declared.encoding,
        is_declared=declared.delimiter is not None or declared.format not in {None, "csv"},
        null_values=declared.null_values,
    )
    return CsvSource(name, files, form, columns)


def declared_columns(declared: Mapping[str, ColumnType | Column]) -> tuple[SourceColumn, ...]:
    """Return the columns that a manifest declares, for a source that cannot be asked."""
    columns = {key: each if isinstance(each, Column) else Column(type=each) for key, each in declared.items()}
    return tuple(source_column(name, columns, "VARCHAR") for name in columns)


def _format(files: tuple[Path, ...]) -> str:
    """Return the format that the file names' ending says, `.gz` aside; a delimited file where it says nothing."""
    endings = {(each.with_suffix("") if each.suffix == ".gz" else each).suffix.lstrip(".").lower() for each in files}
    kinds = {_ENDINGS.get(each, "csv") for each in endings}
    if len(kinds) > 1:
        raise SourceError("S102", f"The files are of several kinds: {', '.join(sorted(kinds))}.", 'Declare "format".')
    return kinds.pop() if kinds else "csv"
