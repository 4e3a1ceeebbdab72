"""What is in a text, found and replaced, by word or by RE2 pattern. SQL and Python side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from syncer.mapping.dialect import regex
from syncer.mapping.dialect.entry import Kind, Parameter, Type, Value, fill
from syncer.mapping.dialect.text import T, example, line, method, not_empty, not_negative

if TYPE_CHECKING:
    from sqlglot import exp


def _replace(x: str, old: str, new: str) -> str:
    return x.replace(old, new) if old else x


def _search_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    return fill(f"CASE WHEN regexp_matches(:x, :pattern) THEN regexp_extract(:x, :pattern, {values['group']}) END", at)


_OLD_NEW = (Parameter("old", T), Parameter("new", T))
_PREFIX = (Parameter("prefix", T),)
_SUFFIX = (Parameter("suffix", T),)
_PATTERN = Parameter("pattern", T, is_literal=True, problem=regex.problem)

_REPLACE = line(
    "replace",
    parameters=_OLD_NEW,
    sql="replace(:x, :old, :new)",
    python=_replace,
    doc="Every `old` replaced by `new`; an empty `old` changes nothing.",
    like_jinja=False,
    examples=(
        example("{{ x | replace('-', '') }}", "1-2-3", "123"),
        example("{{ x | replace('', 'z') }}", "ab", "ab"),
    ),
)

FILTERS = (
    _REPLACE,
    line(
        "regex_replace",
        parameters=(_PATTERN, Parameter("replacement", T, is_literal=True, problem=regex.replacement_problem)),
        sql="regexp_replace(:x, :pattern, :replacement, 'g')",
        python=regex.replace,
        doc=r"Every match of an RE2 pattern replaced; `\1` is a group, `\0` the match.",
        like_jinja=False,
        examples=(
            example(r"{{ x | regex_replace('[^0-9]', '') }}", "+49 (30) 1", "49301"),
            example(r"{{ x | regex_replace('(\\w+) (\\w+)', '\\2 \\1') }}", "Ada King", "King Ada"),
            example(r"{{ x | regex_replace('x*', '-') }}", "abxd", "-a-b-d-"),
        ),
    ),
    line(
        "regex_search",
        parameters=(_PATTERN, Parameter("group", (Type.INTEGER,), 0, is_literal=True, problem=not_negative)),
        sql=_search_sql,
        python=regex.search,
        is_partial=True,
        doc="The first match of an RE2 pattern, or one group of it; null where nothing matches.",
        like_jinja=False,
        examples=(
            example(r"{{ x | regex_search('@(.+)$', 1) }}", "a@b.com", "b.com"),
            example(r"{{ x | regex_search('[0-9]+') }}", "none", None),
        ),
    ),
)

METHODS = (
    method(_REPLACE, "", "{{ x.replace('a', 'b') }}", "aa", "bb"),
    line(
        "startswith",
        kind=Kind.METHOD,
        gives=Type.BOOLEAN,
        parameters=_PREFIX,
        sql="starts_with(:x, :prefix)",
        python=str.startswith,
        doc="Whether the text begins with `prefix`.",
        examples=(example("{{ x.startswith('A') }}", "Ada", value=True),),
    ),
    line(
        "endswith",
        kind=Kind.METHOD,
        gives=Type.BOOLEAN,
        parameters=_SUFFIX,
        sql="ends_with(:x, :suffix)",
        python=str.endswith,
        doc="Whether the text ends with `suffix`.",
        examples=(example("{{ x.endswith('a') }}", "Ada", value=True),),
    ),
    line(
        "isdigit",
        kind=Kind.METHOD,
        gives=Type.BOOLEAN,
        sql="regexp_full_match(:x, '[0-9]+')",
        python=lambda x: x.isascii() and x.isdigit(),
        doc="Whether the text is digits from 0 to 9 and nothing else.",
        like_jinja=False,
        examples=(
            example("{{ x.isdigit() }}", "0042", value=True),
            example("{{ x.isdigit() }}", "-1", value=False),
            example("{{ x.isdigit() }}", "", value=False),
            example("{{ x.isdigit() }}", "٣", value=False),
        ),
    ),
    line(
        "count",
        kind=Kind.METHOD,
        gives=Type.INTEGER,
        parameters=(Parameter("part", T, is_literal=True, problem=not_empty),),
        sql="len(string_split(:x, :part)) - 1",
        python=str.count,
        doc="How often `part` stands in the text, side by side.",
        examples=(example("{{ x.count('@') }}", "a@b@c", 2),),
    ),
)
