"""Limits of the rolling day, sizes of requests, and neighbours that use them up."""

from __future__ import annotations

from typing import Any

import pytest

from syncer.sandbox.salesforce.options import DAY, SalesforceOptions

pytestmark = pytest.mark.anyio

LIMITS = "/services/data/v61.0/limits"


async def test_the_day_runs_out_and_comes_back(open_org: Any) -> None:
    """*API Request Limits*: 403 REQUEST_LIMIT_EXCEEDED once spent; calls come back as they leave the 24 hours."""
    async with open_org(SalesforceOptions(daily_calls=3)) as org:
        for used in (1, 2, 3):
            answer = await org.client.get(LIMITS)
            assert answer.headers["Sforce-Limit-Info"] == f"api-usage={used}/3"
        assert answer.json()["DailyApiRequests"] == {"Max": 3, "Remaining": 0}
        refused = await org.client.get(LIMITS)
        assert refused.status_code == 403
        assert refused.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
        org.advance(DAY)
        assert (await org.client.get(LIMITS)).status_code == 200


async def test_batches_run_out_in_the_middle_of_a_job(open_org: Any) -> None:
    """*Bulk API Limits*: the job fails, later rows are in no result file, and new jobs are refused."""
    limits = SalesforceOptions(daily_batches=1, batch_rows=2, parallel_batches=1)
    async with open_org(limits) as org:
        job, shown = await org.load("LastName\nA\nB\nC\nD\n")
        assert (shown["state"], shown["errorMessage"]) == ("Failed", "ExceededQuota : ApiBatchItems Limit exceeded")
        counts = [
            len(await org.rows(job, name)) for name in ("successfulResults", "failedResults", "unprocessedrecords")
        ]
        assert counts == [2, 0, 0]
        answer = await org.client.post(
            "/services/data/v61.0/jobs/ingest", json={"object": "Contact", "operation": "insert"}
        )
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "EXCEEDEDQUOTA")


async def test_neighbours_spend_the_same_calls(open_org: Any) -> None:
    """*API Request Limits*: the calls of an org are shared by all of its integrations."""
    async with open_org(SalesforceOptions(daily_calls=100)) as org:
        world = org.sandbox.worlds["salesforce"]
        world.add_neighbours(50, 1.0)
        assert (await org.client.get(LIMITS)).headers["Sforce-Limit-Info"] == "api-usage=51/100"
        org.advance(10)
        assert (await org.client.get(LIMITS)).headers["Sforce-Limit-Info"] == "api-usage=62/100"
        world.add_neighbours(0, 0.0)
        org.advance(60)
        assert (await org.client.get(LIMITS)).headers["Sforce-Limit-Info"] == "api-usage=63/100"


async def test_long_addresses_and_headers_are_refused(org: Any) -> None:
    """*API Request Limits*: 16,384 bytes for the URI and for the headers."""
    assert (await org.client.get(LIMITS, params={"x": "y" * 16_400})).status_code == 414
    assert (await org.client.get(LIMITS, headers={"X-Long": "y" * 16_400})).status_code == 431


async def test_lifted_limits(open_org: Any) -> None:
    """None lifts a limit."""
    async with open_org(SalesforceOptions(daily_calls=None, daily_batches=None)) as org:
        _, shown = await org.load("LastName\nA\n")
        assert shown["state"] == "JobComplete"
        assert (await org.client.get(LIMITS)).json()["DailyBulkApiBatches"]["Remaining"] > 10**6
