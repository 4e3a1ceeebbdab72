"""A place inside a manifest is told exactly where the quoting allows it, and nearby where not."""

from __future__ import annotations

import pytest

from syncer.manifest.compose import compose
from syncer.manifest.positions import MappingNode, Positions, written

TEXT = """\
plain: a{{ b }}
single: 'it''s {{ b }}'
double: "a\\t\\x41\\u00e9\\U0001F600\\"{{ b }}"
literal: |
  first
    {{ b }}
kept: |2-
   {{ b }}
folded: >
  first
  {{ b }}
spread: "first
  {{ b }}"
anchored: &x "a{{ b }}"
list: [{ a: 1 }]
long: { value: "a{{ b }}", when_null: clear }
short: "a{{ b }}"
"""


@pytest.fixture
def positions() -> Positions:
    """Return the places of the text above."""
    tree, found = compose(TEXT, "m.yaml")
    assert isinstance(tree, MappingNode)
    assert found == []
    return Positions(tree)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("plain", "1:9"),
        ("single", "2:16"),
        ("double", "3:35"),
        ("literal", "6:5"),
        ("kept", "8:4"),
        ("folded", "9:9"),
        ("spread", "12:9"),
        ("anchored", "14:11"),
    ],
)
def test_a_template_inside_a_scalar_is_found(positions: Positions, name: str, place: str) -> None:
    """The offset of `{{` in the value leads to `{{` in the file; folded and anchored text gives its start."""
    offset = str(positions.data(name)).index("{{")
    assert str(positions.inside((name,), offset)) == f"m.yaml:{place}"


def test_an_offset_past_the_end_stays_at_the_end(positions: Positions) -> None:
    """A message about the end of a text has a place too, within the text or just behind it."""
    assert str(positions.inside(("plain",), 10_000)) == "m.yaml:1:16"
    assert str(positions.inside(("literal",), 10_000)) == "m.yaml:4:10"


def test_normalised_members_may_stand_in_a_path(positions: Positions) -> None:
    """`fields` and `value`, which short forms leave out, lead to the same place with and without."""
    assert str(positions.inside(("short", "value"), 1)) == "m.yaml:17:10"
    assert str(positions.inside(("fields", "long", "value"), 1)) == "m.yaml:16:18"
    assert str(positions.inside(("long",), 1)) == "m.yaml:16:18"
    assert str(positions.inside(("list",), 1)) == "m.yaml:15:7"
    assert not positions.has("short", "value")


def test_names_values_and_items_have_places(positions: Positions) -> None:
    """What is not written is placed at what is around it."""
    assert str(positions.at("list", 0, "a")) == "m.yaml:15:13"
    assert str(positions.name("list", 0, "a")) == "m.yaml:15:10"
    assert str(positions.name("list", 0)) == "m.yaml:15:8"
    assert str(positions.at("list", 7, "a")) == "m.yaml:15:7"
    assert str(positions.at("list", "a")) == "m.yaml:15:7"
    assert str(positions.name("gone", "too")) == "m.yaml:1:1"
    assert positions.data("gone") is None


def test_a_path_is_said_as_people_say_it() -> None:
    """Members by dots, items by brackets."""
    assert written(("operations", "news", "after", 0)) == "operations.news.after[0]"
