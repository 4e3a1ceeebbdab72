"""How far a moving source may stray: a tenth, or ten records, around what was reviewed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncer.errors import PlanRefusedError, StalePlanError
from syncer.facts import Fidelity, OperationFacts, ReadFacts, Usage, WaveFacts
from syncer.plan.digest import check_inputs
from syncer.plan.envelope import envelope, fewer, moved, moves
from syncer.plan.models import Digest, OperationPlan, Span
from tests.fakes import projects
from tests.fakes.capabilities import LEAD
from tests.fakes.rows import facts as made


def rows(name: str, records: int) -> OperationFacts:
    """Return leads in one wave and one shape."""
    return made(name, LEAD, ((records,),) if records else ())


def within(**counts: Any) -> OperationPlan:
    """Return a planned operation with an envelope around its counts."""
    plan = projects.plan({"news": {}}, {"news": rows("news", 100)})
    known = plan.operations[0].model_copy(update=counts)
    spans = envelope(known.read, known.outgoing, known.creates, known.updates, known.rejected)
    return known.model_copy(update={"moves": "within", "envelope": spans})


@pytest.mark.parametrize(
    ("count", "least", "most"),
    [(0, 0, 10), (9, 0, 19), (100, 90, 110), (101, 90, 112), (1_000_000, 900_000, 1_100_000)],
)
def test_a_count_may_move_by_a_tenth_or_by_ten(count: int, least: int, most: int) -> None:
    """Small counts have room as well, and none goes below zero."""
    assert envelope(count, count, None, None, 0).read == Span(least=least, most=most)


def test_fewer_rejects_are_no_surprise() -> None:
    """Rejects have no least count."""
    assert envelope(1000, 900, 1, 899, 100).rejected == Span(least=0, most=110)


def test_each_count_is_compared() -> None:
    """What a reviewer saw is said beside what is, inside or not."""
    reviewed = within(creates=50, updates=50)
    now = reviewed.model_copy(update={"read": 111, "creates": 60})
    found = list(moved(reviewed, now))
    assert [(each.what, each.is_inside) for each in found] == [
        ("rows read", False),
        ("to send", True),
        ("new", True),
        ("to change", True),
        ("rejected", True),
    ]
    assert str(found[0]) == "news, rows read: 100 reviewed, 111 now, 90 to 110 allowed"


def test_what_was_looked_up_is_not_compared_with_an_estimate() -> None:
    """Apply does not look again, so it holds no guess against what was known."""
    reviewed = within(creates=50, updates=50, fidelity=Fidelity.LOOKED_UP)
    now = reviewed.model_copy(update={"creates": 100, "fidelity": Fidelity.ESTIMATED})
    assert [each.what for each in moved(reviewed, now)] == ["rows read", "to send", "rejected"]


def test_a_source_that_stands_still_has_no_envelope() -> None:
    """An exact operation is held by its digests alone."""
    plain = projects.plan({"news": {}}, {"news": rows("news", 100)}).operations[0]
    assert plain.envelope is None
    assert not list(moved(plain, plain))


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"file": "a.csv"}, "exact"),
        ({"sql": "SELECT 1"}, "exact"),
        ({"database": "{{ secret.DB }}", "sql": "SELECT 1"}, "within"),
        ({"connection": "crm", "object": "Lead"}, "within"),
        ({"file": "a.csv", "moves": "pinned"}, "pinned"),
    ],
)
def test_a_file_stands_still_and_what_is_asked_anew_moves(declared: dict[str, str], expected: str) -> None:
    """The manifest may say otherwise."""
    known = projects.manifest({}).model_validate({"version": 1, "sources": {"s": declared}})
    assert moves(known.sources["s"]) == expected


def test_a_moved_source_goes_by_the_reviewed_paths() -> None:
    """Where the rows would choose another path by now, they do not: the reviewer saw this one."""
    few, many = rows("news", 300), rows("news", 100_000)
    reviewed = projects.plan({"news": {}}, {"news": few})
    anew = projects.plan({"news": {}}, {"news": many})
    held = projects.plan({"news": {}}, {"news": many}, reviewed=reviewed)
    assert {node.path for node in reviewed.nodes} == {node.path for node in held.nodes} == {"sync"}
    assert {node.path for node in anew.nodes} == {"bulk"}
    assert held.reviewed == reviewed.digest
    assert "The reviewed plan does not use it." in {each.reason for node in held.nodes for each in node.losing}


def test_rows_without_a_reviewed_path_are_refused() -> None:
    """A plan that sent nothing allows no path to rows that came later."""
    nothing = projects.plan({"news": {}}, {"news": rows("news", 0)})
    with pytest.raises(PlanRefusedError, match="The reviewed plan does not use it"):
        projects.plan({"news": {}}, {"news": rows("news", 5)}, reviewed=nothing)


def test_a_moving_source_may_have_another_digest() -> None:
    """Only what stands still is held by its digest: a source that an exact operation reads as well, too."""
    plan = projects.plan({"news": {}, "trial": {}}, {name: rows(name, 100) for name in ("news", "trial")})
    before = plan.inputs.model_copy(
        update={
            "sources": (Digest(name="contacts", digest="1"),),
            "rows": (Digest(name="news", digest="1"), Digest(name="trial", digest="1")),
        }
    )
    after = before.model_copy(update={"rows": (Digest(name="news", digest="2"), Digest(name="trial", digest="1"))})
    other = after.model_copy(update={"sources": (Digest(name="contacts", digest="2"),)})
    moving = [each.model_copy(update={"moves": "within"}) if each.name == "news" else each for each in plan.operations]
    half = plan.model_copy(update={"inputs": before, "operations": tuple(moving)})
    check_inputs(half, after)
    with pytest.raises(StalePlanError, match='source "contacts"'):
        check_inputs(half, other)
    whole = [each.model_copy(update={"moves": "pinned"}) for each in plan.operations]
    check_inputs(half.model_copy(update={"operations": tuple(whole)}), other)


def looked(facts: OperationFacts, **counts: Any) -> OperationFacts:
    """Return facts with a look at the target."""
    found = ReadFacts(
        **{"keys": 0, "calls": 1, "absent": 0, "equal": 0, "changed": 0, "ambiguous": 0, "drifted": 0} | counts
    )
    return replace(facts, looked=found)


def test_a_look_makes_the_split_exact() -> None:
    """New and changed are what the target said, and each is said with its fidelity."""
    found = looked(rows("news", 100), keys=100, absent=30, equal=50, changed=15, ambiguous=5, fields=(("phone", 15),))
    operation = projects.plan({"news": {}}, {"news": found}).operations[0]
    assert (operation.creates, operation.updates, operation.fidelity) == (30, 70, Fidelity.LOOKED_UP)
    assert operation.looked is not None
    assert operation.looked.fields[0].records == 15
    assert operation.warnings == (
        "5 records have a key that several records of the target have: which of them is meant, nobody can say.",
    )


def test_a_guard_is_held_against_the_look() -> None:
    """`max_creates` knows the exact number at plan time."""
    found = looked(rows("news", 100), absent=30, changed=70)
    guarded = {"news": {"guards": {"max_creates": 29}}}
    with pytest.raises(PlanRefusedError, match="creates 30 records"):
        projects.plan(guarded, {"news": found})
    assert projects.plan({"news": {"guards": {"max_creates": 30}}}, {"news": found}).nodes


@pytest.mark.parametrize(
    ("action", "counts", "sentence"),
    [
        ("create", {"absent": 90, "equal": 4, "changed": 6}, "10 records are there already and will not be created."),
        ("update", {"absent": 1, "changed": 99}, "1 record is not in the target, so that there is nothing to update."),
        (
            "upsert",
            {"changed": 100, "drifted": 2},
            (
                "2 records that are unchanged since last sent differ in the target by now; "
                '"only: all" would send all again.'
            ),
        ),
        ("upsert", {"changed": 100, "unread": ("a", "b")}, "These fields are written but cannot be read back: a, b."),
    ],
)
def test_what_a_look_finds_is_said(action: str, counts: dict[str, Any], sentence: str) -> None:
    """A reviewer reads what the target will make of it, in a sentence."""
    found = looked(rows("news", 100), **counts)
    assert sentence in projects.plan({"news": {"action": action}}, {"news": found}).operations[0].warnings


def test_a_look_is_paid_for_in_sight() -> None:
    """The calls that were made stand beside those that will be, and what apply needs to ask again is left over."""
    usage = {"marketo": Usage(10, 100, 7, calls_to_plan=7, calls_kept=1)}
    (made,) = projects.plan({"news": {}}, {"news": rows("news", 100)}, usage=usage).connections
    assert (made.reads, made.kept, made.left) == (7, 1, 89)


def test_waves_do_not_matter_to_the_look() -> None:
    """A new key in two waves is one new record, and one change of it."""
    facts = rows("news", 100)
    facts = replace(facts, outgoing=101, waves=(*facts.waves, WaveFacts(2, 1, facts.waves[0].cuts)))
    operation = projects.plan({"news": {}}, {"news": looked(facts, absent=100, changed=1)}).operations[0]
    assert (operation.creates, operation.updates) == (100, 1)


def test_deletions_are_never_more_than_were_reviewed() -> None:
    """Fewer keys may have left by then; one more is one that nobody saw."""
    spans = fewer(9, 4)
    assert (spans.read, spans.outgoing, spans.rejected) == (
        Span(least=0, most=9),
        Span(least=0, most=4),
        Span(least=0, most=0),
    )
