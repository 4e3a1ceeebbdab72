"""What a template may say, and every way in which it may not: text in, problems with places out."""

# ruff: noqa: DTZ001 - wall-clock times are the subject
from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from syncer.mapping import sql
from syncer.mapping.dialect.entry import Type
from syncer.mapping.parse import parse
from syncer.mapping.scope import Scope
from syncer.mapping.tree import Truth
from tests.unit.mapping.sides import engine, in_engine, in_python, read, tree_of


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("{{ x }}", Type.TEXT),
        ("{{ i }}", Type.INTEGER),
        ("{{ i / 2 }}", Type.FLOAT),
        ("{{ i + 0.5 }}", Type.FLOAT),
        ("{{ d + 0.5 }}", Type.DECIMAL),
        ("{{ b }}", Type.BOOLEAN),
        ("{{ day }}", Type.DATE),
        ("{{ t | timezone('UTC') }}", Type.INSTANT),
        ("{{ m | local('UTC') }}", Type.DATETIME),
        ("{{ i }} ", Type.TEXT),
        ("{{ 1 if b else 2.5 }}", Type.FLOAT),
        ("{{ 1 if b else 'x' }}", Type.MIXED),
        ("{{ var.limit }}", Type.INTEGER),
        ("{{ row['x'] }}", Type.TEXT),
        ("{{ none }}", Type.NULL),
        ("", Type.TEXT),
        ("{% if b %}{{ i }}{% endif %}", Type.TEXT),
        ("{{ x | wordcount }}", Type.TEXT),
    ],
)
def test_type_of_a_template(template: str, kind: Type) -> None:
    """A template that is one expression keeps its type; any other is text."""
    assert tree_of(template).type is kind


PROBLEMS = [
    ("{{ x", "M301", 0, ""),
    ("{{ a b }}", "M301", 0, ""),
    ("{% if b %}", "M301", 0, ""),
    ("{{ xx }}", "M302", 3, 'Did you mean "x"?'),
    ("{{ row.nope }}", "M302", 7, ""),
    ("a\n{{ nope }}", "M302", 5, ""),
    ("{{ x | lowr }}", "M303", 7, 'Did you mean "lower"?'),
    ("{{ x.strp() }}", "M303", 5, 'Did you mean "strip"?'),
    ("{{ x is nice }}", "M303", 8, ""),
    ("{{ x.nope }}", "M303", 5, ""),
    ("{{ lipsum(n=100000) }}", "M303", 3, "Filters and methods are listed in docs/mapping.md."),
    ("{{ range(9) }}", "M303", 3, "Filters and methods are listed in docs/mapping.md."),
    ("{{ (x)() }}", "M303", 4, "Filters and methods are listed in docs/mapping.md."),
    ("{{ ''.__class__.__mro__ }}", "M303", 16, ""),
    ("{{ x | attr('__class__') }}", "M303", 7, ""),
    ("{{ x | map(attribute='__class__') }}", "M303", 7, ""),
    ("{{ cycler.__init__.__globals__ }}", "M303", 19, ""),
    ("{{ '{0.__class__}'.format(x) }}", "M303", 19, ""),
    ("{{ (x | striptags).__class__ }}", "M303", 19, ""),
    ("{{ x | trim(1, 2) }}", "M304", 7, ""),
    ("{{ x | replace('a') }}", "M304", 7, ""),
    ("{{ x | truncate(5, len=3) }}", "M304", 7, ""),
    ("{{ x | truncate(i) }}", "M304", 7, ""),
    ("{{ x | truncate(-1) }}", "M304", 7, ""),
    ("{{ x | round(3) }}", "M305", 7, 'Convert it first: "| int".'),
    ("{{ f | round(99) }}", "M304", 7, ""),
    ("{{ f | round(1, 'up') }}", "M304", 7, ""),
    ("{{ x | hash('crc') }}", "M304", 7, ""),
    ("{{ x | split('') }}", "M304", 7, ""),
    ("{{ x | regex_search('(') }}", "M304", 7, ""),
    ("{{ x | regex_search('(a)\\\\1') }}", "M304", 7, ""),
    ("{{ x | regex_replace('a', '\\\\g<1>') }}", "M304", 7, ""),
    ("{{ x | date('%y-%m-%d') }}", "M304", 7, ""),
    ("{{ x | date('%Y-%m') }}", "M304", 7, ""),
    ("{{ x | date('%Y-%m-%d-%d') }}", "M304", 7, ""),
    ("{{ x | datetime('%Y-%m-%d %') }}", "M304", 7, ""),
    ("{{ day | format_date('%Q') }}", "M304", 9, ""),
    ("{{ t | timezone('Mars/Olympus') }}", "M304", 7, ""),
    ("{{ x | default }}{{ x | default('a', true, 1) }}", "M304", 7, ""),
    ("{{ x | default('a', x) }}", "M304", 7, ""),
    ("{{ x | default(nope='a') }}", "M304", 7, ""),
    ("{{ x | lookup('other') }}", "M304", 7, ""),
    ("{{ x | center(1000000000) }}", "M304", 7, ""),
    ("{{ x | center(i) }}", "M304", 7, ""),
    ("{{ x[::2] }}", "M304", 5, ""),
    ("{{ x[-2:1] }}", "M304", 7, ""),
    ("{{ x[i] }}", "M304", 4, ""),
    ("{{ x + 1 }}", "M305", 5, ""),
    ("{{ 'a' * 1000000000 }}", "M305", 7, ""),
    ("{{ (x | striptags) * 1000000000 }}", "M305", 19, ""),
    ("{{ '%0999999999d' % 1 }}", "M305", 4, ""),
    ("{{ x < 5 }}", "M305", 5, "Bring both sides to one type first."),
    ("{{ -x }}", "M305", 3, ""),
    ("{{ x.split(',') }}!", "M305", 0, "Take one part of it, or put it together: \"| join(';')\"."),
    ("{{ ['a'] }}", "M305", 3, ""),
    (
        "{{ (1 if b else 'x') | int }}",
        "M305",
        23,
        "Bring both branches to one type first, for example with a filter on each.",
    ),
    (
        "{{ t | timezone('UTC') | date }}",
        "M305",
        25,
        "A moment has a day and an hour in a zone only; say in which, for example \"| local('Europe/Berlin')\".",
    ),
    ("{{ 99999999999999999999 }}", "M305", 0, ""),
    ("{{ '\\x00' }}", "M305", 0, ""),
    ("{{ '\\ud800' }}", "M305", 0, ""),
    ("\ud800{{ x }}", "M305", 0, ""),
    ("{% for a in x %}{% endfor %}", "M306", 3, None),
    ("{% macro m() %}{% endmacro %}", "M306", 3, None),
    ("{% include '/etc/passwd' %}", "M306", 3, None),
    ("{% import 'a' as b %}", "M306", 3, None),
    ("{% from 'a' import b %}", "M306", 3, None),
    ("{% extends 'a' %}", "M306", 3, None),
    ("{% set a = 1 %}", "M306", 3, None),
    ("{% filter upper %}a{% endfilter %}", "M306", 3, None),
    ("{{ 9**(9**9) }}", "M306", 4, ""),
    ("{{ {'a': 1} }}", "M306", 0, ""),
    ("{{ x | striptags in 'abc' }}", "M306", 17, ""),
    ("{{ x | replace(*x) }}", "M306", 15, ""),
    ("{{ env.HOME }}", "M307", 3, ""),
    ("{{ secret['A'] }}", "M307", 3, ""),
    ("{{ secret('A') }}", "M307", 3, ""),
    ("{{ env }}", "M307", 3, ""),
    ("{{ nope if b else x }}", "M302", 3, ""),
    ("{{ i in [nope] }}", "M302", 9, ""),
    ("{{ nope | default('a') }}", "M302", 3, ""),
    ("{{ nope | lookup('other', 'id', 'name') }}", "M302", 3, ""),
    ("{{ x['a'] }}", "M305", 4, ""),
    ("{{ day | abs }}", "M305", 9, ""),
    ("{{ now() }}", "M308", 3, 'Bring the value in as a column, or under "vars".'),
    ("{{ var.regon }}", "M310", 7, 'Did you mean "region"?'),
    ("{{ x | lookup('nope', 'id', 'name') }}", "M311", 15, ""),
    ("{{ " + "(" * 300 + "x" + ")" * 300 + " }}", "M312", 0, ""),
    ("{{ " + "-" * 80 + "i }}", "M312", 0, ""),
    ("{{ x" + " | trim" * 80 + " }}", "M312", 0, ""),
]


@pytest.mark.parametrize(("template", "code", "offset", "advice"), PROBLEMS)
def test_problem_with_place(template: str, code: str, offset: int, advice: str | None) -> None:
    """What means nothing is one problem with its own code, its place in the template, and a hint where there is one."""
    problem, *rest = read(template).problems
    assert (problem.code, rest) == (code, [])
    assert problem.offset == offset
    if advice is not None:
        assert problem.advice == advice or not advice


def test_a_column_may_be_called_like_a_name_space() -> None:
    """A column called `row` or `var` is a column; it has no members."""
    scope = Scope({"row": Type.TEXT, "env": Type.TEXT})
    assert parse("{{ row ~ env }}", scope).problems == ()
    assert [each.code for each in parse("{{ row.x }}", scope).problems] == ["M303"]


def test_a_lookup_cannot_match_a_lookup() -> None:
    """What another source gave cannot be looked up again."""
    scope = Scope({"x": Type.TEXT}, {}, {"s": {}})
    found = parse("{{ x | lookup('s', 'a', 'b') | lookup('s', 'a', 'b') }}", scope)
    assert [each.code for each in found.problems] == ["M311"]


def test_all_problems_at_once() -> None:
    """Each problem of a template is reported, once."""
    found = read("{{ nope | lower }} {{ x | lowr }}{% for a in x %}{% endfor %}{{ nope2 + i == none }}").problems
    assert [each.code for each in found] == ["M302", "M303", "M306", "M302"]


def test_a_value_is_never_rendered_twice() -> None:
    """A cell that looks like a template is sent as those characters."""
    assert in_python(tree_of("{{ x }}!"), [{"x": "{{ 7*7 }}"}]) == ["{{ 7*7 }}!"]


MEANINGS = [
    ("{{ x }} {{ y }}", {"x": "a"}, "a "),
    ("{{ x ~ i }}", {"x": "a", "i": 5}, "a5"),
    ("{{ b }}!", {"b": True}, "True!"),
    ("{{ x == i }}", {"x": "5", "i": 5}, False),
    ("{{ x == i }}", {}, True),
    ("{{ x != i }}", {}, False),
    ("{{ i == f }}", {"i": 5, "f": 5.0}, True),
    ("{{ i < 5 }}", {}, False),
    ("{{ none == none }}", {}, True),
    ("{{ none | default('a') }}", {}, "a"),
    ("{{ none | upper }}", {}, None),
    ("{{ none is none }}", {}, True),
    ("{{ x == none }}", {"x": "a"}, False),
    ("{{ x or y or 'z' }}", {"x": "", "y": None}, "z"),
    ("{{ x and y }}", {"x": "", "y": "b"}, ""),
    ("{{ (i or x) ~ '' }}", {"i": 0, "x": "b"}, "b"),
    ("{{ 'yes' if (i or x) else 'no' }}", {"i": 0, "x": ""}, "no"),
    ("{{ i | default('-') }}!", {}, "-!"),
    ("{{ (i | default('-')) is none }}", {}, False),
    ("{{ x | default('-', true) }}", {"x": ""}, "-"),
    ("{{ x | default(default_value='-', boolean=true) }}", {"x": ""}, "-"),
    ("{{ x | d(none) }}", {"x": "a"}, "a"),
    ("{{ x is in ['a', 'b'] }}", {"x": "b"}, True),
    ("{{ x in 'abc' }}", {"x": "b"}, True),
    ("{{ i in [1, 2] }}", {"i": 2}, True),
    ("{{ i not in (1, 2) }}", {"i": 2}, False),
    ("{{ x in x.split(',') }}", {"x": "a"}, True),
    ("{{ i is ge 3 }}", {"i": 3}, True),
    ("{{ b is true }}", {"b": True}, True),
    ("{{ b is false }}", {}, False),
    ("{{ not x }}", {"x": ""}, True),
    ("{{ 'yes' if (i if b else x) else 'no' }}", {"i": 0, "x": "a", "b": True}, "no"),
    ("{{ x | date('%d.%m.%Y') }}", {"x": "31/12/2024"}, None),
    ("{{ x | date('%d.%m.%Y') }}", {"x": "31.02.2024"}, None),
    ("{{ x | datetime }}", {"x": "2023-02-29 10:00:00"}, None),
    ("{{ t | timezone('Europe/Berlin') }}", {"t": datetime(1, 1, 2)}, None),
    ("{{ t | timezone('Europe/Berlin') }}", {"t": datetime(9999, 12, 30)}, None),
    ("{{ m | local('Asia/Tokyo') }}", {"m": datetime(1, 1, 2, tzinfo=UTC)}, None),
    ("{{ m | local('Asia/Tokyo') }}", {"m": datetime(9999, 12, 30, tzinfo=UTC)}, None),
    ("{{ f | round(2, 'ceil') }}", {"f": 1e308}, math.inf),
    ("{{ f // g }}", {"f": -7.5, "g": 2.0}, -4.0),
    ("{{ f // g }}", {"f": 7.5, "g": 0.0}, None),
    ("{{ f // g }}", {"f": 1e308, "g": 1e-10}, math.inf),
    ("{{ (f + f) * 0 }}!", {"f": 1e308}, "nan!"),
    ("{{ f % g }}", {"f": -7.5, "g": 2.0}, 0.5),
    ("{{ f % g }}", {"f": 7.5, "g": 2.0}, 1.5),
    ("{{ f % g }}", {"f": 7.5, "g": 0.0}, None),
    ("{{ +i }}", {"i": 3}, 3),
    ("{{ -i }}", {"i": 3}, -3),
    ("{{ -(d) | abs }}", {"d": None}, None),
    ("{{ -none }}", {}, None),
    ("{{ 1 < i < 3 }}", {"i": 2}, True),
    ("{{ i | lower }}", {"i": 5}, "5"),
    ("{{ x | truncate(length=3, end='') }}", {"x": "abcdefghij"}, "abc"),
    ("{{ x | replace('a', none) }}", {"x": "a"}, None),
    ("{{ 'x' if x }}", {"x": ""}, None),
    ("{{ 1 + 1 }}", {}, 2),
    ("{% if x %}\n{{ x }}\n{% elif b %}\nb\n{% else %}\n-\n{% endif %}\n", {"b": True}, "b\n"),
    ("{% if x.startswith('a') and not b %}A{% endif %}", {"x": "ab"}, "A"),
    ("{% if day %}{% if t %}both{% endif %}{% endif %}", {"day": None}, ""),
    ("{{ 'a' if x.split(',') else 'b' }}", {"x": "1"}, "a"),
    ("{{ row.x ~ row['y'] ~ var['region'] }}", {"x": "1", "y": "2"}, "12emea"),
]


@pytest.mark.parametrize(("template", "row", "value"), MEANINGS)
def test_meaning_on_both_sides(template: str, row: dict[str, object], value: object) -> None:
    """Null, truth, comparison and choice mean the same in Python and in SQL."""
    tree = tree_of(template)
    assert in_python(tree, [row]) == [value]
    assert in_engine(engine(), sql.write(tree), tree.type, [row]) == [value]


def test_a_condition_is_boolean() -> None:
    """The truth of a value is a boolean, whatever the value."""
    assert Truth(tree_of("{{ i }}")).type is Type.BOOLEAN
