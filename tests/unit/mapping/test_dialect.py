"""Every line of the dialect, by example: text in, value out, the same on both sides."""

from __future__ import annotations

import re
import sys

import duckdb
import pytest

from syncer.mapping import sql
from syncer.mapping.dialect import ENTRIES, charset
from syncer.mapping.dialect.entry import Entry, Example
from tests.unit.mapping.sides import engine, in_engine, in_python, tree_of

EXAMPLES = [(entry, example) for entry in ENTRIES for example in entry.examples]
EVERYTHING = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    """One engine for the module."""
    return engine()


@pytest.mark.parametrize(
    ("entry", "example"), EXAMPLES, ids=[f"{e.kind}-{e.name}-{e.takes}-{n}" for n, (e, _) in enumerate(EXAMPLES)]
)
def test_example_holds_on_both_sides(entry: Entry, example: Example, connection: duckdb.DuckDBPyConnection) -> None:
    """An example of the dialect gives its value in Python, and in SQL where the entry has an SQL form."""
    tree = tree_of(example.template)
    assert in_python(tree, [example.row]) == [example.value]
    if entry.sql is not None:
        assert in_engine(connection, sql.write(tree), tree.type, [example.row]) == [example.value]


def test_null_passes_through_every_filter_and_method(connection: duckdb.DuckDBPyConnection) -> None:
    """A filter, a method and arithmetic give null for null, on both sides."""
    for entry, example in EXAMPLES:
        tree = tree_of(example.template)
        if entry.nulls == "pass" and "| length" not in example.template:
            assert in_python(tree, [{}]) == [None], example.template
            if entry.sql is not None:
                assert in_engine(connection, sql.write(tree), tree.type, [{}]) == [None], example.template


def test_white_space_is_the_same_for_every_code_point() -> None:
    """The characters that are trimmed are those that Python calls white space."""
    assert set(charset.SPACES) == {c for c in EVERYTHING if c.isspace()}
    assert re.fullmatch("[^x]*", charset.SPACES)


@pytest.mark.parametrize("name", ["lower", "upper"])
def test_case_agrees_on_every_code_point(name: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Lower and upper case are Python's for every code point."""
    tree = tree_of(f"{{{{ x | {name} }}}}")
    rows = [{"x": c} for c in EVERYTHING]
    assert in_engine(connection, sql.write(tree), tree.type, rows) == in_python(tree, rows)


@pytest.mark.parametrize("name", ["trim", "lower", "upper", "title", "capitalize"])
def test_text_filters_agree_on_cased_and_blank_characters(name: str, connection: duckdb.DuckDBPyConnection) -> None:
    """A filter that depends on the character set gives the same around every character that has case or is blank."""
    odd = [
        c for c in EVERYTHING if c.lower() != c or c.upper() != c or c.isspace() or ("A" + c + "Σ").lower()[-1] == "ς"
    ]
    tree = tree_of(f"{{{{ x | {name} }}}}")
    rows = [{"x": f"{c}aΣ{c}"} for c in odd]
    theirs, ours = in_engine(connection, sql.write(tree), tree.type, rows), in_python(tree, rows)
    assert [(row, a, b) for row, a, b in zip(rows, theirs, ours, strict=True) if a != b] == []


def test_names_and_docs_are_complete() -> None:
    """Every entry says in a sentence what it means."""
    assert all(entry.doc.endswith(".") for entry in ENTRIES)
