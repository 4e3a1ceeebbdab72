"""Scripted trouble in this vendor's terms."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from syncer.sandbox.faults import FaultRule

pytestmark = pytest.mark.anyio

JOB = "*/jobs/ingest/{jobId}"
TEXT = "Crm_Key__c,LastName\n" + "".join(f"K-{number},N{number}\n" for number in range(10))


def arm(org: Any, action: str, **rule: Any) -> None:
    """Arm one rule."""
    org.sandbox.faults.add(FaultRule.parse({"action": action} | rule))


async def test_the_answer_to_a_close_is_lost(org: Any) -> None:
    """Applied, then lost: the job runs all the same, and a look at it tells."""
    job = await org.create_job("upsert")
    await org.upload(job, TEXT)
    arm(org, "apply_then_lose", endpoint=f"PATCH {JOB}")
    with pytest.raises(httpx.ReadError):
        await org.patch(job)
    org.advance(60)
    assert (await org.info(job))["state"] == "JobComplete"


async def test_an_upload_is_lost_before_it_arrives(org: Any) -> None:
    """Lost before: counters stay absent, and the upload may be made again."""
    job = await org.create_job("upsert")
    arm(org, "lose_before_apply", endpoint="PUT *batches")
    with pytest.raises(httpx.ReadError):
        await org.upload(job, TEXT)
    assert "numberRecordsProcessed" not in await org.info(job)
    assert (await org.upload(job, TEXT)).status_code == 201


async def test_rows_are_locked_by_key_by_number_and_by_share(org: Any) -> None:
    """*Bulk API 2.0*, Errors: UNABLE_TO_LOCK_ROW fails rows; the same upload later passes."""
    for rule, low, high in (({"key": "k-3"}, 1, 1), ({"first": 2}, 2, 2), ({"share": 0.5}, 1, 9)):
        arm(org, "lock_rows", **rule)
        _, shown = await org.load(TEXT, "upsert")
        assert low <= shown["numberRecordsFailed"] <= high
    job, _ = await org.load(TEXT, "upsert")
    assert await org.rows(job, "failedResults") == []


async def test_a_locked_row_says_so(org: Any) -> None:
    """The text names the record where there is one."""
    record = await org.make("Contact", LastName="Okafor")
    arm(org, "lock_rows", first=1)
    assert await org.errors(f"Id,Title\n{record},x\n", "update") == [
        f"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: {record}:--"
    ]
    path = "/services/data/v61.0"
    body = {"records": [{"attributes": {"type": "Contact"}, "Id": record, "Title": "x"}]}
    arm(org, "lock_rows", first=1)
    (item,) = (await org.client.patch(f"{path}/composite/sobjects", json=body)).json()
    assert item["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    arm(org, "lock_rows", endpoint="*/sobjects/*")
    answer = await org.client.patch(f"{path}/sobjects/Contact/{record}", json={"Title": "x"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")


async def test_jobs_are_slow_or_stall(org: Any) -> None:
    """A slow job takes so much longer; a stalled one stays InProgress until it is aborted, or for its time."""
    arm(org, "slow_job", seconds=100.0)
    job = await org.send(TEXT, "upsert")
    org.advance(90)
    assert (await org.info(job))["state"] == "InProgress"
    org.advance(20)
    assert (await org.info(job))["state"] == "JobComplete"
    arm(org, "stall_job", seconds=50.0)
    job = await org.send(TEXT, "upsert")
    org.advance(40)
    assert (await org.info(job))["numberRecordsProcessed"] == 0
    org.advance(20)
    assert (await org.info(job))["state"] == "JobComplete"
    arm(org, "stall_job")
    job = await org.send(TEXT, "upsert")
    org.advance(3 * 86_400)
    assert (await org.info(job))["state"] == "InProgress"
    assert (await org.patch(job, "Aborted")).status_code == 200
    assert len(await org.rows(job, "unprocessedrecords")) == 10


async def test_jobs_fail_at_once_or_half_way(open_org: Any) -> None:
    """A failed job keeps what it wrote; the rest is unprocessed."""
    async with open_org() as org:
        text = "LastName\n" + "".join(f"N{number}\n" for number in range(600))
        for first, written in ((0, 0), (200, 200)):
            arm(org, "fail_job", first=first, message="InternalServerError : Boom")
            job, shown = await org.load(text)
            assert (shown["state"], shown["errorMessage"]) == ("Failed", "InternalServerError : Boom")
            assert len(await org.rows(job, "successfulResults")) == written
            assert len(await org.rows(job, "unprocessedrecords")) == 600 - written


async def test_results_change_their_order_or_are_missing(org: Any) -> None:
    """Shuffled results hold the same rows; wrong counts and a missing file are as told."""
    arm(org, "wrong_counts", first=3)
    job, shown = await org.load(TEXT, "upsert")
    assert shown["numberRecordsProcessed"] == 7
    plain = await org.text(job, "successfulResults")
    arm(org, "shuffle_results")
    other = await org.text(job, "successfulResults")
    assert other != plain
    assert sorted(other.splitlines()) == sorted(plain.splitlines())
    arm(org, "missing_failure_file", endpoint="*/{results}")
    answer = await org.client.get(f"/services/data/v61.0/jobs/ingest/{job}/failedResults")
    assert answer.status_code == 404


async def test_collections_come_back_in_another_order_or_in_part(org: Any) -> None:
    """Items out of order, and a call that wrote its first records only and then broke."""
    records = [{"attributes": {"type": "Contact"}, "LastName": name} for name in "ABC"]
    path = "/services/data/v61.0/composite/sobjects"
    arm(org, "shuffle_results")
    ids = [item["id"] for item in (await org.client.post(path, json={"records": records})).json()]
    assert ids == sorted(ids, reverse=True)
    arm(org, "apply_first_k", first=2, status=503)
    answer = await org.client.post(path, json={"records": records})
    assert (answer.status_code, answer.headers["Content-Type"].startswith("text/html")) == (503, True)
    assert len(await org.query("SELECT Id FROM Contact")) == 5
    arm(org, "apply_first_k", first=0)
    answer = await org.client.post("/services/data/v61.0/sobjects/Contact", json={"LastName": "D"})
    assert answer.status_code == 502
    assert len(await org.query("SELECT Id FROM Contact")) == 5


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("INVALID_SESSION_ID", 401),
        ("REQUEST_LIMIT_EXCEEDED", 403),
        ("SERVER_UNAVAILABLE", 503),
        ("611", 500),
        ("SOMETHING_ELSE", 400),
    ],
)
async def test_vendor_errors(org: Any, code: str, status: int) -> None:
    """*Status Codes and Error Responses*: each error under its own status."""
    arm(org, "vendor_error", code=code)
    answer = await org.client.get("/services/data/v61.0/limits")
    assert answer.status_code == status
    assert answer.json()[0]["errorCode"] == (code if not code.isdigit() else "UNKNOWN_EXCEPTION")
    assert ("WWW-Authenticate" in answer.headers) is (status == 401)


async def test_rules_match_operations_and_keys(org: Any) -> None:
    """A rule may name what is done and to which key; reads have operations too."""
    arm(org, "status", operation="upsert", key="Contact/Crm_Key__c/k-3", status=502)
    arm(org, "status", operation="query", status=504)
    await org.load("LastName\nx\n")
    job = await org.create_job("upsert")
    await org.upload(job, TEXT)
    assert (await org.patch(job)).status_code == 502
    assert (await org.info(job))["state"] == "Open"
    assert (
        await org.client.get("/services/data/v61.0/query", params={"q": "SELECT Id FROM Contact"})
    ).status_code == 504


async def test_the_log_knows_jobs_and_keys(org: Any) -> None:
    """The witness: operation and keys of each write, and when a job read and wrote them."""
    await org.load(TEXT, "upsert")
    traffic = org.sandbox.traffic
    close = next(entry for entry in traffic.entries if entry.method == "PATCH")
    assert (close.operation, close.record_count, close.keys[0]) == ("upsert", 10, "Contact/Crm_Key__c/k-0")
    (span,) = traffic.jobs
    assert span.started_at is not None
    assert span.finished_at is not None
    assert span.queued_at < span.started_at < span.finished_at
    assert (span.state, span.keys) == ("JobComplete", close.keys)
    created = await org.make("Contact", LastName="x", Crm_Key__c="K-99")
    await org.load(f"Id\n{created}\n", "delete")
    await org.load("Crm_Key__c,LastName\nK-77,x\n")
    assert [each.keys[0] for each in traffic.jobs[1:]] == [f"Contact/Id/{created}", "Contact/Crm_Key__c/k-77"]
