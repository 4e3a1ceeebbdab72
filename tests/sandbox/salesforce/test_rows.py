"""Single records: create, read, update, delete, and upsert by an external id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.anyio

ROWS = "/services/data/v61.0/sobjects"


def error(answer: httpx.Response) -> Any:
    """Status and code of an error answer."""
    return answer.status_code, answer.json()[0]["errorCode"]


async def test_a_record_lives(org: Any) -> None:
    """*sObject Rows*: 201 with Location, 200, 204, 204, then 404 in two ways."""
    made = await org.client.post(f"{ROWS}/contact", json={"LastName": "Okafor", "FirstName": "Ada", "Score__c": 3})
    assert made.status_code == 201
    assert made.json() == {"id": "0035g0000000001AAA", "success": True, "errors": []}
    place = made.headers["Location"]
    assert place == f"{ROWS}/Contact/0035g0000000001AAA"
    shown = (await org.client.get(f"{place}?fields=Name,Score__c")).json()
    assert shown == {
        "attributes": {"type": "Contact", "url": place},
        "Id": made.json()["id"],
        "Name": "Ada Okafor",
        "Score__c": 3.0,
    }
    whole = (await org.client.get(place)).json()
    assert (whole["IsDeleted"], whole["Phone"], whole["OwnerId"]) == (False, None, "0055g0000000001AAA")
    changed = await org.client.patch(place, json={"FirstName": None})
    assert (changed.status_code, changed.content) == (204, b"")
    assert (await org.client.get(f"{place}?fields=Name")).json()["Name"] == "Okafor"
    assert (await org.client.delete(place)).status_code == 204
    again = await org.client.delete(place)
    assert again.status_code == 404
    assert again.json() == [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}]
    assert error(await org.client.get(place)) == (404, "NOT_FOUND")


async def test_upsert_by_key(org: Any) -> None:
    """*sObject Rows by External ID*: 201 created, 200 updated, both with `created`."""
    path = f"{ROWS}/Contact/Crm_Key__c/K%2F1"
    first = await org.client.patch(path, json={"LastName": "Okafor"})
    assert (first.status_code, first.json()["created"]) == (201, True)
    second = await org.client.patch(path.replace("K", "k"), json={"FirstName": "Ada"})
    assert (second.status_code, second.json()) == (200, first.json() | {"created": False})
    assert (await org.client.get(path)).json()["LastName"] == "Okafor"


async def test_old_versions_answer_204(org: Any) -> None:
    """*sObject Rows by External ID*: no body for updates up to version 45.0."""
    path = "/services/data/v45.0/sobjects/Contact/Crm_Key__c/K-1"
    created = await org.client.patch(path, json={"LastName": "Okafor"})
    assert (created.status_code, "created" in created.json()) == (201, False)
    assert (await org.client.patch(path, json={"LastName": "Ng"})).status_code == 204


async def test_an_ambiguous_key_is_300(org: Any) -> None:
    """*sObject Rows by External ID*: several matches answer their addresses."""
    for name in ("A", "B"):
        await org.make("Contact", LastName=name, Legacy_Key__c="L")
    path = f"{ROWS}/Contact/Legacy_Key__c/L"
    for answer in (await org.client.patch(path, json={"LastName": "C"}), await org.client.get(path)):
        assert answer.status_code == 300
        assert answer.json() == [f"{ROWS}/Contact/0035g0000000001AAA", f"{ROWS}/Contact/0035g0000000002AAA"]


async def test_upserts_that_find_nothing(org: Any) -> None:
    """*sObject Rows by External ID*: no such key field, no such record with updateOnly."""
    answer = await org.client.patch(f"{ROWS}/Contact/Foo__c/1", json={"LastName": "A"})
    assert error(answer) == (404, "NOT_FOUND")
    assert answer.json()[0]["message"] == "Provided external ID field does not exist or is not accessible: Foo__c"
    missing = await org.client.patch(f"{ROWS}/Contact/Crm_Key__c/K?updateOnly=true", json={"LastName": "A"})
    assert error(missing) == (404, "NOT_FOUND")
    assert error(await org.client.get(f"{ROWS}/Contact/Crm_Key__c/K")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "Cat", {}, (404, "NOT_FOUND")),
        ("POST", "Contact", {}, (400, "REQUIRED_FIELD_MISSING")),
        ("POST", "Contact", {"LastName": "A", "Color__c": "Red"}, (400, "INVALID_FIELD")),
        ("PATCH", "Contact/003B0000000FSjVUIB1", {}, (400, "MALFORMED_ID")),
        ("PATCH", "Contact/0035g0000000009AAA", {"LastName": "A"}, (404, "NOT_FOUND")),
        ("PATCH", "Contact/0035g0000000009AAA", {"Id": "0035g0000000009AAA"}, (400, "INVALID_FIELD")),
        ("PATCH", "Contact/Crm_Key__c/K-1", {"Crm_Key__c": "K-2"}, (400, "INVALID_FIELD")),
        ("DELETE", "Contact/0035g0000000009AAA", None, (404, "NOT_FOUND")),
        ("GET", "Contact/0035g0000000009AAA?fields=Nope", None, (404, "NOT_FOUND")),
        ("POST", "User", {"Username": "x"}, (400, "INSUFFICIENT_ACCESS_OR_READONLY")),
        ("PUT", "Contact", {}, (405, "METHOD_NOT_ALLOWED")),
        ("POST", "Contact/0035g0000000009AAA", {}, (405, "METHOD_NOT_ALLOWED")),
    ],
)
async def test_refusals(org: Any, method: str, path: str, body: Any, expected: Any) -> None:
    """*Status Codes and Error Responses*: one error object in an array."""
    assert error(await org.client.request(method, f"{ROWS}/{path}", json=body)) == expected


async def test_unknown_fields_to_read_are_named(org: Any) -> None:
    """*sObject Rows*, fields: a column that is not there."""
    record = await org.make("Contact", LastName="A")
    answer = await org.client.get(f"{ROWS}/Contact/{record}?fields=Nope")
    assert answer.json() == [
        {"message": "No such column 'Nope' on sobject of type Contact", "errorCode": "INVALID_FIELD"}
    ]


async def test_post_to_the_id_field_inserts(org: Any) -> None:
    """*sObject Rows by External ID*, POST with Id: creates."""
    assert (await org.client.post(f"{ROWS}/Account/Id", json={"Name": "One"})).status_code == 201
