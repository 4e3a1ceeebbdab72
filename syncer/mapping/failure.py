"""When a template has no answer for a row: a conversion that it needed could not read its value.

The question is a tree of its own, so it has an SQL form and a Python meaning as any other; a row for which it is true
is rejected. What `default` or a test for null stands around is forgiven: there the template has its own word for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from syncer.mapping.dialect.entry import Entry, Kind, Nulls, Parameter, Type, Value
from syncer.mapping.interpret import may_fail
from syncer.mapping.resolve import apply
from syncer.mapping.tree import (
    Apply,
    Both,
    Choose,
    Column,
    Concat,
    Constant,
    Either,
    Interpreted,
    Node,
    Not,
    Truth,
    columns,
    walk,
)

FALSE = Constant(value=False, type=Type.BOOLEAN)


def _is_unread(x: Value, y: Value) -> bool:
    return y is None and x is not None and x != ""


def _unread(kind: Type) -> Entry:
    """Return the question whether a value `x` that says something became nothing; empty text says nothing."""
    # No AND and no CASE stands around the converted value: so the engine converts once for the value and the question.
    said = "coalesce(:x, '') = ''" if kind is Type.TEXT else ":x IS NULL"
    return Entry(
        Kind.OPERATOR,
        "unread",
        kind,
        Type.BOOLEAN,
        _is_unread,
        f"(:y IS NULL) > ({said})",
        "Whether a conversion failed.",
        parameters=(Parameter("y", tuple(Type)),),
        nulls=Nulls.SEEN,
    )


_UNREAD = {kind: _unread(kind) for kind in Type}


def failure(node: Node) -> Node:  # noqa: PLR0911 - one case for each kind of node
    """Return whether a conversion fails on the way to the node's value; `FALSE` itself where none can."""
    match node:
        case Column(of=of) if of is not None:
            return failure(of)
        case Apply():
            return _of_apply(node)
        case Concat(parts):
            return _any(map(failure, parts))
        case Truth(of) | Not(of):
            return failure(of)
        case Both(left, right, is_and):
            return _or(failure(left), _where(left if is_and else Not(left), failure(right)))
        case Either(left, right, is_and):
            test = Truth(left) if is_and else Not(Truth(left))
            return _or(failure(left), _where(test, failure(right)))
        case Choose():
            return _of_choice(node)
        case Interpreted() if may_fail(node.template):
            return replace(node, asks_failure=True)
    return FALSE


def _of_apply(node: Apply) -> Node:
    subject, *others = node.arguments
    if node.entry.name == "default":
        (value,) = others
        return _or(failure(subject), _where(apply(Kind.TEST, "none", subject), failure(value)))
    if _is_strict(node):
        # A conversion of what another conversion gave: one question, whether the last of them gave nothing.
        while isinstance(subject, Apply) and _is_strict(subject):
            subject = subject.arguments[0]
        return _or(failure(subject), Apply(_UNREAD[subject.type], (subject, node)))
    return _any(map(failure, node.arguments))


def _is_strict(node: Apply) -> bool:
    return node.entry.converts and not node.is_forgiven


def _of_choice(node: Choose) -> Node:
    found = failure(node.otherwise)
    for test, value in reversed(node.branches):
        of_test, of_value = failure(test), failure(value)
        if of_value == of_test:
            of_value = FALSE
        if found is not FALSE or of_value is not FALSE:
            found = Choose(((test, of_value),), found, Type.BOOLEAN)
        found = _or(of_test, found)
    return found


def forgiven(node: Node) -> Node:  # noqa: PLR0911 - one case for each kind of node
    """Return the node with every failed conversion in it no more than a null."""
    match node:
        case Column(of=of) if of is not None:
            return replace(node, of=forgiven(of))
        case Apply(arguments=arguments):
            return replace(node, arguments=tuple(map(forgiven, arguments)), is_forgiven=True)
        case Concat(parts):
            return Concat(tuple(map(forgiven, parts)))
        case Truth(of) | Not(of):
            return replace(node, of=forgiven(of))
        case Both(left, right) | Either(left, right):
            return replace(node, left=forgiven(left), right=forgiven(right))
        case Choose(branches, otherwise, kind):
            kept = tuple((forgiven(test), forgiven(value)) for test, value in branches)
            return Choose(kept, forgiven(otherwise), kind)
    return node


def reason(node: Node) -> str:
    """Return a sentence for a row that is rejected: which filters read which columns. It holds no value."""
    found = dict.fromkeys(f'"{each.entry.name}" of {_columns(each)}' for each in _conversions(node))
    named = ", or ".join(found) or f"a filter of {_columns(node)}"
    return f"The value cannot be converted: {named}."


def _conversions(node: Node) -> Iterator[Apply]:
    for each in walk(node):
        if isinstance(each, Apply) and _is_strict(each):
            yield each
        if isinstance(each, Column) and each.of is not None:
            yield from _conversions(each.of)


def _columns(node: Node) -> str:
    read = columns(node)
    names = ", ".join("what is looked up" if each.name.startswith("lookup:") else f'"{each.name}"' for each in read)
    return f"column{'s' * (len(read) > 1)} {names}" if read else "a constant"


def _any(found: Iterator[Node]) -> Node:
    result: Node = FALSE
    for each in found:
        result = _or(result, each)
    return result


def _or(left: Node, right: Node) -> Node:
    if left is FALSE or left == right:
        return right
    if right is FALSE:
        return left
    return Both(left, right, is_and=False)


def _where(test: Node, found: Node) -> Node:
    return FALSE if found is FALSE else Both(test, found, is_and=True)
