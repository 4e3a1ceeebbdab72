"""`plan --refresh` of custom objects and Salesforce records: compound keys, keys that cannot be asked for, queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from syncer.facts import System
from syncer.plan.models import FieldLine, LookedUp
from tests.refresh.shop import login, looked, opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.refresh.shop import Shop

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class At:
    """An object of a system, and its key."""

    system: System
    object: str
    key: tuple[str, ...]


SEATS = At(System.MARKETO, "seat_c", ("accountNumber", "seatNumber"))
ORDERS = At(System.MARKETO, "order_c", ("orderNumber",))
CONTACTS = At(System.SALESFORCE, "Contact", ("Crm_Key__c",))


def shop_of(
    folder: Path,
    patch: pytest.MonkeyPatch,
    at: At,
    held: list[Any],
    operations: tuple[str, ...] = ("o",),
    **columns: str,
) -> Shop:
    """Return a shop that upserts an object whose records are these; `columns` are its fields, by column."""
    seed = {"objects": {at.object: held}} if at.system is System.MARKETO else {at.object: held}
    shop = opened(folder, patch, {at.system.value: seed})
    shop.write(
        ",".join(columns) + "\n",
        connections={"c": login(at.system)},
        targets={"t": {"connection": "c", "object": at.object, "key": list(at.key)}},
        mappings={"plain": {name: f"{{{{ {column} }}}}" for column, name in columns.items()}},
        operations={name: {"source": "rows", "mapping": "plain", "target": "t"} for name in operations},
    )
    return shop


async def test_a_key_of_two_fields_is_asked_for_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parts must agree; a row without one of them has no key, and a number written otherwise is the same."""
    held = [{"accountNumber": f"A{n}", "seatNumber": n, "label": "x"} for n in range(0, 301, 2)]
    fields = {"a": "accountNumber", "s": "seatNumber", "l": "label"}
    shop = shop_of(tmp_path, monkeypatch, SEATS, held, **fields)
    rows = [f"A{n},{n},{'x' if n % 4 else 'y'}" for n in range(301)]
    shop.write("\n".join(["a,s,l", *rows, "A5,,x", ",5,x", "A8,3,x", "A7,07,x"]) + "\n")
    plan = await shop.plan()
    assert looked(plan) == LookedUp(
        keys=302,
        calls=2,
        absent=151,
        equal=75,
        changed=77,
        ambiguous=0,
        drifted=0,
        fields=(FieldLine(field="label", records=76),),
    )
    assert plan.operations[0].rejected == 2
    assert shop.calls("customobjects") == ["POST /rest/v1/customobjects/{apiName}.json"] * 2


async def test_a_key_with_a_comma_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marketo would take it for two values and answer that it is not there; nobody knows, and the plan says so."""
    held = [{"orderNumber": "1,2", "status": "x"}, {"orderNumber": "3", "status": "x"}]
    shop = shop_of(tmp_path, monkeypatch, ORDERS, held, n="orderNumber", s="status")
    shop.write('n,s\n"1,2",x\n3,x\n4,x\n')
    plan = await shop.plan()
    (made,) = plan.operations
    assert looked(plan) == LookedUp(keys=2, calls=1, absent=1, equal=1, changed=0, ambiguous=0, drifted=0, unasked=1)
    assert (made.creates, made.updates, made.outgoing) == (1, 1, 3)
    assert any("1 record has a key that the target cannot be asked for" in each for each in made.warnings)
    assert (await shop.apply()).result.exit_code == 0
    after = looked(await shop.plan())
    assert (after.keys, after.drifted, after.vanished) == (2, 0, 0), "what was not asked for has not left"


@pytest.mark.parametrize(("keys", "queries"), [(1, 1), (200, 1), (201, 2), (601, 4)])
async def test_an_org_is_asked_by_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: int, queries: int
) -> None:
    """At most 200 keys a query; its fields are asked for once before; keys of another case are the same keys."""
    held = [{"Crm_Key__c": f"K-{n}", "LastName": "Lee"} for n in range(0, keys, 2)]
    shop = shop_of(tmp_path, monkeypatch, CONTACTS, held, k="Crm_Key__c", l="LastName")
    rows = [f"k-{n},{'Lee' if n % 4 else 'Ash'}" for n in range(keys)]
    shop.write("\n".join(["k,l", *rows, ",Lee"]) + "\n")
    found = looked(await shop.plan())
    changed = -(-keys // 4)
    assert (found.keys, found.calls, found.absent) == (keys, 1 + queries, keys // 2)
    assert (found.equal, found.changed) == (len(held) - changed, changed)
    assert found.fields == (FieldLine(field="LastName", records=changed),)
    assert [each.rpartition("/")[2] for each in shop.calls()] == ["limits", "describe", *["query"] * queries]
    (told,) = [phase for _, phase, _ in shop.said if phase.startswith("looking up")]
    assert f"about {1 + queries} calls of 99,998 left today" in told


async def test_what_an_org_does_not_show_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parent that is found by its own key is written and not read; nothing is said of it."""
    held = [{"Crm_Key__c": "K-1", "LastName": "Lee"}]
    fields = {"k": "Crm_Key__c", "l": "LastName", "a": "Account.Crm_Key__c"}
    shop = shop_of(tmp_path, monkeypatch, CONTACTS, held, **fields)
    shop.write("k,l,a\nk-1,Lee,A-1\n")
    found = looked(await shop.plan())
    assert (found.equal, found.changed, found.unread) == (1, 0, ("Account.Crm_Key__c",))


async def test_operations_of_one_connection_are_one_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two operations on one object ask for its fields once, and one line tells what both take."""
    shop = shop_of(tmp_path, monkeypatch, CONTACTS, [], ("o", "p"), k="Crm_Key__c", l="LastName")
    shop.write("k,l\n" + "".join(f"k-{n},Lee\n" for n in range(201)))
    plan = await shop.plan()
    assert [looked(plan, name).calls for name in ("o", "p")] == [3, 2]
    assert [phase for _, phase, _ in shop.said if phase.startswith("looking up")] == [
        "looking up 402 keys, about 5 calls of 99,998 left today"
    ]
    assert plan.connections[0].reads == 6
