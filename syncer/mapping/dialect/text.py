"""Text: case, trimming, cutting, replacing, searching, lists of parts. SQL and Python side by side."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import cast

from sqlglot import exp

from syncer.mapping.dialect import regex
from syncer.mapping.dialect.charset import SPACE, TRIM
from syncer.mapping.dialect.entry import Entry, Example, Kind, Parameter, Type, Value, fill, text

_T = (Type.TEXT,)


def _example(template: str, x: Value, value: Value) -> Example:
    return Example(template, {"x": x}, value)


def _not_empty(value: Value) -> str:
    return "" if value else "It must not be empty."


def _not_negative(value: Value) -> str:
    return "" if isinstance(value, int) and value >= 0 else "It must not be negative."


def _digest(value: Value) -> str:
    return "" if value in ("md5", "sha256") else 'It is "sha256" or "md5".'


def _replace(x: str, old: str, new: str) -> str:
    return x.replace(old, new) if old else x


def _capitalize(x: str) -> str:
    return x[:1].upper() + x[1:].lower()


_WORDS = re.compile(r"([-\s({\[<]+)")


def _title(x: str) -> str:
    return "".join(each[0].upper() + each[1:].lower() for each in _WORDS.split(x) if each)


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


def _item_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    index = cast("int", values["index"])
    return fill(f"(:x)[{index + 1 if index >= 0 else index}]", at)


def _at(x: str | list[str], index: int) -> str | None:
    return x[index] if -len(x) <= index < len(x) else None


def _search_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    return fill(f"CASE WHEN regexp_matches(:x, :pattern) THEN regexp_extract(:x, :pattern, {values['group']}) END", at)


def _hash(x: str, digest: str) -> str:
    return hashlib.new(digest, x.encode(), usedforsecurity=False).hexdigest()


def _text(name: str, **members: object) -> Entry:
    return Entry(**{"kind": Kind.FILTER, "name": name, "takes": Type.TEXT, "gives": Type.TEXT, **members})  # type: ignore[arg-type]


_CHARS = (Parameter("chars", _T, is_literal=True, problem=_not_empty),)
_OLD_NEW = (Parameter("old", _T), Parameter("new", _T))
_PREFIX = (Parameter("prefix", _T),)
_SUFFIX = (Parameter("suffix", _T),)
_PATTERN = Parameter("pattern", _T, is_literal=True, problem=regex.problem)
_SEPARATOR = Parameter("separator", _T, is_literal=True, problem=_not_empty)
_INDEX = (Parameter("index", (Type.INTEGER,), is_literal=True),)

_TRIM_ENTRY = _text(
    "trim",
    sql=TRIM,
    python=str.strip,
    doc="Without white space at both ends; white space is what Unicode says it is.",
    examples=(_example("{{ x | trim }}", "\u3000 Ada\t\n", "Ada"), _example("{{ x | trim }}", None, None)),
)
_LOWER = _text(
    "lower",
    sql="syncer_lower(:x)",
    ascii_sql="lower(:x)",
    python=str.lower,
    doc="In lower case.",
    examples=(_example("{{ x | lower }}", "ΟΔΟΣ İ", "οδος i̇"),),
)
_UPPER = _text(
    "upper",
    sql="syncer_upper(:x)",
    ascii_sql="upper(:x)",
    python=str.upper,
    doc="In upper case.",
    examples=(_example("{{ x | upper }}", "straße", "STRASSE"),),
)
_TITLE_SQL = (
    "array_to_string(list_transform(regexp_extract_all(:x, '[{0}({{\\[<-]+|[^{0}({{\\[<-]+'), "
    "lambda w: concat({1}upper(left(w, 1)), {1}lower(substr(w, 2)))), '')"
)
_TITLE = _text(
    "title",
    sql=_TITLE_SQL.format(SPACE, "syncer_"),
    ascii_sql=_TITLE_SQL.format(SPACE, ""),
    python=_title,
    doc="Each word with a capital first letter and the rest small; words end at white space and `- ( { [ <`.",
    examples=(_example("{{ x | title }}", "ada o'NEIL-smith", "Ada O'neil-Smith"),),
)
_CAPITALIZE = _text(
    "capitalize",
    sql="syncer_upper(left(:x, 1)) || syncer_lower(substr(:x, 2))",
    ascii_sql="upper(left(:x, 1)) || lower(substr(:x, 2))",
    python=_capitalize,
    doc="The first letter in upper case, the rest in lower case.",
    like_jinja=False,
    examples=(_example("{{ x | capitalize }}", "aDA", "Ada"),),
)
_REPLACE = _text(
    "replace",
    parameters=_OLD_NEW,
    sql="replace(:x, :old, :new)",
    python=_replace,
    doc="Every `old` replaced by `new`; an empty `old` changes nothing.",
    like_jinja=False,
    examples=(
        _example("{{ x | replace('-', '') }}", "1-2-3", "123"),
        _example("{{ x | replace('', 'z') }}", "ab", "ab"),
    ),
)
_SPLIT = _text(
    "split",
    gives=Type.LIST,
    parameters=(_SEPARATOR,),
    sql="string_split(:x, :separator)",
    python=lambda x, separator: x.split(separator),
    doc="The parts between separators, as a list.",
    like_jinja=False,
    examples=(_example("{{ (x | split(';'))[1] }}", "a;b", "b"), _example("{{ x | split(';') | length }}", "", 1)),
)
_SPLIT_WORDS = _text(
    "split",
    gives=Type.LIST,
    sql=f"list_filter(string_split_regex(:x, '[{SPACE}]+'), lambda w: w <> '')",
    python=lambda x: x.split(),
    doc="The words, split at white space.",
    like_jinja=False,
    examples=(_example("{{ x | split | last }}", " Ada  King ", "King"), _example("{{ x | split | length }}", " ", 0)),
)


def _method(entry: Entry, name: str = "", template: str = "", x: Value = None, value: Value = None) -> Entry:
    """Return the same operation, written as a method."""
    return Entry(
        kind=Kind.METHOD,
        name=name or entry.name,
        takes=entry.takes,
        gives=entry.gives,
        python=entry.python,
        sql=entry.sql,
        doc=entry.doc,
        parameters=entry.parameters,
        ascii_sql=entry.ascii_sql,
        is_partial=entry.is_partial,
        like_jinja=entry.like_jinja and entry.name not in ("title", "capitalize"),
        examples=(_example(template, x, value),),
    )


FILTERS = (
    _TRIM_ENTRY,
    _LOWER,
    _UPPER,
    _TITLE,
    _CAPITALIZE,
    _REPLACE,
    _SPLIT,
    _SPLIT_WORDS,
    _text(
        "length",
        gives=Type.INTEGER,
        sql="length(:x)",
        python=len,
        doc="How many characters.",
        examples=(_example("{{ x | length }}", "é😀", 2),),
    ),
    _text(
        "first",
        sql="nullif(left(:x, 1), '')",
        python=lambda x: x[:1] or None,
        is_partial=True,
        doc="The first character; null for empty text.",
        examples=(_example("{{ x | first }}", "Ada", "A"), _example("{{ x | first }}", "", None)),
    ),
    _text(
        "last",
        sql="nullif(right(:x, 1), '')",
        python=lambda x: x[-1:] or None,
        is_partial=True,
        doc="The last character; null for empty text.",
        examples=(_example("{{ x | last }}", "Ada", "a"),),
    ),
    _text(
        "truncate",
        parameters=(
            Parameter("length", (Type.INTEGER,), 255, is_literal=True, problem=_not_negative),
            Parameter("killwords", (Type.BOOLEAN,), default=False, is_literal=True),
            Parameter("end", _T, "...", is_literal=True),
            Parameter("leeway", (Type.INTEGER,), 5, is_literal=True, problem=_not_negative),
        ),
        sql=_truncate_sql,
        python=_truncate,
        doc="Cut to `length` characters, `end` last, at a word unless `killwords`; up to `leeway` more stay whole.",
        examples=(
            _example("{{ x | truncate(9, false, '...', 0) }}", "foo bar baz qux", "foo..."),
            _example("{{ x | truncate(9, true, leeway=0) }}", "foo bar baz qux", "foo ba..."),
            _example("{{ x | truncate(9) }}", "foo bar baz", "foo bar baz"),
        ),
    ),
    _text(
        "regex_replace",
        parameters=(_PATTERN, Parameter("replacement", _T, is_literal=True, problem=regex.replacement_problem)),
        sql="regexp_replace(:x, :pattern, :replacement, 'g')",
        python=regex.replace,
        doc=r"Every match of an RE2 pattern replaced; `\1` is a group, `\0` the match.",
        like_jinja=False,
        examples=(
            _example(r"{{ x | regex_replace('[^0-9]', '') }}", "+49 (30) 1", "49301"),
            _example(r"{{ x | regex_replace('(\\w+) (\\w+)', '\\2 \\1') }}", "Ada King", "King Ada"),
            _example(r"{{ x | regex_replace('x*', '-') }}", "abxd", "-a-b-d-"),
        ),
    ),
    _text(
        "regex_search",
        parameters=(_PATTERN, Parameter("group", (Type.INTEGER,), 0, is_literal=True, problem=_not_negative)),
        sql=_search_sql,
        python=regex.search,
        is_partial=True,
        doc="The first match of an RE2 pattern, or one group of it; null where nothing matches.",
        like_jinja=False,
        examples=(
            _example(r"{{ x | regex_search('@(.+)$', 1) }}", "a@b.com", "b.com"),
            _example(r"{{ x | regex_search('[0-9]+') }}", "none", None),
        ),
    ),
    _text(
        "hash",
        parameters=(Parameter("digest", _T, "sha256", is_literal=True, problem=_digest),),
        sql=lambda at, values: fill(f"{values['digest']}(:x)", at),
        python=_hash,
        doc="The digest of the UTF-8 text in hexadecimal: `sha256` or `md5`.",
        like_jinja=False,
        examples=(_example("{{ x | hash('md5') }}", "a", "0cc175b9c0f1b6a831c399e269772661"),),
    ),
    Entry(
        Kind.FILTER,
        "length",
        Type.LIST,
        Type.INTEGER,
        len,
        "len(:x)",
        "How many parts.",
        examples=(_example("{{ x.split(',') | length }}", "a,b", 2),),
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
        examples=(_example("{{ x.split(',') | first }}", "a,b", "a"),),
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
        examples=(_example("{{ x.split(',') | last }}", "a,b", "b"),),
    ),
    Entry(
        Kind.FILTER,
        "join",
        Type.LIST,
        Type.TEXT,
        lambda x, separator: separator.join(x),
        "array_to_string(:x, :separator)",
        "The parts put together with a separator between them.",
        parameters=(Parameter("separator", _T, ""),),
        examples=(_example("{{ x.split(',') | join('; ') }}", "a,b", "a; b"),),
    ),
)

METHODS = (
    _method(_TRIM_ENTRY, "strip", "{{ x.strip() }}", " a ", "a"),
    _method(_LOWER, "", "{{ x.lower() }}", "A", "a"),
    _method(_UPPER, "", "{{ x.upper() }}", "a", "A"),
    _method(_TITLE, "", "{{ x.title() }}", "o'neil", "O'neil"),
    _method(_CAPITALIZE, "", "{{ x.capitalize() }}", "ada", "Ada"),
    _method(_REPLACE, "", "{{ x.replace('a', 'b') }}", "aa", "bb"),
    _method(_SPLIT, "", "{{ x.split(',')[0] }}", "a,b", "a"),
    _method(_SPLIT_WORDS, "", "{{ x.split()[-1] }}", "a b", "b"),
    _text(
        "lstrip",
        kind=Kind.METHOD,
        sql=f"regexp_replace(:x, '^[{SPACE}]+', '')",
        python=str.lstrip,
        doc="Without white space at the start.",
        examples=(_example("{{ x.lstrip() }}", " a ", "a "),),
    ),
    _text(
        "rstrip",
        kind=Kind.METHOD,
        sql=f"regexp_replace(:x, '[{SPACE}]+$', '')",
        python=str.rstrip,
        doc="Without white space at the end.",
        examples=(_example("{{ x.rstrip() }}", " a ", " a"),),
    ),
    _text(
        "strip",
        kind=Kind.METHOD,
        parameters=_CHARS,
        sql="trim(:x, :chars)",
        python=str.strip,
        doc="Without any of these characters at both ends.",
        examples=(_example("{{ x.strip('.-') }}", ".-a-b-.", "a-b"),),
    ),
    _text(
        "lstrip",
        kind=Kind.METHOD,
        parameters=_CHARS,
        sql="ltrim(:x, :chars)",
        python=str.lstrip,
        doc="Without any of these characters at the start.",
        examples=(_example("{{ x.lstrip('0') }}", "0070", "70"),),
    ),
    _text(
        "rstrip",
        kind=Kind.METHOD,
        parameters=_CHARS,
        sql="rtrim(:x, :chars)",
        python=str.rstrip,
        doc="Without any of these characters at the end.",
        examples=(_example("{{ x.rstrip('/') }}", "a/", "a"),),
    ),
    _text(
        "startswith",
        kind=Kind.METHOD,
        gives=Type.BOOLEAN,
        parameters=_PREFIX,
        sql="starts_with(:x, :prefix)",
        python=str.startswith,
        doc="Whether the text begins with `prefix`.",
        examples=(_example("{{ x.startswith('A') }}", "Ada", value=True),),
    ),
    _text(
        "endswith",
        kind=Kind.METHOD,
        gives=Type.BOOLEAN,
        parameters=_SUFFIX,
        sql="ends_with(:x, :suffix)",
        python=str.endswith,
        doc="Whether the text ends with `suffix`.",
        examples=(_example("{{ x.endswith('a') }}", "Ada", value=True),),
    ),
    _text(
        "removeprefix",
        kind=Kind.METHOD,
        parameters=_PREFIX,
        sql="CASE WHEN starts_with(:x, :prefix) THEN substr(:x, length(:prefix) + 1) ELSE :x END",
        python=str.removeprefix,
        doc="Without `prefix`, where the text begins with it.",
        examples=(_example("{{ x.removeprefix('www.') }}", "www.a.de", "a.de"),),
    ),
    _text(
        "removesuffix",
        kind=Kind.METHOD,
        parameters=_SUFFIX,
        sql="CASE WHEN ends_with(:x, :suffix) THEN left(:x, length(:x) - length(:suffix)) ELSE :x END",
        python=str.removesuffix,
        doc="Without `suffix`, where the text ends with it.",
        examples=(_example("{{ x.removesuffix('.de') }}", "a.de", "a"),),
    ),
)

OPERATORS = (
    _text(
        "[index]",
        kind=Kind.OPERATOR,
        parameters=_INDEX,
        sql=_at_sql,
        python=_at,
        is_partial=True,
        doc="One character, counted from 0, or from the end when negative; null where there is none.",
        examples=(
            _example("{{ x[-1] }}", "Ada", "a"),
            _example("{{ x[9] }}", "Ada", None),
            _example("{{ x[0] }}", "é!", "é"),
        ),
    ),
    Entry(
        Kind.OPERATOR,
        "[index]",
        Type.LIST,
        Type.TEXT,
        _at,
        _item_sql,
        "One part, counted from 0, or from the end when negative; null where there is none.",
        parameters=_INDEX,
        is_partial=True,
        examples=(_example("{{ x.split('@')[1] }}", "a@b", "b"), _example("{{ x.split('@')[1] }}", "a", None)),
    ),
    _text(
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
            _example("{{ x[:2] }}", "Ada", "Ad"),
            _example("{{ x[1:-1] }}", "Lovelace", "ovelac"),
            _example("{{ x[-3:] }}", "Lovelace", "ace"),
            _example("{{ x[-3:-1] }}", "Lovelace", "ac"),
        ),
    ),
)
