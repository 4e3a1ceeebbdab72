"""What refuses a whole call, by code ("Error Codes", response level), and what the options change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest

from syncer.sandbox.app import MarketoOptions, SandboxOptions

pytestmark = pytest.mark.anyio
LEAD = {"email": "a@example.com"}
FILTER = {"filterType": "email", "filterValues": "a@example.com"}


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/rest/v1/leads.json", {}, "1003"),
        ("/rest/v1/leads.json", {"filterType": "email"}, "1003"),
        ("/rest/v1/leads.json", {**FILTER, "filterType": "userId"}, "1006"),
        ("/rest/v1/leads.json", {**FILTER, "filterType": "firstName"}, "1011"),
        ("/rest/v1/leads.json", {**FILTER, "fields": "emial"}, "1006"),
        ("/rest/v1/leads.json", {**FILTER, "nextPageToken": "x"}, "1003"),
        ("/rest/v1/leads.json", {**FILTER, "batchSize": "many"}, "1001"),
        ("/rest/v1/lead/none.json", {}, "1001"),
        ("/rest/v1/lists/77.json", {}, "1013"),
        ("/rest/v1/leads/77/listMembership.json", {}, "1004"),
        ("/rest/v1/programs/77/members.json", {"filterType": "leadId", "filterValues": "1"}, "1013"),
        ("/rest/v1/programs/1044/members.json", {}, "1003"),
        ("/rest/v1/programs/1044/members.json", {"filterType": "webinarUrl", "filterValues": "1"}, "1003"),
        ("/rest/v1/activities.json", {"nextPageToken": "x"}, "1002"),
        ("/rest/v1/activities.json", {"activityTypeIds": "145"}, "1002"),
        ("/rest/v1/activities.json", {"activityTypeIds": "1,2,3,4,5,6,7,8,9,10,11"}, "1003"),
        ("/rest/v1/activities/pagingtoken.json", {"sinceDatetime": "yesterday"}, "1001"),
        ("//rest/v1/leads.json", {}, None),
    ],
)
async def test_reads_are_refused(instance: Any, path: str, query: dict[str, Any], code: str | None) -> None:
    """Missing and wrong parameters; a doubled slash is no path at all."""
    answer = await instance.client.get(f"http://sandbox{path}", params=query)
    assert (answer.json()["errors"][0]["code"] if code else answer.status_code) == (code or 404)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/rest/v1/leads.json", {}, "1002"),
        ("/rest/v1/leads.json", {"input": []}, "1002"),
        ("/rest/v1/leads.json", {"input": ["a@example.com"]}, "1001"),
        ("/rest/v1/leads.json", {"action": "upsert", "input": [LEAD]}, "1001"),
        ("/rest/v1/leads.json", {"lookupField": "id", "input": [{"id": 1}]}, "1003"),
        ("/rest/v1/leads.json", {"action": "updateOnly", "partitionName": "EMEA", "input": [LEAD]}, "1003"),
        ("/rest/v1/leads.json", [LEAD], "609"),
        ("/rest/v1/leads/push.json", {"programName": "Nothing", "input": [LEAD]}, "1013"),
        ("/rest/v1/leads/push.json", {"programName": "Spring Webinar", "programStatus": "x", "input": [LEAD]}, "1025"),
        ("/rest/v1/leads/1/merge.json", None, "1002"),
        ("/rest/v1/programs/1044/members/status.json", {"input": [{"leadId": 1}]}, "1002"),
        ("/rest/v1/customobjects/order_c.json", {"dedupeBy": "yoyoto", "input": [{"orderNumber": "1"}]}, "1003"),
        ("/rest/v1/customobjects/order_c.json", {"dedupeBy": "idField", "input": [{"marketoGUID": "1"}]}, "1003"),
        ("/rest/v1/customobjects/order_c.json", {"action": "createDuplicate", "input": [{"orderNumber": "1"}]}, "1001"),
        ("/rest/v1/customobjects/order_c/delete.json", {"deleteBy": "x", "input": [{"orderNumber": "1"}]}, "1003"),
    ],
)
async def test_writes_are_refused(instance: Any, path: str, body: Any, code: str) -> None:
    """Nothing of such a call is done."""
    answer = await instance.post(path, body)
    assert (answer["success"], answer["errors"][0]["code"]) == (False, code)
    assert instance.world.state()["leads"] == []


async def test_json_knows_no_nan(instance: Any) -> None:
    """What JSON does not know is not JSON."""
    headers = {"content-type": "application/json"}
    answer = await instance.client.post("/rest/v1/leads.json", content=b'{"input": [{"score": NaN}]}', headers=headers)
    assert answer.json()["errors"][0]["code"] == "609"


async def test_lists_can_be_found_and_named(instance: Any) -> None:
    """By id or name, one page at a time, and as assets."""
    assert [each["id"] for each in (await instance.get("/rest/v1/lists.json", name="Trial users"))["result"]] == [1002]
    first = await instance.get("/rest/v1/lists.json", batchSize=1)
    assert (len(first["result"]), "moreResult" in first, "nextPageToken" in first) == (1, False, True)
    one = (await instance.get("/rest/v1/lists/1001.json"))["result"][0]
    assert (one["name"], one["workspaceName"]) == ("Newsletter", "Default")
    path = "/rest/asset/v1/staticList"
    renamed = await instance.client.post(f"{path}/1002.json", data={"name": "Triallists"})
    assert renamed.json()["result"][0]["name"] == "Triallists"
    assert len((await instance.get(f"{path}s.json", maxReturn=1, offset=1))["result"]) == 1
    assert (await instance.get(f"{path}/1002.json"))["result"][0]["id"] == 1002
    channels = (await instance.get("/rest/asset/v1/channels.json"))["result"]
    assert [each["name"] for each in channels] == ["Webinar", "Email Send"]


async def test_a_lead_knows_its_lists(instance: Any) -> None:
    """`moreResult` is there even at the end."""
    await instance.sync(LEAD)
    await instance.post("/rest/v1/lists/1002/leads.json?id=1")
    answer = await instance.get("/rest/v1/leads/1/listMembership.json")
    assert ([each["listId"] for each in answer["result"]], answer["moreResult"]) == ([1002], False)


async def test_custom_objects_are_addressed_by_guid_too(instance: Any) -> None:
    """`idField` updates and deletes, and a key that is rewritten is found anew."""
    path = "/rest/v1/customobjects/order_c"
    made = await instance.post(f"{path}.json", {"input": [{"orderNumber": "O-1", "amount": 1}]})
    guid = made["result"][0]["marketoGUID"]
    record = {"marketoGUID": guid, "orderNumber": "O-2"}
    await instance.post(f"{path}.json", {"action": "updateOnly", "dedupeBy": "idField", "input": [record]})
    found = await instance.get(f"{path}.json", filterType="dedupeFields", filterValues="O-1,O-2", fields="amount")
    assert found["result"] == [{"seq": 0, "marketoGUID": guid, "amount": 1.0}]
    deleted = await instance.post(f"{path}/delete.json", {"deleteBy": "idField", "input": [{"marketoGUID": guid}]})
    assert deleted["result"] == [{"seq": 0, "status": "deleted", "marketoGUID": guid}]
    assert instance.world.state()["objects"]["order_c"] == []


class TestWithOtherOptions:
    """What an instance does that was started otherwise."""

    @pytest.fixture
    def options(self) -> SandboxOptions:
        """No limits, no duplicates, company fields, tokens in the query, blank cells that keep."""
        limits = MarketoOptions(rate_calls=None, concurrent_calls=None, daily_calls=None)
        lenient = replace(limits, company_fields_in_sync=True, query_tokens=True, blank_cells_clear=False)
        return SandboxOptions(latency_seconds=0.25, duplicates_on_overlap=False, marketo=lenient)

    async def test_overlap_makes_no_duplicates(self, instance: Any) -> None:
        """With the switch off, a write looks again before it creates; imports too."""
        await instance.upload("email\na@example.com\n")
        await instance.wait(2)
        async with anyio.create_task_group() as calls:
            for _ in range(20):
                calls.start_soon(instance.sync, LEAD)
        await instance.wait(30)
        assert instance.world.state()["leads"] == [LEAD]

    async def test_limits_can_be_lifted(self, instance: Any) -> None:
        """More than a hundred calls pass."""
        answers = [await instance.get("/rest/v1/stats/usage.json") for _ in range(120)]
        assert all(answer["success"] for answer in answers)

    async def test_blank_cells_can_keep_values(self, instance: Any) -> None:
        """The vendor does not say what an empty cell does, so it can be chosen."""
        await instance.sync({**LEAD, "firstName": "A", "company": "Acme"})
        await instance.upload("email,firstName\na@example.com,\n")
        await instance.wait(30)
        assert instance.world.state()["leads"] == [{**LEAD, "company": "Acme", "firstName": "A"}]

    async def test_old_tokens_in_the_query_can_be_taken(self, instance: Any) -> None:
        """Until 2026-08-31 some instances do."""
        token = instance.client.headers.pop("authorization").split()[1]
        assert (await instance.get("/rest/v1/leads/describe.json", access_token=token))["success"]


async def test_blank_cells_clear_values(instance: Any) -> None:
    """The default, as the vendor's older API hints."""
    await instance.sync({**LEAD, "firstName": "A"})
    await instance.upload("email,firstName\na@example.com,\n")
    await instance.wait(30)
    assert instance.world.state()["leads"] == [LEAD]
