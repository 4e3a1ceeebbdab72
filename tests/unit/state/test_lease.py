"""When one may send, and when another may take over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.state.lease import (
    MARGIN_SECONDS,
    MAX_REQUEST_SECONDS,
    TTL_SECONDS,
    LeaseRecord,
    locked,
    lost,
    safe_seconds,
    wait_seconds,
)

RECORD = LeaseRecord(7, "ada@desk (pid 4)", "run1", 100.0, 160.0, ("leads",))


def test_sending_is_safe_for_less_than_the_life_of_the_lease() -> None:
    """A margin stays, whatever was confirmed when."""
    assert safe_seconds(10.0, 10.0) == TTL_SECONDS - MARGIN_SECONDS
    assert safe_seconds(10.0, 10.0 + TTL_SECONDS) < 0


@given(st.floats(0, 1e6), st.floats(0, 1e4))
def test_nobody_takes_over_while_a_request_may_be_under_way(renewed: float, later: float) -> None:
    """The last moment at which a holder may begin to send, plus the longest request, is before any take-over."""
    last_send = renewed + safe_seconds(renewed, renewed)
    record = LeaseRecord(1, "h", "r", 0.0, renewed, ())
    now = renewed + later
    if wait_seconds(record, now) <= 0:
        assert now >= last_send + MAX_REQUEST_SECONDS


def test_a_clock_that_was_set_back_makes_nobody_hasty() -> None:
    """A renewal in the future counts as one of now."""
    assert wait_seconds(RECORD, 0.0) == TTL_SECONDS + MAX_REQUEST_SECONDS + MARGIN_SECONDS


def test_the_wait_has_an_end() -> None:
    """A silent holder is replaced seven minutes and a quarter after its last renewal."""
    assert wait_seconds(RECORD, 160.0 + 435.0) == 0


def test_who_is_locked_out_learns_by_whom_and_how_to_break_it() -> None:
    """Holder, age and the command are in the message."""
    text = str(locked(RECORD, 200.0))
    assert "ada@desk (pid 4)" in text
    assert "100 s" in text
    assert text.endswith("syncer unlock --epoch 7")


@pytest.mark.parametrize("epoch", [1, 7])
def test_a_lost_lease_names_its_epoch(epoch: int) -> None:
    """So that two runs can be told apart in two logs."""
    assert f"epoch {epoch} " in str(lost(epoch))
