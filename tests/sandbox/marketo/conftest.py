"""A pretended Marketo instance on virtual time, and plain HTTP to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from trio.testing import MockClock

from syncer.sandbox.app import MarketoOptions, Sandbox, SandboxOptions
from syncer.sandbox.transport import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.sandbox.marketo.world import MarketoWorld


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on a clock that jumps over every wait."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@dataclass
class Instance:
    """A client that is logged in, and the sandbox behind it."""

    sandbox: Sandbox
    client: httpx.AsyncClient

    @property
    def world(self) -> MarketoWorld:
        """The instance itself, for what HTTP does not show."""
        return self.sandbox.worlds["marketo"]  # type: ignore[return-value]

    async def token(self) -> dict[str, Any]:
        """Asks for a token."""
        given = {"grant_type": "client_credentials", **self.world.credentials()}
        answer = await self.client.post("/identity/oauth/token", data=given)
        return answer.json()

    async def login(self) -> None:
        """Uses the current token from now on."""
        self.client.headers["authorization"] = f"Bearer {(await self.token())['access_token']}"

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        """A read."""
        return (await self.client.get(path, params=params)).json()

    async def post(self, path: str, body: Any = None) -> dict[str, Any]:
        """A write with a JSON body."""
        return (await self.client.post(path, json=body)).json()

    async def sync(self, *records: dict[str, Any], **members: Any) -> list[dict[str, Any]]:
        """Sync Leads; gives the result lines."""
        return (await self.post("/rest/v1/leads.json", {**members, "input": list(records)}))["result"]

    async def upload(self, text: str, path: str = "/bulk/v1/leads.json", **params: Any) -> dict[str, Any]:
        """Starts an import of a file with this text."""
        answer = await self.client.post(path, params={"format": "csv", **params}, files={"file": ("rows.csv", text)})
        return answer.json()

    async def wait(self, seconds: float) -> None:
        """Lets time pass."""
        await self.sandbox.clock.sleep(seconds)


@pytest.fixture
def options() -> SandboxOptions:
    """What the instance is started with; a test module may say otherwise."""
    return SandboxOptions(latency_seconds=0.25, marketo=MarketoOptions())


@pytest.fixture
async def instance(options: SandboxOptions) -> AsyncIterator[Instance]:
    """A fresh instance, logged in."""
    sandbox = Sandbox(options)
    async with (
        running(sandbox.app()) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://sandbox", timeout=3600) as client,
    ):
        instance = Instance(sandbox, client)
        await instance.login()
        yield instance
