"""A sandbox behind a real server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from syncer.sandbox.__main__ import main
from syncer.sandbox.serve import check_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own, on free ports."""
    command = [sys.executable, "-m", "syncer.sandbox", "--port", "0", "--control-port", "0", "--latency", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.fixture
def client(served: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client that is logged in to Marketo over a socket."""
    with httpx.Client(base_url=served["base_url"], timeout=20) as client:
        given = {"grant_type": "client_credentials", **served["marketo"]}
        token = client.get("/identity/oauth/token", params=given).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client


def _arm(served: dict[str, Any], **rule: Any) -> None:
    httpx.post(f"{served['control_url']}/faults", json=rule, timeout=20).raise_for_status()


def _emails(served: dict[str, Any]) -> set[str]:
    state = httpx.get(f"{served['control_url']}/state?system=marketo", timeout=20).json()
    return {lead["email"] for lead in state["marketo"]["leads"]}


def test_leads_are_written_over_a_socket(served: dict[str, Any], client: httpx.Client) -> None:
    """The announcement is enough to log in and write."""
    answer = client.post("/rest/v1/leads.json", json={"input": [{"email": "socket@example.com"}]})
    assert answer.json()["success"] is True
    assert "socket@example.com" in _emails(served)


@pytest.mark.parametrize(
    ("action", "is_applied"), [("apply_then_lose", True), ("lose_before_apply", False), ("apply_late", True)]
)
def test_connections_are_cut_without_a_word(
    served: dict[str, Any], client: httpx.Client, action: str, *, is_applied: bool
) -> None:
    """The socket is closed; whether the records are there is another matter."""
    email = f"{action}@example.com"
    _arm(served, action=action, endpoint="/rest/v1/leads.json")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.post("/rest/v1/leads.json", json={"input": [{"email": email}]})
    assert (email in _emails(served)) is is_applied


def test_half_an_answer_comes_over_a_socket(served: dict[str, Any], client: httpx.Client) -> None:
    """Fewer bytes than the header promised, then the end."""
    _arm(served, action="truncate_body", cut=True)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get("/rest/v1/leads/describe.json")


def test_control_routes_are_on_their_own_port(client: httpx.Client) -> None:
    """The vendors' port knows nothing of them."""
    assert client.get("/__sandbox__/state").status_code == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "example.com", "192.0.2.1", "::"])  # noqa: S104 - what must be refused
def test_other_machines_are_never_served(host: str) -> None:
    """Only loopback addresses are listened on."""
    with pytest.raises(ValueError, match="loopback only"):
        check_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_has_several_names(host: str) -> None:
    """All of them are fine."""
    check_loopback(host)


def test_a_wrong_host_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 and a sentence, not a traceback."""
    assert main(["--host", "192.0.2.1"]) == 1
    assert capsys.readouterr().err == 'error: the sandbox listens on loopback only, not on "192.0.2.1"\n'
