"""An object is one of ours, whole and of our version, or it is not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import StateError
from syncer.state.envelope import Content, unwrap, wrap


class Word(Content):
    """What a test keeps."""

    text: str


class Count(Content):
    """What it does not."""

    number: int


@given(st.text())
def test_what_was_wrapped_is_unwrapped(text: str) -> None:
    """To the letter."""
    assert unwrap(Word, wrap(Word(text=text)), "word") == Word(text=text)


@given(st.data())
def test_a_cut_or_changed_object_is_refused(data: st.DataObject) -> None:
    """Wherever it was cut, whichever bit was turned."""
    body = wrap(Word(text="né\n"))
    at = data.draw(st.integers(0, len(body) - 1))
    flipped = body[:at] + bytes([body[at] ^ 1 << data.draw(st.integers(0, 7))]) + body[at + 1 :]
    for spoilt in (body[:at], flipped):
        with pytest.raises(StateError):
            unwrap(Word, spoilt, "word")


@given(st.binary())
def test_anything_else_is_refused(body: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(StateError, match="R223"):
        unwrap(Word, body, "word")


def test_another_kind_of_object_is_refused_without_quoting_it() -> None:
    """Copied from another name, for example."""
    with pytest.raises(StateError, match='"word"') as caught:
        unwrap(Word, wrap(Count(number=4_711)), "word")
    assert "4711" not in f"{caught.value} {caught.value.__cause__}"


def test_a_newer_version_is_told_as_such() -> None:
    """So that a person knows which side to change."""
    with pytest.raises(StateError, match="R202"):
        unwrap(Word, wrap(Word(text="x")).replace(b" 1 ", b" 2 ", 1), "word")
