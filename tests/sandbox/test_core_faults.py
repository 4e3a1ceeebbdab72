"""Scripted trouble, seen by a client: what it gets, and what happened all the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from trio.testing import MockClock

from syncer.sandbox.app import Sandbox, SandboxOptions
from syncer.sandbox.faults import Action, FaultRule, Faults, When
from syncer.sandbox.traffic import Entry
from syncer.sandbox.transport import SandboxTransport, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio
SYNC = "/rest/v1/leads.json"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both event loops; trio's on virtual time."""
    return ("trio", {"clock": MockClock(autojump_threshold=0)}) if request.param == "trio" else "asyncio"


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox in which calls take no time."""
    return Sandbox(SandboxOptions())


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is logged in to Marketo."""
    world = sandbox.worlds["marketo"]
    async with (
        running(sandbox.app()) as transport,
        httpx.AsyncClient(transport=transport, base_url="http://sandbox", timeout=3600) as client,
    ):
        given = {"grant_type": "client_credentials", **world.credentials()}
        token = (await client.post("/identity/oauth/token", data=given)).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client


async def _sync(client: httpx.AsyncClient, *emails: str) -> httpx.Response:
    return await client.post(SYNC, json={"input": [{"email": email} for email in emails]})


def _emails(sandbox: Sandbox) -> list[str]:
    return [lead["email"] for lead in sandbox.worlds["marketo"].state()["leads"]]


def _last(sandbox: Sandbox) -> Entry:
    return sandbox.traffic.entries[-1]


async def test_a_lost_answer_was_applied(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """`apply_then_lose`: the records are there, the client knows nothing."""
    sandbox.faults.add(FaultRule(Action.APPLY_THEN_LOSE, endpoint=f"POST {SYNC}"))
    with pytest.raises(httpx.ReadError):
        await _sync(client, "a@example.com")
    assert _emails(sandbox) == ["a@example.com"]
    entry = _last(sandbox)
    assert (entry.dropped, entry.status, entry.applied_at is not None) == (True, None, True)


async def test_a_lost_request_was_not_applied(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """`lose_before_apply`: the client sees the same, and nothing happened."""
    sandbox.faults.add(FaultRule(Action.LOSE_BEFORE_APPLY))
    with pytest.raises(httpx.ReadError):
        await _sync(client, "a@example.com")
    assert _emails(sandbox) == []
    assert _last(sandbox).applied_at is None


async def test_an_effect_may_come_after_the_client_left(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """`apply_late`: the connection is cut at once, and the records appear afterwards."""
    sandbox.faults.add(FaultRule(Action.APPLY_LATE, key="a@example.com", seconds=45))
    with pytest.raises(httpx.ReadError):
        await _sync(client, "a@example.com")
    assert _emails(sandbox) == []
    sandbox.clock.advance(45)
    await sandbox.clock.sleep(0.01)
    assert _emails(sandbox) == ["a@example.com"]


async def test_a_client_that_gives_up_leaves_a_server_that_goes_on(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """Cancellation and time-out end the client's wait, not the effect."""
    sandbox.faults.add(FaultRule(Action.DELAY, seconds=30), FaultRule(Action.DELAY, seconds=30, nth=2))
    with anyio.move_on_after(0.01):
        await _sync(client, "a@example.com")
    with pytest.raises(httpx.ReadTimeout):
        await client.post(SYNC, json={"input": [{"email": "b@example.com"}]}, timeout=0.01)
    assert _emails(sandbox) == []
    sandbox.clock.advance(60)
    await sandbox.clock.sleep(0.01)
    assert _emails(sandbox) == ["a@example.com", "b@example.com"]


async def test_only_the_first_records_may_be_applied(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """`apply_first_k`: a gateway's page, and part of the records."""
    sandbox.faults.add(FaultRule(Action.APPLY_FIRST_K, endpoint=SYNC, first=2, status=504))
    answer = await _sync(client, "a@example.com", "b@example.com", "c@example.com")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (504, "text/html")
    assert _emails(sandbox) == ["a@example.com", "b@example.com"]


async def test_a_request_may_be_applied_twice(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """`apply_twice`: a balancer's own retry, of which the client sees the second answer."""
    sandbox.faults.add(FaultRule(Action.APPLY_TWICE))
    assert (await _sync(client, "a@example.com")).json()["result"][0]["status"] == "updated"


@pytest.mark.parametrize(("when", "applied"), [(When.BEFORE, []), (When.AFTER, ["a@example.com"])])
@pytest.mark.parametrize(
    "rule",
    [
        FaultRule(Action.STATUS, endpoint=SYNC, status=503),
        FaultRule(Action.VENDOR_ERROR, endpoint=SYNC, code="604"),
        FaultRule(Action.VENDOR_ERROR, operation="createOrUpdate", code="611"),
    ],
)
async def test_an_error_may_hide_either(
    sandbox: Sandbox, client: httpx.AsyncClient, rule: FaultRule, when: When, applied: list[str]
) -> None:
    """HTTP 5xx pages and the vendor's own codes come before the effect or after it."""
    sandbox.faults.add(replace(rule, when=when))
    answer = await _sync(client, "a@example.com")
    assert _emails(sandbox) == applied
    if rule.action is Action.STATUS:
        assert answer.status_code == 503
        assert answer.text.startswith("<html>")
    else:
        assert answer.json()["errors"][0]["code"] == rule.code


@pytest.mark.parametrize(
    ("rule", "check"),
    [
        (FaultRule(Action.EMPTY_BODY), lambda body: body == b""),
        (FaultRule(Action.TRUNCATE_BODY), lambda body: body.startswith(b'{"requestId"') and not body.endswith(b"}")),
        (FaultRule(Action.GARBAGE_BODY), lambda body: len(body) >= 64),
        (FaultRule(Action.GARBAGE_BODY, body="NaN"), lambda body: body == b"NaN"),
    ],
)
async def test_a_body_may_be_spoilt(sandbox: Sandbox, client: httpx.AsyncClient, rule: FaultRule, check: Any) -> None:
    """HTTP 200 with nothing, half, rubbish, or what the rule says."""
    sandbox.faults.add(replace(rule, endpoint=SYNC))
    answer = await _sync(client, "a@example.com")
    assert answer.status_code == 200
    assert check(answer.content)
    assert _emails(sandbox) == ["a@example.com"]


async def test_a_body_may_be_cut_with_its_connection(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """Less than was promised, and then the end."""
    sandbox.faults.add(FaultRule(Action.TRUNCATE_BODY, cut=True))
    with pytest.raises(httpx.RemoteProtocolError):
        await _sync(client, "a@example.com")


async def test_rules_fire_by_place_number_and_key(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """The second call that writes one key, and no other."""
    sandbox.faults.add(FaultRule(Action.STATUS, system="marketo", key="lead/email/b@example.com", nth=2))
    statuses = [(await _sync(client, email)).status_code for email in ("b@example.com", "a@example.com")]
    statuses += [(await _sync(client, "B@example.com")).status_code for _ in range(2)]
    assert statuses == [200, 200, 502, 200]


async def test_rules_come_and_go_over_http(client: httpx.AsyncClient) -> None:
    """A script is JSON; a member that no rule has is refused with its name."""
    bad = await client.post("/__sandbox__/faults", json={"action": "status", "statsu": 500})
    assert (bad.status_code, "statsu" in bad.json()["error"]) == (400, True)
    await client.post("/__sandbox__/faults", json=[{"action": "status", "status": 500, "count": None}])
    assert [(await _sync(client, "a@example.com")).status_code for _ in range(2)] == [500, 500]
    assert (await client.get("/__sandbox__/faults")).json()[0]["fired"] == 2
    await client.delete("/__sandbox__/faults")
    assert (await _sync(client, "a@example.com")).status_code == 200


def test_chances_repeat_with_their_seed() -> None:
    """The same seed spoils the same calls."""

    def fired(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(FaultRule(Action.STATUS, probability=0.3, count=None))
        return [bool(faults.on_arrival(Entry(1, "marketo", "GET", "/x", 0.0))) for _ in range(50)]

    assert fired(1) == fired(1)
    assert fired(1) != fired(2)
    assert 5 < sum(fired(1)) < 30


async def test_a_transport_needs_a_place_to_run(sandbox: Sandbox) -> None:
    """Sending before the client is entered is an error that says so."""
    client = httpx.AsyncClient(transport=SandboxTransport(sandbox.app()))
    with pytest.raises(RuntimeError, match="enter the client"):
        await client.get("http://sandbox/")
    await client.aclose()


async def test_a_transport_of_its_own_needs_no_more_than_a_client(sandbox: Sandbox) -> None:
    """A client alone is enough where nothing must outlive it."""
    async with httpx.AsyncClient(transport=SandboxTransport(sandbox.app()), base_url="http://sandbox") as client:
        assert (await client.get("/__sandbox__/credentials")).json()["marketo"]
