"""Rules of "Authentication"."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_the_same_token_comes_again_with_its_remaining_life(instance: Any) -> None:
    """Asking again before expiry gives the same token with a smaller `expires_in`."""
    first = await instance.token()
    await instance.wait(600)
    second = await instance.token()
    assert (first["access_token"], first["expires_in"]) == (second["access_token"], 3599)
    assert second["expires_in"] == 2999


async def test_a_token_may_have_no_second_left(instance: Any) -> None:
    """Near its end a token is still given out, with `expires_in` 0."""
    first = await instance.token()
    await instance.wait(3599.5)
    second = await instance.token()
    assert (second["access_token"], second["expires_in"]) == (first["access_token"], 0)


async def test_an_expired_token_is_602_once_and_then_601(instance: Any) -> None:
    """The server forgets an expired token after it has said so."""
    await instance.wait(3600)
    codes = [(await instance.get("/rest/v1/leads/describe.json"))["errors"][0]["code"] for _ in range(2)]
    assert codes == ["602", "601"]


async def test_a_call_without_a_token_is_access_denied(instance: Any) -> None:
    """No token is 603, and a token in the query counts as none."""
    token = instance.client.headers.pop("authorization").split()[1]
    assert (await instance.get("/rest/v1/leads/describe.json"))["errors"][0]["code"] == "603"
    answer = await instance.get("/rest/v1/leads/describe.json", access_token=token)
    assert answer["errors"][0] == {"code": "603", "message": "Access denied"}


async def test_wrong_credentials_are_http_401(instance: Any) -> None:
    """The identity service answers in its own form, outside the envelope."""
    given = {"grant_type": "client_credentials", **instance.world.credentials(), "client_secret": "wrong"}
    answer = await instance.client.get("/identity/oauth/token", params=given)
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client", "error_description": "Bad client credentials"}
