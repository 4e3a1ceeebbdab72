"""The org as a whole: seed file, state, overview, reset, ids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from syncer.sandbox.app import Sandbox, SandboxOptions
from syncer.sandbox.salesforce.ids import lengthen, make_id, parse_id
from syncer.sandbox.salesforce.options import SalesforceOptions

if TYPE_CHECKING:
    from pathlib import Path

SEED = {
    "salesforce": {
        "Account": [{"Name": "One", "Crm_Key__c": "A-1"}],
        "Contact": [{"LastName": "Okafor", "Account": {"Crm_Key__c": "A-1"}}],
    }
}


def seeded(tmp_path: Path, objects: Any = None) -> Any:
    """A sandbox that starts with records."""
    path = tmp_path / "seed.json"
    path.write_text(json.dumps(objects or SEED), encoding="utf-8")
    return Sandbox(SandboxOptions(seed_file=path)).worlds["salesforce"]


def test_the_state_is_canonical(tmp_path: Path) -> None:
    """No ids, times or users: a parent is told by its key."""
    state = seeded(tmp_path).state()
    assert state["Contact"] == [
        {
            "AccountId": "Crm_Key__c=A-1",
            "IsDeleted": False,
            "IsEmailBounced": False,
            "Is_Vip__c": False,
            "LastName": "Okafor",
        }
    ]
    assert "User" not in state


def test_a_reset_goes_back_to_the_seed(tmp_path: Path) -> None:
    """Whatever was done is undone."""
    world = seeded(tmp_path)
    before = world.state()
    world.org.store.tables["Contact"].insert({"LastName": "Ng"})
    assert world.state() != before
    world.reset()
    assert world.state() == before


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"Cat": [{}]}, "the seed file names an object that the org does not have: Cat"),
        ({"Contact": [{"FirstName": "Ada"}]}, "record 1 of Contact in the seed file: REQUIRED_FIELD_MISSING"),
    ],
)
def test_a_bad_seed_is_named(tmp_path: Path, objects: Any, message: str) -> None:
    """A seed that the org would refuse says which record and why."""
    with pytest.raises(ValueError, match=message):
        seeded(tmp_path, {"salesforce": objects})


@pytest.mark.anyio
async def test_the_overview_shows_everything(org: Any) -> None:
    """What the page needs: quota, jobs, and records with ids."""
    await org.load("LastName\nOkafor\n")
    overview = org.sandbox.worlds["salesforce"].overview()
    assert overview["quota"][0] == {"name": "API calls in 24 hours", "used": 4, "limit": 100_000}
    assert overview["jobs"][0]["state"] == "JobComplete"
    assert overview["records"]["Contact"][0]["Id"] == "0035g0000000001AAA"
    json.dumps(overview)


def test_credentials_open_the_org() -> None:
    """What a client needs to log in, the ready token included."""
    credentials = Sandbox().worlds["salesforce"].credentials()
    assert credentials["access_token"] == SalesforceOptions().access_token
    assert set(credentials) >= {"client_id", "client_secret", "username", "password", "security_token"}


@pytest.mark.parametrize(
    "known",
    ["003ak00000luKU1AAM", "0034S000005YJVlQAO", "7503h00000CV7GpAAL", "00Q4S000002sSacUAE", "001ak00000OQTieAAH"],
)
def test_ids_have_the_vendors_checksum(known: str) -> None:
    """*Record ids*: three characters more, so that case may be lost; ids that the vendor really made."""
    assert lengthen(known[:15]) == known
    assert parse_id(known[:15]) == parse_id(known) == parse_id(known.lower()) == parse_id(known.upper()) == known


@pytest.mark.parametrize(
    "text", ["", "a00B000000FSjVUIB1", "0035g0000000001AA?", "0035g000000001", "0035g00000ö0001", "123456789012345BAA"]
)
def test_what_is_no_id(text: str) -> None:
    """*Record ids*: 15 or 18 letters and digits, with the right checksum."""
    assert parse_id(text) is None


def test_ids_are_counted() -> None:
    """Each record has its own id, in the order of creation."""
    ids = [make_id("003", number) for number in range(1, 4000)]
    assert len(set(ids)) == 3999
    assert ids[0] == "0035g0000000001AAA"
