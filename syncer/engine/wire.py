"""How one record is staged: its mask, and its cells, as one text that is a CSV row already, or each on its own.

One text is hashed, written and sent in a quarter of the time of a dozen columns; where no path takes files, columns are
what JSON is made of fastest.
A null is left out (`omit`) or emptied (`clear`); which of the two is a property of the field, so a record's form
follows from the set of fields it carries: its mask. Cells are the same characters in JSON and in CSV. Texts of records
are `json_form`'s and `csv_form`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.mapping.pipeline import conformed

if TYPE_CHECKING:
    from collections.abc import Iterable

NUL = "chr(0)"
"""Between cells of a record that is no plain row of a CSV file; no cell can hold it, such rows are refused."""
BITS = 60
"""Fields in one mask column."""
PARTS = "parts"
"""The list of a record's cells, by `ordered`."""


@dataclass(frozen=True, slots=True)
class WireField:
    """One target field in mapping order; `engine_type` is DuckDB's type of the conformed column."""

    name: str
    engine_type: str
    clears: bool

    @property
    def is_text(self) -> bool:
        """Whether the value is quoted in JSON."""
        return self.engine_type == "VARCHAR"

    @property
    def cell(self) -> str:
        """The value as text, null where it is null: the same characters in JSON and in CSV."""
        column = sql.name(conformed(self.name))
        if self.is_text:
            return column
        if self.engine_type == "DOUBLE":
            return f"CAST(to_json({column}) AS VARCHAR)"
        return f"CAST({column} AS VARCHAR)"


@dataclass(frozen=True, slots=True)
class Wire:
    """All fields of an operation, in mapping order. `has_columns` says that cells are staged each on its own."""

    fields: tuple[WireField, ...]
    has_columns: bool = False

    @property
    def staged(self) -> str:
        """The columns that hold the cells."""
        return f"{self._columns}, is_plain" if self.has_columns else "text, cells"

    @property
    def needs_no_quotes(self) -> str:
        """The condition, over staged rows, that no cell needs quotes in a CSV file."""
        return "is_plain" if self.has_columns else "cells IS NULL"

    @property
    def _columns(self) -> str:
        return sql.names(conformed(each.name) for each in self.fields)

    @property
    def ordered(self) -> tuple[WireField, ...]:
        """The fields by name, as cells stand in the staged text: a mapping's order says nothing."""
        return tuple(sorted(self.fields, key=lambda each: each.name))

    @property
    def masks(self) -> tuple[str, ...]:
        """The mask columns."""
        return tuple(f"mask{number}" for number in range((len(self.fields) - 1) // BITS + 1))

    @property
    def is_full(self) -> str:
        """The condition that the record carries every field."""
        return self.carries_all(range(len(self.fields)))

    def carries(self, position: int) -> str:
        """Return the condition that the record carries a value for the field at `position`."""
        return f"({self.masks[position // BITS]} & {1 << position % BITS}) <> 0"

    def carries_all(self, positions: range | list[int]) -> str:
        """Return the condition that the record carries values for all of these fields."""
        wanted = [0] * len(self.masks)
        for position in positions:
            wanted[position // BITS] |= 1 << position % BITS
        return " AND ".join(f"({name} & {bits}) = {bits}" for name, bits in zip(self.masks, wanted, strict=True))

    def mask(self, number: int) -> str:
        """Return the expression of mask column `number`."""
        part = self.fields[number * BITS : (number + 1) * BITS]
        return sql.total(
            f"CASE WHEN {sql.name(conformed(each.name))} IS NULL THEN 0 ELSE {1 << bit} END"
            for bit, each in enumerate(part)
        )

    # Writing: one text for what is hashed, measured, staged and sent.

    def joined(self) -> str:
        """Return all cells as one text, nulls empty, with commas between."""
        return _concatenated("','", (each.cell for each in self.ordered))

    def is_plain(self, joined: str) -> str:
        """Return the condition that no cell needs quotes."""
        found = [f"contains({joined}, {each})" for each in ("'\"'", "chr(10)", "chr(13)")]
        found += [f"contains({each.cell}, ',')" for each in self.ordered if each.is_text]
        return f"NOT coalesce({' OR '.join(found)}, false)"

    def text(self, joined: str, is_plain: str) -> str:
        """Return the record as a row of a CSV file, without its line end."""
        exact = _concatenated("','", (quoted(each.cell) if each.is_text else each.cell for each in self.ordered))
        return f"CASE WHEN {is_plain} THEN {joined} ELSE {exact} END"

    def cells(self, is_plain: str) -> str:
        """Return the cells of a record that is no plain row, to be told apart; null for one that is."""
        return f"CASE WHEN NOT {is_plain} THEN {_concatenated(NUL, (each.cell for each in self.ordered))} END"

    # Reading: staged columns become cells and values again.

    def part(self, name: str) -> str:
        """Return the text of a field's cell, empty or null where it is null."""
        if self.has_columns:
            return next(each.cell for each in self.fields if each.name == name)
        return f"{PARTS}[{[each.name for each in self.ordered].index(name) + 1}]"

    def parted(self, rows: str, where: str = "true") -> str:
        """Return the SELECT that adds `PARTS` to staged rows; only where it is wanted: it costs more than reading."""
        if self.has_columns:
            return f"SELECT *, NULL AS {PARTS} FROM {rows}"
        parts = f"CASE WHEN cells IS NULL THEN string_split(text, ',') ELSE string_split(cells, {NUL}) END"
        return f"SELECT *, CASE WHEN {where} THEN {parts} END AS {PARTS} FROM {rows}"

    def values(self, rows: str) -> str:
        """Return the SELECT that adds the `f:` columns to staged rows, in their types."""
        if self.has_columns:
            return f"SELECT * FROM {rows}"
        columns = ", ".join(
            f"CAST(CASE WHEN {self.carries(position)} THEN {self.part(each.name)} END AS {each.engine_type}) "
            f"AS {sql.name(conformed(each.name))}"
            for position, each in enumerate(self.fields)
        )
        return f"SELECT * EXCLUDE ({PARTS}), {columns} FROM ({self.parted(rows)})"


def _concatenated(between: str, cells: Iterable[str]) -> str:
    """Return the text of all cells; `concat` takes a null for nothing, which is what an empty cell is."""
    return f"concat({f', {between}, '.join(cells)})"


def quoted(cell: str) -> str:
    """Return the cell as RFC 4180 has it: quoted only where it must be."""
    needs = " OR ".join(f"contains({cell}, {each})" for each in ("'\"'", "','", "chr(10)", "chr(13)"))
    escaped = f"""'"' || replace({cell}, '"', '""') || '"'"""
    return f"CASE WHEN {needs} THEN {escaped} ELSE {cell} END"
