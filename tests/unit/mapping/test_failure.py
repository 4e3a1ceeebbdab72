"""A conversion that fails rejects its row, wherever the template needed it and has no word of its own for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given

from syncer.mapping import failure as room
from syncer.mapping import sql
from syncer.mapping.dialect import ENTRIES
from syncer.mapping.dialect.entry import Type
from syncer.mapping.failure import FALSE, failure, reason
from syncer.mapping.resolve import printed
from syncer.mapping.tree import Node
from tests.unit.mapping.sides import Row, engine, in_engine, in_python, read, tree_of
from tests.unit.mapping.templates import ROWS, TEMPLATE
from tests.unit.mapping.test_differential import key
from tests.unit.mapping.walker import Unread, walked

ENGINE = engine()


def fails(template: str, row: Row) -> bool:
    """Return the answer that both sides give."""
    question = failure(tree_of(template))
    (ours,) = in_python(question, [row])
    if sql.has_sql(question):
        assert in_engine(ENGINE, sql.write(question), Type.BOOLEAN, [row]) == [ours]
    assert isinstance(ours, bool)
    return ours


@pytest.mark.parametrize(
    ("template", "row"),
    [
        ("{{ x | int }}", {"x": "abc"}),
        ("{{ x | int }}", {"x": " "}),
        ("{{ x | float }}", {"x": "1,5"}),
        ("{{ x | decimal }}", {"x": "1e3"}),
        ("{{ x | date }}", {"x": "31.12.2024"}),
        ("{{ x | date('%d.%m.%Y') }}", {"x": "2024-12-31"}),
        ("{{ x | datetime }}", {"x": "2024-12-31T10:00:00Z"}),
        ("{{ x | datetime('%d.%m.%Y %H:%M') }}", {"x": "31.12.2024"}),
        ("{{ x | datetime | timezone('Europe/Berlin') }}", {"x": "2024-03-31 02:30:00"}),
        ("{{ x | datetime | timezone('Europe/Berlin') }}", {"x": "31 March"}),
        ("{{ m | local('Asia/Tokyo') }}", {"m": datetime(9999, 12, 31, tzinfo=UTC)}),
        ("{{ x | bool }}", {"x": "maybe"}),
        ("{{ x | bool('J', 'N') }}", {"x": "j"}),
        ("{{ f | int }}", {"f": 1e300}),
        ("{{ 'Hot' if x | int >= 80 else 'Cold' }}", {"x": "abc"}),
        ("{{ x | int or 7 }}", {"x": "abc"}),
        ("{{ y or x | int }}", {"x": "abc", "y": ""}),
        ("{{ y and x | date }}", {"x": "abc", "y": "1"}),
        ("{{ i + (x | int) }}", {"x": "abc", "i": None}),
        ("{{ x | int ~ '!' }}", {"x": "abc"}),
        ("{{ (x | decimal) | int(7) }}", {"x": "abc"}),
        ("{{ y | default(x | int) }}", {"x": "abc"}),
        ("{{ i | default(x | int) }}", {"x": "abc"}),
        ("{% if x | int %}a{% endif %}", {"x": "abc"}),
        ("{% if i %}{{ x | int }}{% else %}b{% endif %}", {"x": "abc", "i": 1}),
        ("{{ 'abc' | int }}", {}),
        ("{{ x | striptags | int }}", {"x": "<b>abc</b>"}),
        ("{{ x | striptags }}{{ 1 if y | date is defined and x | int else 2 }}", {"x": "a", "y": "2024-01-01"}),
        ("{{ x | decimal * d }}", {"x": "abc", "d": None}),
    ],
)
def test_a_needed_conversion_fails_the_row(template: str, row: Row) -> None:
    """A value that says something and cannot be read is a failure, wherever the template needs it."""
    assert fails(template, row)


@pytest.mark.parametrize(
    ("template", "row"),
    [
        ("{{ x | int }}", {"x": "42"}),
        ("{{ x | int }}", {}),
        ("{{ x | int }}", {"x": ""}),
        ("{{ x | trim | date }}", {"x": "  "}),
        ("{{ x | int(0) }}", {"x": "abc"}),
        ("{{ x | int | default(0) }}", {"x": "abc"}),
        ("{{ x | int | default(none) }}", {"x": "abc"}),
        ("{{ x | int | default(0, true) }}", {"x": "abc"}),
        ("{{ (x | int + 1) | default(0) }}", {"x": "abc"}),
        ("{{ x | int | abs | default('none') }}", {"x": "abc"}),
        ("{{ x | date if x | date is defined else y | date }}", {"x": "abc", "y": "2024-01-01"}),
        ("{{ x | int is none }}", {"x": "abc"}),
        ("{{ x | int == none }}", {"x": "abc"}),
        ("{{ (x | int if b else x | date) is defined }}", {"x": "abc", "b": True}),
        ("{{ x | date if '-' in x else x | date('%d.%m.%Y') }}", {"x": "31.12.2024"}),
        ("{{ y or x | int }}", {"x": "abc", "y": "1"}),
        ("{{ i or x | int }}", {"x": "abc", "i": 1}),
        ("{{ y and x | date }}", {"x": "abc", "y": ""}),
        ("{{ y | default(x | int | string) }}", {"x": "abc", "y": "1"}),
        ("{{ i and i < 5 and x | int }}", {"x": "abc", "i": 9}),
        ("{% if i %}{{ x | int }}{% else %}b{% endif %}", {"x": "abc", "i": 0}),
        ("{{ x | striptags }}{{ x | int | default(0) }}{{ x | date is none }}{{ x | int == none }}", {"x": "abc"}),
        ("{{ x | striptags }}{{ x | int if i else 2 }}", {"x": "abc", "i": 0}),
        ("{{ x | striptags }}{{ x | int }}", {"x": ""}),
    ],
)
def test_a_template_with_a_word_for_it_goes_on(template: str, row: Row) -> None:
    """Nothing to read, a stand-in, a question for null, or a branch not taken: the row is not refused."""
    assert not fails(template, row)


def test_a_lookup_asks_what_it_looks_up() -> None:
    """What a lookup is given belongs to the template, as far as it is needed."""
    from syncer.mapping.parse import parse
    from syncer.mapping.scope import Scope

    scope = Scope({"x": Type.TEXT, "y": Type.TEXT}, {}, {"other": {"id": Type.INTEGER}})
    needed = parse("{{ x | int | lookup('other', 'id', 'name') }}", scope)
    assert in_python(failure(needed.tree), [{"x": "abc"}, {"x": "1"}]) == [True, False]
    assert reason(needed.tree) == 'The value cannot be converted: "int" of column "x".'
    stands_in = parse("{{ x | int | lookup('other', 'id', 'name') | default(y) }}", scope)
    assert failure(stands_in.tree) is FALSE
    taken = parse("{{ x | lookup('other', 'id', 'size') | date }}", scope)
    assert reason(taken.tree) == 'The value cannot be converted: "date" of column what is looked up.'


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ x | int }}", '"int" of column "x"'),
        ("{{ x | datetime | timezone('UTC') }}", '"timezone" of column "x", or "datetime" of column "x"'),
        ("{{ (x ~ y) | date }}", '"date" of columns "x", "y"'),
        ("{{ x | striptags | int }}", 'a filter of column "x"'),
        ("{{ 'abc' | int }}", '"int" of a constant'),
    ],
)
def test_the_reason_names_filters_and_columns(template: str, words: str) -> None:
    """The sentence beside the reject says what was to be read where, and holds no value."""
    assert reason(tree_of(template)) == f"The value cannot be converted: {words}."


def test_only_conversions_fail() -> None:
    """What a conversion is stands in the dialect: the filters that read one type as another, and a zone."""
    found = {each.name for each in ENTRIES if each.converts}
    assert found == {"int", "float", "decimal", "date", "datetime", "timezone", "local", "bool"}
    assert all(each.is_partial for each in ENTRIES if each.converts)


def _whole(template: str) -> Node | None:
    parsed = read(template)
    assert parsed.problems == ()
    return printed(parsed.tree) if parsed.tree.type is Type.MIXED else parsed.tree


@given(TEMPLATE, ROWS)
def test_a_row_fails_where_a_walk_stops(template: str, rows: list[Row]) -> None:
    """For random templates and rows, a row fails exactly where a walk of the tree stops, and else has its value."""
    tree = _whole(template)
    assert tree is not None
    question = failure(tree)
    expected, values = list[object](), list[object]()
    for row in rows:
        try:
            values.append(key(walked(tree, row)))
            expected.append(False)
        except Unread:
            values.append(None)
            expected.append(True)
    assert in_python(question, rows) == expected
    ours = [key(each) for each in in_python(tree, rows)]
    assert [a for a, failed in zip(ours, expected, strict=True) if not failed] == [
        a for a, failed in zip(values, expected, strict=True) if not failed
    ]


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("_is_strict", lambda _: False),
        ("_where", lambda _, found: found),
        ("forgiven", None),
    ],
)
def test_a_planted_mistake_is_found(name: str, planted: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that forgets conversions, branches or stand-ins differs from the walk."""
    template, row = {
        "_is_strict": ("{{ x | int }}", {"x": "abc"}),
        "_where": ("{{ i or x | int }}", {"x": "abc", "i": 1}),
        "forgiven": ("{{ x | int | default(0) }}", {"x": "abc"}),
    }[name]
    before = fails(template, row)
    if name == "forgiven":
        monkeypatch.setattr("syncer.mapping.compare.forgiven", lambda node: node)
    else:
        monkeypatch.setattr(room, name, planted)
    assert fails(template, row) is not before
