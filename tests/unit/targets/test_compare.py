"""Does the target hold what was sent?"""

from __future__ import annotations

import pytest

from syncer.targets.compare import folded, holds, same


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ("Ada", "Ada"),
        ("g-1", "g-1 "),
        (None, None),
        (None, ""),
        ("", None),
        (None, False),
        (False, None),
        (True, True),
        (True, "true"),
        ("true", True),
        ("1", True),
        (14, 14),
        ("14", 14),
        ("14.0", 14),
        (34.66, 34.65999984741211),
        ("1604.47", 1604.47),
        ("2020-08-30T05:49:48.000Z", "2020-08-30T05:49:48Z"),
        ("2020-08-30T07:49:48+02:00", "2020-08-30T05:49:48Z"),
        ("2026-08-20T09:15:02Z", "2026-08-20T09:15:02.000+0000"),
        ("2026-01-31", "2026-01-31"),
    ],
)
def test_vendors_rewrite_values(sent: object, held: object) -> None:
    """The same value in other clothes is the same."""
    assert same(sent, held)


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ("Ada", "ada"),
        ("Ada", None),
        (None, "Ada"),
        (0, None),
        (True, False),
        (True, None),
        (True, "yes"),
        (14, 15),
        (1e30, 2e30),
        (1e39, 2e39),
        ("1e999", "2e999"),
        ("nan", "inf"),
        ("2020-08-30T05:49:48Z", "2020-08-30T05:49:49Z"),
        ("2020-08-30Txx", "2020-08-30T05:49:49Z"),
        ("2026-01-31", "2026-02-01"),
    ],
)
def test_other_values_differ(sent: object, held: object) -> None:
    """Nothing else is forgiven."""
    assert not same(sent, held)


def test_only_what_was_sent_is_compared() -> None:
    """Fields beside it are nobody's business; names are compared without case."""
    assert holds({"firstName": "Ada"}, {"FirstName": "Ada", "lastName": "Okafor"})
    assert not holds({"firstName": "Ada", "phone": "1"}, {"firstName": "Ada"})


def test_keys_are_folded() -> None:
    """Trimmed and without case, text or not."""
    assert folded(" A@B.co ") == folded("a@b.CO")
    assert folded(7) == "7"
