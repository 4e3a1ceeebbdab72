"""Generated Python over Arrow, Jinja as the last resort, and stock Jinja as the judge of the Python meaning."""

# ruff: noqa: DTZ001 - wall-clock times are the subject
from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from jinja2 import Environment

from syncer.errors import BugError
from syncer.mapping import interpret, python, sql
from syncer.mapping.dialect import ENTRIES
from syncer.mapping.dialect.entry import Kind, Type, Value
from syncer.mapping.tree import Apply, walk
from tests.unit.mapping.sides import COLUMNS, Row, in_python, read, tree_of
from tests.unit.mapping.templates import ROW, TEMPLATE

STOCK = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 - the values are our own


DAY: Row = {"x": "a", "day": date(2024, 1, 2), "b": True}


def test_arrow_columns_in_and_out() -> None:
    """A tree is called over arrays of equal length and gives an array of its own type."""
    call = python.over_arrow(tree_of("{{ d * e }}"))
    two = pa.array([Decimal(2), None], type=pa.decimal128(38, 18))
    assert call(two, two).to_pylist() == [Decimal(4), None]
    assert call(two, two).type == pa.decimal128(38, 18)


@pytest.mark.parametrize(
    ("template", "row", "value"),
    [
        ("{{ x | striptags }}", {"x": "<b>a</b> <i>b</i>"}, "a b"),
        ("{{ x | striptags }}", {}, ""),
        ("{{ x | urlencode }}", {"x": "a b&c"}, "a%20b%26c"),
        ("{{ x | wordcount + 1 }}", {"x": "a b"}, "3"),
        ("{{ x | escape | upper }}", {"x": "<"}, "&LT;"),
        ("{{ x | center(5) | trim }}", {"x": "a"}, "a"),
        ("{{ x | striptags }}{{ y | default('-') }}{{ y is none }}", {"x": "a"}, "a-True"),
        ("{{ x | striptags }}{{ i | default(i, true) }}", {"x": "a", "i": 0}, "a0"),
        ("{{ x | striptags }}{{ y.lower() }}{{ i + 1 }}{{ -i }}", {"x": "a"}, "a"),
        ("{{ x | striptags }}{{ i < 1 }}{{ y == none }}{{ y != none }}", {"x": "a"}, "aFalseTrueFalse"),
        ("{{ x | striptags }}{{ y | replace('a', y) }}{{ x | replace('a', y) }}", {"x": "a"}, "a"),
        ("{{ x | striptags }}{{ d }} {{ b }}", {"x": "a", "d": Decimal("2.50"), "b": True}, "a2.5 True"),
        ("{{ x | striptags }}{{ none }}{{ d | round(1) }}", {"x": "a", "d": Decimal("2.25")}, "a2.2"),
        ("{{ x | striptags }}{{ t }}", {"x": "a", "t": datetime(2024, 1, 2, 3, 4, 5)}, "a2024-01-02 03:04:05"),
        ("{{ x | striptags }}{{ t | timezone('UTC') }}", {"x": "", "t": datetime(2024, 1, 2)}, "2024-01-02T00:00:00Z"),
        ("{{ x | striptags }}{{ i | lower }}{{ x | int | default(none) }}{{ x | int(7) }}", {"x": "a", "i": 5}, "a57"),
        ("{{ x | striptags }}{{ x.split('a') | join('-') }}{{ f | round(1) }}", {"x": "a", "f": 1.25}, "a-1.2"),
        ("{{ x | striptags }}{{ var.region }}{{ row.x }}", {"x": "a"}, "aemeaa"),
        ("{{ x | striptags }}{{ day | format_date('%d.') }}{{ b | int }}", DAY, "a02.1"),
    ],
)  # fmt: skip
def test_jinja_as_the_last_resort(template: str, row: Row, value: str) -> None:
    """A template with a harmless filter of Jinja's is rendered by Jinja with the dialect's nulls and filters."""
    tree = tree_of(template)
    assert not sql.has_sql(tree)
    assert in_python(tree, [row]) == [value]
    with pytest.raises(BugError):
        sql.write(tree)


def test_nulls_are_one_value() -> None:
    """All nulls are equal and have one hash."""
    assert interpret.Null() == interpret.NULL
    assert hash(interpret.NULL) == hash(interpret.Null())
    assert interpret.type_of(datetime(2024, 1, 1, tzinfo=UTC)) is Type.INSTANT


def _stock_can_say(template: str, row: Row) -> bool:
    """Return whether stock Jinja has every part of the template with the dialect's meaning, and no null is met."""
    tree = read(template).tree
    applied = [each.entry for each in walk(tree) if isinstance(each, Apply)]
    kinds = (Kind.FILTER, Kind.METHOD, Kind.TEST)
    return (
        all(each.like_jinja for each in applied)
        and all(value is not None for value in row.values())
        and not any(each.is_partial and each.kind in kinds for each in applied)
        and sql.has_sql(tree)
        and not any(each.takes in (Type.DECIMAL, Type.INSTANT) or each.gives is Type.DECIMAL for each in applied)
    )


@given(TEMPLATE, ROW)
def test_python_means_what_jinja_means(template: str, row: dict[str, Value]) -> None:
    """Where the dialect claims it and no null or range is met, a template prints what stock Jinja prints."""
    if not _stock_can_say(template, row):
        return
    tree = tree_of(template + " ")
    try:
        theirs = STOCK.from_string(template + " ").render({name: row[name] for name in COLUMNS})
    except (ZeroDivisionError, OverflowError, TypeError):
        return
    ours = in_python(tree, [row])[0]
    if _left_a_range(template, row):
        return
    assert ours == theirs


def _left_a_range(template: str, row: Row) -> bool:
    """Return whether some integer of the calculation needed more than 64 bits, where the dialect gives null."""
    tree = read(template + " ").tree
    whole = [
        each
        for each in walk(tree)
        if isinstance(each, Apply) and each.entry.kind is Kind.OPERATOR and each.entry.is_partial
    ]
    return any(in_python(each, [row])[0] is None for each in whole)


def test_every_entry_can_be_called() -> None:
    """No entry of the list is without a Python meaning."""
    assert all(callable(entry.python) for entry in ENTRIES)
