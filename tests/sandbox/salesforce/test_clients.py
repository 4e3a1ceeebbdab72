"""What real client libraries send, on the event loop that people use."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

BASE = "/services/data/v61.0"


@pytest.fixture
def anyio_backend() -> str:
    """Clients in the field run on asyncio."""
    return "asyncio"


async def test_simple_salesforce_runs_an_upsert(org: Any) -> None:
    """Upsert by Id unless told otherwise, pretty print, charset on the PUT, counters in the last look."""
    headers = {"X-PrettyPrint": "1", "Content-Type": "application/json; charset=UTF-8", "Accept": "application/json"}
    body = {
        "operation": "upsert",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
        "externalIdFieldName": "Id",
        "object": "Contact",
        "contentType": "CSV",
    }
    made = await org.client.post(f"{BASE}/jobs/ingest", json=body, headers=headers)
    job = made.json()["id"]
    assert made.json()["state"] == "Open"
    put = await org.client.put(
        f"{BASE}/jobs/ingest/{job}/batches",
        content="LastName\nOkafor\n",
        headers=headers | {"Content-Type": "text/csv; charset=UTF-8"},
    )
    assert put.status_code == 201
    await org.client.patch(f"{BASE}/jobs/ingest/{job}", json={"state": "UploadComplete"}, headers=headers)
    org.advance(60)
    shown = await org.info(job)
    assert (shown["numberRecordsProcessed"], shown["numberRecordsFailed"]) == (1, 0)
    assert await org.rows(job, "unprocessedRecords") == []


async def test_jsforce_loads_nothing_and_cleans_up(org: Any) -> None:
    """An empty chunked PUT, three empty result sets, and a DELETE whose answer it does not read."""

    async def nothing() -> Any:
        for piece in (b"",):
            yield piece

    job = await org.create_job("delete")
    put = await org.client.put(f"{BASE}/jobs/ingest/{job}/batches", content=nothing())
    assert put.status_code == 201
    await org.patch(job)
    org.advance(60)
    assert (await org.info(job))["state"] == "JobComplete"
    assert await org.text(job, "successfulResults") == '"sf__Id","sf__Created"\n'
    assert (await org.client.delete(f"{BASE}/jobs/ingest/{job}")).status_code == 204


async def test_data_loader_ends_every_path_with_a_slash(org: Any) -> None:
    """Slashes on all job paths; query jobs asked for with Accept text/csv and answered in JSON."""
    body = {"object": "Contact", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}
    job = (await org.client.post(f"{BASE}/jobs/ingest/", json=body)).json()["id"]
    assert (await org.client.put(f"{BASE}/jobs/ingest/{job}/batches/", content="LastName\nA\n")).status_code == 201
    await org.client.patch(f"{BASE}/jobs/ingest/{job}/", json={"state": "UploadComplete"})
    org.advance(60)
    query = {"operation": "query", "query": "SELECT Id FROM Contact"}
    made = await org.client.post(f"{BASE}/jobs/query/", json=query, headers={"Accept": "text/csv"})
    path = f"{BASE}/jobs/query/{made.json()['id']}"
    org.advance(60)
    await org.client.get(f"{path}/")
    results = await org.client.get(f"{path}/results/?locator=")
    assert results.headers["Sforce-Locator"].lower() == "null"
    assert results.text.splitlines() == ['"Id"', '"0035g0000000001AAA"']


async def test_go_salesforce_sends_an_empty_key_and_repeats_the_id(org: Any) -> None:
    """An empty externalIdFieldName on an insert, Accept text/csv on the PUT, id and state in the PATCH."""
    job = await org.create_job("insert", externalIdFieldName="")
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
    put = await org.client.put(f"{BASE}/jobs/ingest/{job}/batches", content="LastName\nA\n", headers=headers)
    assert put.status_code == 201
    answer = await org.client.patch(f"{BASE}/jobs/ingest/{job}", json={"id": job, "state": "UploadComplete"})
    assert answer.status_code == 200


async def test_the_command_line_of_the_vendor_loads_upper_case_headers(org: Any) -> None:
    """Object in lower case, header in upper case, `Account` in the answer and 18-character ids."""
    made = await org.client.post(f"{BASE}/jobs/ingest", json={"object": "account", "operation": "insert"})
    assert made.json()["object"] == "Account"
    job = made.json()["id"]
    await org.upload(job, "NAME,TYPE,BILLINGSTREET\nOne,Prospect,1 Main St\n")
    await org.patch(job)
    org.advance(60)
    (row,) = await org.rows(job, "successfulResults")
    assert (row["NAME"], len(row["sf__Id"])) == ("One", 18)
