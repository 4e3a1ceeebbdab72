"""Runs one template on both sides: DuckDB and generated Python, over the same rows; and in stock Jinja."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
from sqlglot import exp

from syncer.mapping import python, sql
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
    """Return a connection of its own, on one thread."""
    return duckdb.connect(config={"threads": 1})


def in_engine(
    connection: duckdb.DuckDBPyConnection, expression: exp.Expression, kind: Type, rows: Sequence[Row]
) -> list[Value]:
    """Return the expression's value for each row, as DuckDB finds it."""
    for statement in sql.macros([expression]):
        connection.execute(statement)
    read = sorted({each.name for each in expression.find_all(exp.Column)} & COLUMNS.keys())
    source = table(rows, read or ["x"])
    connection.register("source", source)
    found = (
        connection.sql(f"SELECT {expression.sql('duckdb')} AS found FROM source").to_arrow_table()["found"].to_pylist()
    )
    connection.unregister("source")
    return [utc(each) if kind is Type.INSTANT else each for each in found]


def utc(value: Value) -> Value:
    """An instant comes back as wall-clock time in UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def in_python(tree: Node, rows: Sequence[Row]) -> list[Value]:
    """Return the tree's value for each row, as generated Python finds it."""
    meaning = python.compiled(tree)
    names = [each.name for each in columns(tree)]
    return [meaning(*(row.get(name) for name in names)) for row in rows]
