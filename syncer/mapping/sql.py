"""The typed tree becomes one SQL expression in DuckDB's dialect, as a sqlglot tree.

Two facts make exactness nearly free: the types are known before a row is read, and most text is ASCII. A template whose
meaning depends on the character set is written twice, for rows of ASCII text and for the others, under one cheap test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from sqlglot import exp

from syncer.errors import BugError
from syncer.mapping.dialect.charset import MACROS, NEEDS
from syncer.mapping.dialect.entry import NUMBERS, Form, Type, Value, constant, fill, parsed
from syncer.mapping.tree import (
    Apply,
    Both,
    Choose,
    Column,
    Concat,
    Constant,
    Either,
    Node,
    Not,
    Truth,
    children,
    columns,
    has_sql,
    is_nullable,
    walk,
)

_HEAVY = 30
"""An argument of more SQL nodes than this is computed once and given a name where a form uses it twice."""


def column(name: str) -> exp.Column:
    """Return a quoted column."""
    return exp.column(exp.to_identifier(name, quoted=True))


def write(node: Node) -> exp.Expression:
    """Return the value of the tree as SQL over source columns."""
    roots = list(_charset_roots(node))
    if not roots or any(isinstance(each, Constant) and not _is_ascii(each.value) for each in roots):
        return _Writer(is_ascii=False).value(node)
    texts = sorted({each.name for each in roots if isinstance(each, Column)})
    if not texts:
        return _Writer(is_ascii=True).value(node)
    # A null text is neither longer nor shorter than itself, so it takes the cheap branch.
    tests = [fill("strlen(:x) <> length(:x)", {"x": column(each)}) for each in texts]
    exact, cheap = _Writer(is_ascii=False).value(node), _Writer(is_ascii=True).value(node)
    return exp.Case(ifs=[exp.If(this=exp.or_(*tests, copy=False), true=exact)], default=cheap)


def macros(trees: Sequence[exp.Expression]) -> tuple[str, ...]:
    """Return the statements that define what the trees call."""
    called = {each.name.lower() for tree in trees for each in tree.find_all(exp.Anonymous)} & MACROS.keys()
    needed = {each for name in called for each in (*NEEDS.get(name, ()), name)}
    return tuple(MACROS[name] for name in sorted(needed, key=lambda name: (name in NEEDS, name)))


def _charset_roots(node: Node) -> Iterator[Node]:
    """Yield the text columns and constants below parts that depend on the character set."""
    if isinstance(node, Apply) and node.entry.depends_on_charset:
        yield from (each for each in walk(node) if isinstance(each, Column | Constant) and each.type is Type.TEXT)
        return
    for child in children(node):
        yield from _charset_roots(child)


def _is_ascii(value: Value) -> bool:
    return not isinstance(value, str) or value.isascii()


class _Writer:
    """Writes one expression; `is_ascii` says what may be assumed of the text columns."""

    def __init__(self, *, is_ascii: bool) -> None:
        self.is_ascii = is_ascii
        self.names = count(1)

    def value(self, node: Node) -> exp.Expression:  # noqa: PLR0911 - one case for each kind of node
        """Return the exact value."""
        match node:
            case Column(name, kind):
                read = column(name)
                return exp.cast(read, "DECIMAL(38, 18)", dialect="duckdb") if kind is Type.DECIMAL else read
            case Constant(value, kind):
                return constant(value, kind)
            case Apply():
                form = node.entry.ascii_sql if self.is_ascii and node.entry.ascii_sql is not None else node.entry.sql
                assert form is not None  # noqa: S101 - `has_sql` was asked first
                return self.applied(node, form)
            case Concat(parts):
                return exp.Anonymous(this="concat", expressions=[self.value(each) for each in parts])
            case Choose():
                ifs = [exp.If(this=self.condition(test), true=self.value(each)) for test, each in node.branches]
                return exp.Case(ifs=ifs, default=self.value(node.otherwise))
            case Truth(of):
                test = self.condition(node)
                return fill("coalesce(:x, FALSE)", {"x": test}) if is_nullable(of) and _may_be_null(of) else test
            case Not(of):
                return fill("NOT :x", {"x": self.value(of)})
            case Both(left, right, is_and):
                return _joined(self.value(left), self.value(right), is_and=is_and)
            case Either(left, right, is_and):
                form = f"CASE WHEN {_truth(left.type)} THEN :y ELSE :x END" if is_and else _or(left.type)
                return self.filled(form, {"x": self.value(left), "y": self.value(right)}, {})
            case _:
                raise BugError("M303", "A template that only Jinja can render was asked for SQL.")

    def condition(self, node: Node) -> exp.Expression:
        """Return a test that may be null where the value is false: enough for CASE, cheaper than the value."""
        match node:
            case Apply() if node.entry.condition is not None and not _compares_nulls(node):
                return self.applied(node, node.entry.condition)
            case Both(left, right, is_and):
                return _joined(self.condition(left), self.condition(right), is_and=is_and)
            case Truth(of):
                return fill(_truth(of.type), {"x": self.value(of)})
        return self.value(node)

    def applied(self, node: Apply, form: Form) -> exp.Expression:
        """Return the form filled with the node's arguments."""
        names = ("x", *(each.name for each in node.entry.parameters))
        arguments = {name: self.value(each) for name, each in zip(names, node.arguments, strict=True)}
        literals = {
            name: each.value for name, each in zip(names, node.arguments, strict=True) if isinstance(each, Constant)
        }
        return self.filled(form, arguments, literals)

    def filled(self, form: Form, arguments: dict[str, exp.Expression], literals: Mapping[str, Value]) -> exp.Expression:
        """Return the form filled; a heavy argument that it uses more than once is bound to a name."""
        bound: dict[str, exp.Expression] = {}
        for name, tree in list(arguments.items()):
            if name not in literals and _uses(form, name) > 1 and _is_heavy(tree):
                alias = f"v{next(self.names)}"
                bound[alias] = tree
                arguments[name] = exp.column(alias)
        written = fill(form, arguments, literals)
        for alias, tree in bound.items():
            written = _let(alias, tree, written)
        return written


_TRUTH = {Type.TEXT: ":x <> ''", Type.LIST: "len(:x) > 0", Type.NULL: "FALSE", **dict.fromkeys(NUMBERS, ":x <> 0")}


def _truth(kind: Type) -> str:
    """Return the test of a value `:x`, null where a null value has none."""
    return ":x" if kind is Type.BOOLEAN else _TRUTH.get(kind, ":x IS NOT NULL")


_FALSE = {Type.TEXT: "''", Type.BOOLEAN: "FALSE", **dict.fromkeys(NUMBERS, "0")}


def _or(kind: Type) -> str:
    """Return the form of `x or y`."""
    if kind is Type.LIST:
        return f"CASE WHEN {_truth(kind)} THEN :x ELSE :y END"
    return f"coalesce(nullif(:x, {_FALSE[kind]}), :y)" if kind in _FALSE else "coalesce(:x, :y)"


def _may_be_null(of: Node) -> bool:
    """Return whether the test of a null value is null rather than false."""
    return of.type in _TRUTH or of.type is Type.BOOLEAN


def _compares_nulls(node: Apply) -> bool:
    """Return whether both sides can be null, which are then equal."""
    return node.entry.name == "==" and all(map(is_nullable, node.arguments))


def _joined(left: exp.Expression, right: exp.Expression, *, is_and: bool) -> exp.Expression:
    return fill(":x AND :y" if is_and else ":x OR :y", {"x": left, "y": right})


def _is_heavy(tree: exp.Expression) -> bool:
    """Return whether the tree is too large to be written twice; a macro of ours is, once the engine has put it in."""
    nodes = list(tree.walk())
    calls_macro = any(isinstance(each, exp.Anonymous) and each.name.lower() in MACROS for each in nodes)
    return calls_macro or len(nodes) > _HEAVY


def _uses(form: Form, name: str) -> int:
    # What a function builds, and what a macro of ours does with its argument, may use it twice.
    if not isinstance(form, str) or "syncer_" in form:
        return 2
    return sum(1 for each in parsed(form).find_all(exp.Placeholder) if each.name == name)


def _let(alias: str, tree: exp.Expression, body: exp.Expression) -> exp.Expression:
    """Return the body with the alias standing for the tree's value, which is computed once."""
    function = exp.Lambda(this=body, expressions=[exp.to_identifier(alias)], colon=True)
    listed = exp.Anonymous(this="list_transform", expressions=[exp.Array(expressions=[tree]), function])
    return exp.Bracket(this=listed, expressions=[exp.Literal.number(1)], offset=1)


__all__ = ["column", "columns", "has_sql", "macros", "write"]
