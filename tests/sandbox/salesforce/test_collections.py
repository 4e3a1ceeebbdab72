"""sObject Collections: 200 records a call, an outcome for each, in the order of the request."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

PATH = "/services/data/v61.0/composite/sobjects"


def contact(**values: Any) -> Any:
    """A record as Collections want it."""
    return {"attributes": {"type": "Contact"}} | values


async def post(org: Any, records: Any, **options: Any) -> Any:
    """Create records; the answer's body."""
    answer = await org.client.post(PATH, json={"records": records} | options)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_create_answers_in_order_and_200(org: Any) -> None:
    """*sObject Collections*, create: failed items have no id and a statusCode, good ones no `created`."""
    good, bad = await post(org, [contact(LastName="Okafor"), contact(LastName="")])
    assert list(good) == ["id", "success", "errors"]
    assert good["id"].startswith("003")
    assert bad == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [LastName]",
                "fields": ["LastName"],
            }
        ],
    }


async def test_all_or_none_rolls_back(org: Any) -> None:
    """*sObject Collections*, allOrNone: the good items are undone and say so."""
    record = await org.make("Contact", LastName="Okafor", Crm_Key__c="K-1")
    rolled = {
        "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
        "fields": [],
    }
    _, second = await post(org, [contact(), contact(LastName="Ng")], allOrNone=True)
    assert second == {"success": False, "errors": [rolled]}
    body = {
        "allOrNone": True,
        "records": [contact(id=record, LastName="New", Crm_Key__c="K-2"), contact(id=record, X="y")],
    }
    first, second = (await org.client.patch(PATH, json=body)).json()
    assert first["errors"] == [rolled]
    assert second["errors"][0]["message"] == "No such column 'X' on sobject of type Contact"
    answer = await org.client.delete(PATH, params={"ids": f"{record},0035g0000000999AAA", "allOrNone": "true"})
    assert answer.json()[0]["errors"] == [rolled]
    assert await org.query("SELECT LastName, Crm_Key__c FROM Contact") == [{"LastName": "Okafor", "Crm_Key__c": "K-1"}]
    again = await post(org, [contact(LastName="A", Crm_Key__c="k-1")])
    assert again[0]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"


async def test_update_needs_ids(org: Any) -> None:
    """*sObject Collections*, update: an item without id is refused by itself; `id` may be in any case."""
    record = await org.make("Contact", LastName="Okafor", Title="Dr")
    body = {"records": [contact(LastName="x"), contact(Id=record[:15], Title=None)]}
    missing, changed = (await org.client.patch(PATH, json=body)).json()
    assert missing["errors"] == [
        {"statusCode": "MISSING_ARGUMENT", "message": "Id not specified in an update call", "fields": []}
    ]
    assert changed == {"id": record, "success": True, "errors": []}
    assert await org.query("SELECT Title FROM Contact") == [{"Title": None}]


async def test_upsert_says_what_it_created(org: Any) -> None:
    """*sObject Collections*, upsert: `created` on the good items, matched without regard to case."""
    await org.make("Contact", LastName="Okafor", Crm_Key__c="K-1")
    body = {"records": [contact(Crm_Key__c="k-1", LastName="A"), contact(Crm_Key__c="K-2", LastName="B")]}
    old, new = (await org.client.patch(f"{PATH}/Contact/Crm_Key__c", json=body)).json()
    assert (old["created"], new["created"]) == (False, True)
    assert list(new) == ["id", "success", "errors", "created"]


async def test_upsert_by_null_id_inserts(org: Any) -> None:
    """*sObject Collections*, upsert by Id: a null Id creates."""
    body = {"records": [{"attributes": {"type": "Account"}, "Id": None, "Name": "One", "NumberOfEmployees": "420"}]}
    (item,) = (await org.client.patch(f"{PATH}/Account/Id", json=body)).json()
    assert item["created"] is True
    assert await org.query("SELECT NumberOfEmployees FROM Account") == [{"NumberOfEmployees": 420}]


async def test_the_same_key_twice_fails_both(org: Any) -> None:
    """*Upsert*: items that share a key fail, the first one too."""
    body = {"records": [contact(Crm_Key__c=key, LastName="A") for key in ("K-1", "k-1", "K-2")]}
    answer = (await org.client.patch(f"{PATH}/Contact/Crm_Key__c", json=body)).json()
    assert [item["success"] for item in answer] == [False, False, True]
    assert answer[1]["errors"] == [
        {"statusCode": "DUPLICATE_VALUE", "message": "Duplicate external id specified: k-1", "fields": ["Crm_Key__c"]}
    ]


async def test_objects_may_be_mixed_and_parents_named(org: Any) -> None:
    """*sObject Collections*: types mix on create; a parent may be given by its key."""
    await org.make("Account", Name="One", Crm_Key__c="A-1")
    items = await post(
        org,
        [
            {"attributes": {"type": "Lead"}, "LastName": "Roe", "Company": "Acme"},
            contact(LastName="Okafor", Account={"Crm_Key__c": "A-1"}, OwnerId="0055g0000000001"),
            contact(LastName="Ng", Account={"Name": "One"}),
            {"LastName": "No type"},
            {"attributes": {"type": "Cat"}},
        ],
    )
    assert [item["success"] for item in items] == [True, True, False, False, False]
    assert await org.query("SELECT Account.Name FROM Contact") == [
        {
            "Account": {
                "attributes": {"type": "Account", "url": "/services/data/v61.0/sobjects/Account/0015g0000000001AAA"},
                "Name": "One",
            }
        }
    ]


async def test_values_of_the_wrong_type_fail_their_item(org: Any) -> None:
    """*Status Codes*: a value that is none of the field's type."""
    items = await post(
        org, [contact(LastName="A", Birthdate="1980/02/03"), contact(LastName=5), contact(LastName="B", Is_Vip__c=None)]
    )
    assert {item["errors"][0]["statusCode"] for item in items} == {"INVALID_TYPE_ON_FIELD_IN_RECORD"}


async def test_delete_takes_ids_in_the_query(org: Any) -> None:
    """*sObject Collections*, delete: ids in the query string; unknown ones fail by themselves."""
    record = await org.make("Contact", LastName="Okafor")
    answer = await org.client.delete(PATH, params={"ids": f"{record},nonsense,0035g0000000999AAA"})
    items = answer.json()
    assert items[0] == {"id": record, "success": True, "errors": []}
    assert [item["errors"][0]["statusCode"] for item in items[1:]] == ["MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY"]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"records": []}, "REQUIRED_FIELD_MISSING", "At least 1 record is required"),
        ({}, "REQUIRED_FIELD_MISSING", "At least 1 record is required"),
        (
            {"records": [{}] * 201},
            "EXCEEDED_ID_LIMIT",
            "record limit reached. cannot submit more than 200 records into this call",
        ),
        ({"records": "x"}, "JSON_PARSER_ERROR", "records must be a list of objects"),
    ],
)
async def test_calls_that_are_refused_whole(org: Any, body: Any, code: str, message: str) -> None:
    """*sObject Collections*: from 1 to 200 records."""
    answer = await org.client.post(PATH, json=body)
    assert answer.status_code == 400
    assert (answer.json()[0]["errorCode"], answer.json()[0]["message"]) == (code, message)


async def test_malformed_json_is_a_parser_error(org: Any) -> None:
    """*Status Codes*: JSON_PARSER_ERROR."""
    for content in (b"{", b"[]"):
        answer = await org.client.post(PATH, content=content)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


async def test_upsert_paths_that_do_not_exist(org: Any) -> None:
    """*sObject Collections*, upsert: unknown object or key, and versions before 46.0."""
    body = {"records": [contact(LastName="A")]}
    for path in (
        "v61.0/composite/sobjects/Cat/Id",
        "v61.0/composite/sobjects/Contact/Phone",
        "v45.0/composite/sobjects/Contact/Id",
    ):
        answer = await org.client.patch(f"/services/data/{path}", json=body)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


async def test_users_are_not_written(org: Any) -> None:
    """The sandbox keeps its one user as it is."""
    (item,) = await post(org, [{"attributes": {"type": "User"}, "Username": "x"}])
    assert item["errors"][0]["statusCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
