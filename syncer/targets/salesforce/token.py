"""Salesforce's sign-in ("OAuth 2.0 Client Credentials Flow"): the request and what its answer means. Pure.

The answer names the host that takes the token; it is believed only where a credential may be sent anyway.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from syncer.facts import System
from syncer.targets.endpoint import origin_of
from syncer.targets.exchange import Problem, Request, Response, Trouble, parse_json
from syncer.targets.sign_in import Token

if TYPE_CHECKING:
    from syncer.targets.endpoint import Endpoint

_OK = 200
_WORDS = re.compile(r"[a-z_]{1,60}")


def token_request(endpoint: Endpoint) -> Request:
    """Return the token request."""
    form = {
        "grant_type": "client_credentials",
        "client_id": endpoint.client_id,
        "client_secret": endpoint.client_secret.reveal(),
    }
    return Request(
        "POST",
        "/services/oauth2/token",
        (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")),
        urlencode(form).encode("ascii"),
        seconds=30.0,
    )


def read_token(response: Response, origin: str, *, sandbox: bool, allowed_hosts: frozenset[str]) -> Token | Problem:
    """Read the answer; raises `PlanRefusedError` when it sends the token to a host that is not allowed.

    There is no `expires_in`: a token ends when the org's session policy says so, and a 401 tells.
    """
    try:
        body = parse_json(response.body)
    except ValueError:
        body = None
    members = body if isinstance(body, dict) else {}
    if response.status // 100 == 4:  # noqa: PLR2004 - the class of the status
        word = str(members.get("error", ""))
        return Problem(Trouble.DENIED, message=word if _WORDS.fullmatch(word) else f"HTTP {response.status}")
    if response.status // 100 == 3:  # noqa: PLR2004 - as above
        return Problem(Trouble.MOVED)
    text, instance = members.get("access_token"), members.get("instance_url")
    if response.status != _OK or not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
        return Problem(Trouble.BROKEN, message="the answer holds no token")
    if instance is None:
        return Problem(Trouble.BROKEN, message="the answer names no host")
    host = origin
    if str(instance).rstrip("/").lower() != origin:
        host = origin_of(str(instance), System.SALESFORCE, sandbox=sandbox, allowed_hosts=allowed_hosts)
    return Token(text, host, user=str(members.get("id", "")).rpartition("/")[2])
