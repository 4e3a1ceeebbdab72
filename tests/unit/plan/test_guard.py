"""Guards against the counts: each broken one is a refusal, each that cannot be held is a warning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncer.errors import PlanRefusedError
from syncer.facts import CursorFacts, Fidelity, GoneFacts
from syncer.plan.guard import broken, split, warnings
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


@pytest.mark.parametrize(("deleted", "refused"), [(4, []), (5, ["P102"])])
def test_the_records_that_are_deleted_count_against_the_guard(deleted: int, refused: list[str]) -> None:
    """Not the keys that left: a record that is kept is not deleted."""
    operation = manifest({"a": {"deletes": "delete", "guards": {"max_deletes": 4}}}).operations["a"]
    known = replace(facts("a", LEAD, ((900,),), gone=9), cleared=GoneFacts(deleted=deleted))
    assert [each.code for each in broken("a", operation, known)] == refused


@pytest.mark.parametrize(
    ("cleared", "said"),
    [
        (GoneFacts(deleted=7), ""),
        (
            GoneFacts(unsure=7, unreadable=1),
            "1 row has no key that can be read, and may be any 7 keys that seem to have left: nothing is deleted.",
        ),
        (
            GoneFacts(unnamed=1),
            "1 key that left the source: the state holds no id of their records, which were last written without one.",
        ),
        (
            GoneFacts(shared=2),
            "2 keys that left the source: the record stays, for the source has it under another key.",
        ),
        (
            GoneFacts(held=(("events", 3),)),
            '3 keys that left the source: the record stays, for operation "events" still sends it.',
        ),
        (
            GoneFacts(deleted=1, blind=("crm", "web")),
            'Whether "crm" and "web" still sends what is deleted is not known: it has another key.',
        ),
    ],
)
def test_a_record_that_stays_though_its_key_left_is_said(cleared: GoneFacts, said: str) -> None:
    """Nobody should wonder why it is still there."""
    known = replace(facts("a", LEAD), cleared=cleared)
    made = plan({"a": {"deletes": "delete", "guards": {"max_deletes": 9}}}, {"a": known})
    assert made.operations[0].warnings == ((said,) if said else ())


def test_what_stays_in_a_list_is_told_as_such() -> None:
    """The record itself was never in question."""
    known = replace(facts("a", LEAD), cleared=GoneFacts(shared=2))
    made = plan({"a": {"deletes": "remove", "guards": {"max_deletes": 9}}}, {"a": known})
    [said] = made.operations[0].warnings
    assert "the record stays in the list" in said


def test_nothing_left_is_no_empty_source() -> None:
    """Most days nothing leaves; that is no news."""
    known = facts("a.gone", LEAD, ())
    assert warnings(manifest({"a": {"action": "delete"}}).operations["a"], known) == ()


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


def test_keys_that_were_all_never_sent_before_are_a_change_of_the_key() -> None:
    """With deletes everything would go, so it is refused; without, the reviewer is asked."""
    changed = {"gone": 5_000, "known_keys": 0}
    assert codes({"deletes": "delete", "guards": {"max_deletes": "100%"}}, **changed) == ["P102", "P126"]
    asked = "No key of the source was sent before, and the state holds 5,000 keys: did the key of the target change?"
    made = plan({"a": {}}, {"a": facts("a", LEAD, ((900,),), **changed)})
    assert asked in made.operations[0].warnings


@pytest.mark.parametrize("known", [{"known_keys": 1}, {"known_keys": 0, "unchanged": 1}, {"known_keys": 0, "gone": 0}])
def test_one_known_key_is_enough_to_believe_the_source(known: dict[str, int]) -> None:
    """A source that has any key of before, or a state that has no other, is no change of the key."""
    made = plan({"a": {}}, {"a": facts("a", LEAD, ((900,),), **{"gone": 5_000, **known})})
    assert not any("did the key" in each for each in made.operations[0].warnings)


def test_a_limit_on_new_records_that_an_import_cannot_tell_is_said() -> None:
    """An import only counts, so that the run cannot be stopped by what it creates."""
    known = facts("a", LEAD, ((48_000,),), known_keys=48_000)
    said = (
        'By path "bulk" the answers do not tell new records from changed ones: "max_creates" is held against the plan '
        "and not again during the run."
    )
    assert plan({"a": {"guards": {"max_creates": 5}}}, {"a": known}).operations[0].warnings == (said,)
    assert plan({"a": {}}, {"a": known}).operations[0].warnings == ()


@pytest.mark.parametrize(("since", "is_said"), [("2026-03-01", False), ("", True)])
def test_a_day_without_news_is_no_empty_source(since: str, *, is_said: bool) -> None:
    """A source that is read from where the last run left off has nothing new on most days; a first read has."""
    cursor = CursorFacts("changed_at", since, since, is_held=False, stamp="s")
    known = replace(facts("a", LEAD, ()), cursor=cursor)
    assert ('Source "contacts" is empty.' in plan({"a": {}}, {"a": known}).operations[0].warnings) is is_said


def test_a_guard_counts_what_was_read_since() -> None:
    """Shares of an incremental read are shares of the rows that are new in it."""
    known = replace(
        facts("a", LEAD, ((100,),), rejected=3), cursor=CursorFacts("changed_at", "1", "2", is_held=False, stamp="s")
    )
    operation = manifest({"a": {"guards": {"max_rejected": "2%"}}}).operations["a"]
    assert [each.code for each in broken("a", operation, known)] == ["P102"]
