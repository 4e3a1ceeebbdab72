"""A text split into a list of parts, and what can be done with the list. SQL and Python side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from syncer.mapping.dialect.charset import SPACE
from syncer.mapping.dialect.entry import Entry, Kind, Parameter, Type, Value, fill
from syncer.mapping.dialect.text import T, example, line, method, not_empty

if TYPE_CHECKING:
    from sqlglot import exp


def _item_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    index = cast("int", values["index"])
    return fill(f"(:x)[{index + 1 if index >= 0 else index}]", at)


def _item(x: list[str], index: int) -> str | None:
    return x[index] if -len(x) <= index < len(x) else None


def _slice_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    start, stop = cast("int | None", values["start"]), cast("int | None", values["stop"])
    low = start or 0
    first = f"{low + 1}" if low >= 0 else f"greatest(len(:x) - {-low}, 0) + 1"
    last = "len(:x)" if stop is None else f"{stop}" if stop >= 0 else f"greatest(len(:x) - {-stop}, 0)"
    return fill(f"list_slice(:x, {first}, {last})", at)


_SEPARATOR = Parameter("separator", T, is_literal=True, problem=not_empty)
_INDEX = (Parameter("index", (Type.INTEGER,), is_literal=True),)

_SPLIT = line(
    "split",
    gives=Type.LIST,
    parameters=(_SEPARATOR,),
    sql="string_split(:x, :separator)",
    python=lambda x, separator: x.split(separator),
    doc="The parts between separators, as a list.",
    like_jinja=False,
    examples=(example("{{ (x | split(';'))[1] }}", "a;b", "b"), example("{{ x | split(';') | length }}", "", 1)),
)
_SPLIT_WORDS = line(
    "split",
    gives=Type.LIST,
    sql=f"list_filter(string_split_regex(:x, '[{SPACE}]+'), lambda w: w <> '')",
    python=lambda x: x.split(),
    doc="The words, split at white space.",
    like_jinja=False,
    examples=(example("{{ x | split | last }}", " Ada  King ", "King"), example("{{ x | split | length }}", " ", 0)),
)

FILTERS = (
    _SPLIT,
    _SPLIT_WORDS,
    Entry(
        Kind.FILTER,
        "length",
        Type.LIST,
        Type.INTEGER,
        len,
        "len(:x)",
        "How many parts.",
        examples=(example("{{ x.split(',') | length }}", "a,b", 2),),
    ),
    Entry(
        Kind.FILTER,
        "first",
        Type.LIST,
        Type.TEXT,
        lambda x: x[0] if x else None,
        "(:x)[1]",
        "The first part; null for an empty list.",
        is_partial=True,
        examples=(example("{{ x.split(',') | first }}", "a,b", "a"),),
    ),
    Entry(
        Kind.FILTER,
        "last",
        Type.LIST,
        Type.TEXT,
        lambda x: x[-1] if x else None,
        "(:x)[-1]",
        "The last part; null for an empty list.",
        is_partial=True,
        examples=(example("{{ x.split(',') | last }}", "a,b", "b"),),
    ),
    Entry(
        Kind.FILTER,
        "join",
        Type.LIST,
        Type.TEXT,
        lambda x, separator: separator.join(x),
        "array_to_string(:x, :separator)",
        "The parts put together with a separator between them.",
        parameters=(Parameter("separator", T, ""),),
        examples=(example("{{ x.split(',') | join('; ') }}", "a,b", "a; b"),),
    ),
)

METHODS = (
    method(_SPLIT, "", "{{ x.split(',')[0] }}", "a,b", "a"),
    method(_SPLIT_WORDS, "", "{{ x.split()[-1] }}", "a b", "b"),
    line(
        "join",
        kind=Kind.METHOD,
        parameters=(Parameter("parts", (Type.LIST,)),),
        sql="array_to_string(:parts, :x)",
        python=lambda x, parts: x.join(parts),
        doc="The parts put together with this text between them.",
        examples=(example("{{ ', '.join(x.split(';')) }}", "a;b", "a, b"),),
    ),
)

OPERATORS = (
    Entry(
        Kind.OPERATOR,
        "[index]",
        Type.LIST,
        Type.TEXT,
        _item,
        _item_sql,
        "One part, counted from 0, or from the end when negative; null where there is none.",
        parameters=_INDEX,
        is_partial=True,
        examples=(example("{{ x.split('@')[1] }}", "a@b", "b"), example("{{ x.split('@')[1] }}", "a", None)),
    ),
    Entry(
        Kind.OPERATOR,
        "[start:stop]",
        Type.LIST,
        Type.LIST,
        lambda x, start, stop: x[start:stop],
        _slice_sql,
        "The parts from `start` up to `stop`; negative numbers count from the end.",
        parameters=(
            Parameter("start", (Type.INTEGER,), None, is_literal=True),
            Parameter("stop", (Type.INTEGER,), None, is_literal=True),
        ),
        examples=(
            example("{{ x.split()[:-1] | join(' ') }}", "Ada Byron King", "Ada Byron"),
            example("{{ x.split()[1:] | join(' ') }}", "Ada", ""),
        ),
    ),
)
