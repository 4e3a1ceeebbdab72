"""Describe, versions, resources and limits."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

OBJECTS = "/services/data/v61.0/sobjects"
FIELD = [
    "aggregatable",
    "autoNumber",
    "byteLength",
    "calculated",
    "calculatedFormula",
    "cascadeDelete",
    "caseSensitive",
    "compoundFieldName",
    "controllerName",
    "createable",
    "custom",
    "defaultValue",
    "defaultValueFormula",
    "defaultedOnCreate",
    "dependentPicklist",
    "deprecatedAndHidden",
    "digits",
    "displayLocationInDecimal",
    "encrypted",
    "externalId",
    "extraTypeInfo",
    "filterable",
    "filteredLookupInfo",
    "groupable",
    "highScaleNumber",
    "htmlFormatted",
    "idLookup",
    "inlineHelpText",
    "label",
    "length",
    "mask",
    "maskType",
    "name",
    "nameField",
    "namePointing",
    "nillable",
    "permissionable",
    "picklistValues",
    "polymorphicForeignKey",
    "precision",
    "queryByDistance",
    "referenceTargetField",
    "referenceTo",
    "relationshipName",
    "relationshipOrder",
    "restrictedDelete",
    "restrictedPicklist",
    "scale",
    "searchPrefilterable",
    "soapType",
    "sortable",
    "type",
    "unique",
    "updateable",
    "writeRequiresMasterRead",
]


async def fields(org: Any, name: str) -> Any:
    """The fields of an object, by name."""
    described = (await org.client.get(f"{OBJECTS}/{name}/describe")).json()
    return {field["name"]: field for field in described["fields"]}


async def test_a_field_has_every_member(org: Any) -> None:
    """*sObject Describe*: all members of a field, in the order of the alphabet."""
    described = (await org.client.get(f"{OBJECTS}/contact/describe/")).json()
    assert all(list(field) == FIELD for field in described["fields"])
    assert (described["name"], described["keyPrefix"], described["undeletable"]) == ("Contact", "003", True)
    assert list(described) == sorted(described)


async def test_keys_differ_in_what_they_promise(org: Any) -> None:
    """*sObject Describe*: four sorts of key: unique, case-sensitive unique, external but not unique, idLookup only."""
    contact = await fields(org, "Contact")
    promises = {
        name: [contact[name][trait] for trait in ("externalId", "idLookup", "unique", "caseSensitive")]
        for name in ("Crm_Key__c", "Badge_Code__c", "Legacy_Key__c", "Email", "Phone")
    }
    assert promises == {
        "Crm_Key__c": [True, True, True, False],
        "Badge_Code__c": [True, True, True, True],
        "Legacy_Key__c": [True, True, False, False],
        "Email": [False, True, False, False],
        "Phone": [False, False, False, False],
    }
    assert (await fields(org, "Campaign"))["External_Key__c"]["unique"] is True


@pytest.mark.parametrize(
    ("object_name", "field", "expected"),
    [
        (
            "Contact",
            "LastName",
            {"nillable": False, "createable": True, "length": 80, "byteLength": 240, "compoundFieldName": "Name"},
        ),
        ("Contact", "Name", {"createable": False, "updateable": False, "nameField": True, "length": 121}),
        (
            "Contact",
            "OwnerId",
            {"type": "reference", "referenceTo": ["User"], "relationshipName": "Owner", "defaultedOnCreate": True},
        ),
        ("Lead", "OwnerId", {"referenceTo": ["Group", "User"], "polymorphicForeignKey": True, "namePointing": True}),
        (
            "Contact",
            "MailingLatitude",
            {"type": "double", "precision": 18, "scale": 15, "soapType": "xsd:double", "length": 0},
        ),
        ("Account", "NumberOfEmployees", {"type": "int", "digits": 8, "soapType": "xsd:int"}),
        (
            "Contact",
            "MailingAddress",
            {"type": "address", "createable": False, "queryByDistance": True, "soapType": "urn:address"},
        ),
        ("Contact", "Id", {"type": "id", "length": 18, "byteLength": 18, "idLookup": True, "soapType": "tns:ID"}),
        (
            "Contact",
            "Description",
            {"filterable": False, "sortable": False, "extraTypeInfo": "plaintextarea", "length": 32000},
        ),
        ("Contact", "Tier__c", {"restrictedPicklist": True, "custom": True, "type": "picklist"}),
        (
            "Contact",
            "IsEmailBounced",
            {"defaultValue": False, "createable": False, "soapType": "xsd:boolean", "nillable": False},
        ),
        ("Campaign", "Status", {"defaultValue": "Planned", "defaultedOnCreate": True, "nillable": True}),
        ("CampaignMember", "CampaignId", {"createable": True, "updateable": False, "nillable": False}),
        ("Contact", "Sponsor__c", {"relationshipName": "Sponsor__r", "referenceTo": ["Account"]}),
    ],
)
async def test_fields_say_what_they_are(org: Any, object_name: str, field: str, expected: Any) -> None:
    """*Object Reference*, standard fields; custom ones are the sandbox's own."""
    described = (await fields(org, object_name))[field]
    assert {name: described[name] for name in expected} == expected


async def test_picklist_values_name_their_default(org: Any) -> None:
    """*sObject Describe*, picklistValues: active, defaultValue, label, validFor, value."""
    values = (await fields(org, "Campaign"))["Status"]["picklistValues"]
    assert values[0] == {"active": True, "defaultValue": True, "label": "Planned", "validFor": None, "value": "Planned"}
    assert [value["value"] for value in values] == ["Planned", "In Progress", "Completed", "Aborted"]


async def test_defaults_are_what_describe_says(org: Any) -> None:
    """*sObject Describe*, defaultedOnCreate: a record made without them has them."""
    await org.make("Campaign", Name="Spring")
    assert await org.query("SELECT Status, Type, IsActive, OwnerId FROM Campaign") == [
        {"Status": "Planned", "Type": "Conference", "IsActive": False, "OwnerId": "0055g0000000001AAA"}
    ]


async def test_describe_is_answered_once(org: Any) -> None:
    """*sObject Describe*, If-Modified-Since: 304 with ETag and Last-Modified."""
    path = f"{OBJECTS}/Contact/describe"
    first = await org.client.get(path)
    known = {"If-Modified-Since": first.headers["Last-Modified"]}
    for headers, status in (
        (known, 304),
        ({"If-None-Match": first.headers["ETag"]}, 304),
        ({"If-Modified-Since": "Mon, 02 Mar 2020 08:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
    ):
        assert (await org.client.get(path, headers=headers)).status_code == status


async def test_the_global_describe_lists_the_org(org: Any) -> None:
    """*Describe Global*: encoding, maxBatchSize, and an entry an object."""
    described = (await org.client.get(f"{OBJECTS}/")).json()
    assert (described["encoding"], described["maxBatchSize"]) == ("UTF-8", 200)
    prefixes = {entry["name"]: entry["keyPrefix"] for entry in described["sobjects"]}
    assert prefixes == {
        "Account": "001",
        "Campaign": "701",
        "CampaignMember": "00v",
        "Contact": "003",
        "Lead": "00Q",
        "User": "005",
    }
    assert described["sobjects"][3]["urls"]["describe"] == f"{OBJECTS}/Contact/describe"
    basic = (await org.client.get(f"{OBJECTS}/Contact")).json()
    assert basic["objectDescribe"] == described["sobjects"][3]


async def test_what_is_not_there(org: Any) -> None:
    """*Status Codes*: unknown objects, paths and versions are NOT_FOUND; retired versions are gone."""
    for path, status in (
        (f"{OBJECTS}/Cat/describe", 404),
        ("/services/data/v61.0/nothing", 404),
        ("/services/nothing", 404),
        ("/services/data/v99.0/sobjects", 404),
        ("/services/data/v61/sobjects", 404),
        ("/services/data/v40.0/jobs/ingest", 404),
        ("/services/data/v61.0/jobs/ingest/7505g0000000009AAA", 404),
        ("/services/data/v61.0/jobs/query/7505g0000000009AAA", 404),
        ("/services/data/v61.0/jobs/ingest/7505g0000000009AAA/otherResults", 404),
        ("/services/data/v29.0/sobjects", 410),
    ):
        assert (await org.client.get(path)).status_code == status, path


async def test_versions_need_no_session(org: Any) -> None:
    """*Versions*: label, url and version of each; the resource root needs a session."""
    del org.client.headers["Authorization"]
    versions = (await org.client.get("/services/data/")).json()
    assert {"label": "Summer '24", "url": "/services/data/v61.0", "version": "61.0"} in versions
    assert (await org.client.get("/services/data/v61.0/")).status_code == 401


async def test_the_root_names_its_resources(org: Any) -> None:
    """*Resources by Version*: names and paths."""
    assert (await org.client.get("/services/data/v61.0/")).json()["jobs"] == "/services/data/v61.0/jobs"


async def test_pretty_print_and_compression(org: Any) -> None:
    """*Request Headers*: X-PrettyPrint indents with blanks around colons; gzip only if it is asked for."""
    pretty = await org.client.get("/services/data/v61.0/", headers={"X-PrettyPrint": "1"})
    assert pretty.text.startswith('{\n  "composite" : "')
    packed = await org.client.get(f"{OBJECTS}/Contact/describe")
    plain = await org.client.get(f"{OBJECTS}/Contact/describe", headers={"Accept-Encoding": "identity"})
    assert (packed.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")) == ("gzip", None)
    assert packed.json() == plain.json()
    head = await org.client.head("/services/data/v61.0/")
    assert (head.status_code, head.content) == (200, b"")
