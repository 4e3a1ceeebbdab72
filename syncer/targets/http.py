"""Carries one request to one origin and says exactly what is known afterwards: not sent, answer lost, or answered.

One pool of connections per connection of the manifest, or any httpx transport. It never follows a redirect, keeps no
cookie, never reads the environment, never retries, and gives every request one hard deadline for connecting, sending
and reading together.
"""

from __future__ import annotations

import logging
import os
import ssl
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import anyio
import httpx

from syncer import __version__
from syncer.targets.exchange import AnswerLostError, NotSentError, Request, Response, Upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from syncer.clock import Clock

PIECE_BYTES = 1 << 20
MAX_ANSWER_BYTES = 64 << 20
MAX_ERROR_BYTES = 1 << 20

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


for _name in ("httpx", "httpcore"):
    # They log whole addresses, and a query to Salesforce, which must be a GET ("Query"), holds keys of people.
    logging.getLogger(_name).setLevel(logging.WARNING)


class Http:
    """The client of one connection. Many tasks may use it at once; the gate decides how many do."""

    def __init__(self, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Without a transport, a pool of verified TLS connections is used."""
        self._clock = clock
        self._transport = transport or httpx.AsyncHTTPTransport(
            verify=_trust(),
            trust_env=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64, keepalive_expiry=30.0),
        )

    async def send(
        self,
        origin: str,
        request: Request,
        headers: tuple[tuple[str, str], ...] = (),
        on_sent: Callable[[], None] | None = None,
    ) -> Response:
        """Send and read the whole answer; raises `NotSentError` or `AnswerLostError`.

        `on_sent` is called when the last byte left.
        """
        async with self._exchange(origin, request, headers, on_sent) as (answer, body):
            return Response(
                answer.status_code, _lower(answer), await _read(answer, MAX_ANSWER_BYTES, body), body.finished_at
            )

    async def download(
        self,
        origin: str,
        request: Request,
        headers: tuple[tuple[str, str], ...],
        path: Path,
        max_bytes: int,
    ) -> Response:
        """Stream a good answer's body into `path` (mode 0600, whole or absent); any other answer is returned whole."""
        async with self._exchange(origin, request, headers, None) as (answer, body):
            if not answer.is_success:
                held = await _read(answer, MAX_ERROR_BYTES, body)
                return Response(answer.status_code, _lower(answer), held, body.finished_at)
            part = path.with_name(f"{path.name}.part")
            read = 0
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: ASYNC230, PTH123 - see _Body
                async for piece in answer.aiter_bytes():
                    read += len(piece)
                    if read > max_bytes:
                        raise _too_long(body)
                    file.write(piece)
            part.replace(path)
            return Response(answer.status_code, _lower(answer), b"", body.finished_at)

    async def close(self) -> None:
        """Close the pool."""
        await self._transport.aclose()

    @asynccontextmanager
    async def _exchange(
        self,
        origin: str,
        request: Request,
        headers: tuple[tuple[str, str], ...],
        on_sent: Callable[[], None] | None,
    ) -> AsyncIterator[tuple[httpx.Response, _Body]]:
        body = _Body(request.body, self._clock, on_sent)
        with anyio.move_on_after(request.seconds) as deadline:
            try:
                raw = _raw(origin, request, headers, body)
                answer = await self._transport.handle_async_request(raw)
                try:
                    yield answer, body
                finally:
                    await answer.aclose()
            except _NOT_SENT as error:
                raise NotSentError(type(error).__name__) from error
            except (httpx.HTTPError, httpx.StreamError, OSError) as error:
                raise self._classified(type(error).__name__, request, body) from error
        if deadline.cancelled_caught:
            reason = f"no whole answer within {request.seconds:.0f} seconds"
            raise self._classified(reason, request, body)

    def _classified(self, reason: str, request: Request, body: _Body) -> NotSentError | AnswerLostError:
        """A body that was not begun was not executed. Without a body the headers are all, and may have arrived."""
        if request.length and not body.is_begun:
            return NotSentError(reason)
        return AnswerLostError(reason, body.finished_at or self._clock.monotonic())


class _Body(httpx.AsyncByteStream):
    """The request's bytes, with a note of how far they got.

    Files are read and written in this thread: a piece comes from the page cache faster than a hop to another thread.
    """

    def __init__(self, body: bytes | Upload, clock: Clock, on_sent: Callable[[], None] | None) -> None:
        self._body = body
        self._clock = clock
        self._on_sent = on_sent
        self.is_begun = False
        self.finished_at = 0.0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_begun = True
        if isinstance(self._body, Upload):
            if self._body.before:
                yield self._body.before
            with open(self._body.path, "rb") as file:  # noqa: ASYNC230, PTH123 - see above
                while piece := file.read(PIECE_BYTES):
                    yield piece
            if self._body.after:
                yield self._body.after
        elif self._body:
            yield self._body
        self.finished_at = self._clock.monotonic()
        if self._on_sent is not None:
            self._on_sent()


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Return the certificates that all connections trust: reading them takes 30 ms of a core."""
    return httpx.create_ssl_context(trust_env=False)


_url = lru_cache(maxsize=64)(httpx.URL)
"""Most calls of a run go to a handful of addresses, and parsing one costs as much as sending to it."""


def _raw(origin: str, request: Request, headers: tuple[tuple[str, str], ...], body: _Body) -> httpx.Request:
    url = _url(f"{origin}{request.target}")
    fixed = [
        ("Host", url.netloc.decode("ascii")),
        ("User-Agent", f"syncer/{__version__}"),
        ("Accept-Encoding", "gzip"),
        *headers,
        *request.headers,
    ]
    if request.length or request.method != "GET":
        fixed.append(("Content-Length", str(request.length)))
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), request.seconds)
    return httpx.Request(request.method, url, headers=fixed, stream=body, extensions={"timeout": timeout})


async def _read(answer: httpx.Response, max_bytes: int, body: _Body) -> bytes:
    held = bytearray()
    async for piece in answer.aiter_bytes():
        held += piece
        if len(held) > max_bytes:
            raise _too_long(body)
    return bytes(held)


def _too_long(body: _Body) -> AnswerLostError:
    return AnswerLostError("the answer is longer than allowed", body.finished_at)


def _lower(answer: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}
