"""Builds the one statement that takes an operation's source rows to staged records.

Layers as in `mapping/pipeline.py`, each a SELECT over the one before: typed source columns, `m:` values, `f:` values,
then the first flaw of the row, its key hash, its row hash, its mask and its sizes. Text in, text out: nothing runs
here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine import json_form, sql
from syncer.engine.columns import FLAW, Flaw
from syncer.engine.wire import NUL, Wire
from syncer.mapping.pipeline import conformed, mapped, unread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.mapping.pipeline import Pipeline

KEY = "kh_high, kh_low"
"""The 128-bit key hash as two unsigned 64-bit columns: Parquet has no wider integer. The first one is the lane."""


@dataclass(frozen=True, slots=True)
class KeyField:
    """One field of the key; `canonical` is SQL over its `f:` column of `engine_type`."""

    field: str
    engine_type: str
    canonical: str


@dataclass(frozen=True, slots=True)
class Key:
    """How keys are hashed: the key space as salt, and the parts in order."""

    space: str
    parts: tuple[KeyField, ...]


def conform(pipeline: Pipeline, typed: str, carried: str = "") -> str:
    """Return the SELECT of `m:` and `f:` columns over the typed source; `carried` columns pass through."""
    kept = f", {carried}" if carried else ""
    values = ", ".join(f"{sql.tree(each.value)} AS {sql.name(mapped(each.name))}" for each in pipeline.fields)
    # First, and outside any CASE, so that the engine finds the conversions again in the values and makes them once.
    asked = "".join(f", {sql.tree(f.unread)} AS {sql.name(unread(f.name))}" for f in pipeline.fields if f.unread)
    forms = ", ".join(f"{sql.tree(each.conform)} AS {sql.name(conformed(each.name))}" for each in pipeline.fields)
    first = f"SELECT {sql.name(FLAW)}{kept}{asked}, {values} FROM ({typed})"
    return f"SELECT *, {forms} FROM ({first})"


def draw(pipeline: Pipeline, wire: Wire, conformed_rows: str) -> str:
    """Return the SELECT that adds what is looked at more than once: key parts, all cells as one text, masks."""
    parts = ", ".join(f"nullif({sql.tree(each.canonical)}, '') AS {_part(at)}" for at, each in enumerate(pipeline.key))
    masks = ", ".join(f"{wire.mask(number)} AS {name}" for number, name in enumerate(wire.masks))
    return f"SELECT *, {parts}, {wire.joined()} AS joined, {masks} FROM ({conformed_rows})"


def judge(
    pipeline: Pipeline, wire: Wire, drawn_rows: str, clear_texts: frozenset[str], earlier: tuple[Flaw, ...]
) -> tuple[str, tuple[Flaw, ...]]:
    """Return the SELECT that adds the number of the row's first flaw, and all flaws by number, counted from 1."""
    flaws = list(earlier)
    branches = [f"{sql.name(FLAW)} > 0 THEN {sql.name(FLAW)}"]
    for check in pipeline.checks:
        flaws.append(Flaw(check.code, check.field, check.reason))
        branches.append(f"{sql.tree(check.is_bad)} THEN {len(flaws)}")
    for text in sorted(clear_texts):
        reason = f"The text is {text}, which the target takes as an order to empty the field."
        found = f"contains(joined, {sql.text(text)})"
        for field in wire.fields:
            if field.is_text:
                flaws.append(Flaw("V114", field.name, reason))
                branches.append(f"{found} AND {sql.name(conformed(field.name))} = {sql.text(text)} THEN {len(flaws)}")
    for at, part in enumerate(pipeline.key):
        flaws.append(Flaw("V210", part.field, "The key is blank."))
        branches.append(f"{_part(at)} IS NULL THEN {len(flaws)}")
    whens = " ".join(f"WHEN {each}" for each in branches)
    return f"SELECT *, CAST(CASE {whens} ELSE 0 END AS SMALLINT) AS flaw FROM ({drawn_rows})", tuple(flaws)


def measure(pipeline: Pipeline, wire: Wire, judged_rows: str, *, with_json: bool, carried: str = "") -> str:
    """Return the SELECT of what is staged: `carried`, flaw, hashes, masks, sizes and the record as text.

    The size as JSON is taken only where some format asks for it; that of the staged text costs nothing.
    """
    kept = f"{carried}, " if carried else ""
    masks = ", ".join(wire.masks)
    kh = _hash(pipeline.key_space, [_part(at) for at in range(len(pipeline.key))])
    told = f"SELECT *, {kh} AS kh, {wire.is_plain('joined')} AS is_plain FROM ({judged_rows})"
    written = f"SELECT *, {wire.text('joined', 'is_plain')} AS text, {wire.cells('is_plain')} AS cells FROM ({told})"
    json_bytes = json_form.escaped_bytes(wire, "joined") if with_json else "0"
    return (
        f"SELECT {kept}flaw, {halves('kh')}, {row_hash(wire)} AS rh, {masks}, "
        f"CAST({json_bytes} AS BIGINT) AS json_bytes, strlen(text) + 1 AS csv_bytes, {wire.staged} FROM ({written})"
    )


def row_hash(wire: Wire) -> str:
    """Return the 64-bit hash of what a record says: its cells, which of them are null, and what nulls mean.

    A row of a CSV file tells every cell from the next. The masks tell a null from an empty text, the form tells leaving
    alone from emptying; both are folded in beside the hash of the text, because putting them into it would copy every
    record once more.
    """
    form = int.from_bytes(hashlib.md5(_form(wire).encode(), usedforsecurity=False).digest()[:8], "big")
    hashed = "CAST(md5_number(text) >> 64 AS UBIGINT)"
    for number, mask in enumerate(wire.masks):
        hashed = f"xor({hashed}, CAST({mask} AS UBIGINT) << {number % 4})"
    return f"xor({hashed}, {form}::UBIGINT)"


def key(pipeline: Pipeline, wire: Wire) -> Key:
    """Return how the operation's keys are hashed."""
    types = {each.name: each.engine_type for each in wire.fields}
    parts = tuple(KeyField(each.field, types[each.field], sql.tree(each.canonical)) for each in pipeline.key)
    return Key(pipeline.key_space, parts)


def key_hash(key: Key) -> str:
    """Return the 128-bit hash of the canonical key over `f:` columns, null where a part is blank."""
    return _hash(key.space, [f"nullif({each.canonical}, '')" for each in key.parts])


def _hash(space: str, parts: Sequence[str]) -> str:
    *others, last = parts
    pieces = [sql.text(space), NUL]
    for part in others:
        pieces += [f"strlen({part})", "':'", part]
    present = " AND ".join(f"{each} IS NOT NULL" for each in parts)
    return f"CASE WHEN {present} THEN md5_number(concat({', '.join((*pieces, last))})) END"


def _part(at: int) -> str:
    return sql.name(f"k:{at}")


def halves(kh: str) -> str:
    """Return the two columns of a 128-bit hash."""
    low = f"CAST({kh} & 18446744073709551615::UHUGEINT AS UBIGINT)"
    return f"CAST({kh} >> 64 AS UBIGINT) AS kh_high, {low} AS kh_low"


def _form(wire: Wire) -> str:
    """What a row hash depends on besides values: the fields, and what their nulls do."""
    return ",".join(
        f"{each.name}{'!' if each.clears else ''}" for each in sorted(wire.fields, key=lambda each: each.name)
    )
