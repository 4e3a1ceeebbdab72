"""How one record is written: the SQL for its cells, its JSON object, its CSV row, and how many bytes these take.

Lengths and texts stand side by side because they must agree to the byte. A null is left out (`omit`) or emptied
(`clear`); which of the two is a property of the field, so a record's form follows from the set of fields it carries:
its mask.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.mapping.pipeline import conformed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncer.facts import CsvFormat, JsonFormat

SEPARATOR = "chr(0)"
"""Between cells when a row is measured or hashed; no cell can hold it, such rows are refused."""
BITS = 60
"""Fields in one mask column."""


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

    @property
    def member(self) -> str:
        """The JSON member, null where the value is null."""
        value = f"CAST(to_json({self.cell}) AS VARCHAR)" if self.is_text else self.cell
        return f"{sql.text(_json_name(self.name))} || {value}"


@dataclass(frozen=True, slots=True)
class Wire:
    """All fields of an operation, in mapping order."""

    fields: tuple[WireField, ...]

    @property
    def masks(self) -> tuple[str, ...]:
        """The mask columns."""
        return tuple(f"mask{number}" for number in range((len(self.fields) - 1) // BITS + 1))

    def carries(self, position: int) -> str:
        """Return the condition that the record carries a value for the field at `position`."""
        return f"({self.masks[position // BITS]} & {1 << position % BITS}) <> 0"

    def mask(self, number: int) -> str:
        """Return the expression of mask column `number`."""
        part = self.fields[number * BITS : (number + 1) * BITS]
        return sql.total(
            f"CASE WHEN {sql.name(conformed(each.name))} IS NULL THEN 0 ELSE {1 << bit} END"
            for bit, each in enumerate(part)
        )

    def joined(self) -> str:
        """Return all cells as one text, nulls empty, by field name: a mapping's order says nothing."""
        ordered = sorted(self.fields, key=lambda each: each.name)
        return f"concat({f', {SEPARATOR}, '.join(each.cell for each in ordered)})"

    # JSON: escapes are counted over the joined text at once, the rest follows from the mask.

    def escaped_bytes(self, joined: str) -> str:
        """Return the bytes of all cells with their JSON escapes."""
        separators = (len(self.fields) - 1) * len("\\u0000")
        return f"strlen(CAST(to_json({joined}) AS VARCHAR)) - {2 + separators}"

    def json_frame_bytes(self, form: JsonFormat) -> str:
        """Return, over the masks, what a record takes beside `escaped_bytes`, its trailing comma included."""
        constants = _constants(form)
        terms = []
        for position, field in enumerate(self.fields):
            name_bytes = len(_json_name(field.name).encode()) + 1
            there = name_bytes + (2 if field.is_text else 0)
            terms.append(
                f"CASE WHEN {self.carries(position)} THEN {there} ELSE {name_bytes + 4 if field.clears else 0} END"
            )
        members = f"({sql.total(terms)})"
        # Each member is counted with a comma. The record is "{…},": what is missing are braces, and a comma that
        # stands behind the record or before the first member, but not in both places.
        if constants:
            return f"{members} + {len(constants.encode()) + 3}"
        return f"{members} + CASE WHEN {members} > 0 THEN 2 ELSE 3 END"

    def json_record(self, form: JsonFormat) -> str:
        """Return the record's JSON object and a comma."""
        constants = _constants(form)
        members = [
            f"coalesce({each.member}, {sql.text(_json_name(each.name) + 'null')})" if each.clears else each.member
            for each in self.fields
        ]
        if constants:
            members.insert(0, sql.text(constants))
        exact = f"'{{' || concat_ws(',', {', '.join(members)}) || '}},'"
        # A record that has every field and nothing to escape, as its sizes tell, is put together in one step.
        is_full = " AND ".join(
            f"{name} = {(1 << len(self.fields[number * BITS : (number + 1) * BITS])) - 1}"
            for number, name in enumerate(self.masks)
        )
        is_bare = f"is_plain AND json_bytes + {len(self.fields)} = csv_bytes AND {is_full}"
        return f"CASE WHEN {is_bare} THEN {self._bare(constants)} ELSE {exact} END"

    def _bare(self, constants: str) -> str:
        """Return the JSON object of a record that has every field, with no escapes."""
        parts, before = [], f"{{{constants}," if constants else "{"
        for each in self.fields:
            mark = '"' if each.is_text else ""
            parts += [sql.text(before + _json_name(each.name) + mark), each.cell]
            before = f"{mark},"
        return f"concat({', '.join(parts)}, {sql.text(before[:-1] + '},')})"

    # CSV: a row without a character that needs quoting is as long as its joined cells.

    def is_plain(self, joined: str) -> str:
        """Return the condition that no cell needs quotes."""
        return f"NOT ({_needs_quotes(joined)})"

    def csv_bytes(self, joined: str, is_plain: str) -> str:
        """Return the bytes of a row of all fields, nulls empty, line end included."""
        exact = sql.total(f"coalesce(strlen({_quoted(each.cell)}), 0)" for each in self.fields)
        return f"CASE WHEN {is_plain} THEN strlen({joined}) + 1 ELSE {exact} + {len(self.fields)} END"

    def csv_frame_bytes(self, form: CsvFormat) -> str:
        """Return, over the masks, the bytes to add to `csv_bytes` in this format: text of clears, columns left out."""
        terms = []
        for position, field in enumerate(self.fields):
            if field.clears:
                cleared = 0 if form.clear_text is None else len(csv_cell(form.clear_text).encode())
                terms.append(f"CASE WHEN {self.carries(position)} THEN 0 ELSE {cleared} END")
            elif form.needs_uniform_shape:
                terms.append(f"CASE WHEN {self.carries(position)} THEN 0 ELSE -1 END")
        return f"({sql.total(terms)})"

    def csv_record(self, form: CsvFormat, fields: Iterable[str]) -> str:
        """Return the row of the named columns, line end included."""
        chosen = set(fields)
        columns = [each for each in self.fields if each.name in chosen]
        plain = ", ',', ".join(_cell(each, each.cell, form) for each in columns)
        exact = ", ',', ".join(_cell(each, _quoted(each.cell), form) for each in columns)
        return f"CASE WHEN is_plain THEN concat({plain}, chr(10)) ELSE concat({exact}, chr(10)) END"


def _cell(field: WireField, text: str, form: CsvFormat) -> str:
    """Return the text of a cell; `concat` takes a null for nothing, which is what an empty cell is."""
    if not field.clears or form.clear_text is None:
        return text
    return f"coalesce({text}, {sql.text(csv_cell(form.clear_text))})"


def csv_header(fields: Iterable[str]) -> bytes:
    """Return the header line."""
    return (",".join(csv_cell(each) for each in fields) + "\n").encode()


def csv_cell(value: str) -> str:
    """Return one cell as RFC 4180 has it: quoted only where it must be."""
    return '"' + value.replace('"', '""') + '"' if any(each in value for each in '",\n\r') else value


def _json_name(field: str) -> str:
    return json.dumps(field, ensure_ascii=False) + ":"


def _constants(form: JsonFormat) -> str:
    return ",".join(_json_name(name) + value for name, value in form.constants)


def _needs_quotes(cell: str) -> str:
    return " OR ".join(f"contains({cell}, {each})" for each in ("'\"'", "','", "chr(10)", "chr(13)"))


def _quoted(cell: str) -> str:
    escaped = f"""'"' || replace({cell}, '"', '""') || '"'"""
    return f"CASE WHEN {_needs_quotes(cell)} THEN {escaped} ELSE {cell} END"
