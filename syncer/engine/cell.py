"""Reads one cell as its declared type: one stated grammar a type for text, and no value changed on the way.

Hands on SQL. What a type cannot hold as it stands is null here and a reject in `columns`: no digit is rounded off, no
time of day is dropped, and a time is never moved to a zone that nobody named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.manifest.models import ColumnType

if TYPE_CHECKING:
    from syncer.sources.protocol import SourceColumn

ENGINE_TYPES = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.DECIMAL: "DECIMAL(38, 18)",
    ColumnType.FLOAT: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMP",
    ColumnType.MOMENT: "TIMESTAMP",
}
"""How the engine holds a declared type; a moment is its time in UTC."""
ZONED = "TIMESTAMP WITH TIME ZONE"

_WHOLE = r"[+-]?[0-9]{1,19}"
_DECIMAL = r"[+-]?[0-9]{1,20}(\.[0-9]{1,18})?"
_FLOAT = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
# The engine's own reader takes 24:00 for the next day.
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_ZONE = r"(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])"
MOMENT = f"{_DATE}[T ]{_CLOCK}{_ZONE}"
LOCAL = f"{_DATE}([T ]{_CLOCK})?"

_GRAMMARS = {
    ColumnType.INTEGER: _WHOLE,
    ColumnType.DECIMAL: _DECIMAL,
    ColumnType.DATE: _DATE,
    ColumnType.DATETIME: LOCAL,
}
_FLOATS = ("FLOAT", "DOUBLE")


def is_kept(column: SourceColumn) -> bool:
    """Return whether the cell is taken as it comes: a moment's own type is the only one that two types share."""
    return column.raw == ENGINE_TYPES[column.type] and column.type is not ColumnType.MOMENT


def parsed(column: SourceColumn) -> str:
    """Return the cell as its declared type, null where it is none."""
    cell = sql.name(column.name)
    if is_kept(column):
        return cell
    if column.raw == "VARCHAR":
        return _from_text(cell, column)
    if column.type is ColumnType.TEXT:
        return _printed(cell, column.raw)
    return _from_value(cell, column.type, column.raw)


def _from_text(cell: str, column: SourceColumn) -> str:  # noqa: PLR0911 - one case for each type
    wanted = ENGINE_TYPES[column.type]
    match column.type:
        case ColumnType.MOMENT if column.format:
            return _in_utc(f"try_strptime({cell}, {sql.text(column.format)})")
        case ColumnType.MOMENT:
            return _in_utc(_guarded(cell, MOMENT, ZONED))
        case ColumnType.DATE | ColumnType.DATETIME:
            if column.format:
                return _of_our_era(f"CAST(try_strptime({cell}, {sql.text(column.format)}) AS {wanted})")
            return _of_our_era(_guarded(cell, _GRAMMARS[column.type], wanted))
        case ColumnType.FLOAT:
            # The grammar has no word for NaN or infinity, and a number too large for a double is refused, not rounded.
            number = _guarded(cell, _FLOAT, wanted)
            return f"CASE WHEN isfinite({number}) THEN {number} END"
        case ColumnType.BOOLEAN:
            return f"CASE lower({cell}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    return _guarded(cell, _GRAMMARS[column.type], wanted)


def _from_value(cell: str, kind: ColumnType, raw: str) -> str:  # noqa: PLR0911 - one case for each type
    """Return a value of the engine's own type as the declared one, null where something of it would be lost."""
    wanted = ENGINE_TYPES[kind]
    match kind:
        case ColumnType.MOMENT:
            return f"{cell} AT TIME ZONE 'UTC'" if raw == ZONED else f"CAST(NULL AS {wanted})"
        case ColumnType.DATE | ColumnType.DATETIME if raw == ZONED:
            return f"CAST(NULL AS {wanted})"
        case ColumnType.DATE if raw.startswith("TIMESTAMP"):
            return f"CASE WHEN {cell} = date_trunc('day', {cell}) THEN TRY_CAST({cell} AS DATE) END"
        case ColumnType.INTEGER if raw in _FLOATS or raw.startswith("DECIMAL"):
            return f"CASE WHEN {cell} = trunc({cell}) THEN TRY_CAST({cell} AS {wanted}) END"
        case ColumnType.DECIMAL if raw in _FLOATS:
            # The shortest digits that tell the number from its neighbours: 0.1 is 0.1.
            number = f"TRY_CAST(CAST({cell} AS VARCHAR) AS {wanted})"
            return (
                f"CASE WHEN abs({cell}) < CAST('1e20' AS DOUBLE) AND CAST({number} AS {raw}) = {cell} THEN {number} END"
            )
        case ColumnType.FLOAT if raw == "FLOAT":
            return f"CAST(CAST({cell} AS VARCHAR) AS {wanted})"
        case ColumnType.BOOLEAN:
            return f"CASE WHEN {cell} = 1 THEN true WHEN {cell} = 0 THEN false END"
    return f"TRY_CAST({cell} AS {wanted})"


def _printed(cell: str, raw: str) -> str:
    """Return a value as text; a moment as ISO 8601 in UTC, which every field of moments takes."""
    if raw != ZONED:
        return f"CAST({cell} AS VARCHAR)"
    local = f"CAST({cell} AT TIME ZONE 'UTC' AS VARCHAR)"
    return f"replace({local}, ' ', 'T') || 'Z'"


def _in_utc(moment: str) -> str:
    return _of_our_era(f"({moment}) AT TIME ZONE 'UTC'")


def _of_our_era(value: str) -> str:
    """Return a day of the years 1 to 9999; the engine has a year 0 and others that no vendor has."""
    return f"CASE WHEN year({value}) BETWEEN 1 AND 9999 THEN {value} END"


def _guarded(cell: str, grammar: str, wanted: str) -> str:
    return f"CASE WHEN regexp_full_match({cell}, '{grammar}') THEN TRY_CAST({cell} AS {wanted}) END"
