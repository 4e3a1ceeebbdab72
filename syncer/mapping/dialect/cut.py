"""Text trimmed, cut to length and taken apart by place. SQL and Python side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from syncer.mapping.dialect.charset import SPACE, TRIM
from syncer.mapping.dialect.entry import Kind, Parameter, Type, Value, fill, text
from syncer.mapping.dialect.text import T, example, line, method, not_empty, not_negative

if TYPE_CHECKING:
    from sqlglot import exp


def _truncate(x: str, length: int, killwords: bool, end: str, leeway: int) -> str:  # noqa: FBT001 - Jinja's own order
    if len(x) <= length + leeway:
        return x
    start = x[: max(0, length - len(end))]
    return (start if killwords else start.rsplit(" ", 1)[0]) + end


def _truncate_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    length, leeway, end = cast("int", values["length"]), cast("int", values["leeway"]), str(values["end"])
    start = fill(f"left(:x, {max(0, length - len(end))})", at)
    if not values["killwords"]:
        start = fill(r"regexp_replace(:x, '(?s) [^ ]*$', '')", {"x": start})
    return fill(
        f"CASE WHEN length(:x) <= {length + leeway} THEN :x ELSE :start || :end END",
        {**at, "start": start, "end": text(end)},
    )


def _slice_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    start, stop = cast("int | None", values["start"]), cast("int | None", values["stop"])
    tree = at["x"]
    low = start or 0
    if low >= 0:
        if stop is not None and stop >= 0:
            return fill(f"substr(:x, {low + 1}, {max(0, stop - low)})", {"x": tree})
        tree = tree if stop is None else fill(f"left(:x, {stop})", {"x": tree})
        return fill(f"substr(:x, {low + 1})", {"x": tree}) if low else tree
    tree = fill(f"right(:x, {-low})", {"x": tree})
    return tree if stop is None else fill(f"left(:x, {min(stop, 0)})", {"x": tree})


def _at_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    index = cast("int", values["index"])
    if index >= 0:
        return fill(f"nullif(substr(:x, {index + 1}, 1), '')", at)
    return fill(f"CASE WHEN length(:x) >= {-index} THEN left(right(:x, {-index}), 1) END", at)


def _at(x: str, index: int) -> str | None:
    return x[index] if -len(x) <= index < len(x) else None


def _small(value: Value) -> str:
    return "" if isinstance(value, int) and 0 <= value <= LONGEST else f"It is a whole number from 0 to {LONGEST}."


LONGEST = 1_000
"""Zeros in front make no longer text than this."""
_CHARS = (Parameter("chars", T, is_literal=True, problem=not_empty),)
_PREFIX = (Parameter("prefix", T),)
_SUFFIX = (Parameter("suffix", T),)
_INDEX = (Parameter("index", (Type.INTEGER,), is_literal=True),)

_TRIM_ENTRY = line(
    "trim",
    sql=TRIM,
    python=str.strip,
    doc="Without white space at both ends; white space is what Unicode says it is.",
    examples=(example("{{ x | trim }}", "\u3000 Ada\t\n", "Ada"), example("{{ x | trim }}", None, None)),
)

FILTERS = (
    _TRIM_ENTRY,
    line(
        "first",
        sql="nullif(left(:x, 1), '')",
        python=lambda x: x[:1] or None,
        is_partial=True,
        doc="The first character; null for empty text.",
        examples=(example("{{ x | first }}", "Ada", "A"), example("{{ x | first }}", "", None)),
    ),
    line(
        "last",
        sql="nullif(right(:x, 1), '')",
        python=lambda x: x[-1:] or None,
        is_partial=True,
        doc="The last character; null for empty text.",
        examples=(example("{{ x | last }}", "Ada", "a"),),
    ),
    line(
        "truncate",
        parameters=(
            Parameter("length", (Type.INTEGER,), 255, is_literal=True, problem=not_negative),
            Parameter("killwords", (Type.BOOLEAN,), default=False, is_literal=True),
            Parameter("end", T, "...", is_literal=True),
            Parameter("leeway", (Type.INTEGER,), 5, is_literal=True, problem=not_negative),
        ),
        sql=_truncate_sql,
        python=_truncate,
        doc="Cut to `length` characters, `end` last, at a word unless `killwords`; up to `leeway` more stay whole.",
        examples=(
            example("{{ x | truncate(9, false, '...', 0) }}", "foo bar baz qux", "foo..."),
            example("{{ x | truncate(9, true, leeway=0) }}", "foo bar baz qux", "foo ba..."),
            example("{{ x | truncate(9) }}", "foo bar baz", "foo bar baz"),
        ),
    ),
)

METHODS = (
    line(
        "zfill",
        kind=Kind.METHOD,
        parameters=(Parameter("width", (Type.INTEGER,), is_literal=True, problem=_small),),
        sql="CASE WHEN length(:x) >= :width THEN :x WHEN left(:x, 1) IN ('+', '-') "
        "THEN left(:x, 1) || lpad(substr(:x, 2), CAST(:width AS INTEGER) - 1, '0') "
        "ELSE lpad(:x, CAST(:width AS INTEGER), '0') END",
        python=str.zfill,
        doc="With zeros in front, after a sign, until it has `width` characters.",
        examples=(
            example("{{ x.zfill(5) }}", "1067", "01067"),
            example("{{ x.zfill(5) }}", "-1", "-0001"),
            example("{{ x.zfill(2) }}", "1067", "1067"),
        ),
    ),
    method(_TRIM_ENTRY, "strip", "{{ x.strip() }}", " a ", "a"),
    method(_TRIM_ENTRY, "strip", "{{ x.strip() }}", " a ", "a"),
    line(
        "lstrip",
        kind=Kind.METHOD,
        sql=f"regexp_replace(:x, '^[{SPACE}]+', '')",
        python=str.lstrip,
        doc="Without white space at the start.",
        examples=(example("{{ x.lstrip() }}", " a ", "a "),),
    ),
    line(
        "rstrip",
        kind=Kind.METHOD,
        sql=f"regexp_replace(:x, '[{SPACE}]+$', '')",
        python=str.rstrip,
        doc="Without white space at the end.",
        examples=(example("{{ x.rstrip() }}", " a ", " a"),),
    ),
    line(
        "strip",
        kind=Kind.METHOD,
        parameters=_CHARS,
        sql="trim(:x, :chars)",
        python=str.strip,
        doc="Without any of these characters at both ends.",
        examples=(example("{{ x.strip('.-') }}", ".-a-b-.", "a-b"),),
    ),
    line(
        "lstrip",
        kind=Kind.METHOD,
        parameters=_CHARS,
        sql="ltrim(:x, :chars)",
        python=str.lstrip,
        doc="Without any of these characters at the start.",
        examples=(example("{{ x.lstrip('0') }}", "0070", "70"),),
    ),
    line(
        "rstrip",
        kind=Kind.METHOD,
        parameters=_CHARS,
        sql="rtrim(:x, :chars)",
        python=str.rstrip,
        doc="Without any of these characters at the end.",
        examples=(example("{{ x.rstrip('/') }}", "a/", "a"),),
    ),
    line(
        "removeprefix",
        kind=Kind.METHOD,
        parameters=_PREFIX,
        sql="CASE WHEN starts_with(:x, :prefix) THEN substr(:x, length(:prefix) + 1) ELSE :x END",
        python=str.removeprefix,
        doc="Without `prefix`, where the text begins with it.",
        examples=(example("{{ x.removeprefix('www.') }}", "www.a.de", "a.de"),),
    ),
    line(
        "removesuffix",
        kind=Kind.METHOD,
        parameters=_SUFFIX,
        sql="CASE WHEN ends_with(:x, :suffix) THEN left(:x, length(:x) - length(:suffix)) ELSE :x END",
        python=str.removesuffix,
        doc="Without `suffix`, where the text ends with it.",
        examples=(example("{{ x.removesuffix('.de') }}", "a.de", "a"),),
    ),
)

OPERATORS = (
    line(
        "[index]",
        kind=Kind.OPERATOR,
        parameters=_INDEX,
        sql=_at_sql,
        python=_at,
        is_partial=True,
        doc="One character, counted from 0, or from the end when negative; null where there is none.",
        examples=(
            example("{{ x[-1] }}", "Ada", "a"),
            example("{{ x[9] }}", "Ada", None),
            example("{{ x[0] }}", "é!", "é"),
        ),
    ),
    line(
        "[start:stop]",
        kind=Kind.OPERATOR,
        parameters=(
            Parameter("start", (Type.INTEGER,), None, is_literal=True),
            Parameter("stop", (Type.INTEGER,), None, is_literal=True),
        ),
        sql=_slice_sql,
        python=lambda x, start, stop: x[start:stop],
        doc="The characters from `start` up to `stop`; negative numbers count from the end.",
        examples=(
            example("{{ x[:2] }}", "Ada", "Ad"),
            example("{{ x[1:-1] }}", "Lovelace", "ovelac"),
            example("{{ x[-3:] }}", "Lovelace", "ace"),
            example("{{ x[-3:-1] }}", "Lovelace", "ac"),
        ),
    ),
)
