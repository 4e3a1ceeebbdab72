"""Guards against a sandbox: held when a plan is made, and again by every answer of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from syncer.errors import PlanRefusedError
from syncer.facts import System
from syncer.sandbox.faults import FaultRule
from tests.refresh.shop import login, opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.refresh.shop import Shop

pytestmark = pytest.mark.anyio

SYNC = "POST /rest/v1/leads.json"


def guarded(folder: Path, patch: pytest.MonkeyPatch, guards: dict[str, Any], **said: Any) -> Shop:
    """Return a shop that upserts leads under guards."""
    shop = opened(folder, patch, {})
    declare(shop, guards, **said)
    return shop


def declare(shop: Shop, guards: dict[str, Any], **said: Any) -> None:
    """Write the manifest."""
    said = {"source": "rows", "mapping": "plain", "target": "leads", "path": "sync", "because": "a test", **said}
    shop.write(
        "email,first\n",
        connections={"m": login(System.MARKETO)},
        targets={"leads": {"connection": "m", "object": "lead", "key": "email"}},
        mappings={"plain": {"email": "{{ email }}", "firstName": "{{ first }}"}},
        operations={"news": {**said, "guards": guards}},
    )


def rows(count: int, first: str = "Ada") -> str:
    """Return rows of as many leads."""
    return "email,first\n" + "".join(f"n{number}@x.co,{first}\n" for number in range(count))


def writes(shop: Shop) -> int:
    """Return how many requests wrote or deleted leads."""
    return sum(each.record_count is not None for each in shop.sandbox.traffic.entries)


def world_of(shop: Shop) -> Any:
    """Return the instance."""
    return shop.sandbox.worlds[System.MARKETO]


async def test_a_run_that_creates_far_more_than_planned_stops_within_its_first_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the ledger 2 % are new; somebody deleted the others since, so that the first answer tells another story."""
    shop = guarded(tmp_path, monkeypatch, {})
    shop.write(rows(882))
    assert (await shop.apply()).result.exit_code == 0
    for lead in list(world_of(shop).leads.rows)[:529]:
        world_of(shop).leads.delete(lead)
    declare(shop, {"max_creates": "5%"})
    shop.write(rows(900, "Bob"))
    assert (await shop.plan(refresh=False)).operations[0].creates == 18
    before = writes(shop)
    result = (await shop.apply()).result
    assert result.exit_code == 5
    assert 'Operation "news" has created 300 records; its guard allows 45.' in result.reason
    assert writes(shop) - before == 1


async def test_a_look_at_plan_time_sees_it_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same story with `--refresh` is refused while it is planned."""
    shop = guarded(tmp_path, monkeypatch, {"max_creates": "5%"})
    shop.write(rows(90))
    with pytest.raises(PlanRefusedError, match=r"(?s)P102.*creates 90 records"):
        await shop.plan()
    assert writes(shop) == 0


async def left(shop: Shop, guards: dict[str, Any]) -> None:
    """Write six leads, then let two of them leave the source."""
    declare(shop, guards, deletes="delete")
    shop.write(rows(6))
    assert (await shop.apply()).result.exit_code == 0
    shop.write(rows(4))


@pytest.mark.parametrize(("most", "is_refused"), [(1, True), (2, False), ("49%", True), ("50%", False)])
async def test_what_left_is_held_at_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int | str, *, is_refused: bool
) -> None:
    """What is deleted counts against the operation whose rows left, a share being one of the rows that it read."""
    shop = guarded(tmp_path, monkeypatch, {"max_deletes": most})
    await left(shop, {"max_deletes": most})
    if is_refused:
        with pytest.raises(PlanRefusedError, match=r"(?s)P102.*deletes or removes 2 records"):
            await shop.plan(refresh=False)
    else:
        assert (await shop.apply()).result.exit_code == 0
        assert len(world_of(shop).leads.rows) == 4


async def test_what_left_is_held_during_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that became tighter after the plan stops the deletions of a resumed run as it stops any other."""
    shop = guarded(tmp_path, monkeypatch, {})
    await left(shop, {"max_deletes": 2})
    shop.sandbox.faults.add(FaultRule.parse({"action": "vendor_error", "endpoint": "*/delete.json", "code": "607"}))
    assert (await shop.apply()).result.exit_code == 8
    declare(shop, {"max_deletes": 1}, deletes="delete")
    result = (await shop.resume()).result
    assert result.exit_code == 5
    assert 'Operation "news.gone" has deleted or removed 2 records; its guard allows 1.' in result.reason
