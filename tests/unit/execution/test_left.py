"""What an executor does with records that left: it notes ids, forgets in the right ledger, and stops in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.errors import StalePlanError
from syncer.facts import Action
from tests.fakes.world import Op, rows, world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.world import World

pytestmark = pytest.mark.anyio


def clearing(it: World, **changes: object) -> None:
    """Make the operation `a.gone` clear up after `a`, and `a` learn ids."""
    operations = [
        each.model_copy(update={"gone_from": "a", **changes} if each.name == "a.gone" else {"learns": True})
        for each in it.plan.operations
    ]
    it.plan = it.plan.model_copy(update={"operations": tuple(operations)})


async def test_ids_are_noted_where_they_are_needed_and_nowhere_else(tmp_path: Path) -> None:
    """The state learns no id that no deletion asks for."""
    async with world(tmp_path, Op("a", rows(3)), Op("b", rows(3, "b"))) as it:
        operations = [each.model_copy(update={"learns": each.name == "a"}) for each in it.plan.operations]
        it.plan = it.plan.model_copy(update={"operations": tuple(operations)})
        await it.run()
        assert sorted(it.staged["a"].learnt) == [2, 3, 4]
        assert it.staged["b"].learnt == {}


async def test_what_is_deleted_is_forgotten_in_the_ledger_that_held_it(tmp_path: Path) -> None:
    """After that ledger's own merge, so with the number that follows."""
    ops = (Op("a", rows(2)), Op("a.gone", rows(1, "old"), action=Action.DELETE, after=("a",)))
    async with world(tmp_path, *ops) as it:
        clearing(it)
        await it.run()
        assert it.store.books.merges == ["a", "a"]
        assert it.store.books.serials == {"a": 2}


async def test_with_nothing_to_write_the_deletions_come_first(tmp_path: Path) -> None:
    """The ledger is then as the plan found it."""
    async with world(tmp_path, Op("a", ()), Op("a.gone", rows(1, "old"), action=Action.DELETE)) as it:
        clearing(it)
        await it.run()
        assert it.store.books.serials == {"a": 1}


async def test_a_record_that_was_just_written_is_not_deleted(tmp_path: Path) -> None:
    """Nobody could know it when the plan was made, so the run stops before the first deletion."""
    ops = (Op("a", rows(2)), Op("a.gone", rows(1, "old"), action=Action.DELETE, after=("a",)))
    async with world(tmp_path, *ops) as it:
        clearing(it)
        it.staged["a.gone"].again = 1
        result = await it.run()
        assert isinstance(result.error, StalePlanError)
        assert result.error.code == "R110"
        assert set(it.vendor.state()) == {key for key, _ in rows(2)}
        assert it.store.books.serials == {"a": 1}


@pytest.mark.parametrize("fault", ["lose after", "lose before"])
async def test_the_id_of_a_record_in_doubt_is_noted_when_it_is_settled(tmp_path: Path, fault: str) -> None:
    """The answer was lost, and with it the id: the look, or the remedy that follows, tells it."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.plan = it.plan.model_copy(
            update={"operations": tuple(each.model_copy(update={"learns": True}) for each in it.plan.operations)}
        )
        it.vendor.faults = {("commit", "*"): [fault]}
        await it.run()
        assert sorted(it.staged["a"].learnt) == [2, 3]
