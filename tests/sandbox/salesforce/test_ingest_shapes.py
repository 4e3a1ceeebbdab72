"""What Bulk API 2.0 answers about a job: which members, when, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

HEAD = ["id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state"]
KIND = ["concurrencyMode", "contentType", "apiVersion"]
TIMES = ["retries", "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"]
COUNTS = ["numberRecordsProcessed", "numberRecordsFailed"]
ROWS = "LastName\nOkafor\n"


async def test_create_answers_200_with_a_relative_content_url(org: Any) -> None:
    """*Create a Job*: 200, members in this order, no jobType, contentUrl without a leading slash."""
    answer = await org.client.post(
        "/services/data/v60.0/jobs/ingest",
        json={"object": "contact", "operation": "upsert", "externalIdFieldName": "crm_key__c"},
    )
    assert answer.status_code == 200
    job = answer.json()
    assert list(job) == [*HEAD, "externalIdFieldName", *KIND, "contentUrl", "lineEnding", "columnDelimiter"]
    assert (job["object"], job["state"], job["externalIdFieldName"]) == ("Contact", "Open", "Crm_Key__c")
    assert (job["lineEnding"], job["columnDelimiter"], job["contentType"]) == ("LF", "COMMA", "CSV")
    assert job["contentUrl"] == f"services/data/v60.0/jobs/ingest/{job['id']}/batches"
    assert '"apiVersion":60.0' in answer.text
    assert job["createdDate"].endswith(".000+0000")
    assert len(job["id"]) == 18


async def test_create_shows_no_external_id_unless_it_upserts(org: Any) -> None:
    """*Create a Job*: externalIdFieldName belongs to upserts; an empty one on others is passed over."""
    answer = await org.client.post(
        "/services/data/v61.0/jobs/ingest",
        json={"object": "Contact", "operation": "delete", "externalIdFieldName": ""},
    )
    assert list(answer.json()) == [*HEAD, *KIND, "contentUrl", "lineEnding", "columnDelimiter"]


async def test_info_has_no_counters_before_the_upload(org: Any) -> None:
    """*Get Information About a Job*: counters are absent before the PUT and 0 after it."""
    job = await org.create_job()
    options = ["contentUrl", "lineEnding", "columnDelimiter"]
    assert list(await org.info(job)) == [*HEAD, *KIND, "jobType", *options, *TIMES]
    await org.upload(job, ROWS)
    shown = await org.info(job)
    assert list(shown) == [*HEAD, *KIND, "jobType", *options, *COUNTS, *TIMES]
    assert (shown["numberRecordsProcessed"], shown["numberRecordsFailed"], shown["state"]) == (0, 0, "Open")


async def test_closing_answers_a_subset(org: Any) -> None:
    """*Complete or Abort a Job*: head only, and systemModstamp as at creation."""
    job = await org.create_job()
    await org.upload(job, ROWS)
    org.advance(30)
    shown = (await org.patch(job)).json()
    assert list(shown) == [*HEAD, *KIND]
    assert shown["state"] == "UploadComplete"
    assert shown["systemModstamp"] == shown["createdDate"]


async def test_a_finished_job_has_no_content_url(org: Any) -> None:
    """*Get Information About a Job*: contentUrl only while Open; total time is no less than active time."""
    _, shown = await org.load(ROWS)
    assert list(shown) == [*HEAD, *KIND, "jobType", "lineEnding", "columnDelimiter", *COUNTS, *TIMES]
    assert (shown["state"], shown["jobType"]) == ("JobComplete", "V2Ingest")
    assert shown["totalProcessingTime"] >= shown["apiActiveProcessingTime"] > 0
    assert shown["systemModstamp"] > shown["createdDate"]


async def test_a_failed_job_ends_with_its_error_message(org: Any) -> None:
    """*Get Information About a Job*: errorMessage comes last, and both counters are 0."""
    _, shown = await org.load("LastName,Nmae\nOkafor,x\n")
    assert list(shown)[-1] == "errorMessage"
    assert shown["errorMessage"] == "InvalidBatch : Field name not found : Nmae"
    assert (shown["state"], shown["numberRecordsProcessed"], shown["numberRecordsFailed"]) == ("Failed", 0, 0)


async def test_counters_include_failures_and_may_be_final_while_in_progress(org: Any) -> None:
    """*Get Information About a Job*: processed counts failures, and only the state ends polling."""
    job = await org.send("LastName,Email\nA,a@example.org\nB,bad\n")
    org.advance(1.2)
    shown = await org.info(job)
    assert (shown["state"], shown["numberRecordsProcessed"], shown["numberRecordsFailed"]) == ("InProgress", 2, 1)
    org.advance(1)
    assert (await org.info(job))["state"] == "JobComplete"


async def test_list_entries_have_no_counters(org: Any) -> None:
    """*Get Information About All Jobs*: neither counters nor errors; the last page says done and null."""
    await org.load("Nmae\nx\n", "upsert")
    listed = (await org.client.get("/services/data/v61.0/jobs/ingest?jobType=V2Ingest")).json()
    assert (listed["done"], listed["nextRecordsUrl"]) == (True, None)
    assert list(listed["records"][0]) == [*HEAD, *KIND, "jobType", "lineEnding", "columnDelimiter"]


async def test_lists_come_in_pages_of_a_thousand(org: Any) -> None:
    """*Get Information About All Jobs*: at most 1,000 a page, the next by queryLocator."""
    for _ in range(1001):
        await org.create_job()
    first = (await org.client.get("/services/data/v61.0/jobs/ingest")).json()
    assert (len(first["records"]), first["done"]) == (1000, False)
    second = (await org.client.get(first["nextRecordsUrl"])).json()
    assert (len(second["records"]), second["done"], second["nextRecordsUrl"]) == (1, True, None)


async def test_an_assignment_rule_is_echoed(org: Any) -> None:
    """*Create a Job*: assignmentRuleId is shown only if it was set."""
    answer = await org.client.post(
        "/services/data/v61.0/jobs/ingest",
        json={"object": "Lead", "operation": "insert", "assignmentRuleId": "01Q5g000000Kp3X"},
    )
    assert answer.json()["assignmentRuleId"] == "01Q5g000000Kp3X"


async def test_responses_carry_the_limit_header(org: Any) -> None:
    """*Limit Info Header*: usage of the day on every authenticated answer, also on those without a body."""
    job = await org.create_job()
    answer = await org.upload(job, ROWS)
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=2/100000"
    assert answer.headers["Content-Security-Policy"] == "upgrade-insecure-requests"
    described = await org.client.get(f"/services/data/v61.0/jobs/ingest/{job}")
    assert described.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert described.headers["X-Content-Type-Options"] == "nosniff"
