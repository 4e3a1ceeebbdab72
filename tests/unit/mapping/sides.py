"""Runs one template on both sides: DuckDB and generated Python, over the same rows; and in stock Jinja."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
from sqlglot import exp

from syncer.mapping import python, sql
from syncer.mapping.dialect.charset import MACROS
from syncer.mapping.dialect.entry import Type, Value
from syncer.mapping.parse import Parsed, parse
from syncer.mapping.scope import Scope
from syncer.mapping.tree import Node, columns

COLUMNS = {
    "x": Type.TEXT,
    "y": Type.TEXT,
    "i": Type.INTEGER,
    "k": Type.INTEGER,
    "f": Type.FLOAT,
    "g": Type.FLOAT,
    "d": Type.DECIMAL,
    "e": Type.DECIMAL,
    "b": Type.BOOLEAN,
    "day": Type.DATE,
    "t": Type.DATETIME,
    "m": Type.INSTANT,
}
SCOPE = Scope(COLUMNS, {"region": "emea", "limit": 80})
Row = Mapping[str, Value]


def read(template: str) -> Parsed:
    """Parse in the scope of the columns above."""
    return parse(template, SCOPE)


def tree_of(template: str) -> Node:
    """Parse a template that has no problems."""
    parsed = read(template)
    assert not parsed.problems, parsed.problems
    return parsed.tree


def table(rows: Sequence[Row], names: Sequence[str]) -> pa.Table:
    """Return these columns of the rows as an Arrow table."""
    return pa.table(
        {name: pa.array([row.get(name) for row in rows], type=python.arrow_type(COLUMNS[name])) for name in names}
    )


def engine() -> duckdb.DuckDBPyConnection:
    """Return a connection of its own, on one thread, that knows every macro."""
    connection = duckdb.connect(config={"threads": 1})
    for statement in sql.macros([exp.Anonymous(this=name) for name in MACROS]):
        connection.execute(statement)
    return connection


def in_engine(
    connection: duckdb.DuckDBPyConnection, expression: exp.Expression, kind: Type, rows: Sequence[Row]
) -> list[Value]:
    """Return the expression's value for each row, as DuckDB finds it."""
    return together(connection, [(expression, kind)], rows)[0]


def together(
    connection: duckdb.DuckDBPyConnection, wanted: Sequence[tuple[exp.Expression, Type]], rows: Sequence[Row]
) -> list[list[Value]]:
    """Return each expression's value for each row, all computed by one statement."""
    expressions = [each for each, _ in wanted]
    read = sorted({each.name for tree in expressions for each in tree.find_all(exp.Column)} & COLUMNS.keys())
    connection.register("source", table(rows, read or ["x"]))
    values = ", ".join(f"{each.sql('duckdb')} AS v{place}" for place, each in enumerate(expressions))
    found = connection.sql(f"SELECT {values} FROM source").to_arrow_table()
    connection.unregister("source")
    columns = [found[f"v{place}"].to_pylist() for place in range(len(wanted))]
    return [
        list(map(utc, cells)) if kind is Type.INSTANT else cells
        for (_, kind), cells in zip(wanted, columns, strict=True)
    ]


def utc(value: Value) -> Value:
    """An instant comes back as wall-clock time in UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def in_python(tree: Node, rows: Sequence[Row]) -> list[Value]:
    """Return the tree's value for each row, as generated Python finds it."""
    meaning = python.compiled(tree)
    names = [each.name for each in columns(tree)]
    return [meaning(*(row.get(name) for name in names)) for row in rows]
