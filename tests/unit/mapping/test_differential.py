"""SQL and Python mean the same, for random templates over nasty rows; and a planted difference is found."""

from __future__ import annotations

import math

import duckdb
from hypothesis import given

from syncer.mapping import sql
from syncer.mapping.dialect.entry import Type, Value
from syncer.mapping.tree import Node
from tests.unit.mapping.sides import Row, engine, in_engine, in_python, read
from tests.unit.mapping.templates import ROWS, TEMPLATE

ENGINE = engine()


def key(value: Value) -> object:
    """Return what two equal values share: type, and NaN as one value."""
    return (type(value), "nan" if isinstance(value, float) and math.isnan(value) else value)


def differences(
    tree: Node, rows: list[Row], connection: duckdb.DuckDBPyConnection = ENGINE
) -> list[tuple[Row, Value, Value]]:
    """Return the rows in which the two sides differ, with both values."""
    expression = sql.write(tree)
    theirs, ours = in_engine(connection, expression, tree.type, rows), in_python(tree, rows)
    return [(row, a, b) for row, a, b in zip(rows, theirs, ours, strict=True) if key(a) != key(b)]


@given(TEMPLATE, ROWS)
def test_sql_means_what_python_means(template: str, rows: list[Row]) -> None:
    """The compiled SQL gives, row by row, the value and the type that the Python meaning gives."""
    parsed = read(template)
    if parsed.problems or not sql.has_sql(parsed.tree) or parsed.tree.type in (Type.MIXED, Type.LIST):
        return
    assert differences(parsed.tree, rows) == []
