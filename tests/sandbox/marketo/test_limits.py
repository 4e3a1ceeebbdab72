"""Rules of "Marketo Integration Best Practices" and "Error Codes"."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from syncer.sandbox.faults import Action, FaultRule

pytestmark = pytest.mark.anyio
USAGE = "/rest/v1/stats/usage.json"


async def _code(instance: Any, path: str = USAGE) -> str | None:
    answer = await instance.get(path)
    return answer["errors"][0]["code"] if "errors" in answer else None


async def test_the_hundred_and_first_call_in_twenty_seconds_is_606(instance: Any) -> None:
    """The window slides: after 20 seconds calls pass again."""
    assert [await _code(instance) for _ in range(100)] == [None] * 100
    answer = await instance.get(USAGE)
    assert answer["errors"] == [{"code": "606", "message": "Max rate limit '100' exceeded with in '20' secs"}]
    await instance.wait(20)
    assert await _code(instance) is None


async def test_a_call_that_is_slow_to_be_taken_up_counts_from_its_arrival(instance: Any) -> None:
    """What came half a minute ago is in nobody's window, however late it is worked on."""
    instance.sandbox.faults.add(FaultRule(Action.DELAY, seconds=30))
    assert await _code(instance) is None
    assert [await _code(instance) for _ in range(101)] == [None] * 100 + ["606"]


async def test_the_eleventh_call_at_once_is_615(instance: Any) -> None:
    """Ten calls may be under way; the eleventh is refused while they are."""
    codes: list[str | None] = []

    async def call(number: int) -> None:
        answer = await instance.post("/rest/v1/leads.json", {"input": [{"email": f"n{number}@example.com"}]})
        codes.append(answer["errors"][0]["code"] if "errors" in answer else None)

    async with anyio.create_task_group() as calls:
        for number in range(11):
            calls.start_soon(call, number)
    assert sorted(codes, key=str) == ["615", *[None] * 10]


async def test_the_day_ends_with_607_and_begins_anew_at_midnight_central(instance: Any) -> None:
    """The quota is one of the day, which turns at 00:00 US Central."""
    await instance.client.post("/__sandbox__/neighbours", json={"calls": 49_999})
    await instance.wait(20)
    assert [await _code(instance) for _ in range(2)] == [None, "607"]
    await instance.wait(22 * 3600)
    await instance.login()
    assert await _code(instance) is None


async def test_answers_with_an_asterisk_are_not_counted(instance: Any) -> None:
    """601 and 605 use up nothing, and neither does the token call; 610 does."""
    before = instance.world.meter.usage[instance.world.meter.today()].total()
    await instance.client.put("/rest/v1/leads.json", json={})
    await instance.client.get(USAGE, headers={"authorization": "Bearer none"})
    await instance.token()
    meter = instance.world.meter
    assert meter.usage[meter.today()].total() == before
    assert await _code(instance, "/rest/v1/nothing.json") == "610"
    assert meter.usage[meter.today()].total() == before + 1


async def test_neighbours_use_up_the_same_window(instance: Any) -> None:
    """Limits are those of the instance, shared by every integration."""
    await instance.client.post("/__sandbox__/neighbours", json={"calls": 100})
    assert await _code(instance) == "606"
    await instance.client.post("/__sandbox__/neighbours", json={"calls_per_second": 4.5})
    await instance.wait(60)
    assert [await _code(instance) for _ in range(11)] == [None] * 10 + ["606"]


async def test_sizes_are_refused_before_anything_else(instance: Any) -> None:
    """A URI of more than 8 KB is HTTP 414, a JSON body of more than 1 MB is 413."""
    values = ",".join(f"someone{number}@example.com" for number in range(400))
    long = await instance.client.get("/rest/v1/leads.json", params={"filterType": "email", "filterValues": values})
    big = await instance.client.post("/rest/v1/leads.json", json={"input": [{"interests": "x" * 1024 * 1024}]})
    assert (long.status_code, big.status_code) == (414, 413)


async def test_bodies_must_be_json_and_say_so(instance: Any) -> None:
    """Another content type is 612, and what does not parse is 609."""
    odd = await instance.client.post("/rest/v1/leads.json", content=b"{}", headers={"content-type": "text/plain"})
    cut = await instance.client.post(
        "/rest/v1/leads.json", content=b'{"input": [', headers={"content-type": "application/json"}
    )
    assert [answer.json()["errors"][0]["code"] for answer in (odd, cut)] == ["612", "609"]


async def test_long_answers_are_compressed(instance: Any) -> None:
    """From 1024 bytes on an answer is gzip for clients that take it."""
    long, short = [await instance.client.get(path) for path in ("/rest/v1/leads/describe.json", USAGE)]
    assert long.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in short.headers
