"""A connection's day: budget, quota, reserve and what is used, shared by all operations."""

from __future__ import annotations

from itertools import combinations

import pytest

from syncer.errors import PlanRefusedError
from syncer.facts import Fidelity, SharedKeys, Usage
from syncer.plan.build import build_plan
from syncer.plan.models import ConnectionPlan, Plan
from tests.fakes.capabilities import LEAD
from tests.fakes.projects import ABLE, INPUTS, TARGETS, manifest, plan
from tests.fakes.rows import facts

CREATE = {"action": "create"}


def connection(budget: dict[str, object], usage: Usage | None = None, records: int = 900) -> ConnectionPlan:
    """Return the connection's part of a plan of one operation."""
    made = plan(
        {"a": {}}, {"a": facts("a", LEAD, ((records,),))}, budget=budget, usage={"marketo": usage} if usage else {}
    )
    return made.connections[0]


@pytest.mark.parametrize(
    ("budget", "usage", "left", "reserve"),
    [
        ({}, None, None, 0),
        ({"calls_per_day": 100}, None, 100, 0),
        ({"calls_per_day": 100}, Usage(calls_by_project=40), 60, 0),
        ({}, Usage(21_000, 50_000), 29_000, 0),
        ({"reserve": "30%"}, Usage(21_000, 50_000), 14_000, 15_000),
        ({"calls_per_day": 100, "reserve": "30%"}, Usage(21_000, 50_000), 100, 15_000),
        ({"reserve": "0.01%"}, Usage(None, 50_001), 49_995, 6),
    ],
)
def test_the_smaller_of_budget_and_quota_is_left(
    budget: dict[str, object], usage: Usage | None, left: int | None, reserve: int
) -> None:
    """The reserve is rounded up, this project's calls count against its budget, everybody's against the quota."""
    made = connection(budget, usage)
    assert (made.left, made.reserve) == (left, reserve)


def test_polls_make_the_calls_an_estimate() -> None:
    """Requests that were cut are certain; how often a job is asked is not."""
    assert connection({}).fidelity is Fidelity.CHECKED
    assert connection({}, records=90_000).fidelity is Fidelity.ESTIMATED


def test_operations_of_one_connection_share_its_budget() -> None:
    """Each alone would fit; together they are refused with the numbers and a way out."""
    known = {name: facts(name, LEAD, ((3_000,),)) for name in "ab"}
    with pytest.raises(PlanRefusedError) as refused:
        plan({"a": CREATE, "b": CREATE}, known, budget={"calls_per_day": 19}, usage={"marketo": Usage(None, 100)})
    assert refused.value.code == "P101"
    assert refused.value.detail == (
        'Connection "marketo" needs 20 calls and 19 are left today. The budget is 19 calls a day. '
        "Of the quota of 100, an unknown number are used."
    )
    assert '"budget.calls_per_day"' in refused.value.advice


def test_a_quota_alone_refuses_too() -> None:
    """Without a budget of its own the project still keeps to the vendor's day."""
    with pytest.raises(PlanRefusedError, match="Of the quota of 100, 98 are used"):
        plan({"a": {}}, {"a": facts("a", LEAD, ((900,),))}, usage={"marketo": Usage(98, 100)})


def spread(budget: dict[str, object], used: Usage | None = None, **others: dict[str, object]) -> Plan:
    """Return a plan of operation `a`, which may take several days for its ten calls, and others of one call each."""
    known = {"a": facts("a", LEAD, ((3_000,),))} | {name: facts(name, LEAD, ((300,),)) for name in others}
    said = {"a": CREATE | {"spread": True}} | {name: CREATE | more for name, more in others.items()}
    shared = [SharedKeys(first, second, 0) for first, second in combinations(sorted(known), 2)]
    return plan(said, known, budget=budget, usage={"marketo": used} if used else {}, shared=shared)


def test_a_spread_operation_may_take_several_days() -> None:
    """The plan says what goes today and what on which day, and how it goes on."""
    made = spread({"calls_per_day": 4})
    assert made.connections[0].days == (4, 4, 2)
    assert (
        'Connection "marketo" needs 10 calls, spread over 3 days: 4 today, 4 on day 2, 2 on day 3. Apply sends '
        "today's share and parks (exit 8); `syncer resume` sends the next day's."
    ) in made.warnings


@pytest.mark.parametrize(
    ("budget", "used", "days"),
    [
        ({"calls_per_day": 10}, None, ()),
        ({"calls_per_day": 6}, Usage(calls_by_project=6), (0, 6, 4)),
        ({"reserve": "10%"}, Usage(88, 100), (2, 8)),
        ({"calls_per_day": 5, "reserve": "10%"}, Usage(88, 100), (2, 5, 3)),
        ({"calls_per_day": 1}, None, (1,) * 10),
    ],
)
def test_a_later_day_is_a_whole_one(budget: dict[str, object], used: Usage | None, days: tuple[int, ...]) -> None:
    """Today has what everybody's use and ours leave; later days have the budget, or the quota less the reserve."""
    made = spread(budget, used)
    assert made.connections[0].days == days
    assert any("and so on to day 10" in each for each in made.warnings) is (days == (1,) * 10)


@pytest.mark.parametrize(("budget", "used"), [({"reserve": "100%"}, Usage(0, 100)), ({"calls_per_day": 1}, None)])
def test_what_no_number_of_days_has_room_for_is_refused(budget: dict[str, object], used: Usage | None) -> None:
    """A day that never has a call for us, or more days than a year."""
    known = {"a": facts("a", LEAD, ((300 * 400,),))}
    with pytest.raises(PlanRefusedError, match="P101"):
        plan({"a": CREATE | {"spread": True}}, known, budget=budget, usage={"marketo": used} if used else {})


def test_what_must_be_done_today_goes_first() -> None:
    """Operations that share the day's calls and may not wait are settled before those that may."""
    made = spread({"calls_per_day": 4}, b={}, z={})
    assert {(each.before, each.after) for each in made.edges} == {("b/1/sync", "a/1/sync"), ("z/1/sync", "a/1/sync")}
    assert '"a" takes several days, and "b" must be done today.' in made.edges[0].reason
    assert spread({"calls_per_day": 12}, b={}, z={}).edges == ()


def test_what_must_be_done_today_cannot_wait_for_days() -> None:
    """An operation that follows one of several days is refused, with both reasons."""
    with pytest.raises(PlanRefusedError, match=r"P106[\s\S]*takes several days[\s\S]*after: \[a\]"):
        spread({"calls_per_day": 4}, b={"after": ["a"]})
    assert spread({"calls_per_day": 4}, b={"after": ["a"], "spread": True}).connections[0].days == (4, 4, 3)


def test_what_may_not_wait_must_fit_today() -> None:
    """Only the calls of operations that say so are put off."""
    with pytest.raises(PlanRefusedError, match="P101"):
        spread({"calls_per_day": 1}, b={}, c={})


def test_connections_to_one_instance_share_its_quota() -> None:
    """However many names an instance has, its day is one; another instance has its own."""
    targets = TARGETS | {"again": {"connection": "crm", "object": "Contact", "key": "Key__c"}}
    known = {"a": facts("a", LEAD, ((3_000,),)), "b": facts("b", ABLE["crm", "Contact"], ((400,),))}
    usage = dict.fromkeys(("marketo", "crm"), Usage(90, 100))
    given = (manifest({"a": CREATE, "b": CREATE | {"target": "again"}}, targets=targets), known, ABLE, usage, INPUTS)
    build_plan("acme", *given, (), {})
    with pytest.raises(PlanRefusedError, match="P101"):
        build_plan("acme", *given, (), {}, instances={"marketo": "one", "crm": "one"})


def test_connections_to_one_instance_count_against_each_budget() -> None:
    """What another connection takes of the instance's day is one less for a budget on it, as in the run itself."""
    targets = TARGETS | {"again": {"connection": "crm", "object": "Contact", "key": "Key__c"}}
    known = {"a": facts("a", LEAD, ((3_000,),)), "b": facts("b", ABLE["crm", "Contact"], ((400,),))}
    declared = manifest({"a": CREATE, "b": CREATE | {"target": "again"}}, targets=targets, budget={"calls_per_day": 11})
    build_plan("acme", declared, known, ABLE, {}, INPUTS, (), {})
    with pytest.raises(PlanRefusedError, match=r"(?s)P101.*needs 10 calls and 9 are left today"):
        build_plan("acme", declared, known, ABLE, {}, INPUTS, (), {}, instances={"marketo": "one", "crm": "one"})


def test_a_reserve_without_a_known_quota_is_a_warning() -> None:
    """A share of the unknown cannot be kept, and that is said."""
    made = plan({"a": {}}, {"a": facts("a", LEAD)}, budget={"reserve": "30%"})
    assert made.warnings == ('The reserve of connection "marketo" cannot be kept: its quota was not looked up.',)
