"""Parses declared source columns, and says of each row which cell first breaks its declaration, and how.

Hands on a SELECT of the typed columns with the number of that flaw; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import cell, sql
from syncer.manifest.models import ColumnType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncer.sources.protocol import SourceColumn

FLAW = " flaw"
"""Column with the number of the row's first flaw; no header can be called so, because padded headers are refused."""

_OTHERWISE = {
    ColumnType.DATETIME: (
        "V207",
        cell.MOMENT,
        "The cell has a time zone, and the column is declared as datetime, a time without one.",
    ),
    ColumnType.MOMENT: (
        "V208",
        cell.LOCAL,
        "The cell has no time zone, and the column is declared as moment, a time with one.",
    ),
}
"""What a cell of two types is instead, where it is told apart: code, grammar and reason."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a row is refused before or while it is mapped; `reason` holds no value."""

    code: str
    field: str
    reason: str


def select(
    relation: str, columns: Sequence[SourceColumn], *, may_hold_nul: bool, carried: Sequence[str] = ()
) -> tuple[str, tuple[Flaw, ...]]:
    """Return a SELECT of the typed columns, `FLAW` and what is `carried`, and the flaws by number, counted from 1."""
    typed = "".join(f"{cell.parsed(each)} AS {sql.name(each.name)}, " for each in columns)
    raw = "".join(f"{sql.name(each.name)} AS {sql.name(' raw:' + each.name)}, " for each in columns)
    flaws: list[Flaw] = []
    branches: list[str] = []
    for column in columns:
        given, value = sql.name(" raw:" + column.name), sql.name(column.name)
        if not cell.is_kept(column) and column.type is not ColumnType.TEXT:
            for other, is_bad in _other(column, given, value):
                flaws.append(other)
                branches.append(is_bad)
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
    kept = "".join(f"{sql.name(each.name)}, " for each in columns)
    once = "".join(
        f", CAST(md5_number(CAST({sql.name(' raw:' + each.name)} AS VARCHAR)) >> 64 AS UBIGINT) AS {name}"
        for name, each in unique(columns).items()
    )
    more = "".join(f", {sql.name(each)}" for each in carried)
    inner = f"SELECT {typed}{raw}1{more} FROM {relation}"
    return f"SELECT {kept}{flaw} AS {sql.name(FLAW)}{once}{more} FROM ({inner})", tuple(flaws)


def unique(columns: Sequence[SourceColumn]) -> dict[str, SourceColumn]:
    """Return the columns declared as unique, by the name of the column that holds the hash of their cells."""
    return {f"once{place}": each for place, each in enumerate(each for each in columns if each.is_unique)}


def _by(column: SourceColumn) -> str:
    return f" of the form {column.format}" if column.format else ""


def _other(column: SourceColumn, given: str, value: str) -> Iterator[tuple[Flaw, str]]:
    """Yield the flaw of a time that has a zone where none was declared, or none where one was."""
    if column.type not in _OTHERWISE or column.format:
        return
    code, grammar, reason = _OTHERWISE[column.type]
    is_zoned = column.type is ColumnType.DATETIME
    if column.raw == "VARCHAR":
        yield Flaw(code, column.name, reason), f"{value} IS NULL AND regexp_full_match({given}, '{grammar}')"
    elif (column.raw == cell.ZONED) is is_zoned and column.raw.startswith(("TIMESTAMP", "DATE")):
        yield Flaw(code, column.name, reason), f"{given} IS NOT NULL"
