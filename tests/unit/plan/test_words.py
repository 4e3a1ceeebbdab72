"""How the plan speaks, word by word."""

from __future__ import annotations

import pytest

from syncer.facts import Action
from syncer.plan import words


def test_numbers_are_grouped_and_nouns_follow_them() -> None:
    """One call, two calls, no entrys."""
    assert words.number(1_204_000) == "1,204,000"
    assert [words.count(n, "call") for n in (0, 1, 2_400)] == ["0 calls", "1 call", "2,400 calls"]
    assert words.count(2, "row has", "rows have") == "2 rows have"


def test_names_are_quoted_as_prose() -> None:
    """With "and" before the last."""
    assert [words.quoted(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        '"a"',
        '"a" and "b"',
        '"a", "b" and "c"',
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (9_990_000, "10.0 MB"), (2_500_000_000, "2.5 GB")],
)
def test_sizes_are_decimal_as_the_limits_are(value: int, shown: str) -> None:
    """10 MB is 10,000,000 bytes here."""
    assert words.size(value) == shown


def test_minutes_below_the_smallest_step_are_nothing_to_wait_for() -> None:
    """Tenths of minutes, as they are compared."""
    assert [words.minutes(value) for value in (0.0, 0.1, 1234.5)] == ["under 0.1 min", "0.1 min", "1,234.5 min"]


def test_only_actions_that_neither_create_nor_change_have_a_word_of_their_own() -> None:
    """The others are told apart by counts."""
    assert [words.done(action) for action in (Action.UPSERT, Action.DELETE)] == ["", "deleted"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ümläut, 日本", "plain, ümläut, 日本"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\nb\r\x00", "a\\x0ab\\x0d\\x00"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("::set-output name=x::y", ":\\x3aset-output name=x:\\x3ay"),
        (":::", ":\\x3a:"),
    ],
)
def test_no_text_can_command_a_terminal_or_a_build(text: str, shown: str) -> None:
    """Control, direction and invisible characters are shown as what they are; `::` never stands."""
    assert words.printable(text) == shown
    assert "::" not in words.printable(text)
