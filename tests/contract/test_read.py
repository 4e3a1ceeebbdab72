"""Reading records by their keys, before anything is sent: one promise for every session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from syncer.facts import Action, System
from syncer.targets.protocol import RECORD_ID
from tests.contract.conftest import step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.conftest import Stage

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Place:
    """An object of a system, with its key and a text and a number in it."""

    system: System
    object: str
    path: str
    key: str
    text: str
    per_read: int
    value: Callable[[int], str]

    def record(self, number: int, text: str) -> dict[str, Any]:
        """Return a record."""
        if self.is_contact:
            about = {"attributes": {"type": self.object}, "LastName": "Lee"}
            return {**about, self.key: self.value(number), self.text: text}
        return {self.key: self.value(number), self.text: text}

    @property
    def is_contact(self) -> bool:
        """Whether the object asks for a last name spelled as Salesforce does."""
        return self.system is System.SALESFORCE


PLACES = [
    Place(System.MARKETO, "lead", "sync", "email", "firstName", 300, lambda number: f"n{number}@x.co"),
    Place(System.SALESFORCE, "Contact", "collections", "Crm_Key__c", "FirstName", 200, lambda number: f"K-{number}"),
]


@pytest.fixture(params=PLACES, ids=lambda each: each.system)
def place(request: pytest.FixtureRequest) -> Place:
    """Every system, one at a time."""
    found: Place = request.param
    return found


async def test_records_come_back_as_texts(stage: Stage, place: Place) -> None:
    """A record is a row with its id, absent keys are no rows, and the calls are counted."""
    session = stage.session(place.system)
    asked = step(place.system, place.object, place.path, Action.UPSERT, place.key)
    await session.commit(stage.unit(asked, place.record(1, "Ada"), place.record(2, "Béla")), "")
    values = [(place.value(number),) for number in (1, 2, 3)]
    held = await session.read(place.object, (place.key,), values, (place.key, place.text))
    assert sorted(held.records.column(place.text).to_pylist()) == ["Ada", "Béla"]
    assert all(held.records.column(RECORD_ID).to_pylist())
    again = await session.read(place.object, (place.key,), values, (place.key, place.text))
    assert (held.calls, again.calls) == (2 if place.is_contact else 1, 1), "an org is asked for its fields first"


async def test_a_field_that_is_not_there_is_no_column(stage: Stage, place: Place) -> None:
    """A field of another object is left out of the question and of the answer."""
    if not place.is_contact:
        return
    session = stage.session(place.system)
    asked = step(place.system, place.object, place.path, Action.UPSERT, place.key)
    await session.commit(stage.unit(asked, place.record(1, "Ada")), "")
    held = await session.read(place.object, (place.key,), [(place.value(1),)], (place.key, "Account.Crm_Key__c"))
    assert held.records.column_names == [RECORD_ID, place.key]


async def test_reading_writes_nothing(stage: Stage, place: Place) -> None:
    """However many values are asked for, each call takes at most the vendor's number of them, and none is a write."""
    session = stage.session(place.system)
    values = [(place.value(number),) for number in range(place.per_read + 1)]
    await session.read(place.object, (place.key,), values[:1], (place.key,))
    before = stage.sandbox.worlds[place.system].state()
    held = await session.read(place.object, (place.key,), values, (place.key,))
    assert held.records.num_rows == 0
    assert held.calls == 2
    assert stage.sandbox.worlds[place.system].state() == before
