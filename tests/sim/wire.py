"""The way between one process and the sandbox: an httpx transport without a socket, and what may happen to calls on it.

It knows the sandbox's endpoints by their paths. Each request runs in a task of the sandbox, so that what a client gives
up goes on without it. Trouble is of the client's side: nothing leaves, half leaves, the answer comes spoilt or not.
"""

# ruff: noqa: BLE001 - a fault of the sandbox belongs to whoever called it

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import httpx
import trio
from starlette.routing import compile_path

from syncer.sandbox.exchange import DROP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from syncer.sandbox.app import Sandbox
    from syncer.sandbox.exchange import Endpoint
    from tests.sim.life import Life

HOST = b"127.0.0.1:8080"
ORIGIN = f"http://{HOST.decode()}"


@dataclass(frozen=True, slots=True)
class Snag:
    """One trouble on the way: `kind` befalls `count` calls from the `nth` on whose method and path match `place`."""

    kind: str
    place: str
    nth: int = 1
    count: int = 1
    seconds: float = 0.0


UNSENT = ("refused", "tls", "no connection free", "reset before the body")
LOST = ("half the body", "reset after the answer", "dripping answer")
SPOILT = (
    "a result less",
    "a result more",
    "an unknown word",
    "no request id",
    "refused without errors",
    "success twice",
    "a mark before it",
    "not a number",
    "a gzip that is none",
)
"""What `mangle` does to an answer whose effect has been made."""


@dataclass(slots=True)
class Sent:
    """A call as the process saw it, and when it reached the vendor by the vendor's own clock."""

    life: int
    method: str
    target: str
    began: float
    ended: float | None = None
    arrived_at: float | None = None
    status: int | None = None


@dataclass(slots=True)
class _Armed:
    snag: Snag
    place: re.Pattern[str]
    seen: int = 0


@dataclass(slots=True)
class Cable:
    """What all processes of a scene share: the sandbox's doors, the room its tasks run in, the snags, the log."""

    sandbox: Sandbox
    room: trio.Nursery
    snags: list[_Armed] = field(default_factory=list)
    log: list[Sent] = field(default_factory=list)
    templates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Know the doors by their signs."""
        self.templates = _signs(tuple(path for path, _ in self.sandbox.endpoints))

    def lay(self, snags: Sequence[Snag]) -> None:
        """Let these happen."""
        self.snags = [_Armed(each, re.compile(each.place)) for each in snags]

    def snag(self, call: str) -> Snag | None:
        """Return what befalls this call, and count it."""
        found = None
        for armed in self.snags:
            if armed.place.search(call):
                armed.seen += 1
                if found is None and 0 <= armed.seen - armed.snag.nth < armed.snag.count:
                    found = armed.snag
        return found

    def door(self, path: str) -> tuple[Endpoint, dict[str, Any]]:
        """Return what answers a path, and the variable parts of it."""
        at, parts = _door(self.templates, path)
        return self.sandbox.endpoints[at][1], dict(parts)


class _Signs(tuple[str, ...]):
    """Paths that are told from others by being the same object: hashing them for each call would cost more than it."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


@cache
def _signs(paths: tuple[str, ...]) -> _Signs:
    return _Signs(paths)


@lru_cache(maxsize=20_000)
def _door(templates: tuple[str, ...], path: str) -> tuple[int, dict[str, Any]]:
    for at, (pattern, convertors) in enumerate(_patterns(templates)):
        match = pattern.match(path)
        if match is not None:
            return at, {name: convertors[name].convert(text) for name, text in match.groupdict().items()}
    message = f"no endpoint is at {path}"
    raise LookupError(message)


@cache
def _patterns(templates: tuple[str, ...]) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [compile_path(path)[::2] for path in templates]  # type: ignore[misc]


class _Call:
    """What a connection would hold of one request and its answer."""

    __slots__ = ("body", "changed", "complete", "dropped", "error", "headers", "is_read", "parts", "status")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.changed = trio.Event()
        self.is_read = self.complete = self.dropped = False
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.parts: list[bytes] = []
        self.error: Exception | None = None

    def drop(self) -> None:
        self.dropped = True
        self.changed.set()

    async def receive(self) -> dict[str, Any]:
        if self.is_read:
            await self.changed.wait()
            return {"type": "http.disconnect"}
        self.is_read = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Any) -> None:
        if self.dropped:
            return
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
            return
        self.parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            self.complete = True
            self.changed.set()


class Wire(httpx.AsyncBaseTransport):
    """One process's end of the cable. Its life is told before and after each call, and may end there or stand still."""

    def __init__(self, cable: Cable, life: Life) -> None:
        """Begin."""
        self._cable = cable
        self._life = life

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one call; raises as a socket would."""
        target = request.url.raw_path.decode("ascii")
        call = f"{request.method} {target}"
        await self._life.thaw()
        self._life.moment(call)
        sent = Sent(self._life.number, request.method, target, trio.current_time())
        self._cable.log.append(sent)
        try:
            response = await self._carry(request, call, sent)
        finally:
            sent.ended = trio.current_time()
        await self._life.thaw()
        self._life.moment(call)
        return response

    async def _carry(self, request: httpx.Request, call: str, sent: Sent) -> httpx.Response:
        snag = self._cable.snag(call)
        kind = snag.kind if snag else ""
        if kind in UNSENT:
            await trio.lowlevel.checkpoint()
            raise _UNSENT[kind](kind)
        body = b""
        async for piece in request.stream:  # type: ignore[union-attr]
            body += piece
            if kind == "half the body":
                await trio.lowlevel.checkpoint()
                raise httpx.WriteError(kind)
        talk = _Call(body)
        sent.arrived_at = self._cable.sandbox.clock.now()
        self._cable.room.start_soon(self._serve, self._scope(request, talk), talk)
        patience = request.extensions["timeout"]["read"]
        with trio.move_on_after(patience) as scope:
            await talk.changed.wait()
        sent.status = talk.status
        if scope.cancelled_caught:
            raise httpx.ReadTimeout(call)
        if talk.error is not None:
            raise talk.error
        if talk.dropped:
            if talk.status is None:
                raise httpx.ReadError("cut")
            raise httpx.RemoteProtocolError(call)
        return self._answer(talk, snag)

    @staticmethod
    def _answer(talk: _Call, snag: Snag | None) -> httpx.Response:
        content, headers = b"".join(talk.parts), talk.headers
        stream: httpx.AsyncByteStream = httpx.ByteStream(content)
        if snag is not None and snag.kind == "reset after the answer":
            stream = _Pieces([content], reset=True)
        elif snag is not None and snag.kind == "dripping answer":
            stream = _Pieces([content[:1], content[1:]], seconds=snag.seconds)
        elif snag is not None:
            plain = httpx.Response(200, headers=headers, content=content).content
            headers = [pair for pair in headers if pair[0].lower() not in {b"content-encoding", b"content-length"}]
            if snag.kind == "a gzip that is none":
                headers.append((b"content-encoding", b"gzip"))
            stream = httpx.ByteStream(mangle(snag.kind, plain))
        assert talk.status is not None
        return httpx.Response(talk.status, headers=headers, stream=stream)

    async def _serve(self, scope: dict[str, Any], talk: _Call) -> None:
        try:
            endpoint, parts = self._cable.door(scope["path"])
            scope["path_params"] = parts
            await endpoint(scope, talk.receive, talk.send)  # type: ignore[arg-type]
        except Exception as error:
            talk.error = error
        finally:
            if not talk.complete and not talk.dropped:
                talk.dropped = True
            talk.changed.set()

    @staticmethod
    def _scope(request: httpx.Request, talk: _Call) -> dict[str, Any]:
        url = request.url
        path, _, query = url.raw_path.partition(b"?")
        return {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": "http",
            "path": url.path,
            "raw_path": path,
            "query_string": query,
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 1),
            "root_path": "",
            DROP: talk.drop,
        }


_UNSENT: dict[str, type[httpx.TransportError]] = {
    "refused": httpx.ConnectError,
    "tls": httpx.ConnectTimeout,
    "no connection free": httpx.PoolTimeout,
    "reset before the body": httpx.WriteError,
}


class _Pieces(httpx.AsyncByteStream):
    """An answer's body that comes in pieces with rests between them, or is cut after its last byte."""

    def __init__(self, pieces: list[bytes], *, seconds: float = 0.0, reset: bool = False) -> None:
        self._pieces, self._seconds, self._reset = pieces, seconds, reset

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
            await trio.sleep(self._seconds)
        if self._reset:
            raise httpx.ReadError("reset")


def mangle(kind: str, content: bytes) -> bytes:  # noqa: C901 - one case a kind
    """Return an answer as a broken proxy, or a vendor on a bad day, would hand it on."""
    if kind == "a gzip that is none":
        return b"\x1f\x8b\x08\x00" + content[:40]
    if kind == "a mark before it":
        return b"\xef\xbb\xbf" + content
    try:
        told = json.loads(content)
    except ValueError:
        return content[: len(content) // 2]
    results = told.get("result") if isinstance(told, dict) else told
    if kind == "a result less" and isinstance(results, list):
        del results[-1:]
    elif kind == "a result more" and isinstance(results, list):
        results.append(results[0] if results else {"id": 1, "status": "created", "success": True, "errors": []})
    elif kind == "an unknown word" and isinstance(results, list):
        for each in results[:1]:
            if isinstance(each, dict):
                each["status" if "status" in each else "success"] = "perhaps"
    elif kind == "no request id" and isinstance(told, dict):
        told.pop("requestId", None)
    elif kind == "refused without errors":
        told = {"requestId": "1#1", "success": False}
    text = json.dumps(told, separators=(",", ":"))
    if kind == "success twice":
        text = text.replace('"success":true', '"success":false,"success":true')
    if kind == "not a number":
        text = text[:-1] + (',"score":NaN}' if text.endswith("}") else ",NaN]")
    return text.encode()
