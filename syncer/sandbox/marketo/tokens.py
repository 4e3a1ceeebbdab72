"""The identity service: one token for each custom service, given again with its remaining life until it dies.

Rules: Adobe, "Authentication". The call is counted by no quota.
"""

from __future__ import annotations

import math
import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response

from syncer.sandbox.clock import Clock
from syncer.sandbox.traffic import fingerprint

if TYPE_CHECKING:
    from syncer.sandbox.exchange import Exchange
    from syncer.sandbox.marketo.world import MarketoWorld

PATH = "/identity/oauth/token"
HEADERS = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "X-XSS-Protection": "1; mode=block",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(slots=True)
class _Token:
    text: str
    user: str
    issued_at: float


@dataclass(slots=True)
class Tokens:
    """Custom services (client id, secret, user) and the tokens they hold."""

    clock: Clock
    lifetime_seconds: float
    services: dict[str, tuple[str, str]]
    chance: random.Random
    _current: dict[str, _Token] = field(default_factory=dict)
    _known: dict[str, _Token] = field(default_factory=dict)

    def issue(self, client_id: str) -> tuple[str, int, str]:
        """The service's token, the whole seconds it has left, and its user; a new one only when the old is gone."""
        now = self.clock.now()
        token = self._current.get(client_id)
        if token is None or now >= token.issued_at + self.lifetime_seconds:
            text = f"{uuid.UUID(int=self.chance.getrandbits(128), version=4)}:int"
            token = _Token(text, self.services[client_id][1], now)
            self._current[client_id] = self._known[text] = token
        left = token.issued_at + self.lifetime_seconds - now
        return token.text, max(0, math.ceil(left) - 1), token.user

    def refusal(self, text: str) -> tuple[str, str] | None:
        """Code and words for a token that is not good: 602 once when it has expired, then 601."""
        token = self._known.get(text)
        if token is None:
            return "601", "Access token invalid"
        if self.clock.now() >= token.issued_at + self.lifetime_seconds:
            del self._known[text]
            return "602", "Access token expired"
        return None

    def user_of(self, text: str) -> str:
        """The API user behind a good token."""
        return self._known[text].user

    def forget(self) -> None:
        """No token is known any more."""
        self._current.clear()
        self._known.clear()


def _refused(error: str, description: str, status: int = 401) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status, HEADERS)


async def token_endpoint(world: MarketoWorld, exchange: Exchange) -> Response:
    """GET or POST; parameters in the query, or in the form of a POST as some clients do."""
    exchange.entry.operation = "token"
    given: dict[str, Any] = dict(exchange.query.items())
    if exchange.method == "POST":
        given |= dict(parse_qsl(exchange.body.decode("utf-8", "replace")))
    elif exchange.method != "GET":
        return _refused("method_not_allowed", f"Request method '{exchange.method}' not supported", 405)
    if given.get("grant_type") != "client_credentials":
        return _refused("unsupported_grant_type", f"Unsupported grant type: {given.get('grant_type')}", 400)
    client_id, secret = given.get("client_id", ""), given.get("client_secret", "")
    service = world.tokens.services.get(client_id)
    if service is None:
        return _refused("unauthorized", f"No client with requested id: {client_id}")
    if service[0] != secret:
        return _refused("invalid_client", "Bad client credentials")
    text, expires_in, user = world.tokens.issue(client_id)
    exchange.entry.token = fingerprint(text)
    answer = {"access_token": text, "token_type": "bearer", "expires_in": expires_in, "scope": user}
    return JSONResponse(answer, headers=HEADERS, media_type="application/json;charset=UTF-8")
