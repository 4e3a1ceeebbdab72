"""Truth, comparison, tests, defaults, and how each type prints. SQL and Python side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncer.mapping.dialect.entry import Entry, Example, Form, Kind, Nulls, Parameter, Type, Value, fill, text

if TYPE_CHECKING:
    from sqlglot import exp

_SCALARS = (Type.TEXT, Type.INTEGER, Type.DECIMAL, Type.FLOAT, Type.BOOLEAN, Type.DATE, Type.DATETIME, Type.INSTANT)
_ORDERED = tuple(each for each in _SCALARS if each is not Type.BOOLEAN)


def print_decimal(x: Decimal) -> str:
    """Return the decimal in plain digits, without zeros at the end."""
    plain = f"{x:f}"
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain) if x else "0"


def print_datetime(x: datetime) -> str:
    """Return a wall-clock time as Python prints it, an instant as ISO 8601 in UTC."""
    return x.isoformat(" ") if x.tzinfo is None else x.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


_SECONDS = "|| CASE WHEN date_part('microsecond', :x) % 1000000 <> 0 THEN strftime(:x, '.%f') ELSE '' END"
_PRINTS: tuple[tuple[Type, str, Callable[..., str]], ...] = (
    (Type.TEXT, ":x", str),
    (Type.INTEGER, "CAST(:x AS VARCHAR)", str),
    (Type.DECIMAL, "rtrim(rtrim(CAST(:x AS VARCHAR), '0'), '.')", print_decimal),
    (Type.FLOAT, "CASE WHEN isnan(:x) THEN 'nan' ELSE CAST(:x AS VARCHAR) END", str),
    (Type.BOOLEAN, "CASE WHEN :x THEN 'True' WHEN NOT :x THEN 'False' END", str),
    (Type.DATE, "strftime(:x, '%Y-%m-%d')", date.isoformat),
    (Type.DATETIME, f"strftime(:x, '%Y-%m-%d %H:%M:%S') {_SECONDS}", print_datetime),
    (Type.INSTANT, f"strftime(:x, '%Y-%m-%dT%H:%M:%S') {_SECONDS} || 'Z'", print_datetime),
)
_PRINT_DOC = "The value as it prints."

_TRUE = ("1", "on", "t", "true", "y", "yes")
_FALSE = ("0", "f", "false", "n", "no", "off")


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{each}'" for each in words)


def _bool_of_text(x: str) -> bool | None:
    word = "".join(c.lower() if c.isascii() else c for c in x)
    return True if word in _TRUE else False if word in _FALSE else None


def _bool_of_words(x: str, true: str, false: str) -> bool | None:
    return True if x == true else False if x == false else None


FILTERS = (
    *(Entry(Kind.FILTER, "string", kind, Type.TEXT, python, sql, _PRINT_DOC) for kind, sql, python in _PRINTS),
    *(
        Entry(
            Kind.FILTER,
            "default",
            kind,
            kind,
            lambda x, value: value if x is None else x,
            "coalesce(:x, :value)",
            "`value` in place of null.",
            parameters=(Parameter("value", (kind,)),),
            nulls=Nulls.FILLED,
            like_jinja=False,
        )
        for kind in (*_SCALARS, Type.LIST)
    ),
    Entry(
        Kind.FILTER,
        "bool",
        Type.TEXT,
        Type.BOOLEAN,
        _bool_of_text,
        f"CASE WHEN lower(:x) IN ({_words(_TRUE)}) THEN TRUE WHEN lower(:x) IN ({_words(_FALSE)}) THEN FALSE END",
        "True for `true yes y on t 1`, false for `false no n off f 0`, in any case.",
        is_partial=True,
        converts=True,
        like_jinja=False,
        examples=(
            Example("{{ x | bool }}", {"x": "Yes"}, value=True),
            Example("{{ x | bool }}", {"x": "OFF"}, value=False),
            Example("{{ x | bool }}", {"x": "other"}, None),
        ),
    ),
    Entry(
        Kind.FILTER,
        "bool",
        Type.TEXT,
        Type.BOOLEAN,
        _bool_of_words,
        "CASE WHEN :x = :true THEN TRUE WHEN :x = :false THEN FALSE END",
        "True for the one text, false for the other.",
        parameters=(
            Parameter("true", (Type.TEXT,), is_literal=True),
            Parameter("false", (Type.TEXT,), is_literal=True),
        ),
        is_partial=True,
        converts=True,
        like_jinja=False,
        examples=(Example("{{ x | bool('J', 'N') }}", {"x": "J"}, value=True),),
    ),
    Entry(Kind.FILTER, "bool", Type.BOOLEAN, Type.BOOLEAN, bool, ":x", "The value itself.", like_jinja=False),
    Entry(
        Kind.FILTER,
        "bool",
        Type.INTEGER,
        Type.BOOLEAN,
        bool,
        ":x <> 0",
        "Whether the number is not zero.",
        like_jinja=False,
    ),
)


def _among(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    from sqlglot import exp

    listed = values.get("y")
    if isinstance(listed, tuple):
        return fill("coalesce(:x, FALSE)", {"x": exp.In(this=at["x"], expressions=[text(each) for each in listed])})
    return fill("coalesce(list_contains(:y, :x), FALSE)", at)


def _seen(  # noqa: PLR0913, PLR0917 - the columns of a table
    kind: Kind, name: str, takes: Type, sql: Form, python: Callable[..., Value], doc: str, **members: object
) -> Entry:
    return Entry(kind, name, takes, Type.BOOLEAN, python, sql, doc, nulls=Nulls.SEEN, **members)  # type: ignore[arg-type]


def _compare(kind: Type) -> tuple[Entry, ...]:
    other = (Parameter("y", (kind,)),)
    ordered: tuple[tuple[str, Callable[..., bool], str], ...] = (
        ("<", lambda x, y: x is not None and y is not None and _rank(x) < _rank(y), "less than"),
        ("<=", lambda x, y: x is not None and y is not None and _rank(x) <= _rank(y), "less than or equal to"),
        (">", lambda x, y: x is not None and y is not None and _rank(x) > _rank(y), "greater than"),
        (">=", lambda x, y: x is not None and y is not None and _rank(x) >= _rank(y), "greater than or equal to"),
    )
    return (
        _seen(
            Kind.OPERATOR,
            "==",
            kind,
            ":x IS NOT DISTINCT FROM :y",
            lambda x, y: _rank(x) == _rank(y),
            "Equal; null equals null only.",
            parameters=other,
            condition=":x = :y",
        ),
        _seen(
            Kind.OPERATOR,
            "!=",
            kind,
            ":x IS DISTINCT FROM :y",
            lambda x, y: _rank(x) != _rank(y),
            "Not equal.",
            parameters=other,
        ),
        *(
            _seen(
                Kind.OPERATOR,
                symbol,
                kind,
                f"coalesce(:x {symbol} :y, FALSE)",
                python,
                f"Whether one is {words} the other; false for null.",
                parameters=other,
                condition=f":x {symbol} :y",
            )
            for symbol, python, words in ordered
            if kind in _ORDERED
        ),
    )


def _rank(x: Value) -> Any:
    """Return the value, or for floats a pair that orders NaN last and equal to itself, as the engine does."""
    return (x != x, 0.0 if x != x else x) if isinstance(x, float) else x  # noqa: PLR0124 - true for NaN only


_NUMBER = (Type.INTEGER, Type.DECIMAL, Type.FLOAT)


def _kind_test(name: str, doc: str, kinds: tuple[Type, ...]) -> tuple[Entry, ...]:
    """Return a test that the types decide: null has no type."""
    return tuple(
        _seen(Kind.TEST, name, kind, ":x IS NOT NULL", lambda x: x is not None, doc)
        if kind in kinds
        else _seen(Kind.TEST, name, kind, "FALSE", lambda _: False, doc)
        for kind in (*_SCALARS, Type.LIST)
    )


_EACH = (*_SCALARS, Type.LIST)

TESTS = (
    *(
        _seen(Kind.TEST, "defined", kind, ":x IS NOT NULL", lambda x: x is not None, "Not null.", like_jinja=False)
        for kind in _EACH
    ),
    *(
        _seen(Kind.TEST, "undefined", kind, ":x IS NULL", lambda x: x is None, "Null.", like_jinja=False)
        for kind in _EACH
    ),
    *(_seen(Kind.TEST, "none", kind, ":x IS NULL", lambda x: x is None, "Null.") for kind in _EACH),
    *_kind_test("string", "Text, and not null.", (Type.TEXT,)),
    *_kind_test("number", "A number, and not null.", _NUMBER),
    *_kind_test("integer", "A whole number, and not null.", (Type.INTEGER,)),
    *_kind_test("float", "A float, and not null.", (Type.FLOAT,)),
    *_kind_test("boolean", "True or false, not null.", (Type.BOOLEAN,)),
    _seen(
        Kind.TEST,
        "even",
        Type.INTEGER,
        "coalesce(:x % 2 = 0, FALSE)",
        lambda x: x is not None and x % 2 == 0,
        "Divisible by two.",
    ),
    _seen(
        Kind.TEST,
        "odd",
        Type.INTEGER,
        "coalesce(:x % 2 <> 0, FALSE)",
        lambda x: x is not None and x % 2 == 1,
        "Not divisible by two.",
    ),
)

OPERATORS = (
    *(each for kind in _SCALARS for each in _compare(kind)),
    Entry(
        Kind.OPERATOR,
        "+",
        Type.TEXT,
        Type.TEXT,
        lambda x, y: x + y,
        ":x || :y",
        "Text put together; null if either is. `~` prints null as nothing.",
        parameters=(Parameter("y", (Type.TEXT,)),),
    ),
    _seen(
        Kind.OPERATOR,
        "in",
        Type.TEXT,
        "coalesce(contains(:y, :x), FALSE)",
        lambda x, y: x is not None and y is not None and x in y,
        "Whether one text is part of the other; false for null.",
        parameters=(Parameter("y", (Type.TEXT,)),),
        condition="contains(:y, :x)",
    ),
    _seen(
        Kind.OPERATOR,
        "in",
        Type.TEXT,
        _among,
        lambda x, y: x is not None and y is not None and x in y,
        "Whether the list has this part; false for null.",
        parameters=(Parameter("y", (Type.LIST,)),),
    ),
)
