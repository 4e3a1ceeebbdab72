"""The control routes, the log and the counters."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from trio.testing import MockClock

from syncer.sandbox.app import Sandbox, SandboxOptions
from syncer.sandbox.transport import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio
SEED = {
    "marketo": {
        "fields": [{"name": "shoeSize", "dataType": "integer"}],
        "leads": [{"email": "a@example.com", "shoeSize": 42}],
        "lists": [{"name": "Walkers", "leads": ["a@example.com"]}],
        "objects": {"order_c": [{"orderNumber": "O-1", "amount": 5}]},
    }
}


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on virtual time."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A sandbox with something in it, which writes its log to a file."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED), encoding="utf-8")
    return Sandbox(SandboxOptions(seed_file=seed, log_path=tmp_path / "log.jsonl", latency_seconds=2))


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is logged in to Marketo."""
    async with (
        running(sandbox.app()) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://sandbox", timeout=3600) as client,
    ):
        given = {"grant_type": "client_credentials", **sandbox.worlds["marketo"].credentials()}
        token = (await client.post("/identity/oauth/token", data=given)).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client


async def test_a_seed_file_fills_the_instance(client: httpx.AsyncClient) -> None:
    """Own fields, leads, lists and custom objects are there before the first call, and again after a reset."""
    state = (await client.get("/__sandbox__/state?system=marketo")).json()
    assert list(state) == ["marketo"]
    assert state["marketo"]["leads"] == [{"email": "a@example.com", "shoeSize": 42}]
    assert state["marketo"]["lists"]["Walkers"] == ["a@example.com"]
    assert state["marketo"]["objects"]["order_c"] == [{"amount": 5.0, "orderNumber": "O-1"}]
    await client.post("/rest/v1/leads.json", json={"input": [{"email": "b@example.com"}]})
    assert (await client.get("/__sandbox__/state?system=marketo")).json() != state
    await client.post("/__sandbox__/reset")
    assert (await client.get("/__sandbox__/state?system=marketo")).json() == state


async def test_a_reset_ends_what_is_under_way(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """An effect that began before the reset does not land in the fresh instance."""
    before, lost = sandbox.worlds["marketo"].state(), list[str]()

    async def write() -> None:
        try:
            await client.post("/rest/v1/leads.json", json={"input": [{"email": "b@example.com"}]})
        except httpx.ReadError as error:
            lost.append(str(error))

    async with anyio.create_task_group() as calls:
        calls.start_soon(write)
        await sandbox.clock.sleep(1)
        await client.post("/__sandbox__/reset")
    assert len(lost) == 1
    assert sandbox.worlds["marketo"].state() == before


async def test_the_state_of_one_object_can_be_asked_for(client: httpx.AsyncClient) -> None:
    """`system` and `object` narrow the answer."""
    state = (await client.get("/__sandbox__/state", params={"system": "marketo", "object": "leads"})).json()
    assert state == {"marketo": [{"email": "a@example.com", "shoeSize": 42}]}


async def test_the_log_tells_when_a_request_took_effect(
    sandbox: Sandbox, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """One line a request: arrival, effect, answer, keys in canonical form; no token and no body."""
    token = client.headers["authorization"].split()[1]
    await client.post("/rest/v1/leads.json", json={"input": [{"email": "B@Example.com"}]})
    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    entry = json.loads(lines[-1])
    start = sandbox.clock.start
    assert (entry["arrived_at"], entry["applied_at"], entry["last_byte_at"]) == (start, start + 2, start + 2)
    assert (entry["operation"], entry["keys"]) == ("createOrUpdate", ["lead/email/b@example.com"])
    assert (entry["endpoint"], entry["status"], entry["record_count"]) == ("/rest/v1/leads.json", 200, 1)
    secrets = [token, sandbox.worlds["marketo"].credentials()["client_secret"]]
    assert not any(secret in line for secret in secrets for line in lines)
    assert (await client.get("/__sandbox__/log?since=1")).json() == [entry]


async def test_a_job_has_a_span_of_its_own(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """When a job read and wrote its keys is noted apart from the request that brought it."""
    await client.post("/bulk/v1/leads.json?format=csv", files={"file": ("a.csv", "email\nb@example.com\n")})
    await sandbox.clock.sleep(60)
    sandbox.worlds["marketo"].state()
    span = sandbox.traffic.jobs[0]
    assert (span.keys, span.state) == (("lead/email/b@example.com",), "Complete")
    assert span.started_at is not None
    assert span.finished_at is not None
    assert span.queued_at < span.started_at < span.finished_at


async def test_counters_are_kept_by_endpoint_and_code(client: httpx.AsyncClient) -> None:
    """Calls, errors, and quota as rows."""
    await client.get("/rest/v1/leads/describe.json")
    await client.get("/rest/v1/nothing.json")
    counters = (await client.get("/__sandbox__/counters")).json()["marketo"]
    assert counters["calls"]["GET /rest/v1/leads/describe.json"] == 1
    assert counters["errors"] == {"610": 1}
    assert counters["quota"][0] == {"name": "Calls today", "used": 2, "limit": 50_000}


async def test_the_clock_is_driven_over_http(client: httpx.AsyncClient) -> None:
    """An hour later the token is dead."""
    await client.post("/__sandbox__/clock/advance", json={"seconds": 3600})
    assert (await client.get("/rest/v1/leads/describe.json")).json()["errors"][0]["code"] == "602"
    assert (await client.post("/__sandbox__/clock/advance", json={"seconds": -1})).status_code == 400


async def test_the_page_asks_nothing_of_other_hosts(client: httpx.AsyncClient) -> None:
    """It stands alone, and its data are the overview of both systems."""
    page = (await client.get("/__sandbox__/")).text
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    overview = (await client.get("/__sandbox__/overview")).json()
    assert overview["systems"]["marketo"]["records"]["leads"]["count"] == 1


async def test_control_routes_can_stand_apart(sandbox: Sandbox) -> None:
    """With a port of their own they are not beside the vendors' paths."""
    async with running(sandbox.app(with_control=False)) as transport, httpx.AsyncClient(transport=transport) as client:
        assert (await client.get("http://sandbox/__sandbox__/state")).status_code == 404
    async with running(sandbox.control_app()) as transport, httpx.AsyncClient(transport=transport) as client:
        assert (await client.get("http://sandbox/__sandbox__/state")).status_code == 200


def test_the_sandbox_imports_nothing_of_syncer() -> None:
    """Only its web framework and the standard library, so that no bug is shared with the client."""
    allowed = {"anyio", "starlette", "uvicorn", *sys.stdlib_module_names}
    folder = Path(__file__).parents[2] / "syncer" / "sandbox"
    found: set[tuple[str, str]] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {
                (path.name, name)
                for name in names
                if name.split(".")[0] not in allowed and not name.startswith("syncer.sandbox")
            }
    assert found == {("transport.py", "httpx")}
