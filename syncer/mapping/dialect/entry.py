"""What one line of the dialect is: a name, the types it takes and gives, its SQL, its Python, one sentence of meaning.

An entry is a value. SQL and Python stand side by side so that a change to one is a change to the other under the
reader's eyes; the differential test holds them equal. Nothing here knows Jinja or a row. Templates are checked by the
types alone: what writes SQL trees imports sqlglot when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from sqlglot import exp

Value = str | int | float | bool | Decimal | date | datetime | list[str] | tuple[str, ...] | None
"""What an expression may be worth in Python. A naive `datetime` is wall-clock time; one with zone is always UTC."""


class Type(StrEnum):
    """The type of an expression; the words are the ones that messages and `docs/mapping.md` use."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime without zone"
    INSTANT = "moment"
    LIST = "list of text"
    NULL = "null"
    MIXED = "values of unlike types"
    """Branches that only a place that prints them can take."""
    BROKEN = "unknown"
    """A part that already has its own diagnostic; nothing more is said of it."""


SQL_TYPE = {
    Type.TEXT: "VARCHAR",
    Type.INTEGER: "BIGINT",
    Type.DECIMAL: "DECIMAL(38, 18)",
    Type.FLOAT: "DOUBLE",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.DATETIME: "TIMESTAMP",
    Type.INSTANT: "TIMESTAMP",
    Type.LIST: "VARCHAR[]",
    Type.NULL: "VARCHAR",
    Type.MIXED: "VARCHAR",
}
"""How DuckDB holds a value. An instant is a TIMESTAMP in UTC: no session time zone can move it."""

NUMBERS = (Type.INTEGER, Type.DECIMAL, Type.FLOAT)


class Kind(StrEnum):
    """How an entry is written in a template."""

    FILTER = "filter"
    METHOD = "method"
    TEST = "test"
    OPERATOR = "operator"


class Nulls(StrEnum):
    """What a null argument does."""

    PASS = "pass"  # noqa: S105 - what nulls do
    """Null in, null out; the Python form never sees one."""
    SEEN = "seen"
    """The entry has its own meaning for null and never gives one unless `is_partial`."""
    FILLED = "filled"
    """Null only where every argument is."""


class Required(StrEnum):
    """The default of a parameter that has none."""

    REQUIRED = "required"


REQUIRED = Required.REQUIRED

Form: TypeAlias = "str | Callable[[Mapping[str, exp.Expression], Mapping[str, Value]], exp.Expression]"
"""SQL with `:name` for each argument, or a function of argument trees and of the literal arguments' values."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument after the subject. `is_literal`: must be written in the template, not computed from a row."""

    name: str
    types: tuple[Type, ...]
    default: Value | Required = REQUIRED
    is_literal: bool = False
    problem: Callable[[Value], str] = lambda _: ""
    """A sentence on what is wrong with a literal, or nothing."""


@dataclass(frozen=True, slots=True)
class Example:
    """A template, the row it reads, and its value on both sides."""

    template: str
    row: Mapping[str, Value]
    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One operation of the dialect on subjects of type `takes`; several may share a name. Equal to itself only."""

    kind: Kind
    name: str
    takes: Type
    gives: Type
    python: Callable[..., Value]
    sql: Form | None
    """None: no SQL form; the template runs as generated Python over Arrow columns."""
    doc: str
    parameters: tuple[Parameter, ...] = ()
    ascii_sql: Form | None = None
    """A cheaper form for when every text involved is ASCII; None where `sql` serves."""
    condition: Form | None = None
    """A cheaper form for where null may stand for false."""
    nulls: Nulls = Nulls.PASS
    is_partial: bool = False
    """May give null for subjects that are not null: a conversion that failed, a part that is not there."""
    converts: bool = False
    """Null for a value that says something is a failed conversion: it rejects the row unless the template forgives."""
    like_jinja: bool = True
    """The Python meaning equals stock Jinja's on values that are not null."""
    examples: tuple[Example, ...] = ()

    @property
    def depends_on_charset(self) -> bool:
        """True where ASCII text has a cheaper form."""
        return self.ascii_sql is not None


@cache
def parsed(form: str) -> exp.Expression:
    """Return the tree of a SQL form; callers copy before they fill it."""
    import sqlglot

    return cast("exp.Expression", sqlglot.parse_one(form, dialect="duckdb"))


def fill(
    form: Form, arguments: Mapping[str, exp.Expression], literals: Mapping[str, Value] | None = None
) -> exp.Expression:
    """Return the form with its `:name` places taken by the argument trees."""
    if not isinstance(form, str):
        return form(arguments, literals or {})
    from sqlglot import exp

    loose = (exp.Binary, exp.Unary, exp.Between, exp.In, exp.Case, exp.AtTimeZone)

    def place(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.Placeholder):
            return node
        argument = arguments[node.name].copy()
        is_loose = isinstance(argument, loose) and not isinstance(argument, exp.Paren)
        # AND and OR are functions too in these trees, but are written without brackets of their own.
        has_brackets = isinstance(node.parent, exp.Func) and not isinstance(node.parent, exp.Binary)
        return exp.Paren(this=argument) if is_loose and not has_brackets else argument

    return parsed(form).copy().transform(place, copy=False)


def text(value: str) -> exp.Expression:
    """Return a SQL string literal."""
    from sqlglot import exp

    return exp.Literal.string(value)


def constant(value: Value, kind: Type) -> exp.Expression:
    """Return the SQL tree of a constant."""
    from sqlglot import exp

    if value is None:
        return exp.Null()
    if kind is Type.TEXT:
        return text(str(value))
    if kind is Type.BOOLEAN:
        return exp.Boolean(this=bool(value))
    if kind is Type.LIST:
        return exp.Array(expressions=[text(each) for each in _texts(value)])
    literal = exp.Literal.string(repr(value)) if isinstance(value, float) else exp.Literal.string(str(value))
    return exp.cast(literal, SQL_TYPE[kind], dialect="duckdb")


def _texts(value: Value) -> Sequence[str]:
    return value if isinstance(value, list | tuple) else ()
