"""OAuth 2.0: the token endpoint with its grants, revocation, introspection and user info.

Errors have a shape of their own here, `{"error", "error_description"}`. Token answers hold no `expires_in`: a
session ends when the org's policy says so, and the next call learns it by a 401.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.responses import Response

from syncer.sandbox.exchange import Exchange
from syncer.sandbox.salesforce.door import body_of, read, reply

if TYPE_CHECKING:
    from syncer.sandbox.salesforce.world import SalesforceWorld

Form = dict[str, str]
LOGIN_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "api refresh_token"


class Sessions:
    """The access tokens of an org and how long each lives."""

    def __init__(self, org_id: str, seconds: float, ready: str) -> None:
        """`ready` is a token that lives until it is revoked."""
        self._org_id = org_id
        self._seconds = seconds
        self._ends: dict[str, float] = {ready: float("inf")}
        self._count = 0

    def issue(self, now: float) -> str:
        """A new token: the org id, an exclamation mark, and something opaque."""
        self._count += 1
        digest = hashlib.sha256(f"{self._org_id}/{self._count}".encode()).hexdigest()
        token = f"{self._org_id[:15]}!AQ8AQ{digest[:40]}"
        self._ends[token] = now + self._seconds
        return token

    def is_alive(self, token: str, now: float) -> bool:
        """Whether calls may use it."""
        return self._ends.get(token, 0.0) > now

    def ends_at(self, token: str) -> float:
        """When a living token ends."""
        return self._ends[token]

    def revoke(self, token: str) -> bool:
        """End a token; says whether there was one."""
        return self._ends.pop(token, None) is not None

    def end_all(self) -> None:
        """End every session, as an administrator can."""
        self._ends.clear()


def _error(error: str, description: str) -> Response:
    return reply({"error": error, "error_description": description}, 400)


def _form(exchange: Exchange) -> Form:
    fields = parse_qs(body_of(exchange).decode("utf-8", errors="replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def _client(exchange: Exchange, form: Form) -> tuple[str, str]:
    """The client's id and secret, from the form or from Basic authorization."""
    scheme, _, packed = exchange.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(packed, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return client_id, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _refuse_client(world: SalesforceWorld, client: tuple[str, str]) -> Response | None:
    if client[0] != world.limits.client_id:
        return _error("invalid_client_id", "client identifier invalid")
    if client[1] != world.limits.client_secret:
        return _error("invalid_client", "invalid client credentials")
    return None


def _client_credentials(world: SalesforceWorld, exchange: Exchange, form: Form) -> Response | None:
    if exchange.headers.get("host", "").partition(":")[0] in LOGIN_HOSTS:
        return _error("invalid_grant", "request not supported on this domain")
    refused = _refuse_client(world, _client(exchange, form))
    if refused is None and not world.limits.has_run_as_user:
        return _error("invalid_grant", "no client credentials user enabled")
    return refused


def _password(world: SalesforceWorld, exchange: Exchange, form: Form) -> Response | None:
    limits = world.limits
    expected = (limits.username, limits.password + limits.security_token)
    if refused := _refuse_client(world, _client(exchange, form)):
        return refused
    if (form.get("username"), form.get("password")) != expected:
        return _error("invalid_grant", "authentication failure")
    return None


def _refresh(world: SalesforceWorld, exchange: Exchange, form: Form) -> Response | None:
    if refused := _refuse_client(world, _client(exchange, form)):
        return refused
    if form.get("refresh_token") != world.limits.refresh_token:
        return _error("invalid_grant", "expired access/refresh token")
    return None


def _jwt_bearer(world: SalesforceWorld, _exchange: Exchange, form: Form) -> Response | None:
    """The assertion's claims are judged; its signature is not, since the sandbox holds no certificate."""
    try:
        head, claims, _signature = form.get("assertion", "").split(".")
        header, body = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, claims))
        expires = float(body["exp"])
    except (ValueError, KeyError, TypeError):
        return _error("invalid_grant", "invalid assertion")
    is_known = body.get("iss") == world.limits.client_id
    for holds, error, description in (
        (header.get("alg") == "RS256", "invalid_grant", "invalid assertion"),
        (is_known, "invalid_client_id", "client identifier invalid"),
        (body.get("sub") == world.limits.username, "invalid_grant", "user hasn't approved this consumer"),
        (str(body.get("aud", "")).startswith("http"), "invalid_grant", "audience is invalid"),
        (expires > world.org.timeline.moment, "invalid_grant", "expired authorization code"),
    ):
        if not holds:
            return _error(error, description)
    return None


_GRANTS: dict[str, Callable[[SalesforceWorld, Exchange, Form], Response | None]] = {
    "client_credentials": _client_credentials,
    "password": _password,
    "refresh_token": _refresh,
    JWT_GRANT: _jwt_bearer,
}


async def token(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`POST /services/oauth2/token`."""
    await read(world, exchange, "token")
    form = _form(exchange)
    grant = _GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        exchange.entry.error_code = "unsupported_grant_type"
        return _error("unsupported_grant_type", "grant type not supported")
    refused = grant(world, exchange, form)
    if refused is not None:
        exchange.entry.error_code = json.loads(bytes(refused.body))["error"]
        return refused
    return reply(_granted(world, exchange, form["grant_type"]))


def _granted(world: SalesforceWorld, exchange: Exchange, grant: str) -> dict[str, Any]:
    """Which members an answer has differs by grant (*OAuth Authorization Flows*)."""
    moment = world.org.timeline.moment
    issued = str(int(moment * 1000))
    token = world.sessions.issue(moment)
    identity = f"https://login.salesforce.com/id/{world.org.id}/{world.org.user_id}"
    signature = base64.b64encode(hashlib.sha256((identity + issued).encode()).digest()).decode()
    answer = {"access_token": token}
    if grant != JWT_GRANT:
        answer["signature"] = signature
    if grant != "password":
        answer["scope"] = SCOPE
    answer |= {"instance_url": world.instance_url(exchange), "id": identity, "token_type": "Bearer"}
    if grant != JWT_GRANT:
        answer["issued_at"] = issued
    return answer


async def revoke(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`POST /services/oauth2/revoke`."""
    await read(world, exchange, "revoke")
    if world.sessions.revoke(_form(exchange).get("token", "")):
        return Response(b"", 200)
    return _error("invalid_token", "invalid token: token not found")


async def introspect(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`POST /services/oauth2/introspect`."""
    await read(world, exchange, "introspect")
    form = _form(exchange)
    if refused := _refuse_client(world, _client(exchange, form)):
        return refused
    token, now = form.get("token", ""), world.org.timeline.moment
    if not world.sessions.is_alive(token, now):
        return reply({"active": False})
    end = min(world.sessions.ends_at(token), now + world.limits.session_seconds)
    return reply(
        {
            "active": True,
            "scope": SCOPE,
            "client_id": world.limits.client_id,
            "username": world.limits.username,
            "sub": f"https://login.salesforce.com/id/{world.org.id}/{world.org.user_id}",
            "token_type": "access_token",
            "exp": int(end),
            "iat": int(end - world.limits.session_seconds),
            "nbf": int(end - world.limits.session_seconds),
        }
    )


async def user_info(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /services/oauth2/userinfo`."""
    await read(world, exchange, "userinfo")
    return reply(
        {
            "sub": f"https://login.salesforce.com/id/{world.org.id}/{world.org.user_id}",
            "user_id": world.org.user_id,
            "organization_id": world.org.id,
            "preferred_username": world.limits.username,
            "name": "Integration",
            "email": world.limits.username,
            "urls": {"rest": world.instance_url(exchange) + "/services/data/v{version}/"},
            "active": True,
        }
    )
