"""The way to the sandbox, on which one request goes wrong: what the client sees and what the vendor does differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import httpx

from tests.doubts.cells import AT_ONCE, IN_PART, NEVER, UNSENT, Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import TaskGroup

    from tests.doubts.cells import Cell

_PAGE = b"<html><body>502 Bad Gateway</body></html>"


@dataclass
class Send:
    """One mutating call as it left the client."""

    at: float
    method: str
    path: str


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """Spoils the first request that the cell speaks of; lets all others through."""

    inner: httpx.AsyncBaseTransport
    tasks: TaskGroup
    cell: Cell
    arm: Callable[[], None]
    """Called right before the spoilt request reaches the vendor."""
    sends: list[Send] = field(default_factory=list)
    spoilt_at: float | None = None
    took_effect_at: float | None = None
    is_mended: bool = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, or spoil it."""
        operation, path = self.cell.operation, request.url.path
        is_write = request.method != "GET" and b"_method=GET" not in request.url.query and "oauth" not in path
        is_mine = is_write and request.method == operation.method and self._is_mine(path)
        if is_write:
            self.sends.append(Send(anyio.current_time(), request.method, path))
        if self.spoilt_at is not None or not is_mine:
            return await self.inner.handle_async_request(request)
        self.spoilt_at = anyio.current_time()
        return await self._spoil(request)

    def _is_mine(self, path: str) -> bool:
        part = self.cell.operation.part
        if part == "/leads.json":
            return "/lists/" in path
        if self.cell.operation.method == "PATCH":
            return part in path
        return path.endswith(part)

    async def _spoil(self, request: httpx.Request) -> httpx.Response:
        place, effect = self.cell.place, self.cell.effect
        if place in UNSENT:
            raise _cut(place, request)
        if place is Place.HALF_BODY:
            body = b"".join([piece async for piece in _stream(request)])
            self._take_effect(request, body)
            raise httpx.WriteError("cut", request=request)
        body = b"".join([piece async for piece in _stream(request)])
        answer = (502, _PAGE)
        if effect.name in {AT_ONCE, IN_PART}:
            answer = await self._forward(request, body)
        else:
            self._take_effect(request, body)
        if place is Place.TOO_LATE:
            await anyio.sleep_forever()
        if place is Place.NO_ANSWER:
            raise httpx.ReadError("cut", request=request)
        return httpx.Response(answer[0], stream=_Answer(place, answer[1]), request=request)

    def _take_effect(self, request: httpx.Request, body: bytes) -> None:
        if self.cell.effect.name != NEVER:
            self.tasks.start_soon(self._later, request, body)

    async def _later(self, request: httpx.Request, body: bytes) -> None:
        await anyio.sleep(self.cell.effect.seconds)
        await self._forward(request, body)

    async def _forward(self, request: httpx.Request, body: bytes) -> tuple[int, bytes]:
        whole = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        self.arm()
        answer = await self.inner.handle_async_request(whole)
        self.took_effect_at = anyio.current_time()
        return answer.status_code, await answer.aread()


async def _stream(request: httpx.Request) -> AsyncIterator[bytes]:
    assert isinstance(request.stream, httpx.AsyncByteStream)
    async for piece in request.stream:
        yield piece


def _cut(place: Place, request: httpx.Request) -> httpx.HTTPError:
    if place in {Place.NOTHING_SENT, Place.HEADERS_SENT}:
        return httpx.WriteError(place, request=request)
    return (httpx.ConnectTimeout if place is Place.BEFORE_CONNECT else httpx.ConnectError)(place, request=request)


class _Answer(httpx.AsyncByteStream):
    """An answer that ends before it should, or whose connection does."""

    def __init__(self, place: Place, body: bytes) -> None:
        self.place, self.body = place, body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.place is Place.HALF_ANSWER:
            yield self.body[: len(self.body) // 2]
        if self.place is not Place.RESET_ON_CLOSE:
            raise httpx.RemoteProtocolError("cut")
        yield self.body

    async def aclose(self) -> None:
        if self.place is Place.RESET_ON_CLOSE:
            raise httpx.ReadError("reset")
