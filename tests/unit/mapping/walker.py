"""The meaning of a tree once more, the plain way: node by node, and a conversion that fails stops everything.

Slow and independent of the generated code and of the question that `failure` builds; both are held to it.
"""

from __future__ import annotations

from syncer.mapping.dialect.entry import Nulls, Value
from syncer.mapping.tree import Apply, Both, Choose, Column, Concat, Constant, Either, Interpreted, Node, Not, Truth
from tests.unit.mapping.sides import Row


class Unread(Exception):  # noqa: N818 - what the walk is for
    """A conversion that the value needed could not read what it was given."""


def walked(node: Node, row: Row) -> Value:  # noqa: C901, PLR0911 - one case for each kind of node
    """Return the node's value for the row; raises `Unread`."""
    match node:
        case Column(name, of=of):
            if of is not None:
                walked(of, row)
            return row.get(name)
        case Constant(value):
            return value
        case Apply():
            return _applied(node, row)
        case Concat(parts):
            return "".join(str(each) for each in [walked(part, row) for part in parts] if each is not None)
        case Truth(of):
            return bool(walked(of, row))
        case Not(of):
            return not walked(of, row)
        case Both(left, right, is_and) | Either(left, right, is_and):
            first = walked(left, row)
            return walked(right, row) if bool(first) is is_and else first
        case Choose(branches, otherwise):
            for test, value in branches:
                if walked(test, row):
                    return walked(value, row)
            return walked(otherwise, row)
        case Interpreted():
            return None


def _applied(node: Apply, row: Row) -> Value:
    entry = node.entry
    if entry.name == "default":
        subject, value = node.arguments
        found = walked(subject, row)
        return walked(value, row) if found is None else found
    arguments = [walked(each, row) for each in node.arguments]
    literal = [False, *(each.is_literal for each in entry.parameters)]
    if entry.nulls is Nulls.PASS and any(
        each is None and not is_literal for each, is_literal in zip(arguments, literal, strict=True)
    ):
        return None
    found = entry.python(*arguments)
    if found is None and entry.converts and not node.is_forgiven and arguments[0] != "":
        raise Unread
    return found
