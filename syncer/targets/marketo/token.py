"""Marketo's sign-in ("Authentication"): the request that carries the credentials, and what its answer means. Pure.

Credentials go in a form body, never in an address, where proxies and logs would keep them.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from syncer.targets.exchange import Problem, Request, Response, Trouble, parse_json
from syncer.targets.sign_in import Token

if TYPE_CHECKING:
    from syncer.targets.endpoint import Endpoint

_OK = 200
_WORDS = frozenset({"invalid_client", "unauthorized", "invalid_request", "unsupported_grant_type", "invalid_grant"})


def token_request(endpoint: Endpoint) -> Request:
    """Return the token request. Not a write: asking again gives the same token with its remaining life."""
    form = {
        "grant_type": "client_credentials",
        "client_id": endpoint.client_id,
        "client_secret": endpoint.client_secret.reveal(),
    }
    return Request(
        "POST",
        "/identity/oauth/token",
        (("Content-Type", "application/x-www-form-urlencoded"),),
        urlencode(form).encode("ascii"),
        seconds=30.0,
    )


def read_token(response: Response, origin: str) -> Token | Problem:
    """Read the answer: no envelope, and `expires_in` is what is left of the token's life, or any nonsense."""
    try:
        body = parse_json(response.body)
    except ValueError:
        body = None
    members = body if isinstance(body, dict) else {}
    if response.status // 100 == 4:  # noqa: PLR2004 - the class of the status
        word = members.get("error")
        return Problem(Trouble.DENIED, message=word if word in _WORDS else f"HTTP {response.status}")
    if response.status // 100 == 3:  # noqa: PLR2004 - as above
        return Problem(Trouble.MOVED)
    text = members.get("access_token")
    if response.status != _OK or not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text:
        return Problem(Trouble.BROKEN, message="the answer holds no token")
    return Token(text, origin, life_seconds(members.get("expires_in")), str(members.get("scope", "")))


def life_seconds(value: object) -> float:
    """Return the promised life; whatever is no number is taken for the usual hour."""
    try:
        seconds = float(str(value))
    except ValueError:
        return 3_600.0
    return min(max(seconds, 0.0), 3_600.0) if isfinite(seconds) else 3_600.0
