"""The last resort: a template with a harmless filter of Jinja's that the dialect lacks, rendered by Jinja, row by row.

Only what `parse` has passed comes here: no loop, macro, assignment, attribute or function. A null is a value of its
own, as in the dialect, and the dialect's filters keep their meaning. The result is text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from itertools import pairwise
from typing import Any

from jinja2 import ChainableUndefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syncer.mapping.dialect import BY_NAME, names
from syncer.mapping.dialect.entry import REQUIRED, Entry, Kind, Type, Value
from syncer.mapping.dialect.logic import print_datetime, print_decimal

ALLOWED = {
    "center": Type.TEXT,
    "e": Type.TEXT,
    "escape": Type.TEXT,
    "forceescape": Type.TEXT,
    "striptags": Type.TEXT,
    "urlencode": Type.TEXT,
    "wordcount": Type.INTEGER,
    "wordwrap": Type.TEXT,
}
"""Filters of Jinja that are pure and end, and what they give."""
FORGIVING_TESTS = ("defined", "undefined", "none")
"""Tests that ask for null, and so have a word for a conversion that failed."""
_FORGIVEN = "?"
"""Ends the name of a filter whose failure is no more than a null; no template can write it."""
LONGEST = 65_536
"""Characters of one value; a longer one is cut there, where every field's own limit rejects the row."""


class Null(ChainableUndefined):
    """A null: prints as nothing, counts as false, equals null only, has no order, passes through methods."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Null equals null."""
        return isinstance(other, Null) or other is None

    def __ne__(self, other: object) -> bool:
        """Null equals null only."""
        return not self == other

    def __hash__(self) -> int:
        """All nulls are one."""
        return hash(Null)

    def _no(self, _: object) -> bool:
        return False

    def _self(self, *_: object, **__: object) -> Null:
        return self

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _no  # type: ignore[assignment]
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _self  # type: ignore[assignment]
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __neg__ = __pos__ = __call__ = _self  # type: ignore[assignment]


NULL = Null()


def type_of(value: Value) -> Type:  # noqa: PLR0911 - one line for each type
    """Return the dialect's type of a Python value."""
    match value:
        case bool():
            return Type.BOOLEAN
        case int():
            return Type.INTEGER
        case float():
            return Type.FLOAT
        case Decimal():
            return Type.DECIMAL
        case datetime():
            return Type.DATETIME if value.tzinfo is None else Type.INSTANT
        case date():
            return Type.DATE
        case list() | tuple():
            return Type.LIST
    return Type.TEXT


class _UnreadError(Exception):
    """A conversion failed, and the template has no word for that."""


def compiled(
    template: str, columns: Iterable[str], variables: Iterable[tuple[str, Value]], *, asks_failure: bool
) -> Callable[..., str | bool]:
    """Return the template as a function of its columns: its text, or whether a conversion fails on the way to it."""
    read = tuple(columns)
    rendered = _environment().from_string(_marked(template))
    given = dict(variables)

    def meaning(*values: Value) -> str | bool:
        row = {name: NULL if value is None else value for name, value in zip(read, values, strict=True)}
        try:
            text = rendered.render({"row": row, "var": given, **row})[:LONGEST]
        except _UnreadError:
            return True if asks_failure else ""
        return False if asks_failure else text

    return meaning


def may_fail(template: str) -> bool:
    """Return whether a conversion in the template can fail a row."""
    return any(each.name in _CONVERSIONS for each in _marked(template).find_all(nodes.Filter))


_CONVERSIONS = frozenset(name for (kind, name), entries in BY_NAME.items() if any(each.converts for each in entries))


def _marked(template: str) -> nodes.Template:
    """Return the parsed template with the conversions marked whose failure it forgives."""
    tree = _environment().parse(template)
    for each in _asked(tree):
        for inner in (each, *each.find_all(nodes.Filter)):
            if isinstance(inner, nodes.Filter) and inner.name in _CONVERSIONS:
                inner.name += _FORGIVEN
    return tree


def _asked(tree: nodes.Template) -> Iterator[nodes.Node]:
    """Yield the parts around which the template asks for null."""
    for each in tree.find_all((nodes.Filter, nodes.Test, nodes.Compare)):
        match each:
            case nodes.Filter(name="default" | "d", node=nodes.Node() as subject):
                yield subject
            case nodes.Test(name=name, node=subject) if name in FORGIVING_TESTS:
                yield subject
            case nodes.Compare(expr=left, ops=operands):
                for pair in pairwise((left, *(operand.expr for operand in operands))):
                    if any(isinstance(part, nodes.Const) and part.value is None for part in pair):
                        yield from pair


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, undefined=Null, finalize=_finalized
    )
    allowed = {name: partial(_passing, environment.filters[name]) for name in ALLOWED}
    dialect = {
        name + mark: partial(_filtered, BY_NAME[Kind.FILTER, name], mark)
        for name in names(Kind.FILTER)
        for mark in ("", _FORGIVEN)
    }
    environment.globals.clear()
    environment.filters.clear()
    environment.filters.update(allowed | dialect | {"default": _default, "d": _default})
    tests: dict[str, Any] = {name: partial(_tested, name == "defined") for name in ("defined", "undefined", "none")}
    environment.tests.update(tests)
    return environment


def _passing(function: Callable[..., Any], value: Any, *arguments: Any, **options: Any) -> Any:
    return value if isinstance(value, Null) else function(value, *arguments, **options)


def _filtered(entries: tuple[Entry, ...], mark: str, value: Any, *arguments: Any, **options: Any) -> Any:
    if isinstance(value, Null):
        return value
    count = len(arguments) + len(options)
    fitting = [each for each in entries if each.takes is type_of(value)] or list(entries)
    entry = next((each for each in fitting if len(each.parameters) == count), fitting[0])
    subject = value if entry.takes is type_of(value) else str(_finalized(value))
    given = dict(zip((each.name for each in entry.parameters), arguments, strict=False)) | options
    missing = {each.name: each.default for each in entry.parameters if each.default is not REQUIRED}
    filled = missing | given
    if any(isinstance(each, Null) for each in filled.values()):
        return NULL
    found = entry.python(subject, *(filled[each.name] for each in entry.parameters))
    if found is None and entry.converts and subject != "" and mark != _FORGIVEN:
        raise _UnreadError
    return NULL if found is None else found


def _default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:  # noqa: FBT001, FBT002 - Jinja's own form
    return default_value if isinstance(value, Null) or (boolean and not value) else value


def _tested(is_defined: bool, value: Any) -> bool:  # noqa: FBT001 - bound once, above
    return isinstance(value, Null) is not is_defined


def _finalized(value: Any) -> Any:
    match value:
        case None:
            return ""
        case Decimal():
            return print_decimal(value)
        case datetime():
            return print_datetime(value)
    return value
