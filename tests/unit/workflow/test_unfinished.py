"""A new run sees what an older one left behind: doubts come first, and nothing is written twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.errors import LockedError
from syncer.state.protocol import Committing, Doubted, Finished, Intended, Merged, Settled, Started
from syncer.workflow.unfinished import refuse_before_others
from tests.fakes.capabilities import LEAD
from tests.fakes.hand import HandClock
from tests.fakes.projects import ABLE, manifest, plan
from tests.fakes.rows import facts
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from syncer.state.protocol import Note

UNIT = "a/1/sync/0000"
SENT = (Started(plan="p", tool="1"), Intended(unit=UNIT, sha256="0", records=1), Committing(unit=UNIT, at=0.0))
DOUBT = Doubted(unit=UNIT, reason="lost", at=0.0, wait_seconds=1.0)
DONE = Settled(unit=UNIT, letters="c")


async def refuse(notes: tuple[Note, ...], operations: dict[str, dict[str, str]], planned: str) -> None:
    """Leave a run with these notes behind, then begin another one that plans `planned`."""
    store = MemoryStore(HandClock())
    lease = await store.acquire((), "me", "old")
    journal = await store.journal("old", lease)
    for note in notes:
        await journal.append(note)
    declared = manifest(operations)
    able = ABLE["crm", "Contact"] if operations[planned].get("target") == "contacts" else LEAD
    made = plan({planned: operations[planned]}, {planned: facts(planned, able, ((1,),))})
    await refuse_before_others(store, declared, made, "new")


@pytest.mark.anyio
@pytest.mark.parametrize("planned", ["a", "b"])
async def test_a_doubt_on_the_same_object_comes_first(planned: str) -> None:
    """Whoever writes the object next could double what nobody knows the end of."""
    with pytest.raises(LockedError, match="syncer resume old"):
        await refuse((*SENT, DOUBT), {"a": {}, "b": {}}, planned)


@pytest.mark.anyio
async def test_a_doubt_of_an_operation_that_is_gone_comes_first() -> None:
    """What is no longer declared may have written anything."""
    with pytest.raises(LockedError):
        await refuse((*SENT, DOUBT), {"b": {}}, "b")


@pytest.mark.anyio
async def test_a_doubt_on_another_object_does_not_matter() -> None:
    """Leads in doubt say nothing of contacts."""
    await refuse((*SENT, DOUBT), {"a": {}, "b": {"target": "contacts"}}, "b")


@pytest.mark.anyio
async def test_settled_upserts_may_be_sent_again() -> None:
    """A run that stopped between two requests holds nobody up: its upserts are repeatable."""
    await refuse((*SENT, DONE), {"a": {}}, "a")


@pytest.mark.anyio
async def test_creates_that_the_ledger_does_not_know_are_not_repeated() -> None:
    """A second run would create the same records once more."""
    with pytest.raises(LockedError, match="not in the ledger"):
        await refuse((*SENT, DONE), {"a": {"action": "create"}}, "a")


@pytest.mark.anyio
@pytest.mark.parametrize("end", [Merged(operation="a"), Finished(exit_code=0)])
async def test_creates_that_the_ledger_knows_hold_nobody_up(end: Note) -> None:
    """What is in the ledger is told apart at the next plan."""
    await refuse((*SENT, DONE, end), {"a": {"action": "create"}}, "a")


@pytest.mark.anyio
async def test_creates_of_another_operation_hold_nobody_up() -> None:
    """Only an operation's own rows would be repeated."""
    await refuse((*SENT, DONE), {"a": {"action": "create"}, "b": {}}, "b")


@pytest.mark.anyio
async def test_a_run_does_not_stand_in_its_own_way() -> None:
    """Resume settles the doubts that a new run must not pass."""
    store = MemoryStore(HandClock())
    journal = await store.journal("old", await store.acquire((), "me", "old"))
    for note in (*SENT, DOUBT):
        await journal.append(note)
    made = plan({"a": {}}, {"a": facts("a", LEAD, ((1,),))})
    await refuse_before_others(store, manifest({"a": {}}), made, "old")
