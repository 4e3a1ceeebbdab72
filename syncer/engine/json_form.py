"""JSON objects of staged records: their text, and how many bytes it takes.

Both stand side by side because they must agree to the byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import sql
from syncer.engine.wire import PARTS

if TYPE_CHECKING:
    from syncer.capability import JsonFormat
    from syncer.engine.wire import Wire, WireField


def escaped_bytes(wire: Wire, joined: str) -> str:
    """Return the bytes of all cells with their escapes, counted over the joined text at once."""
    return f"strlen(CAST(to_json({joined}) AS VARCHAR)) - {2 + len(wire.fields) - 1}"


def frame_bytes(wire: Wire, form: JsonFormat) -> str:
    """Return, over the masks, what a record takes beside `escaped_bytes`, its trailing comma included."""
    constants = _constants(form)
    terms = []
    for position, field in enumerate(wire.fields):
        member = _member(field.name, form)
        there = len((member.before + member.after).encode()) + 1 + (2 if field.is_text else 0)
        without = len(member.null.encode()) + 1 if field.clears else 0
        terms.append(f"CASE WHEN {wire.carries(position)} THEN {there} ELSE {without} END")
    members = f"({sql.total(terms)})"
    # Each member is counted with a comma. The record is "{…},": what is missing are braces, and a comma that
    # stands behind the record or before the first member, but not in both places.
    if constants:
        return f"{members} + {len(constants.encode()) + 3}"
    return f"{members} + CASE WHEN {members} > 0 THEN 2 ELSE 3 END"


def records(wire: Wire, form: JsonFormat, rows: str) -> str:
    """Return the SELECT of staged rows with their JSON object and a comma as `record`."""
    constants = _constants(form)
    # A record that has every field and nothing to escape, as its sizes tell, is put together in one step.
    is_bare = f"{wire.needs_no_quotes} AND json_bytes + {len(wire.fields)} = csv_bytes AND {wire.is_full}"
    text = f"CASE WHEN {is_bare} THEN {_bare(wire, form, constants)} ELSE {_exact(wire, form, constants)} END"
    return f"SELECT * EXCLUDE ({PARTS}), {text} AS record FROM ({wire.parted(rows)})"


def _exact(wire: Wire, form: JsonFormat, constants: str) -> str:
    members = [sql.text(constants)] if constants else []
    for position, each in enumerate(wire.fields):
        part, member = wire.part(each.name), _member(each.name, form)
        value = f"CAST(to_json({part}) AS VARCHAR)" if each.is_text else part
        after = f" || {sql.text(member.after)}" if member.after else ""
        otherwise = f" ELSE {sql.text(member.null)}" if each.clears else ""
        members.append(
            f"CASE WHEN {wire.carries(position)} THEN {sql.text(member.before)} || {value}{after}{otherwise} END"
        )
    return f"'{{' || concat_ws(',', {', '.join(members)}) || '}},'"


def _bare(wire: Wire, form: JsonFormat, constants: str) -> str:
    parts, before = [], f"{{{constants}," if constants else "{"
    for each in wire.fields:
        mark, member = _mark(each), _member(each.name, form)
        parts += [sql.text(before + member.before + mark), wire.part(each.name)]
        before = f"{mark}{member.after},"
    return f"concat({', '.join(parts)}, {sql.text(before[:-1] + '},')})"


@dataclass(frozen=True, slots=True)
class _Member:
    """What stands before and after a member's value, and the member without one."""

    before: str
    after: str
    null: str


def _member(field: str, form: JsonFormat) -> _Member:
    parent, dot, name = field.partition(".")
    if not (form.nests and dot):
        return _Member(_name(field), "", f"{_name(field)}null")
    return _Member(f"{_name(parent)}{{{_name(name)}", "}", f"{_name(parent)}null")


def _mark(field: WireField) -> str:
    return '"' if field.is_text else ""


def _name(field: str) -> str:
    return json.dumps(field, ensure_ascii=False) + ":"


def _constants(form: JsonFormat) -> str:
    return ",".join(_name(name) + value for name, value in form.constants)
