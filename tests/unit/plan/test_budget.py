"""A connection's day: budget, quota, reserve and what is used, shared by all operations."""

from __future__ import annotations

import pytest

from syncer.errors import PlanRefusedError
from syncer.facts import Fidelity, Usage
from syncer.plan.models import ConnectionPlan
from tests.fakes.capabilities import LEAD
from tests.fakes.projects import plan
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


def test_a_spread_operation_may_take_several_days() -> None:
    """Its calls do not refuse the plan; the plan says that the run will park."""
    known = {"a": facts("a", LEAD, ((3_000,),)), "b": facts("b", LEAD, ((300,),))}
    made = plan({"a": CREATE | {"spread": True}, "b": CREATE}, known, budget={"calls_per_day": 5})
    assert any("needs 11 calls and 5 are left today: the run parks" in warning for warning in made.warnings)


def test_a_reserve_without_a_known_quota_is_a_warning() -> None:
    """A share of the unknown cannot be kept, and that is said."""
    made = plan({"a": {}}, {"a": facts("a", LEAD)}, budget={"reserve": "30%"})
    assert made.warnings == ('The reserve of connection "marketo" cannot be kept: its quota was not looked up.',)
