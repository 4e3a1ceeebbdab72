"""The typed expression tree: what a template means, before it is SQL or Python.

`parse` makes it, `sql` and `python` read it. Nodes are values; every node knows its type, and nothing here knows Jinja.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from syncer.mapping.dialect.entry import Entry, Nulls, Type, Value


@dataclass(frozen=True, slots=True)
class Column:
    """A source column, or the column that a lookup brings (`lookup:<alias>`) for the value `of`."""

    name: str
    type: Type
    of: Node | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal or a `var`."""

    value: Value
    type: Type


@dataclass(frozen=True, slots=True)
class Apply:
    """An entry of the dialect on its subject and arguments, in order, defaults filled in."""

    entry: Entry
    arguments: tuple[Node, ...]
    is_forgiven: bool = False
    """A failed conversion here is null and no more: the template has a word for it further out."""

    @property
    def type(self) -> Type:
        """What the entry gives."""
        return self.entry.gives


@dataclass(frozen=True, slots=True)
class Concat:
    """Text put together; a null prints as nothing."""

    parts: tuple[Node, ...]

    @property
    def type(self) -> Type:
        """Always text."""
        return Type.TEXT


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether a value counts as true, by its type: null, false, zero and empty text do not."""

    of: Node

    @property
    def type(self) -> Type:
        """Always boolean, never null."""
        return Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of a condition."""

    of: Node

    @property
    def type(self) -> Type:
        """Always boolean, never null."""
        return Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Both:
    """Two conditions joined: `all` for and, otherwise or."""

    left: Node
    right: Node
    is_and: bool

    @property
    def type(self) -> Type:
        """Always boolean, never null."""
        return Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Either:
    """`a or b`, `a and b`: whichever of the two values decides. Both are of one type."""

    left: Node
    right: Node
    is_and: bool

    @property
    def type(self) -> Type:
        """The type of both."""
        return self.left.type


@dataclass(frozen=True, slots=True)
class Choose:
    """The first branch whose condition is true; conditions are boolean and never null."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node
    type: Type


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A template that only Jinja itself can render; it reads these columns and variables, and is text.

    With `asks_failure` it is whether a conversion fails on the way.
    """

    template: str
    columns: tuple[Column, ...]
    variables: tuple[tuple[str, Value], ...]
    asks_failure: bool = False

    @property
    def type(self) -> Type:
        """Text, or the answer to a question."""
        return Type.BOOLEAN if self.asks_failure else Type.TEXT


Node = Column | Constant | Apply | Concat | Truth | Not | Both | Either | Choose | Interpreted
BROKEN = Constant(None, Type.BROKEN)
NULL = Constant(None, Type.NULL)


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly below."""
    match node:
        case Apply():
            yield from node.arguments
        case Concat():
            yield from node.parts
        case Truth() | Not():
            yield node.of
        case Both() | Either():
            yield from (node.left, node.right)
        case Choose():
            for condition, value in node.branches:
                yield from (condition, value)
            yield node.otherwise
        case Interpreted():
            yield from node.columns
        case _:
            return


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def is_nullable(node: Node) -> bool:
    """Return whether the value can be null."""
    match node:
        case Column():
            return True
        case Constant():
            return node.value is None
        case Apply():
            rule = {Nulls.PASS: any, Nulls.SEEN: _never, Nulls.FILLED: all}[node.entry.nulls]
            return node.entry.is_partial or rule(map(is_nullable, node.arguments))
        case Either():
            return is_nullable(node.right) or (node.is_and and is_nullable(node.left))
        case Choose():
            return any(is_nullable(value) for _, value in node.branches) or is_nullable(node.otherwise)
        case _:
            return False


def _never(_: Iterable[bool]) -> bool:
    return False


def columns(node: Node) -> tuple[Column, ...]:
    """Return the columns that are read, each once, in order of first use."""
    return tuple(dict.fromkeys(Column(each.name, each.type) for each in walk(node) if isinstance(each, Column)))


def has_sql(node: Node) -> bool:
    """Return whether every part has a SQL form."""
    return not any(
        isinstance(each, Interpreted) or (isinstance(each, Apply) and each.entry.sql is None) for each in walk(node)
    )
