"""Rules of "Static Lists", "Program Members", "Custom Objects", "Activities" and the rest of "Leads"."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

pytestmark = pytest.mark.anyio


def _codes(answer: dict[str, Any]) -> list[str]:
    return [line["reasons"][0]["code"] if "reasons" in line else line["status"] for line in answer["result"]]


async def _three_leads(instance: Any) -> None:
    await instance.sync(*({"email": f"{name}@example.com", "firstName": name} for name in "abc"))


async def test_list_members_are_added_and_removed(instance: Any) -> None:
    """Adding twice is `added` twice; removing who is no member is 1015, who is no lead 1004."""
    await _three_leads(instance)
    path = "/rest/v1/lists/1001/leads.json"
    assert _codes(await instance.post(path, {"input": [{"id": 1}, {"id": 9}]})) == ["added", "1004"]
    assert _codes(await instance.post(f"{path}?id=1,2")) == ["added", "added"]
    removed = await instance.client.delete(path, params={"id": ["1", "3"]})
    assert _codes(removed.json()) == ["removed", "1015"]
    assert removed.json()["result"][1]["id"] == 3
    tested = await instance.get("/rest/v1/lists/1001/leads/ismember.json", id="1,2,9")
    assert _codes(tested) == ["notmemberof", "memberof", "1004"]


async def test_an_empty_or_null_lead_id_refuses_the_call(instance: Any) -> None:
    """The recorded words for both."""
    path = "/rest/v1/lists/1001/leads.json"
    empty = await instance.post(path, {"input": []})
    null = await instance.post(path, {"input": [{"id": None}]})
    assert empty["errors"] == [{"code": "1003", "message": "Lead ids not specified"}]
    assert null["errors"][0] == {"code": "1001", "message": 'For input string: "null" failed to convert to a number'}


async def test_list_members_are_paged_without_more_result(instance: Any) -> None:
    """Both spellings of the path, by GET and by a posted form; the end is where no token is."""
    await _three_leads(instance)
    await instance.post("/rest/v1/lists/1001/leads.json?id=1,2,3")
    first = await instance.get("/rest/v1/list/1001/leads.json", batchSize=2)
    assert "moreResult" not in first
    last = await instance.get("/rest/v1/list/1001/leads.json", batchSize=2, nextPageToken=first["nextPageToken"])
    assert [lead["id"] for lead in last["result"]] == [3]
    assert "nextPageToken" not in last
    posted = await instance.client.post("/rest/v1/list/1001/leads.json", data={"listId": "1001", "_method": "GET"})
    assert len(posted.json()["result"]) == 3


async def test_lists_are_assets_with_an_envelope_of_their_own(instance: Any) -> None:
    """A search without a match is a success with a warning; a name is given once; deleting answers the id."""
    path = "/rest/asset/v1/staticList"
    missing = await instance.get(f"{path}/byName.json", name="Churned")
    assert {**missing, "requestId": ""} == {
        "success": True,
        "errors": [],
        "requestId": "",
        "warnings": ["No assets found for the given search criteria."],
    }
    form = {"name": "Churned", "folder": '{"type":"Folder","id":12}'}
    made = (await instance.client.post(f"{path}s.json", data=form)).json()["result"][0]
    assert made["createdAt"].endswith("Z+0000")
    again = (await instance.client.post(f"{path}s.json", data=form)).json()
    assert again["errors"][0] == {"code": "709", "message": "Static List with the same name already exists"}
    assert (await instance.post(f"{path}/{made['id']}/delete.json"))["result"] == [{"id": made["id"]}]


@pytest.mark.parametrize("spelling", ["/rest/v1/leads/delete.json", "/rest/v1/leads.json?_method=DELETE"])
async def test_deleted_leads_leave_their_lists_and_ids_behind(instance: Any, spelling: str) -> None:
    """Missing ids are 1004; the e-mail made again has a new id."""
    await _three_leads(instance)
    await instance.post("/rest/v1/lists/1001/leads.json?id=1,2")
    assert _codes(await instance.post(spelling, {"input": [{"id": 1}, {"id": 9}]})) == ["deleted", "1004"]
    assert instance.world.state()["lists"]["Newsletter"] == ["b@example.com"]
    assert (await instance.sync({"email": "a@example.com"}))[0]["id"] == 4


async def test_every_push_notes_an_activity(instance: Any) -> None:
    """The same push twice is one lead and two activities, and a failed record has no `status`."""
    body = {"programName": "Spring Webinar", "programStatus": "Registered", "source": "API"}
    records = [{"email": "a@example.com"}, {"email": "b@example.com", "integer_field": "x"}]
    for _ in range(2):
        answer = await instance.post("/rest/v1/leads/push.json", {**body, "input": records})
    assert answer["warnings"] == []
    assert "status" not in answer["result"][1]
    state = instance.world.state()
    assert (len(state["leads"]), state["activities"]) == (1, {"Push Lead to Marketo": 2})
    assert state["programs"]["Spring Webinar"] == [{"lead": "a@example.com", "status": "Registered"}]


async def test_pushes_that_overlap_make_two_leads(instance: Any) -> None:
    """A push is an upsert like any other, and races with Sync Leads too."""
    body = {"programName": "Spring Webinar", "input": [{"email": "a@example.com"}]}
    async with anyio.create_task_group() as calls:
        calls.start_soon(instance.post, "/rest/v1/leads/push.json", body)
        calls.start_soon(instance.sync, {"email": "a@example.com"})
    assert len(instance.world.state()["leads"]) == 2


async def test_a_push_needs_a_program(instance: Any) -> None:
    """Without `programName` the call is refused."""
    answer = await instance.post("/rest/v1/leads/push.json", {"input": [{"email": "a@example.com"}]})
    assert answer["errors"][0]["code"] == "1002"


async def test_a_merge_keeps_the_winners_values(instance: Any) -> None:
    """Empty values are taken from the loser, whose memberships move; there is no `result`."""
    await instance.sync({"email": "a@example.com", "firstName": "A"}, {"email": "b@example.com", "lastName": "B"})
    await instance.post("/rest/v1/lists/1001/leads.json?id=2")
    answer = await instance.post("/rest/v1/leads/1/merge.json?leadId=2")
    assert (answer["success"], "result" in answer) == (True, False)
    state = instance.world.state()
    assert state["leads"] == [{"email": "a@example.com", "firstName": "A", "lastName": "B"}]
    assert state["lists"]["Newsletter"] == ["a@example.com"]
    again = await instance.post("/rest/v1/leads/1/merge.json?leadId=2")
    assert again["errors"][0] == {"code": "1004", "message": "Lead '2' not found"}
    many = await instance.post("/rest/v1/leads/1/merge.json?leadIds=" + ",".join(str(n) for n in range(2, 28)))
    assert many["errors"][0]["code"] == "1080"


async def test_a_cookie_is_associated_or_refused(instance: Any) -> None:
    """The Munchkin cookie has a form; then the lead is found by it."""
    await _three_leads(instance)
    cookie = "id:123-ABC-456&token:_mch-example.com-1396310362214-46169"
    path = "/rest/v1/leads/1/associate.json"
    answers = [(await instance.client.post(path, params={"cookie": text})).json() for text in ("x", cookie)]
    assert (answers[0]["errors"][0]["code"], answers[1]["success"]) == ("1012", True)
    found = await instance.get("/rest/v1/leads.json", filterType="cookies", filterValues=cookie)
    assert [lead["id"] for lead in found["result"]] == [1]


async def test_leads_move_between_partitions(instance: Any) -> None:
    """By id and name, with a reason for what is not there."""
    await _three_leads(instance)
    body = [{"id": 1, "partitionName": "EMEA"}, {"id": 2, "partitionName": "Mars"}, {"id": 9, "partitionName": "EMEA"}]
    assert _codes(await instance.post("/rest/v1/leads/partitions.json", {"input": body})) == [
        "updated",
        "1008",
        "1004",
    ]
    names = [each["name"] for each in (await instance.get("/rest/v1/leads/partitions.json"))["result"]]
    assert names == ["Default", "EMEA"]


async def test_a_program_status_only_moves_forward(instance: Any) -> None:
    """`created`, then `updated`, then 1037 for the same step or one before."""
    await _three_leads(instance)
    path = "/rest/v1/programs/1044/members/status.json"
    codes = []
    for name in ("Registered", "Attended", "Attended", "Invited"):
        codes += _codes(await instance.post(path, {"statusName": name, "input": [{"leadId": 1}]}))
    assert codes == ["created", "updated", "1037", "1037"]
    assert _codes(await instance.post(path, {"statusName": "Invited", "input": [{"leadId": 9}]})) == ["1004"]
    unknown = await instance.post(path, {"statusName": "Sleeping", "input": [{"leadId": 1}]})
    assert unknown["errors"][0]["code"] == "1025"


async def test_member_data_is_for_members(instance: Any) -> None:
    """1013 for who is none; deleting who is none is 1037; queries carry `seq`."""
    await _three_leads(instance)
    path = "/rest/v1/programs/1044/members"
    await instance.post(f"{path}/status.json", {"statusName": "Invited", "input": [{"leadId": 1}]})
    data = [{"leadId": 1, "registrationCode": "x"}, {"leadId": 2, "registrationCode": "y"}]
    assert _codes(await instance.post(f"{path}.json", {"input": data})) == ["updated", "1013"]
    found = await instance.get(
        f"{path}.json", filterType="statusName", filterValues="Invited", fields="registrationCode"
    )
    assert found["result"] == [{"seq": 0, "leadId": 1, "registrationCode": "x"}]
    assert found["moreResult"] is False
    deleted = await instance.post(f"{path}/delete.json", {"input": [{"leadId": 1}, {"leadId": 2}]})
    assert _codes(deleted) == ["deleted", "1037"]


@pytest.mark.parametrize(
    ("action", "codes"),
    [
        ("createOrUpdate", ["created", "updated"]),
        ("createOnly", ["created", "1017"]),
        ("updateOnly", ["1013", "updated"]),
    ],
)
async def test_custom_objects_are_synced_by_their_key(instance: Any, action: str, codes: list[str]) -> None:
    """Each action on a record that is not there and on one that is; every line has `seq`."""
    path = "/rest/v1/customobjects/order_c.json"
    await instance.post(path, {"input": [{"orderNumber": "O-2"}]})
    records = [{"orderNumber": "O-1"}, {"ordernumber": "O-2", "amount": 5}]
    answer = await instance.post(path, {"action": action, "input": records})
    assert _codes(answer) == codes
    assert [line["seq"] for line in answer["result"]] == [0, 1]


async def test_the_same_custom_object_twice_in_a_call_is_1036(instance: Any) -> None:
    """The first of them is written."""
    records = [{"orderNumber": "O-1"}, {"orderNumber": "O-1"}, {"amount": 1}]
    answer = await instance.post("/rest/v1/customobjects/order_c.json", {"input": records})
    assert _codes(answer) == ["created", "1036", "1002"]


async def test_custom_object_queries_say_what_they_miss(instance: Any) -> None:
    """The recorded words, and a compound key in a JSON body."""
    path = "/rest/v1/customobjects/seat_c.json"
    words = [
        (await instance.get(path, **query))["errors"][0]["message"]
        for query in ({}, {"filterType": "marketoGUID"}, {"filterType": "label", "filterValues": "x"})
    ]
    assert words == ["filterType not specified", "filterValues not specified", "Invalid filterType 'label'"]
    records = [{"accountNumber": "A", "seatNumber": number, "label": str(number)} for number in range(3)]
    await instance.post(path, {"input": records})
    body = {"filterType": "dedupeFields", "fields": ["label"], "input": [{"accountNumber": "A", "seatNumber": 2}]}
    found = await instance.post(f"{path}?_method=GET", body)
    assert [(row["seq"], row["label"]) for row in found["result"]] == [(0, "2")]


async def test_a_custom_object_delete_takes_keys_alone(instance: Any) -> None:
    """A field beside the key makes all records skipped; a missing one is 1013."""
    path = "/rest/v1/customobjects/order_c"
    await instance.post(f"{path}.json", {"input": [{"orderNumber": "O-1"}]})
    more = await instance.post(f"{path}/delete.json", {"input": [{"orderNumber": "O-1", "amount": 1}]})
    keys = await instance.post(f"{path}/delete.json", {"input": [{"orderNumber": "O-1"}, {"orderNumber": "O-2"}]})
    assert (_codes(more), _codes(keys)) == (["1003"], ["deleted", "1013"])


async def test_custom_objects_can_be_described(instance: Any) -> None:
    """Key, links and fields; an unknown type is 1013."""
    described = (await instance.get("/rest/v1/customobjects/order_c/describe.json"))["result"][0]
    assert (described["idField"], described["dedupeFields"]) == ("marketoGUID", ["orderNumber"])
    assert described["relationships"] == [
        {"field": "email", "type": "child", "relatedTo": {"name": "Lead", "field": "email"}}
    ]
    assert (await instance.get("/rest/v1/customobjects/car_c/describe.json"))["errors"][0]["code"] == "1013"


async def test_an_empty_page_of_activities_has_no_result(instance: Any) -> None:
    """A token always comes back; the key `result` only with rows."""
    token = (await instance.get("/rest/v1/activities/pagingtoken.json", sinceDatetime="2019-03-23"))["nextPageToken"]
    empty = await instance.get("/rest/v1/activities.json", nextPageToken=token, activityTypeIds="145")
    assert (empty["moreResult"], "result" in empty) == (False, False)
    await instance.post(
        "/rest/v1/leads/push.json", {"programName": "Spring Webinar", "input": [{"email": "a@example.com"}]}
    )
    full = await instance.get("/rest/v1/activities.json", nextPageToken=token, activityTypeIds="145")
    assert [row["leadId"] for row in full["result"]] == [1]


async def test_usage_counts_itself(instance: Any) -> None:
    """The statistics are calls too, and name the user."""
    answer = (await instance.get("/rest/v1/stats/usage.json"))["result"]
    assert answer == [{"date": "2026-03-02", "total": 1, "users": [{"userId": "api@example.com", "count": 1}]}]
    await instance.get("/rest/v1/nothing.json")
    errors = (await instance.get("/rest/v1/stats/errors/last7days.json"))["result"]
    assert errors == [{"date": "2026-03-02", "total": 1, "errors": [{"errorCode": "610", "count": 1}]}]
