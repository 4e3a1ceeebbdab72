"""Rules about sources: one kind each, options that fit it, and columns that exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncer.facts import Action
from syncer.manifest.models import Column, ColumnType, Duplicates
from syncer.manifest.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.diagnostics import Diagnostic
    from syncer.manifest.known import Known
    from syncer.manifest.models import Source

FORMATS = ("csv", "tsv", "ssv", "jsonl", "parquet")
_OPTIONS = {
    "file": {"format", "delimiter", "quote", "encoding", "null_values", "columns", "cursor", "moves"},
    "database": {"sql", "columns", "cursor", "moves"},
    "sql": {"columns", "cursor", "moves"},
    "connection": {"object", "where", "columns", "cursor", "moves"},
}
"""Members that mean something, by kind of source."""
_UNORDERED = frozenset({ColumnType.TEXT, ColumnType.FLOAT, ColumnType.DECIMAL, ColumnType.BOOLEAN})
_NEEDS_ALL_ROWS = frozenset({Duplicates.MERGE, Duplicates.FIRST})
_ADDING = frozenset({Action.CREATE, Action.DUPLICATE})
_NEEDED = {"database": "sql", "connection": "object"}
_TEXT_ONLY = ("delimiter", "quote", "encoding", "null_values")
_COMPRESSION = re.compile(r"\.gz$", re.IGNORECASE)


def _kinds(source: Source) -> list[str]:
    """Return the kinds that a source says it is; `sql` is a kind of its own only without a database."""
    kinds = [kind for kind in ("file", "database", "connection") if getattr(source, kind) is not None]
    return [*kinds, *(["sql"] if source.sql is not None and source.database is None else [])]


def format_of(source: Source) -> str:
    """Return the format of a file source, said or told by the name's ending, "" where neither says."""
    if source.format:
        return source.format
    ending = _COMPRESSION.sub("", source.file or "").rpartition(".")[2].lower()
    return ending if ending in FORMATS else ""


def one_kind(known: Known) -> Iterator[Diagnostic]:
    """M210: a source is a file, a database, a query or a read of a connection, and whole."""
    for name, source in known.manifest.sources.items():
        kinds = _kinds(source)
        path = ("sources", name)
        if not kinds:
            detail = f'The source "{name}" does not say where its rows come from.'
            yield known.named("M210", path, detail, 'Add one of "file", "database", "sql" and "connection".')
        elif len(kinds) > 1:
            detail = f'The source "{name}" has {_and(kinds)}, and can have only one of them.'
            yield known.named("M210", path, detail, "Keep the one that is meant.")
        elif (needed := _NEEDED.get(kinds[0])) and getattr(source, needed) is None:
            detail = f'The source "{name}" reads a {kinds[0]} but does not say what.'
            yield known.named("M210", path, detail, f'Add "{needed}".')


def options_fit(known: Known) -> Iterator[Diagnostic]:
    """M211: a member that its kind of source, or its format, has no use for."""
    for name, source in known.manifest.sources.items():
        kinds = _kinds(source)
        if len(kinds) != 1:
            continue
        kind = kinds[0]
        for option in sorted(source.model_fields_set - _OPTIONS[kind] - {kind}):
            detail = f'The source "{name}" is of the kind "{kind}", which has no use for "{option}".'
            yield known.named("M211", ("sources", name, option), detail, "Remove it.")
        if kind == "file":
            yield from _file_options(known, name, source)


def _file_options(known: Known, name: str, source: Source) -> Iterator[Diagnostic]:
    path = ("sources", name)
    form = format_of(source)
    if not form:
        detail = f'The name of the file does not tell the format of the source "{name}".'
        yield known.finding("M211", (*path, "file"), detail, f'Add "format": one of {", ".join(FORMATS)}.')
    if form in {"jsonl", "parquet"}:
        for option in sorted(source.model_fields_set & set(_TEXT_ONLY)):
            detail = f'The format {form} has no use for "{option}".'
            yield known.named("M211", (*path, option), detail, "Remove it.")
    for option, text in (("delimiter", source.delimiter), ("quote", source.quote)):
        if text is not None and (len(text) != 1 or text in "\r\n"):
            yield known.finding("M211", (*path, option), f'"{option}" must be one character.')
    if source.quote is not None and source.quote == source.delimiter:
        yield known.finding("M211", (*path, "quote"), '"quote" and "delimiter" must differ.')


def what_is_read(known: Known) -> Iterator[Diagnostic]:
    """M222: what a manifest can say and no source reads: nothing that is written there is passed over in silence."""
    for name, source in known.manifest.sources.items():
        if source.connection is not None:
            detail = f'The source "{name}" reads records of a connection, which is not supported.'
            advice = "Export the records to a file, and read that."
            yield known.finding("M222", ("sources", name, "connection"), detail, advice)


def cursors_are_ordered(known: Known) -> Iterator[Diagnostic]:
    """M223: a cursor goes by a column whose values have one order everywhere, and no rule needs rows before it."""
    for name, source in known.manifest.sources.items():
        if source.cursor is None or source.connection is not None:
            continue
        declared = source.columns.get(source.cursor)
        kind = declared.type if isinstance(declared, Column) else declared
        if kind is None or kind in _UNORDERED:
            detail = f'The cursor "{source.cursor}" of source "{name}" is not declared as a number or a time.'
            advice = f'Add "columns: {{ {source.cursor}: datetime }}", or integer, or date.'
            yield known.finding("M223", ("sources", name, "cursor"), detail, advice)
    for name, operation in known.manifest.operations.items():
        read = known.manifest.sources.get(operation.source)
        if read is None or read.cursor is None:
            continue
        if operation.duplicates in _NEEDS_ALL_ROWS:
            detail = (
                f'"duplicates: {operation.duplicates}" needs all rows of a key, and a cursor leaves out the old ones.'
            )
            yield known.finding("M223", ("operations", name, "duplicates"), detail, "Use serialize, last or reject.")
        if operation.only == "all" and (operation.action in _ADDING or operation.activity != "none"):
            detail = f'Rows at the cursor are read again, and with "only: all" operation "{name}" would add them twice.'
            yield known.finding("M223", ("operations", name, "only"), detail, 'Remove "only".')


def column_contracts(known: Known) -> Iterator[Diagnostic]:
    """M221: a format on a column that is no date; a zone in it where none belongs, or none where one does."""
    for name, source in known.manifest.sources.items():
        for column, contract in source.columns.items():
            if isinstance(contract, Column) and contract.format:
                for detail, advice in _format_problem(column, contract.type, contract.format):
                    yield known.finding("M221", ("sources", name, "columns", column, "format"), detail, advice)


def _format_problem(column: str, kind: ColumnType, form: str) -> Iterator[tuple[str, str]]:
    codes = set(re.findall("%-?(.)", form))
    if kind not in {ColumnType.DATE, ColumnType.DATETIME, ColumnType.MOMENT}:
        detail = f'The column "{column}" is {kind}, and only date, datetime and moment take a format.'
        yield detail, "Remove the format, or declare the type."
    elif "Z" in codes or ("z" in codes and kind is not ColumnType.MOMENT):
        detail = f'The format of column "{column}" reads a time zone, and {kind} has none.'
        if kind is ColumnType.MOMENT:
            detail = (
                f'The format of column "{column}" reads the name of a zone, which is not one and the same everywhere.'
            )
        yield detail, 'Declare the column as moment, and read the zone as an offset with "%z".'
    elif "z" not in codes and kind is ColumnType.MOMENT:
        detail = f'The format of column "{column}" reads no time zone, and a moment has one.'
        yield detail, 'Read its offset with "%z", or declare the column as datetime and name the zone in the mapping.'


def declared_columns_exist(known: Known) -> Iterator[Diagnostic]:
    """M218: `columns` and `cursor` name columns of the source."""
    for name, source in known.manifest.sources.items():
        if name not in known.columns:
            continue
        header = known.columns[name]
        wanted = [(("sources", name, "columns", column), column) for column in source.columns]
        for path, column in wanted:
            if column not in header:
                detail = f'The source "{name}" has no column "{column}".'
                yield known.named("M218", path, detail, did_you_mean(column, header, "column"))
        if source.cursor is not None and source.cursor not in header:
            detail = f'The source "{name}" has no column "{source.cursor}" to go on from.'
            advice = did_you_mean(source.cursor, header, "column")
            yield known.finding("M218", ("sources", name, "cursor"), detail, advice)


def _and(words: list[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
