"""A Salesforce org for each test, spoken to by plain HTTP."""

from __future__ import annotations

import csv
import io
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from trio.testing import MockClock

from syncer.sandbox.app import Sandbox, SandboxOptions
from syncer.sandbox.salesforce.options import SalesforceOptions
from syncer.sandbox.transport import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

BASE = "/services/data/v61.0"


@dataclass
class Org:
    """A client that is logged in, and the sandbox behind it."""

    client: httpx.AsyncClient
    sandbox: Sandbox

    async def create_job(self, operation: str = "insert", **options: Any) -> str:
        """Open an ingest job and return its id."""
        options = {"object": "Contact", "operation": operation} | options
        if operation == "upsert":
            options.setdefault("externalIdFieldName", "Crm_Key__c")
        answer = await self.client.post(f"{BASE}/jobs/ingest", json=options)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def upload(self, job: str, text: str | bytes) -> httpx.Response:
        """Send the data of a job."""
        headers = {"Content-Type": "text/csv"}
        return await self.client.put(f"{BASE}/jobs/ingest/{job}/batches", content=text, headers=headers)

    async def patch(self, job: str, state: str = "UploadComplete") -> httpx.Response:
        """Close or abort a job."""
        return await self.client.patch(f"{BASE}/jobs/ingest/{job}", json={"state": state})

    async def info(self, job: str) -> dict[str, Any]:
        """Look at a job."""
        shown: dict[str, Any] = (await self.client.get(f"{BASE}/jobs/ingest/{job}")).json()
        return shown

    async def send(self, text: str | bytes, operation: str = "insert", **options: Any) -> str:
        """Create, upload and close a job; time stands still."""
        job = await self.create_job(operation, **options)
        assert (await self.upload(job, text)).status_code == 201
        assert (await self.patch(job)).status_code == 200
        return job

    async def load(self, text: str | bytes, operation: str = "insert", **options: Any) -> tuple[str, dict[str, Any]]:
        """Run a job to its end; returns its id and what a poll then says."""
        job = await self.send(text, operation, **options)
        self.advance(600)
        return job, await self.info(job)

    async def text(self, job: str, results: str) -> str:
        """One result file as it comes."""
        answer = await self.client.get(f"{BASE}/jobs/ingest/{job}/{results}")
        assert answer.status_code == 200
        return answer.text

    async def rows(self, job: str, results: str) -> list[dict[str, str]]:
        """One result file, read by column names."""
        return list(csv.DictReader(io.StringIO(await self.text(job, results))))

    async def errors(self, text: str, operation: str = "insert", **options: Any) -> list[str]:
        """The errors of a job's rows, in the order of the alphabet."""
        job, _ = await self.load(text, operation, **options)
        return sorted(row["sf__Error"] for row in await self.rows(job, "failedResults"))

    async def query(self, text: str) -> list[dict[str, Any]]:
        """The records that a query finds, without their attributes."""
        answer = await self.client.get(f"{BASE}/query", params={"q": text})
        assert answer.status_code == 200, answer.text
        return [
            {name: value for name, value in record.items() if name != "attributes"}
            for record in answer.json()["records"]
        ]

    async def make(self, name: str, **values: Any) -> str:
        """Create one record and return its id."""
        answer = await self.client.post(f"{BASE}/sobjects/{name}", json=values)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.sandbox.clock.advance(seconds)


@asynccontextmanager
async def opened(limits: SalesforceOptions | None = None, **options: Any) -> AsyncIterator[Org]:
    """An org with options of its own."""
    limits = limits or SalesforceOptions()
    sandbox = Sandbox(SandboxOptions(salesforce=limits, **options))
    async with (
        running(sandbox.app()) as transport,
        httpx.AsyncClient(
            transport=transport,
            base_url="https://acme.my.salesforce.com",
            headers={"Authorization": f"Bearer {limits.access_token}"},
        ) as client,
    ):
        yield Org(client, sandbox)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on a clock that moves only when it is told to, or when everybody waits."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@pytest.fixture
def open_org() -> Callable[..., AbstractAsyncContextManager[Org]]:
    """Opens an org with options of the test's choice."""
    return opened


@pytest.fixture
async def org() -> AsyncIterator[Org]:
    """The default org."""
    async with opened() as one:
        yield one
