"""The typed tree becomes a Python function: the reference meaning, and what runs where a part has no SQL form.

The function is generated once a template and called over Arrow columns: thousands of rows at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from syncer.mapping import interpret
from syncer.mapping.dialect.entry import SQL_TYPE, Nulls, Type, Value
from syncer.mapping.tree import (
    Apply,
    Both,
    Column,
    Concat,
    Constant,
    Either,
    Interpreted,
    Node,
    Not,
    Truth,
    columns,
    is_nullable,
)

if TYPE_CHECKING:
    import pyarrow as pa

Function = Callable[..., Value]


def compiled(node: Node) -> Function:
    """Return the tree as a function of its columns, in the order of `columns(node)`."""
    writer = _Writer(node)
    body = writer.value(node)
    source = f"def meaning({', '.join(writer.parameters.values())}): return {body}"
    exec(compile(source, "<mapping>", "exec"), writer.names)  # noqa: S102 - the text is ours: names are numbered, no word of a template is in it
    meaning: Function = writer.names["meaning"]  # type: ignore[assignment]
    return meaning


def over_arrow(node: Node) -> Callable[..., pa.Array]:
    """Return the tree as a function of Arrow arrays of equal length."""
    import pyarrow as pa

    meaning, kind = compiled(node), arrow_type(node.type)
    moments = [each.type is Type.INSTANT for each in columns(node)]

    def call(*arrays: pa.Array) -> pa.Array:
        cells = (
            # The engine holds a moment as its time in UTC.
            (each.cast(pa.timestamp("us", "UTC")) if is_moment else each).to_pylist()
            for each, is_moment in zip(arrays, moments, strict=True)
        )
        return pa.array(map(meaning, *cells), type=kind)

    # DuckDB evaluates annotations, and pyarrow is no global of this module.
    call.__annotations__.clear()
    return call


def arrow_type(kind: Type) -> pa.DataType:
    """Return the Arrow type that holds values of this type."""
    import pyarrow as pa

    return {
        Type.INTEGER: pa.int64(),
        Type.DECIMAL: pa.decimal128(38, 18),
        Type.FLOAT: pa.float64(),
        Type.BOOLEAN: pa.bool_(),
        Type.DATE: pa.date32(),
        Type.DATETIME: pa.timestamp("us"),
        Type.INSTANT: pa.timestamp("us"),
    }.get(kind, pa.string())


def sql_type(kind: Type) -> str:
    """Return the DuckDB type of a function's result."""
    return SQL_TYPE[kind]


class _Writer:
    """Writes one expression; constants and functions get numbered names."""

    def __init__(self, node: Node) -> None:
        self.parameters = {each.name: f"c{number}" for number, each in enumerate(columns(node))}
        self.names: dict[str, object] = {"__builtins__": {}, "bool": bool}
        self.held = 0

    def name(self, letter: str, value: object) -> str:
        """Return a new name for a value that the code needs."""
        name = f"{letter}{len(self.names)}"
        self.names[name] = value
        return name

    def value(self, node: Node) -> str:  # noqa: PLR0911 - one case for each kind of node
        """Return Python for the value."""
        match node:
            case Column(name):
                return self.parameters[name]
            case Constant(value):
                return repr(value) if value is None or isinstance(value, bool) else self.name("k", value)
            case Apply():
                return self.applied(node)
            case Concat(parts):
                return f"{self.name('j', ''.join)}([{', '.join(map(self.printed, parts))}])"
            case Truth(of):
                return f"bool({self.value(of)})"
            case Not(of):
                return f"(not {self.value(of)})"
            case Both(left, right, is_and) | Either(left, right, is_and):
                return f"({self.value(left)} {'and' if is_and else 'or'} {self.value(right)})"
            case Interpreted(template, read, variables, asks_failure):
                names = [each.name for each in read]
                function = self.name("f", interpret.compiled(template, names, variables, asks_failure=asks_failure))
                return f"{function}({', '.join(self.parameters[each.name] for each in read)})"
            case _:
                branches = "".join(f"{self.value(each)} if {self.value(test)} else " for test, each in node.branches)
                return f"({branches}{self.value(node.otherwise)})"

    def printed(self, node: Node) -> str:
        """Return Python for a text that is empty where it is null."""
        return f"({self.value(node)} or '')" if is_nullable(node) else self.value(node)

    def applied(self, node: Apply) -> str:
        """Return a call; where nulls pass, it is made only when no argument is null."""
        function = self.name("f", node.entry.python)
        literal = [each.is_literal for each in node.entry.parameters]
        arguments, tests = list[str](), list[str]()
        for each, is_literal in zip(node.arguments, [False, *literal], strict=True):
            written = self.value(each)
            if node.entry.nulls is Nulls.PASS and is_nullable(each) and not is_literal:
                self.held += 1
                tests.append(f"(t{self.held} := {written}) is None")
                written = f"t{self.held}"
            arguments.append(written)
        call = f"{function}({', '.join(arguments)})"
        return f"(None if {' or '.join(tests)} else {call})" if tests else call
