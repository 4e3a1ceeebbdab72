"""Truth, comparison, choice and defaults between typed nodes: Python's rules, held to types known beforehand.

Values of unlike types are never equal and have no order. Null equals null only, and is neither less nor greater.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncer.mapping import resolve
from syncer.mapping.dialect.entry import NUMBERS, Kind, Type
from syncer.mapping.failure import FALSE, forgiven
from syncer.mapping.resolve import Misfit
from syncer.mapping.tree import BROKEN, NULL, Both, Choose, Constant, Either, Node, Not, Truth, is_nullable

_ORDER = ("<", "<=", ">", ">=")
_UNCOMPARED = (Type.MIXED, Type.LIST)


def is_flag(node: Node) -> bool:
    """Return whether the node is true or false and never null."""
    return node.type is Type.BOOLEAN and not is_nullable(node)


def truth(node: Node) -> Node:
    """Return whether a value counts as true."""
    if isinstance(node, Choose) and node.type is Type.MIXED:
        branches = tuple((test, truth(value)) for test, value in node.branches)
        return Choose(branches, truth(node.otherwise), Type.BOOLEAN)
    return node if is_flag(node) else Truth(node)


def is_known(node: Node) -> Node:
    """Return whether a value is not null."""
    return resolve.apply(Kind.TEST, "defined", resolve.printed(node) if node.type is Type.MIXED else node)


def compared(symbol: str, left: Node, right: Node) -> Node:
    """Return a typed comparison."""
    kind = resolve.unified((left.type, right.type))
    if kind is Type.BROKEN:
        return BROKEN
    if kind is Type.NULL:
        return Constant(symbol == "==", Type.BOOLEAN)
    if Type.NULL in (left.type, right.type):
        left, right = forgiven(left), forgiven(right)
    if kind not in _UNCOMPARED:
        return resolve.apply(Kind.OPERATOR, symbol, resolve.coerced(left, kind), [resolve.coerced(right, kind)])
    if symbol in _ORDER or {left.type, right.type} & set(_UNCOMPARED):
        detail = f'"{symbol}" cannot compare {left.type} with {right.type}.'
        raise Misfit("M305", detail, "Bring both sides to one type first.", symbol)
    both_null = Both(Not(is_known(left)), Not(is_known(right)), is_and=True)
    return both_null if symbol == "==" else Not(both_null)


def among(left: Node, values: Sequence[Node]) -> Node:
    """Return whether the value is one of those written out."""
    texts = tuple(str(each.value) for each in values if isinstance(each, Constant) and each.type is Type.TEXT)
    if left.type is Type.TEXT and len(texts) == len(values):
        return resolve.apply(Kind.OPERATOR, "in", left, [Constant(texts, Type.LIST)])
    result: Node = FALSE
    for each in values:
        equal = compared("==", left, each)
        if equal is BROKEN:
            return BROKEN
        result = Both(result, equal, is_and=False)
    return result


def either(left: Node, right: Node, *, is_and: bool) -> Node:
    """Return `a or b`, `a and b` as Python gives them: one of the two values."""
    if is_flag(left) and is_flag(right):
        return Both(left, right, is_and)
    kind = resolve.unified((left.type, right.type))
    if kind is Type.NULL:
        return NULL
    if kind in (Type.MIXED, Type.BROKEN):
        return resolve.choose([(truth(left), right if is_and else left)], left if is_and else right)
    return Either(resolve.coerced(left, kind), resolve.coerced(right, kind), is_and)


def default(subject: Node, value: Node, *, for_false: bool) -> Node:
    """Return the value, or what stands in for null; with `for_false` also for whatever counts as false."""
    if Type.BROKEN in (subject.type, value.type):
        return BROKEN
    if subject.type is Type.NULL:
        return value
    subject = forgiven(subject)
    if value.type is Type.NULL and not for_false:
        return subject
    kind = resolve.unified((subject.type, value.type))
    if for_false:
        return either(subject, value, is_and=False)
    if kind is Type.MIXED:
        return resolve.choose([(is_known(subject), subject)], value)
    return resolve.apply(Kind.FILTER, "default", resolve.coerced(subject, kind), [resolve.coerced(value, kind)])


def arithmetic(symbol: str, left: Node, right: Node) -> Node:
    """Return arithmetic with both sides of one type of number; a literal fraction beside a decimal is a decimal."""
    kinds = {left.type, right.type}
    kind = resolve.unified((left.type, right.type))
    if kinds <= set(NUMBERS):
        if kinds == {Type.DECIMAL, Type.FLOAT} and any(isinstance(each, Constant) for each in (left, right)):
            kind = Type.DECIMAL
        left, right = resolve.coerced(left, kind), resolve.coerced(right, kind)
    return resolve.apply(Kind.OPERATOR, symbol, left, [right])


def negative(number: Node) -> Node:
    """Return a number with its sign turned; a literal stays a literal."""
    if isinstance(number, Constant) and type(number.value) in (int, float):
        return Constant(-number.value, number.type)  # type: ignore[operator]
    zero = Constant(0, Type.INTEGER)
    return arithmetic(
        "-", zero if number.type in NUMBERS else resolve.coerced(Constant(None, Type.NULL), number.type), number
    )
