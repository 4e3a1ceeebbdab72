"""One token for all, and a token endpoint that is left in peace."""

from __future__ import annotations

from math import inf
from typing import Any

import anyio
import pytest

from syncer.targets.sign_in import SignIn, Token
from tests.fakes.clock import LoopClock, backend

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    """Trio on a clock that jumps over every wait."""
    return backend("trio")


class Vendor:
    """Gives tokens 1, 2, 3 … and notes when."""

    def __init__(self, life: float = inf) -> None:
        """Promise `life` seconds."""
        self.life = life
        self.asked: list[float] = []
        self.fails = 0

    async def fetch(self) -> Token:
        """Give the next token."""
        self.asked.append(anyio.current_time())
        await anyio.sleep(1)
        if self.fails:
            self.fails -= 1
            raise ConnectionError
        return Token(str(len(self.asked)), "https://a", self.life)


async def test_many_tasks_ask_once() -> None:
    """Single flight: whoever comes while the first one asks gets the same token."""
    vendor = Vendor()
    sign_in = SignIn(vendor.fetch, LoopClock())
    seen: list[str] = []

    async def one() -> None:
        seen.append((await sign_in.token()).text)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(one)
    assert seen == ["1"] * 20
    assert len(vendor.asked) == 1


async def test_twenty_refusals_cost_one_renewal() -> None:
    """All of them hold the refused token; the first renews, the others get what it fetched."""
    vendor = Vendor()
    sign_in = SignIn(vendor.fetch, LoopClock())
    old = await sign_in.token()
    seen: list[str] = []

    async def one() -> None:
        seen.append((await sign_in.renew(old)).text)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(one)
    assert seen == ["2"] * 20
    assert len(vendor.asked) == 2


@pytest.mark.parametrize("life", [0.0, 1.0, 30.0])
async def test_nonsense_about_its_life_costs_at_most_a_call_a_minute(life: float) -> None:
    """A token is used until the vendor refuses it or a minute is over."""
    vendor = Vendor(life)
    sign_in = SignIn(vendor.fetch, LoopClock())
    for _ in range(600):
        await sign_in.token()
        await anyio.sleep(1)
    assert all(later - first >= 60.0 for first, later in zip(vendor.asked, vendor.asked[1:], strict=False))


async def test_refusals_cost_at_most_a_call_a_minute() -> None:
    """A renewal right after a sign-in waits for its minute."""
    vendor = Vendor()
    sign_in = SignIn(vendor.fetch, LoopClock())
    token = await sign_in.token()
    await sign_in.renew(token)
    assert vendor.asked == [0.0, 60.0]


@pytest.mark.parametrize("seconds", [7.0, 60.0])
async def test_a_sign_in_that_was_tried_again_is_left_alone_for_a_minute_more(seconds: float) -> None:
    """What the fetch did last counts, not when it was first asked to."""
    vendor = Vendor(29.0)

    async def fetch() -> Token:
        await anyio.sleep(seconds)
        sign_in.asks()
        return await vendor.fetch()

    sign_in = SignIn(fetch, LoopClock())
    await sign_in.token()
    await anyio.sleep(54)
    await sign_in.token()
    assert vendor.asked == [seconds]
    await anyio.sleep(6)
    await sign_in.token()
    assert len(vendor.asked) == 2


async def test_a_promise_is_kept_in_mind() -> None:
    """A token whose hour is over is renewed without asking for a refusal first."""
    vendor = Vendor(3_600.0)
    sign_in = SignIn(vendor.fetch, LoopClock())
    assert (await sign_in.token()).text == "1"
    await anyio.sleep(3_601)
    assert (await sign_in.token()).text == "2"


async def test_a_wall_clock_that_is_set_back_keeps_no_token_alive() -> None:
    """The life of a token is counted on the clock that nobody can set."""
    vendor, clock = Vendor(3_600.0), LoopClock()
    sign_in = SignIn(vendor.fetch, clock)
    await sign_in.token()
    clock.start -= 7_200.0
    await anyio.sleep(3_601)
    assert (await sign_in.token()).text == "2"


async def test_a_failed_sign_in_is_not_kept() -> None:
    """The next task asks again."""
    vendor = Vendor()
    vendor.fails = 1
    sign_in = SignIn(vendor.fetch, LoopClock())
    with pytest.raises(ConnectionError):
        await sign_in.token()
    assert (await sign_in.token()).text == "2"


def test_a_token_does_not_show_itself() -> None:
    """Its repr holds the host and the life."""
    assert "s3cret" not in repr(Token("s3cret", "https://a"))
