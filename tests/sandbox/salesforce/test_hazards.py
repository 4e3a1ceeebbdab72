"""How keys meet: in one chunk, in one job, in two jobs at once, in two calls at once."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
import trio.testing

from syncer.sandbox.salesforce.options import SalesforceOptions

pytestmark = pytest.mark.anyio

UPSERT = "/services/data/v61.0/composite/sobjects/Contact"


def contact(**values: Any) -> Any:
    """A record for Collections."""
    return {"attributes": {"type": "Contact"}} | values


async def test_a_pair_in_different_chunks_creates_then_updates(org: Any) -> None:
    """*Upsert*, one batch: chunks of 200 run in file order, so the 201st row finds what the first made."""
    rows = [f"K-{number},N{number}" for number in range(200)]
    job, shown = await org.load("Crm_Key__c,LastName\n" + "\n".join([*rows, "k-0,Late"]) + "\n", "upsert")
    assert shown["numberRecordsFailed"] == 0
    created = {row["LastName"]: row["sf__Created"] for row in await org.rows(job, "successfulResults")}
    assert (created["N0"], created["Late"]) == ("true", "false")
    assert await org.query("SELECT LastName FROM Contact WHERE Crm_Key__c = 'K-0'") == [{"LastName": "Late"}]


async def test_chunks_are_counted_within_batches(open_org: Any) -> None:
    """*How Requests Are Processed*: a chunk ends with its batch."""
    async with open_org(SalesforceOptions(batch_rows=3, chunk_rows=2, parallel_batches=1)) as org:
        text = "Crm_Key__c,LastName\nK-1,A\nK-2,B\nK-3,C\nK-3,D\nK-4,E\nK-4,F\n"
        errors = await org.errors(text, "upsert")
        assert errors == []


async def test_two_jobs_with_one_unique_key_race(org: Any) -> None:
    """*Upsert*: of two jobs in flight one creates, and the other is refused by the unique field."""
    first = await org.send("Crm_Key__c,LastName\nK-1,A\n", "upsert")
    second = await org.send("Crm_Key__c,LastName\nk-1,B\n", "upsert")
    org.advance(60)
    assert [row["LastName"] for row in await org.rows(first, "successfulResults")] == ["A"]
    (row,) = await org.rows(second, "failedResults")
    assert row["sf__Error"].startswith("DUPLICATE_VALUE:duplicate value found: Crm_Key__c duplicates value on record")


async def test_two_jobs_with_one_key_that_is_not_unique_make_two_records(org: Any) -> None:
    """*Upsert*: the duplicate is real, and every later upsert of that key fails."""
    for name in ("A", "B"):
        await org.send(f"Legacy_Key__c,LastName\nL-1,{name}\n", "upsert", externalIdFieldName="Legacy_Key__c")
    org.advance(60)
    assert len(await org.query("SELECT Id FROM Contact WHERE Legacy_Key__c = 'L-1'")) == 2
    errors = await org.errors("Legacy_Key__c,LastName\nL-1,C\n", "upsert", externalIdFieldName="Legacy_Key__c")
    assert errors[0].startswith("DUPLICATE_EXTERNAL_ID:Legacy Key: more than one record found for external id field: [")


async def test_two_calls_at_once_make_two_records(open_org: Any) -> None:
    """*sObject Collections*: calls that overlap miss each other; with the switch off they do not."""
    for overlaps, count in ((True, 2), (False, 1)):
        async with open_org(duplicates_on_overlap=overlaps, latency_seconds=0.01) as org:

            async def send(org: Any = org) -> None:
                body = {"records": [contact(Legacy_Key__c="L-1", LastName="A")]}
                assert (await org.client.patch(f"{UPSERT}/Legacy_Key__c", json=body)).json()[0]["success"]

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(send)
                tasks.start_soon(send)
            assert len(await org.query("SELECT Id FROM Contact")) == count


async def test_calls_one_after_the_other_make_one_record(org: Any) -> None:
    """*sObject Collections*: the second call finds what the first made."""
    for created in (True, False):
        body = {"records": [contact(Legacy_Key__c="L-1", LastName="A")]}
        assert (await org.client.patch(f"{UPSERT}/Legacy_Key__c", json=body)).json()[0]["created"] is created


def test_a_job_does_not_depend_on_who_looks(open_org: Any) -> None:
    """On virtual time: a job polled at every instant ends as one that nobody looked at."""

    async def run(wait: float) -> Any:
        async with open_org(SalesforceOptions(batch_rows=400)) as org:
            text = "Crm_Key__c,LastName\n" + "".join(f"K-{number % 700},N{number}\n" for number in range(1500))
            job = await org.send(text, "upsert")
            while not (await org.info(job))["state"].startswith("JobC"):  # noqa: ASYNC110 - polling is the subject
                await anyio.sleep(wait)
            return await org.info(job), await org.text(job, "successfulResults"), await org.text(job, "failedResults")

    outcomes = []
    for wait in (0.01, 60.0):
        clock = trio.testing.MockClock(autojump_threshold=0)
        outcomes.append(anyio.run(run, wait, backend="trio", backend_options={"clock": clock}))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0]["numberRecordsProcessed"] == 1500
