"""Rules of "Leads" (Create and Update, Query) and refusals recorded from a real instance."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

pytestmark = pytest.mark.anyio


def _codes(result: list[dict[str, Any]]) -> list[str]:
    return [line["status"] if "reasons" not in line else line["reasons"][0]["code"] for line in result]


async def _read(instance: Any, email: str, *fields: str) -> list[dict[str, Any]]:
    answer = await instance.get(
        "/rest/v1/leads.json", filterType="email", filterValues=email, fields=",".join(fields or ("email",))
    )
    return answer["result"]


@pytest.mark.parametrize(
    ("action", "codes"),
    [
        ("createOrUpdate", ["created", "updated", "1007"]),
        ("createOnly", ["created", "1005", "1005"]),
        ("updateOnly", ["1004", "updated", "1007"]),
        ("createDuplicate", ["created", "created", "created"]),
    ],
)
async def test_each_action_answers_by_the_number_of_matches(instance: Any, action: str, codes: list[str]) -> None:
    """None, one and two leads with the key: what each of the four actions does."""
    await instance.sync({"email": "one@example.com"})
    await instance.sync({"email": "two@example.com"}, {"email": "two@example.com"}, action="createDuplicate")
    records = [{"email": f"{name}@example.com", "firstName": "A"} for name in ("none", "one", "two")]
    assert _codes(await instance.sync(*records, action=action)) == codes


async def test_upserts_of_one_key_that_overlap_make_two_leads(instance: Any) -> None:
    """Two calls that begin before the other has ended both create; the next one meets 1007."""
    async with anyio.create_task_group() as calls:
        for _ in range(2):
            calls.start_soon(instance.sync, {"email": "a@example.com"})
    assert len(await _read(instance, "a@example.com")) == 2
    assert _codes(await instance.sync({"email": "a@example.com"})) == ["1007"]


async def test_upserts_of_one_key_one_after_the_other_make_one_lead(instance: Any) -> None:
    """A call that begins after the other has ended finds what it made."""
    results = [await instance.sync({"email": "a@example.com"}) for _ in range(2)]
    assert [_codes(result) for result in results] == [["created"], ["updated"]]
    assert len(await _read(instance, "a@example.com")) == 1


async def test_email_is_matched_without_case(instance: Any) -> None:
    """The spelling that was stored stays until it is written again."""
    await instance.sync({"email": "Ada@Example.com"})
    assert _codes(await instance.sync({"email": "ada@example.COM"}, action="updateOnly")) == ["updated"]
    assert len(await _read(instance, "ADA@example.com")) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("integer_field", 14.1),
        ("float_field", "14c"),
        ("percent_field", "100%"),
        ("boolean_field", "other"),
        ("datetime_field", "yesterday"),
        ("date_field", "2020-02-30"),
        ("email_field", "bademail"),
        ("profileUrl", "example.com"),
    ],
)
async def test_a_wrong_value_skips_its_record_alone(instance: Any, field: str, value: Any) -> None:
    """1003 names field and value; the record has no id in the answer, and its neighbours are written."""
    result = await instance.sync({"email": "a@example.com", field: value}, {"email": "b@example.com"})
    message = f"Invalid value for field '{field}' and value '{value}'"
    assert result[0] == {"status": "skipped", "reasons": [{"code": "1003", "message": message}]}
    assert result[1]["status"] == "created"
    assert await _read(instance, "a@example.com") == []


async def test_values_come_back_as_recorded(instance: Any) -> None:
    """UTC without milliseconds, numbers of single precision, cleared booleans false, other nulls null."""
    written = {
        "datetime_field": "2020-08-30T07:49:48.000+02:00",
        "currency_field": 34.66,
        "float_field": 123456789,
        "boolean_field": None,
        "integer_field": None,
        "percent_field": 99,
    }
    await instance.sync({"email": "a@example.com", **written})
    assert await _read(instance, "a@example.com", *written) == [
        {
            "id": 1,
            "datetime_field": "2020-08-30T05:49:48Z",
            "currency_field": 34.66,
            "float_field": 123456800.0,
            "boolean_field": False,
            "integer_field": None,
            "percent_field": 99,
        }
    ]


async def test_an_update_that_changes_nothing_leaves_the_date(instance: Any) -> None:
    """`updated` is answered, but `updatedAt` moves only with a change."""
    await instance.sync({"email": "a@example.com", "firstName": "A"})
    before = await _read(instance, "a@example.com", "updatedAt")
    await instance.wait(10)
    assert _codes(await instance.sync({"email": "a@example.com", "firstName": "A"})) == ["updated"]
    assert await _read(instance, "a@example.com", "updatedAt") == before


async def test_fields_left_out_stay_and_null_clears(instance: Any) -> None:
    """Absent is untouched, null empties."""
    await instance.sync({"email": "a@example.com", "firstName": "A", "lastName": "B"})
    await instance.sync({"email": "a@example.com", "lastName": None})
    assert await _read(instance, "a@example.com", "firstName", "lastName") == [
        {"id": 1, "firstName": "A", "lastName": None}
    ]


async def test_the_lookup_field_must_be_known_searchable_and_given(instance: Any) -> None:
    """1006 and 1011 refuse the call; a record without the key is skipped."""
    codes = []
    for name in ("userId", "firstName"):
        answer = await instance.post(
            "/rest/v1/leads.json", {"lookupField": name, "input": [{"email": "a@example.com"}]}
        )
        codes.append(answer["errors"][0]["code"])
    assert codes == ["1006", "1011"]
    assert answer["success"] is False
    result = await instance.sync({"firstName": "A"}, {"externalKey": "x-1"}, lookupField="externalKey")
    assert _codes(result) == ["1003", "created"]


async def test_an_update_by_id_may_move_an_email_onto_another_lead(instance: Any) -> None:
    """`updateOnly` by id rewrites the e-mail, which can make a duplicate."""
    await instance.sync({"email": "a@example.com"}, {"email": "b@example.com"})
    result = await instance.sync({"id": 2, "email": "a@example.com"}, action="updateOnly", lookupField="id")
    assert result == [{"id": 2, "status": "updated"}]
    assert [lead["id"] for lead in await _read(instance, "a@example.com", "id")] == [1, 2]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"emial": "x"}, "1006"),
        ({"company": "Acme"}, "1021"),
        ({"createdAt": "2020-01-01T00:00:00Z"}, "1003"),
        ({"segment": "x" * 51}, "1077"),
        ({"id": 7}, "1003"),
    ],
)
async def test_fields_that_cannot_be_written_skip_the_record(instance: Any, record: dict[str, Any], code: str) -> None:
    """Unknown, company, read-only, overlong and `id` each have their reason."""
    assert _codes(await instance.sync({"email": "a@example.com", **record})) == [code]


async def test_a_call_takes_three_hundred_records(instance: Any) -> None:
    """One more refuses the whole call, and nothing is written."""
    records = [{"email": f"n{number}@example.com"} for number in range(301)]
    answer = await instance.post("/rest/v1/leads.json", {"input": records})
    assert (answer["success"], answer["errors"][0]["code"]) == (False, "1003")
    assert len(await instance.sync(*records[:300])) == 300


async def test_partitions_take_no_updates_from_outside(instance: Any) -> None:
    """1010 for a lead of another partition, 1008 for a partition that is not there."""
    await instance.sync({"email": "a@example.com"}, partitionName="EMEA")
    assert _codes(await instance.sync({"email": "a@example.com"}, partitionName="Default")) == ["1010"]
    answer = await instance.post("/rest/v1/leads.json", {"partitionName": "Mars", "input": [{"email": "a@b.example"}]})
    assert answer["errors"][0] == {"code": "1008", "message": "Access denied to partition 'Mars'"}


async def test_a_read_of_many_values_may_come_as_a_posted_form(instance: Any) -> None:
    """`_method=GET` with a form body, in order of id, and values without a match are missing."""
    await instance.sync(*({"email": f"n{number}@example.com"} for number in range(300)))
    values = ",".join(f"n{number}@example.com" for number in reversed(range(5, 305)))[:30_000]
    form = {"filterType": "email", "filterValues": values, "fields": "id"}
    answer = await instance.client.post("/rest/v1/leads.json?_method=GET", data=form)
    assert [lead["id"] for lead in answer.json()["result"]] == list(range(6, 301))


async def test_pages_follow_a_token_bound_to_the_query(instance: Any) -> None:
    """`moreResult` and `nextPageToken` on all pages but the last; another query refuses the token."""
    await instance.sync(*({"email": f"n{number}@example.com", "externalKey": "x"} for number in range(5)))
    query = {"filterType": "externalKey", "filterValues": "x", "batchSize": 3}
    first = await instance.get("/rest/v1/leads.json", **query)
    second = await instance.get("/rest/v1/leads.json", **query, nextPageToken=first["nextPageToken"])
    other = await instance.get(
        "/rest/v1/leads.json", **(query | {"filterValues": "y"}), nextPageToken=first["nextPageToken"]
    )
    assert (len(first["result"]), first["moreResult"]) == (3, True)
    assert (len(second["result"]), "nextPageToken" in second) == (2, False)
    assert other["success"] is False


async def test_more_than_a_thousand_matches_are_an_error(instance: Any) -> None:
    """A filter that matches too much gives no page at all."""
    for block in range(4):
        await instance.sync(*({"email": f"n{block}_{n}@example.com", "externalKey": "x"} for n in range(300)))
    answer = await instance.get("/rest/v1/leads.json", filterType="externalKey", filterValues="x")
    assert answer["errors"] == [{"code": "1003", "message": "Too many results match the filter"}]


async def test_a_lead_is_read_by_id_in_the_singular(instance: Any) -> None:
    """`lead/{id}.json`; an id that is not there is an empty result."""
    await instance.sync({"email": "a@example.com"})
    assert (await instance.get("/rest/v1/lead/1.json", fields="email"))["result"] == [
        {"id": 1, "email": "a@example.com"}
    ]
    assert (await instance.get("/rest/v1/lead/99.json"))["result"] == []


async def test_describe_shows_what_can_be_searched(instance: Any) -> None:
    """`searchableFields` is a list of lists; text areas and standard names are not in it."""
    described = (await instance.get("/rest/v1/leads/describe2.json"))["result"][0]
    searchable = described["searchableFields"]
    assert ["email"] in searchable
    assert ["externalKey"] in searchable
    assert ["firstName"] not in searchable
    old = {field["rest"]["name"] for field in (await instance.get("/rest/v1/leads/describe.json"))["result"]}
    assert old == {field["name"] for field in described["fields"]}
