"""Bulk API 2.0: the states of a job, and what is refused in each."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from syncer.sandbox.salesforce.options import DAY, SalesforceOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

pytestmark = pytest.mark.anyio

ROWS = "LastName\nOkafor\n"
JOBS = "/services/data/v61.0/jobs/ingest"


def error(answer: httpx.Response) -> Any:
    """The one error of an answer: status, code, message."""
    body = answer.json()[0]
    return answer.status_code, body["errorCode"], body["message"]


async def test_a_second_upload_is_refused(org: Any) -> None:
    """*Upload Job Data*: one PUT a job; the message keeps the vendor's spelling and the 15-character id."""
    job = await org.create_job()
    await org.upload(job, ROWS)
    status, code, message = error(await org.upload(job, ROWS))
    assert (status, code) == (400, "BULK_API_ERROR")
    assert message.startswith(f"Found multipe contents for job: <{job[:15]}>, please 'Close' / 'Abort' / 'Delete'")


async def test_an_upload_to_a_closed_job_is_refused(org: Any) -> None:
    """*Upload Job Data*: data goes into open jobs only."""
    job = await org.send(ROWS)
    assert error(await org.upload(job, ROWS))[:2] == (400, "INVALIDJOBSTATE")


@pytest.mark.parametrize(
    ("first", "seconds", "second", "message"),
    [
        ("UploadComplete", 600, "Aborted", "Aborting already Completed Job not allowed"),
        ("UploadComplete", 600, "UploadComplete", "Closing already Completed Job not allowed"),
        ("UploadComplete", 0, "UploadComplete", "Closing already Completed Job not allowed"),
        ("Aborted", 0, "Aborted", "Aborting already Aborted Job not allowed"),
        ("Aborted", 0, "UploadComplete", "Closing already Aborted Job not allowed"),
    ],
)
async def test_illegal_transitions_are_refused(org: Any, first: str, seconds: float, second: str, message: str) -> None:
    """*Complete or Abort a Job*: a job is closed once, and nothing leads out of a final state."""
    job = await org.create_job()
    await org.upload(job, ROWS)
    await org.patch(job, first)
    org.advance(seconds)
    assert error(await org.patch(job, second)) == (400, "INVALIDJOBSTATE", message)


async def test_aborting_keeps_what_was_written(org: Any) -> None:
    """*Complete or Abort a Job*: no rollback; rows that were not reached are unprocessed."""
    text = "LastName\n" + "".join(f"N{number}\n" for number in range(600))
    job = await org.send(text)
    org.advance(1.06)
    assert (await org.patch(job, "Aborted")).json()["state"] == "Aborted"
    org.advance(600)
    assert (await org.info(job))["numberRecordsProcessed"] == 200
    assert len(await org.rows(job, "successfulResults")) == 200
    assert len(await org.rows(job, "unprocessedrecords")) == 400
    assert len(await org.query("SELECT Id FROM Contact")) == 200


async def test_states_are_case_exact_by_default(org: Any) -> None:
    """*Complete or Abort a Job*: `uploadComplete`, which one guide prints, is no value of the property."""
    job = await org.create_job()
    expected = (400, "API_ERROR", "Invalid value: 'uploadComplete' supplied for property: 'state'")
    assert error(await org.patch(job, "uploadComplete")) == expected


async def test_a_lenient_org_takes_lower_case_states(open_org: Any) -> None:
    """The switch for the guide that prints lower case."""
    async with open_org(SalesforceOptions(accepts_any_state_case=True)) as org:
        job = await org.create_job()
        assert (await org.patch(job, "uploadComplete")).json()["state"] == "UploadComplete"


async def test_unknown_members_of_a_patch_are_passed_over(org: Any) -> None:
    """*Complete or Abort a Job*: clients that repeat the id in the body are served."""
    job = await org.create_job()
    answer = await org.client.patch(f"{JOBS}/{job}", json={"id": job, "state": "Aborted"})
    assert answer.json()["state"] == "Aborted"


async def test_an_open_job_is_not_deleted(org: Any) -> None:
    """*Delete a Job*: abort first; afterwards the job and its results are gone."""
    job = await org.create_job()
    assert error(await org.client.delete(f"{JOBS}/{job}"))[:2] == (400, "API_ERROR")
    await org.patch(job, "Aborted")
    assert (await org.client.delete(f"{JOBS}/{job}")).status_code == 204
    gone = error(await org.client.get(f"{JOBS}/{job}/successfulResults"))
    assert gone == (404, "NOT_FOUND", "The requested resource does not exist")


async def test_an_empty_upload_completes(org: Any) -> None:
    """*Upload Job Data*: zero bytes are data too, and the three result sets are empty."""
    job, shown = await org.load("")
    assert (shown["state"], shown["numberRecordsProcessed"]) == ("JobComplete", 0)
    for results in ("successfulResults", "failedResults", "unprocessedrecords"):
        assert await org.rows(job, results) == []


async def test_closing_without_an_upload_completes_unless_told_otherwise(open_org: Any) -> None:
    """*Complete or Abort a Job*: no source says; both readings can be had."""
    for fails, state in ((False, "JobComplete"), (True, "Failed")):
        async with open_org(SalesforceOptions(fails_without_upload=fails)) as org:
            job = await org.create_job()
            await org.patch(job)
            org.advance(60)
            assert (await org.info(job))["state"] == state


async def test_a_job_stays_open_for_a_day_only(org: Any) -> None:
    """*Limits*: an open job is given up after 24 hours."""
    job = await org.create_job()
    org.advance(DAY - 1)
    assert (await org.info(job))["state"] == "Open"
    org.advance(1)
    assert (await org.info(job))["state"] == "Failed"


async def test_a_finished_job_is_kept_for_seven_days(org: Any) -> None:
    """*Limits*: jobs and results go seven days after the end."""
    job, _ = await org.load(ROWS)
    org.advance(7 * DAY - 700)
    assert (await org.client.get(f"{JOBS}/{job}")).status_code == 200
    org.advance(800)
    assert (await org.client.get(f"{JOBS}/{job}")).status_code == 404
    assert (await org.client.get(f"{JOBS}/{job}/failedResults")).status_code == 404


async def test_paths_take_short_ids_trailing_slashes_and_any_case(org: Any) -> None:
    """*Bulk API 2.0*: what Data Loader and simple-salesforce send works."""
    job, _ = await org.load(ROWS)
    for tail in ("", "/", "/unprocessedrecords", "/unprocessedRecords/", "/successfulResults/"):
        assert (await org.client.get(f"{JOBS}/{job[:15]}{tail}")).status_code == 200
    assert (await org.client.get(f"{JOBS}/")).status_code == 200


async def test_a_multipart_job_needs_no_patch(org: Any) -> None:
    """*Create a Job*, multipart: parts job and content; UploadComplete at once, no contentUrl."""
    answer = await org.client.post(
        JOBS,
        files={
            "job": (None, '{"object":"Contact","operation":"insert","contentType":"CSV"}', "application/json"),
            "content": ("content", ROWS, "text/csv"),
        },
    )
    assert answer.status_code == 200
    job = answer.json()
    assert job["state"] == "UploadComplete"
    assert "contentUrl" not in job
    assert error(await org.patch(job["id"]))[:2] == (400, "INVALIDJOBSTATE")
    org.advance(60)
    assert (await org.info(job["id"]))["numberRecordsProcessed"] == 1


async def test_a_multipart_job_is_small(open_org: Any) -> None:
    """*Create a Job*, multipart: at most 100,000 characters."""
    async with open_org() as org:
        answer = await org.client.post(
            JOBS,
            files={
                "job": (None, '{"object":"Contact","operation":"insert"}', "application/json"),
                "content": ("content", "LastName\n" + "x" * 100_000, "text/csv"),
            },
        )
        assert answer.status_code == 400
        missing = await org.client.post(JOBS, files={"job": (None, "{}", "application/json")})
        assert missing.status_code == 400


async def test_uploads_may_be_chunked_or_packed(org: Any) -> None:
    """*Request Headers*: Transfer-Encoding chunked and Content-Encoding gzip are both taken."""

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"LastName\n", b"Oka", b"for\n"):
            yield piece

    headers = {"Content-Type": "text/csv; charset=UTF-8"}
    for content, extra in ((pieces(), {}), (gzip.compress(ROWS.encode()), {"Content-Encoding": "gzip"})):
        job = await org.create_job()
        answer = await org.client.put(f"{JOBS}/{job}/batches", content=content, headers=headers | extra)
        assert (answer.status_code, answer.content) == (201, b"")
        await org.patch(job)
        org.advance(60)
        assert [row["LastName"] for row in await org.rows(job, "successfulResults")] == ["Okafor"]
    job = await org.create_job()
    bad = await org.client.put(f"{JOBS}/{job}/batches", content=b"no gzip", headers={"Content-Encoding": "gzip"})
    assert bad.status_code == 400


async def test_an_upload_has_a_size(open_org: Any) -> None:
    """*Limits*: 150 MB after base64; counters stay absent after a refused upload."""
    async with open_org(SalesforceOptions(upload_bytes=10)) as org:
        job = await org.create_job()
        assert (await org.upload(job, ROWS)).status_code == 400
        assert "numberRecordsProcessed" not in await org.info(job)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"object": "Contactt", "operation": "insert"}, "INVALIDJOB", "InvalidJob : Unable to find object: Contactt"),
        ({"object": "Contact"}, "API_ERROR", "Invalid value: '' supplied for property: 'operation'"),
        (
            {"object": "Contact", "operation": "Insert"},
            "API_ERROR",
            "Invalid value: 'Insert' supplied for property: 'operation'",
        ),
        ({"operation": "insert"}, "API_ERROR", "Invalid value: '' supplied for property: 'object'"),
        (
            {"object": "Contact", "operation": "insert", "contentType": "XML"},
            "API_ERROR",
            "Invalid value: 'XML' supplied for property: 'contentType'",
        ),
        (
            {"object": "Contact", "operation": "upsert"},
            "INVALIDJOB",
            "InvalidJob : External ID was blank for Contact. An External ID must be specified for upsert.",
        ),
        (
            {"object": "Contact", "operation": "upsert", "externalIdFieldName": ""},
            "INVALIDJOB",
            "InvalidJob : Field name provided,  does not match an External ID for Contact",
        ),
        (
            {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Foo__c"},
            "INVALIDJOB",
            (
                "InvalidJob : Field name provided, Foo__c does not match an External ID, Salesforce "
                "Id, or indexed field "
                "for Contact"
            ),
        ),
        ({"object": "User", "operation": "insert"}, "INVALIDENTITY", "Entity 'User' is not supported by the Bulk API."),
        (
            {"object": "Contact", "operation": "hardDelete"},
            "FEATURENOTENABLED",
            "FeatureNotEnabled : hardDelete is not enabled for this user",
        ),
        ({"object": "Contact", "operation": "insert", "x": 1}, "JSON_PARSER_ERROR", 'Unrecognized field "x"'),
    ],
)
async def test_bad_jobs_are_refused_at_creation(org: Any, body: Any, code: str, message: str) -> None:
    """*Bulk API 2.0*, Errors: codes upper-cased without separators, messages with the name in front."""
    assert error(await org.client.post(JOBS, json=body)) == (400, code, message)
