"""Parses declared source columns: one stated grammar a type, and nothing is guessed.

Hands on a SELECT of the typed columns with the number of the first cell that breaks its declaration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.manifest.models import ColumnType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.sources.protocol import SourceColumn

FLAW = " flaw"
"""Column with the number of the row's first flaw; no header can be called so, because padded headers are refused."""

ENGINE_TYPES = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.DECIMAL: "DECIMAL(38, 18)",
    ColumnType.FLOAT: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMP",
}

_WHOLE = r"[+-]?[0-9]{1,19}"
_DECIMAL = r"[+-]?[0-9]{1,20}(\.[0-9]{1,18})?"
_FLOAT = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})"

_GRAMMARS = {ColumnType.INTEGER: _WHOLE, ColumnType.DECIMAL: _DECIMAL, ColumnType.DATE: _DATE}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a row is refused before or while it is mapped; `reason` holds no value."""

    code: str
    field: str
    reason: str


def select(relation: str, columns: Sequence[SourceColumn], *, may_hold_nul: bool) -> tuple[str, tuple[Flaw, ...]]:
    """Return a SELECT of the typed columns and `FLAW`, and the flaws by their number, counted from 1."""
    typed = ", ".join(f"{_parsed(each)} AS {sql.name(each.name)}" for each in columns)
    raw = ", ".join(f"{sql.name(each.name)} AS {sql.name(' raw:' + each.name)}" for each in columns)
    flaws: list[Flaw] = []
    branches: list[str] = []
    for column in columns:
        given, value = sql.name(" raw:" + column.name), sql.name(column.name)
        if _needs_parsing(column):
            flaws.append(Flaw("V201", column.name, f"The cell is no {column.type}{_by(column)}."))
            branches.append(f"{given} IS NOT NULL AND {value} IS NULL")
        elif may_hold_nul and column.type is ColumnType.TEXT:
            flaws.append(Flaw("V203", column.name, "The cell holds a NUL character."))
            branches.append(f"contains({value}, chr(0))")
        if column.is_required:
            flaws.append(Flaw("V202", column.name, "The column is declared as required, and the cell is empty."))
            branches.append(f"{given} IS NULL")
    whens = " ".join(f"WHEN {branch} THEN {number}" for number, branch in enumerate(branches, 1))
    flaw = f"CASE {whens} ELSE 0 END" if branches else "0"
    kept = sql.names(each.name for each in columns)
    once = "".join(
        f", CAST(md5_number(CAST({sql.name(' raw:' + each.name)} AS VARCHAR)) >> 64 AS UBIGINT) AS {name}"
        for name, each in unique(columns).items()
    )
    inner = f"SELECT {typed}, {raw} FROM {relation}"
    return f"SELECT {kept}, {flaw} AS {sql.name(FLAW)}{once} FROM ({inner})", tuple(flaws)


def unique(columns: Sequence[SourceColumn]) -> dict[str, SourceColumn]:
    """Return the columns declared as unique, by the name of the column that holds the hash of their cells."""
    return {f"once{place}": each for place, each in enumerate(each for each in columns if each.is_unique)}


def _by(column: SourceColumn) -> str:
    return f" of the form {column.format}" if column.format else ""


def _needs_parsing(column: SourceColumn) -> bool:
    return column.raw != ENGINE_TYPES[column.type] and column.type is not ColumnType.TEXT


def _parsed(column: SourceColumn) -> str:
    cell = sql.name(column.name)
    wanted = ENGINE_TYPES[column.type]
    if column.raw == wanted:
        return cell
    if column.raw == "VARCHAR":
        return _from_text(cell, column)
    if column.type is ColumnType.TEXT:
        return f"CAST({cell} AS VARCHAR)"
    if column.type is ColumnType.DATETIME and column.raw == "TIMESTAMP WITH TIME ZONE":
        return f"{cell} AT TIME ZONE 'UTC'"
    return f"TRY_CAST({cell} AS {wanted})"


def _from_text(cell: str, column: SourceColumn) -> str:
    wanted = ENGINE_TYPES[column.type]
    if column.format and column.type in {ColumnType.DATE, ColumnType.DATETIME}:
        return f"CAST(try_strptime({cell}, {sql.text(column.format)}) AS {wanted})"
    if column.type is ColumnType.FLOAT:
        # The grammar has no word for NaN or infinity, and a number too large for a double is refused, not rounded.
        number = _guarded(cell, _FLOAT, wanted)
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    if column.type is ColumnType.BOOLEAN:
        return f"CASE lower({cell}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if column.type is ColumnType.DATETIME:
        zoned = f"TRY_CAST({cell} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
        bare = f"TRY_CAST({cell} AS TIMESTAMP)"
        return (
            f"CASE WHEN regexp_full_match({cell}, '{_DATE}[T ]{_CLOCK}{_ZONE}') THEN {zoned} "
            f"WHEN regexp_full_match({cell}, '{_DATE}([T ]{_CLOCK})?') THEN {bare} END"
        )
    grammar = _GRAMMARS.get(column.type)
    return cell if grammar is None else _guarded(cell, grammar, wanted)


def _guarded(cell: str, grammar: str, wanted: str) -> str:
    return f"CASE WHEN regexp_full_match({cell}, '{grammar}') THEN TRY_CAST({cell} AS {wanted}) END"
