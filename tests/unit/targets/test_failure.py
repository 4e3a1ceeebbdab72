"""The sentences of target errors, and the moment when Marketo's day begins."""

from __future__ import annotations

from zoneinfo import ZoneInfoNotFoundError

import pytest

from syncer import catalogue
from syncer.errors import TargetError
from syncer.targets import failure
from syncer.targets.exchange import Problem, Trouble

ERRORS = [
    failure.sign_in_refused("crm", "invalid_client"),
    failure.token_refused("crm", "601"),
    failure.access_denied("crm", "sync", "603", "r#1"),
    failure.in_doubt("crm", "sync", "ReadError", 3.0),
    failure.unreachable("crm", "sync", "ConnectError", 127.0),
    failure.unreadable("crm", "sync", "HTTP 502"),
    failure.queue_full("crm"),
    failure.job_endless("crm", "750A", 12.0),
    failure.quota_spent("crm", "607", 1_772_517_600.0),
    failure.budget_spent("crm", 0.0),
    failure.refused("crm", "sync", Problem(Trouble.REFUSED, "1003"), "1003: invalid data"),
    failure.unknown_name("crm", "list", "x"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_error_names_its_connection_and_has_an_entry(error: TargetError) -> None:
    """Code, title, a sentence with the connection, and what to do."""
    assert error.code in catalogue.entries()
    assert error.target == "crm"
    assert '"crm"' in error.detail
    assert error.detail.endswith(".")
    assert error.advice.endswith(".")


@pytest.mark.parametrize(
    ("now", "reset"),
    [
        (1_772_438_400.0, 1_772_517_600.0),  # 2026-03-02 08:00 UTC: midnight in Chicago is 06:00 UTC
        (1_782_000_000.0, 1_782_018_000.0),  # 2026-06-21 00:00 UTC: in summer it is 05:00 UTC
    ],
)
def test_the_day_begins_at_midnight_in_chicago(now: float, reset: float) -> None:
    """Summer time included."""
    assert failure.next_reset(now) == reset


def test_without_time_zones_standard_time_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour late in summer, never early."""

    def missing(_: str) -> None:
        raise ZoneInfoNotFoundError

    monkeypatch.setattr(failure, "ZoneInfo", missing)
    assert failure.next_reset(1_772_438_400.0) == 1_772_517_600.0
    assert failure.next_reset(1_782_000_000.0) == 1_782_021_600.0
