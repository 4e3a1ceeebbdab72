"""SQL and Python mean the same, for random templates over nasty rows; and a planted difference is found."""

from __future__ import annotations

import math
from dataclasses import replace

import duckdb
import pytest
from hypothesis import given

from syncer.mapping import sql
from syncer.mapping.dialect.entry import Type, Value
from syncer.mapping.failure import failure
from syncer.mapping.resolve import printed
from syncer.mapping.tree import Apply, Node
from tests.unit.mapping.sides import Row, engine, in_python, read, together, tree_of
from tests.unit.mapping.templates import ROWS, TEMPLATE, TEXTS

ENGINE = engine()


def key(value: Value) -> object:
    """Return what two equal values share: type, and NaN as one value."""
    return (type(value), "nan" if isinstance(value, float) and math.isnan(value) else value)


def differences(
    tree: Node, rows: list[Row], connection: duckdb.DuckDBPyConnection = ENGINE
) -> list[tuple[Row, Value, Value]]:
    """Return the rows in which the two sides differ, with both: whether a conversion fails, and the value."""
    sides = []
    trees = [each for each in (failure(tree), tree) if sql.has_sql(each)]
    found = together(connection, [(sql.write(each), each.type) for each in trees], rows)
    for each, theirs in zip(trees, found, strict=True):
        ours = in_python(each, rows)
        sides += [(row, a, b) for row, a, b in zip(rows, theirs, ours, strict=True) if key(a) != key(b)]
    return sides


@given(TEMPLATE, ROWS)
def test_sql_means_what_python_means(template: str, rows: list[Row]) -> None:
    """The compiled SQL gives, row by row, the failure, the value and the type that the Python meaning gives."""
    parsed = read(template)
    assert parsed.problems == ()
    tree = printed(parsed.tree) if parsed.tree.type is Type.MIXED else parsed.tree
    assert differences(tree, rows) == []


@pytest.mark.parametrize(
    ("name", "takes", "planted"),
    [
        ("trim", Type.TEXT, "trim(:x)"),
        ("lower", Type.TEXT, "lower(:x)"),
        ("upper", Type.TEXT, "upper(:x)"),
        ("int", Type.TEXT, "TRY_CAST(:x AS BIGINT)"),
        ("float", Type.TEXT, "TRY_CAST(:x AS DOUBLE)"),
        ("first", Type.TEXT, "left(:x, 1)"),
        ("default", Type.TEXT, "CASE WHEN :x <> '' THEN :x ELSE :value END"),
    ],
)
def test_a_planted_mistake_is_found(name: str, takes: Type, planted: str) -> None:
    """A plausible wrong SQL form of one filter makes the comparison fail."""
    argument = "('-')" if name == "default" else ""
    tree = tree_of(f"{{{{ x | {name}{argument} }}}}")
    rows: list[Row] = [{"x": each} for each in TEXTS]
    assert differences(tree, rows) == []
    assert isinstance(tree, Apply)
    assert tree.entry.takes is takes
    mutant = Apply(replace(tree.entry, sql=planted, ascii_sql=None), tree.arguments)
    assert differences(mutant, rows) != []


def test_a_heavy_argument_is_computed_once() -> None:
    """An argument that a form uses twice does not double the SQL at each level of nesting."""
    chain = "x" + " | trim | lower | upper | capitalize | truncate(9) | title" * 5
    tree = tree_of(f"{{{{ {chain} }}}}")
    assert len(sql.write(tree).sql("duckdb")) < 20_000
    assert differences(tree, [{"x": each} for each in TEXTS]) == []


@pytest.mark.parametrize("word", ["x and ({})", "({}) and x", "x or ({})", "not ({})", "({}) == b", "b == ({})"])
@pytest.mark.parametrize("inner", ["b or i == 1", "b and i == 1", "not b", "b == (i == 1)", "x is none", "x in y or b"])
def test_brackets_of_a_template_are_kept(word: str, inner: str) -> None:
    """What stands in brackets is decided first, whatever stands around it."""
    rows: list[Row] = [
        {"x": x, "y": y, "b": b, "i": i}
        for x in ("a", "", None)
        for y in ("a", "")
        for b in (True, False)
        for i in (0, 1)
    ]
    assert differences(tree_of("{{ 'yes' if " + word.format(inner) + " else 'no' }}"), rows) == []
