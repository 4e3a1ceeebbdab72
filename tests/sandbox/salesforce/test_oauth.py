"""OAuth 2.0 and sessions: grants, their errors, revocation, introspection, and calls without a session."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from syncer.sandbox.salesforce.options import SalesforceOptions

pytestmark = pytest.mark.anyio

TOKEN = "/services/oauth2/token"
LIMITS = SalesforceOptions()
CLIENT = {"client_id": LIMITS.client_id, "client_secret": LIMITS.client_secret}
START = 1_772_438_400


def basic(client_id: str, secret: str) -> Any:
    """An Authorization header."""
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def assertion(**changes: Any) -> Any:
    """A JWT whose signature nobody looks at."""
    header = {"alg": changes.pop("alg", "RS256")}
    claims = {
        "iss": LIMITS.client_id,
        "sub": LIMITS.username,
        "aud": "https://login.salesforce.com",
        "exp": START + 180,
    }
    parts = (json.dumps(part).encode() for part in (header, claims | changes))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2ln"])


async def test_client_credentials_by_form_and_basic(org: Any) -> None:
    """*Client Credentials Flow*: form or Basic; no refresh token, no expires_in, issued_at in milliseconds as text."""
    form = await org.client.post(TOKEN, data=CLIENT | {"grant_type": "client_credentials"})
    head = basic(LIMITS.client_id, LIMITS.client_secret)
    by_head = await org.client.post(TOKEN, data={"grant_type": "client_credentials"}, headers=head)
    for answer in (form, by_head):
        body = answer.json()
        assert answer.status_code == 200
        assert list(body) == ["access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"]
        assert body["access_token"][15] == "!"
        assert body["access_token"].startswith("00D")
        assert (body["instance_url"], body["token_type"]) == ("https://acme.my.salesforce.com", "Bearer")
        assert body["issued_at"].startswith(str(START)[:6])
        assert len(body["issued_at"]) == 13
        headers = {"Authorization": f"Bearer {body['access_token']}"}
        assert (await org.client.get("/services/data/v61.0/limits", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("grant", "keys"),
    [
        (
            {
                "grant_type": "password",
                "username": LIMITS.username,
                "password": LIMITS.password + LIMITS.security_token,
            },
            {"access_token", "instance_url", "id", "token_type", "issued_at", "signature"},
        ),
        (
            {"grant_type": "refresh_token", "refresh_token": LIMITS.refresh_token},
            {"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"},
        ),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion()},
            {"access_token", "scope", "instance_url", "id", "token_type"},
        ),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion(exp=str(START + 60))},
            {"access_token", "scope", "instance_url", "id", "token_type"},
        ),
    ],
)
async def test_other_grants(org: Any, grant: dict[str, str], keys: set[str]) -> None:
    """*OAuth Authorization Flows*: which members each answer has; `exp` may be text."""
    answer = await org.client.post(TOKEN, data=CLIENT | grant)
    assert (answer.status_code, set(answer.json())) == (200, keys)


JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({"client_id": "x"}, "invalid_client_id", "client identifier invalid"),
        ({"client_secret": "x"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": "magic"}, "unsupported_grant_type", "grant type not supported"),
        ({"grant_type": "password", "username": "x", "password": "y"}, "invalid_grant", "authentication failure"),
        ({"grant_type": "password", "client_id": "x"}, "invalid_client_id", "client identifier invalid"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant", "expired access/refresh token"),
        ({"grant_type": "refresh_token", "client_secret": "x"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": JWT, "assertion": "x"}, "invalid_grant", "invalid assertion"),
        ({"grant_type": JWT, "assertion": assertion(alg="none")}, "invalid_grant", "invalid assertion"),
        ({"grant_type": JWT, "assertion": assertion(iss="x")}, "invalid_client_id", "client identifier invalid"),
        ({"grant_type": JWT, "assertion": assertion(sub="x")}, "invalid_grant", "user hasn't approved this consumer"),
        ({"grant_type": JWT, "assertion": assertion(aud="x")}, "invalid_grant", "audience is invalid"),
        ({"grant_type": JWT, "assertion": assertion(exp=START)}, "invalid_grant", "expired authorization code"),
    ],
)
async def test_refused_grants(org: Any, form: dict[str, str], error: str, description: str) -> None:
    """*OAuth 2.0*, errors: 400 and an object, not an array."""
    answer = await org.client.post(TOKEN, data=CLIENT | {"grant_type": "client_credentials"} | form)
    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})


async def test_client_credentials_want_the_orgs_own_host(open_org: Any) -> None:
    """*Client Credentials Flow*: My Domain only, and a run-as user."""
    form = CLIENT | {"grant_type": "client_credentials"}
    async with open_org() as org:
        answer = await org.client.post(f"https://login.salesforce.com{TOKEN}", data=form)
        assert answer.json() == {"error": "invalid_grant", "error_description": "request not supported on this domain"}
        garbled = await org.client.post(
            TOKEN, data={"grant_type": "client_credentials"}, headers={"Authorization": "Basic %"}
        )
        assert garbled.json()["error"] == "invalid_client_id"
    async with open_org(SalesforceOptions(has_run_as_user=False)) as org:
        answer = await org.client.post(TOKEN, data=form)
        assert answer.json()["error_description"] == "no client credentials user enabled"


async def test_sessions_end(org: Any) -> None:
    """*Session Settings*: two hours by default; then 401, with WWW-Authenticate and without the limit header."""
    token = (await org.client.post(TOKEN, data=CLIENT | {"grant_type": "client_credentials"})).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    org.advance(7190)
    assert (await org.client.get("/services/data/v61.0", headers=headers)).status_code == 200
    org.advance(20)
    answer = await org.client.get("/services/data/v61.0", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert "Sforce-Limit-Info" not in answer.headers


async def test_a_job_survives_a_new_token(org: Any) -> None:
    """*Session*: the state of a job has nothing to do with the token that made it."""
    job = await org.send("LastName\nOkafor\n")
    world = org.sandbox.worlds["salesforce"]
    world.sessions.end_all()
    org.advance(60)
    assert (await org.client.get(f"/services/data/v61.0/jobs/ingest/{job}")).status_code == 401
    token = (await org.client.post(TOKEN, data=CLIENT | {"grant_type": "client_credentials"})).json()["access_token"]
    org.client.headers["Authorization"] = f"OAuth {token}"
    assert (await org.info(job))["state"] == "JobComplete"


async def test_a_malformed_authorization_header(org: Any) -> None:
    """*Status Codes*: 401 INVALID_AUTH_HEADER."""
    answer = await org.client.get("/services/data/v61.0", headers={"Authorization": "Bearer"})
    assert answer.json() == [{"message": "INVALID_HEADER_TYPE", "errorCode": "INVALID_AUTH_HEADER"}]


async def test_revoke_and_introspect(org: Any) -> None:
    """*Revoke OAuth Tokens*, *Introspection*: a revoked token is not active and opens nothing."""
    form = CLIENT | {"token": LIMITS.access_token, "token_type_hint": "access_token"}
    shown = (await org.client.post("/services/oauth2/introspect", data=form)).json()
    assert (shown["active"], shown["username"]) == (True, LIMITS.username)
    assert shown["exp"] > shown["iat"] == shown["nbf"]
    info = (await org.client.get("/services/oauth2/userinfo")).json()
    assert info["preferred_username"] == LIMITS.username
    assert (await org.client.post("/services/oauth2/revoke", data={"token": LIMITS.access_token})).status_code == 200
    assert (await org.client.post("/services/oauth2/revoke", data={"token": LIMITS.access_token})).status_code == 400
    assert (await org.client.post("/services/oauth2/introspect", data=form)).json() == {"active": False}
    wrong = await org.client.post("/services/oauth2/introspect", data=form | {"client_secret": "x"})
    assert wrong.json()["error"] == "invalid_client"
    assert (await org.client.get("/services/data/v61.0")).status_code == 401


async def test_the_instance_url_can_be_set(open_org: Any) -> None:
    """A sandbox behind a name of its own says so in its token answers."""
    async with open_org(SalesforceOptions(instance_url="http://127.0.0.1:8765")) as org:
        answer = await org.client.post(TOKEN, data=CLIENT | {"grant_type": "client_credentials"})
        assert answer.json()["instance_url"] == "http://127.0.0.1:8765"
