"""`plan --refresh` of Marketo leads against a sandbox that holds known differences: every count is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from syncer.errors import PlanRefusedError, StateError
from syncer.facts import Fidelity, System
from syncer.plan.models import FieldLine, LookedUp
from syncer.sandbox.options import MarketoOptions
from syncer.state.local import LocalStore
from tests.refresh.shop import login, looked, opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.refresh.shop import Shop

pytestmark = pytest.mark.anyio

READ = "POST /rest/v1/leads.json"


def leads(
    folder: Path,
    patch: pytest.MonkeyPatch,
    held: list[dict[str, Any]],
    *,
    budget: dict[str, Any] | None = None,
    **said: Any,
) -> Shop:
    """Return a shop that writes names of leads by e-mail; its instance holds these."""
    limits = MarketoOptions(**said.pop("limits", {}))
    shop = opened(folder, patch, {"marketo": {"leads": held}}, marketo=limits)
    shop.write(
        "email,first,last\n",
        connections={"m": login(System.MARKETO, budget=budget or {})},
        targets={"leads": {"connection": "m", "object": "lead", "key": "email"}},
        mappings={"plain": {"email": "{{ email }}", "firstName": "{{ first }}", "lastName": "{{ last }}"}},
        operations={"news": {"source": "rows", "mapping": "plain", "target": "leads", **said}},
    )
    return shop


async def test_new_and_changed_are_told_field_by_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case does not make another key; a key of two leads is neither new nor changed; a blank one is no key."""
    held = [
        {"email": "Equal@X.co", "firstName": "Eve", "lastName": "Lee"},
        {"email": "one@x.co", "firstName": "Old", "lastName": "Lee"},
        {"email": "both@x.co", "firstName": "Old", "lastName": "Old"},
        {"email": "twice@x.co", "firstName": "Ann", "lastName": "Lee"},
        {"email": "TWICE@x.co", "firstName": "Bob", "lastName": "Lee"},
        {"email": "stranger@x.co", "firstName": "Cy", "lastName": "Lee"},
    ]
    shop = leads(tmp_path, monkeypatch, held)
    shop.write(
        "email,first,last\nequal@x.co,Eve,Lee\nONE@x.co,New,Lee\nboth@x.co,New,New\ntwice@x.co,Ann,Lee\n"
        "new@x.co,Dan,Lee\nNEW@x.co,Don,Lee\n,No,Key\n"
    )
    plan = await shop.plan()
    (news,) = plan.operations
    assert looked(plan) == LookedUp(
        keys=5,
        calls=1,
        absent=1,
        equal=1,
        changed=3,
        ambiguous=1,
        drifted=0,
        fields=(FieldLine(field="firstName", records=2), FieldLine(field="lastName", records=1)),
    )
    assert (news.outgoing, news.creates, news.updates, news.rejected) == (6, 1, 5, 1)
    assert news.fidelity is Fidelity.LOOKED_UP
    assert any("which of them is meant" in each for each in news.warnings)


@pytest.mark.parametrize(("keys", "reads"), [(0, 0), (1, 1), (300, 1), (301, 2), (601, 3)])
async def test_a_call_asks_for_at_most_300_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: int, reads: int
) -> None:
    """Every other lead is there; the calls are as many as the plan says, and no more."""
    held = [{"email": f"n{number}@x.co", "firstName": "Eve", "lastName": "Lee"} for number in range(0, keys, 2)]
    shop = leads(tmp_path, monkeypatch, held)
    shop.write("email,first,last\n" + "".join(f"N{number}@x.co,Eve,Lee\n" for number in range(keys)))
    plan = await shop.plan()
    found = looked(plan)
    assert (found.keys, found.calls, found.absent, found.equal) == (keys, reads, keys // 2, len(held))
    assert shop.calls() == ["GET /rest/v1/stats/usage.json", *[READ] * reads]
    (connection,) = plan.connections
    assert (connection.reads, connection.used_today, connection.left) == (1 + reads, 1 + reads, 50_000 - reads - 2)


async def test_the_cost_is_told_before_the_first_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, calls and what the day has left for them, before any of the calls is made."""
    shop = leads(tmp_path, monkeypatch, [], budget={"calls_per_day": 9})
    shop.write("email,first,last\n" + "".join(f"n{number}@x.co,Eve,Lee\n" for number in range(301)))
    await shop.plan()
    costs = [(who, phase, calls) for who, phase, calls in shop.said if phase.startswith("looking up")]
    assert costs == [("m", "looking up 301 keys, about 2 calls of 7 left today", 1)]


@pytest.mark.parametrize(("calls", "is_enough"), [(3, False), (4, True)])
async def test_a_look_keeps_to_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int, *, is_enough: bool
) -> None:
    """It takes a call for usage, one that apply begins with, and two of its own: one less, and it is not begun."""
    shop = leads(tmp_path, monkeypatch, [], budget={"calls_per_day": calls})
    shop.write("email,first,last\n" + "".join(f"n{number}@x.co,Eve,Lee\n" for number in range(301)))
    with pytest.raises(PlanRefusedError, match=r"P101" if is_enough else r"(?s)P120.*takes 2 calls .* 1 are left"):
        await shop.plan()
    assert shop.calls().count(READ) == (2 if is_enough else 0)


async def test_a_look_that_takes_more_than_was_reckoned_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three leads a key are three pages of answers: no key is asked for when the day is over."""
    held = [{"email": f"n{number % 300}@x.co", "firstName": "Eve"} for number in range(900)]
    shop = leads(tmp_path, monkeypatch, held, budget={"calls_per_day": 5})
    shop.write("email,first,last\n" + "".join(f"n{number}@x.co,Eve,Lee\n" for number in range(601)))
    with pytest.raises(PlanRefusedError, match=r"(?s)P120.*than it has keys for"):
        await shop.plan()
    assert shop.calls().count(READ) == 3


async def test_a_vendor_that_has_no_more_calls_refuses_the_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to resume: it is a refusal like any other of the budget."""
    shop = leads(tmp_path, monkeypatch, [], limits={"daily_calls": 2})
    shop.write("email,first,last\n" + "".join(f"n{number}@x.co,Eve,Lee\n" for number in range(601)))
    with pytest.raises(PlanRefusedError, match=r"(?s)P120.*takes no more calls today"):
        await shop.plan()


async def test_drift_is_told_field_by_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what was written and did not change here: what others changed, and what they deleted."""
    shop = leads(tmp_path, monkeypatch, [])
    names = ["same", "first", "both", "gone", "later"]
    shop.write("email,first,last\n" + "".join(f"{name}@x.co,Eve,Lee\n" for name in names))
    assert (await shop.apply()).result.exit_code == 0
    world: Any = shop.sandbox.worlds[System.MARKETO]
    ids = {name: next(iter(world.leads.matches("email", f"{name}@x.co"))) for name in names}
    for name, changes in {"first": {"firstName": "Ann"}, "both": {"firstName": "Ann", "lastName": "Ash"}}.items():
        world.leads.rows[ids[name]].values.update(changes)
    world.leads.delete(ids["gone"])
    shop.write(
        "email,first,last\n" + "".join(f"{name}@x.co,{'Fay' if name == 'later' else 'Eve'},Lee\n" for name in names)
    )
    plan = await shop.plan()
    assert looked(plan) == LookedUp(
        keys=5,
        calls=1,
        absent=0,
        equal=0,
        changed=1,
        ambiguous=0,
        drifted=3,
        fields=(FieldLine(field="firstName", records=1),),
        vanished=1,
        drifted_fields=(FieldLine(field="firstName", records=2), FieldLine(field="lastName", records=1)),
    )
    assert (plan.operations[0].unchanged, plan.operations[0].outgoing) == (4, 1)


async def test_a_field_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One name that the instance does not know refuses a whole read; the look goes on without it and says so."""
    held = [{"email": f"n{number}@x.co", "firstName": "Eve"} for number in range(301)]
    shop = leads(tmp_path, monkeypatch, held)
    world: Any = shop.sandbox.worlds[System.MARKETO]
    del world.leads.fields["lastName"]
    shop.write("email,first,last\n" + "".join(f"n{number}@x.co,Ann,Lee\n" for number in range(301)))
    plan = await shop.plan()
    found = looked(plan)
    assert (found.changed, found.fields, found.unread) == (
        301,
        (FieldLine(field="firstName", records=301),),
        ("lastName",),
    )
    assert shop.calls()[1:] == [READ, "GET /rest/v1/leads/describe2.json", READ, READ]
    assert found.calls == 4


async def test_the_calls_of_a_plan_are_counted_in_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each plan that follows on one state sees those of the one before, and so does a run."""
    shop = leads(tmp_path, monkeypatch, [], budget={"calls_per_day": 9})
    shop.write("email,first,last\na@x.co,Eve,Lee\n")
    used = [(await shop.plan(refresh=refresh)).connections[0].used_by_project for refresh in (False, True, False)]
    assert used == [1, 3, 4]
    assert (await shop.apply()).result.exit_code == 0
    (connection,) = (await shop.plan(refresh=False)).connections
    assert (connection.used_by_project, connection.left) == (7, 1)
    assert len(shop.calls()) == 7


async def test_what_cannot_be_asked_by_key_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at leads tells nothing of who is in a list."""
    shop = leads(tmp_path, monkeypatch, [])
    shop.write(
        "id\n1\n",
        connections={"m": login(System.MARKETO)},
        targets={"members": {"connection": "m", "object": "lead", "key": "id"}},
        mappings={"plain": {"id": "{{ id | int }}"}},
        operations={"add": {"source": "rows", "mapping": "plain", "target": "members", "action": "add", "list": "VIP"}},
    )
    plan = await shop.plan()
    assert plan.operations[0].looked is None
    assert any("The target was not asked" in each for each in plan.operations[0].warnings)
    assert shop.calls() == ["GET /rest/v1/stats/usage.json"]


async def test_a_state_that_may_only_be_read_stops_no_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reviews may not be allowed to write there: the plan is made, and says which calls nobody counts."""

    async def refuse(*_: object) -> None:
        raise StateError("R221", "The bucket does not let this machine write.")

    monkeypatch.setattr(LocalStore, "count_calls", refuse)
    shop = leads(tmp_path, monkeypatch, [])
    shop.write("email,first,last\na@x.co,Eve,Lee\n")
    assert (await shop.plan()).operations[0].creates == 1
    assert [phase for who, phase, _ in shop.said if who == "state"] == [
        "not counting 2 calls of this plan against the day: The bucket does not let this machine write."
    ]
