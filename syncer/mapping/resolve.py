"""From names and arguments to entries of the dialect: overloads, defaults, and the few conversions between types.

Pure functions of typed nodes. What does not fit is a `Misfit`, which `parse` turns into a diagnostic with a place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches

from syncer.mapping.dialect import BY_NAME, names
from syncer.mapping.dialect.entry import NUMBERS, REQUIRED, Entry, Kind, Nulls, Parameter, Type
from syncer.mapping.tree import BROKEN, NULL, Apply, Choose, Constant, Node

_PRINTED_FIRST = ("trim", "lower", "upper", "title", "capitalize", "replace", "truncate")
"""Filters that Jinja too applies to the printed form of a number or a date."""


@dataclass(frozen=True, slots=True)
class Misfit(Exception):  # noqa: N818 - a finding, not a failure
    """Why a name with these arguments means nothing."""

    code: str
    detail: str
    advice: str = ""
    word: str = ""
    """The word of the template that it is about."""


def nearest(word: str, known: Sequence[str]) -> str:
    """Return a hint with the nearest known name, or nothing."""
    by_fold = {each.casefold(): each for each in reversed(known)}
    found = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f'Did you mean "{by_fold[found[0]]}"?' if found else ""


def unified(types: Sequence[Type]) -> Type:
    """Return the one type that can hold values of all these, `MIXED` where there is none."""
    kinds = set(types) - {Type.NULL}
    if Type.BROKEN in kinds:
        return Type.BROKEN
    if len(kinds) <= 1:
        return next(iter(kinds), Type.NULL)
    if kinds <= set(NUMBERS):
        return Type.FLOAT if Type.FLOAT in kinds else Type.DECIMAL
    return Type.MIXED


def coerced(node: Node, kind: Type) -> Node:
    """Return the node as this type; it is already, or is null, or a narrower number, or may be printed."""
    if node.type in (kind, Type.BROKEN) or kind in (Type.MIXED, Type.BROKEN):
        return node
    if isinstance(node, Constant) and node.value is None:
        return Constant(None, kind)
    if isinstance(node, Choose):
        return Choose(
            tuple((test, coerced(value, kind)) for test, value in node.branches), coerced(node.otherwise, kind), kind
        )
    if isinstance(node, Constant) and isinstance(node.value, int | float) and kind in NUMBERS:
        return Constant(Decimal(str(node.value)) if kind is Type.DECIMAL else float(node.value), kind)
    name = {Type.TEXT: "string", Type.FLOAT: "float", Type.DECIMAL: "decimal"}[kind]
    entry = next(each for each in BY_NAME[Kind.FILTER, name] if each.takes is node.type and not each.parameters)
    if isinstance(node, Constant):
        return Constant(entry.python(node.value), kind)
    return Apply(entry, (node,))


def printed(node: Node) -> Node:
    """Return the node as the text it prints; a list cannot be printed."""
    if node.type is Type.LIST:
        detail = "A list of text has no printed form."
        raise Misfit("M305", detail, "Take one part of it, or put it together: \"| join(';')\".")
    if isinstance(node, Choose) and node.type is Type.MIXED:
        return Choose(
            tuple((test, printed(value)) for test, value in node.branches), printed(node.otherwise), Type.TEXT
        )
    return coerced(node, Type.TEXT)


def choose(branches: Sequence[tuple[Node, Node]], otherwise: Node) -> Node:
    """Return the choice in the one type that its branches share."""
    kind = unified([value.type for _, value in branches] + [otherwise.type])
    if kind is Type.BROKEN:
        return BROKEN
    return Choose(tuple((test, coerced(value, kind)) for test, value in branches), coerced(otherwise, kind), kind)


def apply(
    kind: Kind, name: str, subject: Node, arguments: Sequence[Node] = (), options: Mapping[str, Node] | None = None
) -> Node:
    """Return the entry of this name that fits the subject and the arguments, applied."""
    try:
        return _applied(kind, name, subject, arguments, options or {})
    except Misfit as misfit:
        raise replace(misfit, word=misfit.word or ("[" if name[0] == "[" else name)) from None


def _applied(kind: Kind, name: str, subject: Node, arguments: Sequence[Node], options: Mapping[str, Node]) -> Node:
    entries = BY_NAME.get((kind, name), ())
    if not entries:
        raise Misfit("M303", f'There is no {kind} "{name}" in mappings.', nearest(name, names(kind)), name)
    if Type.BROKEN in {subject.type, *(each.type for each in (*arguments, *options.values()))}:
        return BROKEN
    if subject.type is Type.NULL:
        if entries[0].nulls is Nulls.PASS:
            return NULL
        wanted = arguments[0].type if arguments else Type.TEXT
        subject = Constant(None, Type.TEXT if wanted is Type.NULL else wanted)
    if kind is Kind.FILTER and name in _PRINTED_FIRST and subject.type is not Type.LIST:
        subject = printed(subject)
    if kind is Kind.FILTER and name == "string":
        return printed(subject)
    fitting = [each for each in entries if each.takes is subject.type]
    if not fitting:
        takes = ", ".join(dict.fromkeys(each.takes for each in entries))
        raise Misfit("M305", f'The {kind} "{name}" takes {takes}, not {subject.type}.', _advice(subject.type, entries))
    return _bound(fitting, subject, arguments, options)


def _advice(kind: Type, entries: Sequence[Entry]) -> str:
    if kind is Type.MIXED:
        return "Bring both branches to one type first, for example with a filter on each."
    takes = {each.takes for each in entries}
    if kind is Type.INSTANT:
        return "A moment has a day and an hour in a zone only; say in which, for example \"| local('Europe/Berlin')\"."
    for filter_name in ("int", "float", "date", "datetime", "string"):
        for each in BY_NAME[Kind.FILTER, filter_name]:
            if each.takes is kind and each.gives in takes and each.gives is not kind:
                return f'Convert it first: "| {filter_name}".'
    return ""


def _bound(entries: Sequence[Entry], subject: Node, arguments: Sequence[Node], options: Mapping[str, Node]) -> Node:
    """Apply the first form that takes as many arguments and these types; the last one says what does not fit."""
    count = len(arguments) + len(options)
    *others, last = [each for each in entries if _takes(each, count)] or entries[-1:]
    for entry in others:
        with suppress(Misfit):
            return _with(entry, subject, _arguments(entry, arguments, options))
    return _with(last, subject, _arguments(last, arguments, options))


def _takes(entry: Entry, count: int) -> bool:
    needed = sum(each.default is REQUIRED for each in entry.parameters)
    return needed <= count <= len(entry.parameters)


def _with(entry: Entry, subject: Node, values: tuple[Node, ...]) -> Node:
    is_null = entry.nulls is Nulls.PASS and any(each.type is Type.NULL for each in values)
    return Constant(None, entry.gives) if is_null else Apply(entry, (subject, *values))


def _arguments(entry: Entry, arguments: Sequence[Node], options: Mapping[str, Node]) -> tuple[Node, ...]:
    known = [each.name for each in entry.parameters]
    what = f'The {entry.kind} "{entry.name}"'
    if len(arguments) > len(known):
        raise Misfit("M304", f"{what} takes {_count(len(known))}, not {len(arguments)}.")
    given = dict(zip(known, arguments, strict=False))
    for name, value in options.items():
        if name not in known or name in given:
            raise Misfit("M304", f'{what} has no further argument "{name}".', nearest(name, known))
        given[name] = value
    return tuple(_argument(what, each, given.get(each.name)) for each in entry.parameters)


def _count(count: int) -> str:
    return f"{count} argument{'' if count == 1 else 's'}" if count else "no argument"


def _argument(what: str, parameter: Parameter, given: Node | None) -> Node:
    if given is None:
        if parameter.default is REQUIRED:
            raise Misfit("M304", f'{what} needs the argument "{parameter.name}".')
        return Constant(parameter.default, parameter.types[0])
    kind = unified((given.type, parameter.types[0]))
    if given.type not in (*parameter.types, Type.NULL) and kind is not parameter.types[0]:
        raise Misfit("M305", f'{what} takes {parameter.types[0]} as "{parameter.name}", not {given.type}.')
    if parameter.is_literal:
        if not isinstance(given, Constant):
            raise Misfit("M304", f'{what} needs "{parameter.name}" written out in the template, not taken from a row.')
        if problem := parameter.problem(given.value):
            raise Misfit("M304", f'{what} cannot use this "{parameter.name}". {problem}')
    return given if given.type in parameter.types else coerced(given, parameter.types[0])
