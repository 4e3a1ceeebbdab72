"""A secret shows itself to nobody but the one who reveals it."""

from __future__ import annotations

import copy
import pickle

import pytest

from syncer.secret import Secret

HIDDEN = Secret("hunter2-%s")


@pytest.mark.parametrize(
    "shown",
    [str(HIDDEN), repr(HIDDEN), f"{HIDDEN}", f"{HIDDEN!r:>20}", f"{HIDDEN:>20}", "%s" % HIDDEN, str([HIDDEN])],  # noqa: UP031
)
def test_text_forms_show_nothing(shown: str) -> None:
    """Neither str, repr, format nor a container's repr holds the text."""
    assert "hunter2" not in shown
    assert "***" in shown


def test_it_cannot_be_pickled() -> None:
    """A pickle is a file, so it is refused rather than masked."""
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(HIDDEN)


def test_it_has_no_readable_attributes() -> None:
    """`vars` and the slots' plain names give nothing."""
    assert not hasattr(HIDDEN, "__dict__")
    assert not hasattr(HIDDEN, "text")


def test_reveal_gives_the_text() -> None:
    """The one way out."""
    assert HIDDEN.reveal() == "hunter2-%s"


def test_it_is_a_value() -> None:
    """Equal texts are equal, hash alike and survive a copy."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a"))
    assert copy.deepcopy(HIDDEN) is copy.copy(HIDDEN) is HIDDEN
    assert not Secret("")
