"""What is known after a request: not sent, answer lost, or answered. The transport is a function."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
import httpx
import pytest

from syncer.targets.exchange import AnswerLostError, NotSentError, Request, Upload
from syncer.targets.http import PIECE_BYTES, Http
from tests.fakes.clock import LoopClock, backend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio
ORIGIN = "https://123-abc-456.mktorest.com"
WRITE = Request("POST", "/rest/v1/leads.json", (("Content-Type", "application/json"),), b'{"a":1}', is_write=True)


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    """Trio on a clock that jumps over every wait."""
    return backend("trio")


class Wire(httpx.AsyncBaseTransport):
    """A transport made of one function."""

    def __init__(self, answer: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> None:
        """Answer every request so."""
        self.answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand the request over."""
        return await self.answer(request)


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces, and perhaps not to its end."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        """Give the pieces, then raise."""
        self.pieces, self.error = pieces, error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces."""
        for piece in self.pieces:
            yield piece
        if self.error is not None:
            raise self.error


def _http(answer: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> Http:
    return Http(LoopClock(), Wire(answer))


async def test_the_exact_request_leaves() -> None:
    """Method, address, headers and body are those of the value; nothing is added but what HTTP needs."""
    seen: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        await request.aread()
        seen.append(request)
        return httpx.Response(200, headers={"X-Any": "1", "Set-Cookie": "BIGip=1"}, content=b"{}")

    http = _http(answer)
    for _ in range(2):
        response = await http.send(ORIGIN, WRITE, (("Authorization", "Bearer t"),))
    assert (response.status, response.body, response.headers["x-any"]) == (200, b"{}", "1")
    assert str(seen[1].url) == f"{ORIGIN}/rest/v1/leads.json"
    assert seen[1].content == b'{"a":1}'
    names = sorted(name.lower() for name in seen[1].headers)
    assert names == ["accept-encoding", "authorization", "content-length", "content-type", "host", "user-agent"]


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
async def test_without_a_connection_nothing_was_sent(error: type[Exception]) -> None:
    """Refused, unresolved, TLS failed or no connection free."""

    async def answer(_: httpx.Request) -> httpx.Response:
        raise error("no")

    with pytest.raises(NotSentError, match=error.__name__):
        await _http(answer).send(ORIGIN, WRITE)


async def test_before_the_first_byte_of_the_body_nothing_was_sent() -> None:
    """A connection that breaks while the headers leave has executed nothing that needs the body."""

    async def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.WriteError("reset")

    with pytest.raises(NotSentError):
        await _http(answer).send(ORIGIN, WRITE)


@pytest.mark.parametrize("error", [httpx.WriteError, httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError])
async def test_after_the_first_byte_the_answer_is_lost(error: type[Exception]) -> None:
    """From then on nobody knows."""

    async def answer(request: httpx.Request) -> httpx.Response:
        await anyio.sleep(3)
        await request.aread()
        raise error("reset")

    with pytest.raises(AnswerLostError) as caught:
        await _http(answer).send(ORIGIN, WRITE)
    assert caught.value.sent_at == 3.0


async def test_a_write_without_a_body_is_lost_with_its_headers() -> None:
    """A DELETE whose ids stand in the address is whole when its headers are."""

    async def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset")

    with pytest.raises(AnswerLostError):
        await _http(answer).send(ORIGIN, Request("DELETE", "/a?ids=1", is_write=True))


@pytest.mark.parametrize("is_read", [True, False])
async def test_one_deadline_covers_everything(is_read: bool) -> None:  # noqa: FBT001 - two cases
    """However the time is spent, it ends; what was sent by then decides."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if is_read:
            await request.aread()
        await anyio.sleep(1_000)
        return httpx.Response(200)

    with pytest.raises(AnswerLostError if is_read else NotSentError):
        await _http(answer).send(ORIGIN, WRITE)
    assert anyio.current_time() == WRITE.seconds


async def test_an_answer_cut_in_the_middle_is_lost() -> None:
    """Half an answer is none."""

    async def answer(request: httpx.Request) -> httpx.Response:
        await request.aread()
        return httpx.Response(200, stream=Pieces(b'{"suc', error=httpx.RemoteProtocolError("cut")))

    with pytest.raises(AnswerLostError):
        await _http(answer).send(ORIGIN, WRITE)


@pytest.mark.parametrize("anyio_backend", [backend("asyncio")], ids=["asyncio"])
async def test_rubbish_under_gzip_is_lost() -> None:
    """A body that does not unpack is no answer."""

    async def answer(request: httpx.Request) -> httpx.Response:
        await request.aread()
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Pieces(b"rubbish"))

    with pytest.raises(AnswerLostError):
        await _http(answer).send(ORIGIN, WRITE)


@pytest.mark.parametrize("anyio_backend", [backend("asyncio")], ids=["asyncio"])
async def test_a_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpacked bytes count, and there is an end to them."""
    monkeypatch.setattr("syncer.targets.http.MAX_ANSWER_BYTES", 1 << 20)
    bomb = gzip.compress(bytes((1 << 20) + 1))

    async def answer(request: httpx.Request) -> httpx.Response:
        await request.aread()
        pieces = [bomb[start : start + 4_096] for start in range(0, len(bomb), 4_096)]
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Pieces(*pieces))

    with pytest.raises(AnswerLostError, match="longer than allowed"):
        await _http(answer).send(ORIGIN, WRITE)


async def test_redirects_are_not_followed() -> None:
    """A redirect is an answer like any other."""
    seen = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(307, headers={"Location": "https://evil.example/"})

    assert (await _http(answer).send(ORIGIN, Request("GET", "/a"))).status == 307
    assert len(seen) == 1


async def test_a_file_is_streamed_between_its_frames(tmp_path: Path) -> None:
    """Pieces of 1 MiB, never the whole file; the length is told before."""
    content = bytes(range(256)) * 4_096 * 3
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    pieces: list[bytes] = []
    length = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal length
        length = int(request.headers["content-length"])
        assert isinstance(request.stream, httpx.AsyncByteStream)
        pieces.extend([piece async for piece in request.stream])
        return httpx.Response(200)

    sent: list[bool] = []
    request = Request("PUT", "/a", body=Upload(file, len(content), b"<", b">"), is_write=True)
    await _http(answer).send(ORIGIN, request, (), lambda: sent.append(True))
    assert b"".join(pieces) == b"<" + content + b">"
    assert length == len(content) + 2
    assert max(map(len, pieces)) == PIECE_BYTES
    assert sent == [True]


@pytest.mark.parametrize("anyio_backend", [backend("asyncio")], ids=["asyncio"])
async def test_a_download_is_whole_or_absent(tmp_path: Path) -> None:
    """A result file appears under its name only when all of it came, and only its owner may read it."""
    path = tmp_path / "result.csv"

    async def good(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Pieces(b"a,b\n", b"1,2\n"))

    async def cut(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Pieces(b"a,b\n", error=httpx.ReadError("cut")))

    async def bad(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404, content=b"no")

    ask = Request("GET", "/a")
    with pytest.raises(AnswerLostError):
        await _http(cut).download(ORIGIN, ask, (), path, 100)
    assert (await _http(bad).download(ORIGIN, ask, (), path, 100)).body == b"no"
    with pytest.raises(AnswerLostError, match="longer"):
        await _http(good).download(ORIGIN, ask, (), path, 5)
    assert not path.exists()
    assert (await _http(good).download(ORIGIN, ask, (), path, 100)).status == 200
    assert path.read_text() == "a,b\n1,2\n"
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and netrc of the machine do not apply."""
    monkeypatch.setenv("HTTPS_PROXY", "http://evil.example:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/evil.pem")
    http = Http(LoopClock())
    transport = http._transport
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    assert isinstance(transport._pool, httpcore.AsyncConnectionPool)  # A proxy's pool would be another class.
    assert not isinstance(transport._pool, httpcore.AsyncHTTPProxy)
    await http.close()


async def test_no_cookie_is_kept() -> None:
    """What a vendor's edge sets is not sent back: every request stands for itself."""
    seen: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, headers={"Set-Cookie": "edge=1; Path=/"}, content=b"{}")

    http = _http(answer)
    await http.send(ORIGIN, WRITE)
    await http.send(ORIGIN, WRITE)
    assert [request.headers.get("cookie") for request in seen] == [None, None]


def test_a_request_shows_no_body() -> None:
    """Credentials and people's data travel in bodies, so a repr leaves them out."""
    assert "hunter2" not in repr(Request("POST", "/token", body=b"client_secret=hunter2"))
