"""CSV rows of staged records: their text, and how many bytes it takes.

A file of all fields without a word for emptying takes the staged text as it is; every other row is put together from
its cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.engine.wire import PARTS, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from syncer.capability import CsvFormat
    from syncer.engine.wire import Wire

_NEEDS_QUOTES = '",\n\r'


def frame_bytes(wire: Wire, form: CsvFormat) -> str:
    """Return, over the masks, the bytes to add to `csv_bytes` in this format: text of clears, columns left out."""
    terms = [str(len(_opening(form).encode()))] if form.constants else []
    for position, field in enumerate(wire.fields):
        if field.clears:
            cleared = 0 if form.clear_text is None else len(cell(form.clear_text).encode())
            terms.append(f"CASE WHEN {wire.carries(position)} THEN 0 ELSE {cleared} END")
        elif form.needs_uniform_shape:
            terms.append(f"CASE WHEN {wire.carries(position)} THEN 0 ELSE -1 END")
    return f"({sql.total(terms)})"


def records(wire: Wire, form: CsvFormat, fields: Sequence[str], rows: str) -> str:
    """Return the SELECT of staged rows with the row of the named columns, line end included, as `record`."""
    opening = f"{sql.text(_opening(form))} || " if form.constants else ""
    clears = [place for place, each in enumerate(wire.fields) if each.clears and form.clear_text is not None]
    if tuple(fields) != tuple(each.name for each in wire.ordered):
        as_staged = "false"
    elif clears:
        as_staged = f"({wire.carries_all(clears)})"
    else:
        return f"SELECT *, {opening}text || chr(10) AS record FROM {rows}"
    exact = ", ',', ".join(_cell(wire, form, name) for name in fields)
    text = f"{opening}CASE WHEN {as_staged} THEN text || chr(10) ELSE concat({exact}, chr(10)) END"
    return f"SELECT * EXCLUDE ({PARTS}), {text} AS record FROM ({wire.parted(rows, f'NOT {as_staged}')})"


def _cell(wire: Wire, form: CsvFormat, name: str) -> str:
    """Return the text of a cell; a part is empty where the value is null, which is what an empty cell is."""
    position = next(place for place, each in enumerate(wire.fields) if each.name == name)
    field, part = wire.fields[position], wire.part(name)
    written = f"CASE WHEN cells IS NULL THEN {part} ELSE {quoted(part)} END" if field.is_text else part
    if not field.clears or form.clear_text is None:
        return written
    return f"CASE WHEN {wire.carries(position)} THEN {written} ELSE {sql.text(cell(form.clear_text))} END"


def _opening(form: CsvFormat) -> str:
    """Return the cells that every row begins with."""
    return "".join(f"{cell(text)}," for _, text in form.constants)


def header(form: CsvFormat, fields: Iterable[str]) -> bytes:
    """Return the header line."""
    names = (*(name for name, _ in form.constants), *fields)
    return (",".join(cell(each) for each in names) + "\n").encode()


def cell(value: str) -> str:
    """Return one cell as RFC 4180 has it: quoted only where it must be."""
    return '"' + value.replace('"', '""') + '"' if any(each in value for each in _NEEDS_QUOTES) else value
