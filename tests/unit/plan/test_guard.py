"""Guards against the counts: each broken one is a refusal, each that cannot be held is a warning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncer.errors import PlanRefusedError
from syncer.facts import Fidelity
from syncer.plan.guard import split
from tests.fakes.capabilities import LEAD
from tests.fakes.projects import manifest, plan
from tests.fakes.rows import facts


def codes(operation: dict[str, Any], **known: Any) -> list[str]:
    """Return the codes that refuse an operation of 900 leads, or [] when it is planned."""
    waves = known.pop("waves", ((900,),))
    try:
        plan({"a": operation}, {"a": facts("a", LEAD, waves, **known)})
    except PlanRefusedError as error:
        return [each.code for each in error.refusals]
    return []


@pytest.mark.parametrize(
    ("guard", "known", "is_broken"),
    [
        ({"max_rejected": 10}, {"rejected": 10}, False),
        ({"max_rejected": 10}, {"rejected": 11}, True),
        ({"max_rejected": "1%"}, {"rejected": 9, "unchanged": 1}, False),
        ({"max_rejected": "1%"}, {"rejected": 10, "unchanged": 80}, True),
        ({"max_rejected": "0%"}, {"rejected": 1}, True),
        ({"max_creates": 100}, {"known_keys": 800}, False),
        ({"max_creates": 100}, {"known_keys": 799}, True),
        ({"max_creates": 100}, {}, False),
        ({"max_changes": "50%"}, {"unchanged": 900}, False),
        ({"max_changes": "50%"}, {"unchanged": 899}, True),
        ({"max_deletes": 0}, {"gone": 5}, False),
        ({"min_rows": 900}, {}, False),
        ({"min_rows": 901}, {}, True),
    ],
)
def test_a_guard_holds_up_to_its_limit_and_breaks_past_it(
    guard: dict[str, Any],
    known: dict[str, Any],
    is_broken: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Counts and shares of the rows read, exactly."""
    assert codes({"guards": guard}, **known) == (["P102"] if is_broken else [])


def test_a_guard_on_new_records_without_a_ledger_is_a_warning() -> None:
    """What cannot be checked is said, not passed over."""
    made = plan({"a": {"guards": {"max_creates": 5}}}, {"a": facts("a", LEAD)})
    assert made.operations[0].warnings == (
        '"max_creates" cannot be checked: without a ledger, how many are new is unknown until run.',
    )


def test_a_create_counts_as_new_without_a_ledger() -> None:
    """The action itself says it."""
    assert codes({"action": "create", "guards": {"max_creates": 899}}) == ["P102"]


def test_what_left_the_source_counts_as_deletes_and_cannot_be_named() -> None:
    """The guard speaks first, and the ledger's hashes name nobody."""
    assert codes({"deletes": "delete", "guards": {"max_deletes": 4}}, gone=5) == ["P102", "P107"]


def test_an_empty_source_is_a_warning_unless_it_would_delete() -> None:
    """No rows is a day without news; no rows with deletes is a catastrophe."""
    made = plan({"a": {}}, {"a": facts("a", LEAD, ())})
    assert made.operations[0].warnings == ('Source "contacts" is empty.',)
    assert made.nodes == ()
    assert codes({"deletes": "remove"}, waves=(), gone=5) == ["P103"]
    assert codes({"deletes": "remove", "guards": {"min_rows": 1}}, waves=()) == ["P102"]


def test_folded_keys_and_interpreted_templates_are_said() -> None:
    """Rows that were taken for one record, and fields that run slower, are the reviewer's to know."""
    known = replace(facts("a", LEAD), folded=1, interpreted=("phone", "city"))
    assert plan({"a": {}}, {"a": known}).operations[0].warnings == (
        "1 row has a key that equals another row's only after trimming and case folding.",
        "Templates outside the compiled list run more slowly, with the same meaning: city, phone.",
    )


@pytest.mark.parametrize(
    ("action", "known", "counts"),
    [
        ("create", None, (1900, 0, Fidelity.CHECKED)),
        ("duplicate", None, (1900, 0, Fidelity.CHECKED)),
        ("update", None, (0, 1900, Fidelity.CHECKED)),
        ("delete", None, (0, 1900, Fidelity.CHECKED)),
        ("upsert", None, (None, None, Fidelity.UNKNOWN)),
        ("upsert", 300, (700, 1200, Fidelity.ESTIMATED)),
    ],
)
def test_new_and_changed_are_told_apart_as_surely_as_can_be(
    action: str, known: int | None, counts: tuple[int | None, int | None, Fidelity]
) -> None:
    """A key is new once, in its first wave; later waves change it."""
    operation = manifest({"a": {"action": action}}).operations["a"]
    assert split(operation, facts("a", LEAD, ((1000,), (900,)), known_keys=known)) == counts
