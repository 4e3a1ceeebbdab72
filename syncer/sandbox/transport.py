"""The sandbox in the client's own process: an httpx transport that drives the ASGI app under asyncio or trio.

Each request runs in a task of the sandbox, not of the client, so a client that gives up (time-out, cancellation, crash)
leaves a server behind that goes on, as a real one would. A cut connection is the httpx error that a socket would give.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import anyio
import httpx

from syncer.sandbox.exchange import DROP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from anyio.abc import TaskGroup
    from starlette.types import ASGIApp, Message, Scope


@dataclass(slots=True)
class _Conversation:
    """What a connection would hold of one request and its answer."""

    body: bytes
    changed: anyio.Event = field(default_factory=anyio.Event)
    body_was_read: bool = False
    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    complete: bool = False
    dropped: bool = False
    error: BaseException | None = None

    def drop(self) -> None:
        self.dropped = True
        self.changed.set()

    async def receive(self) -> Message:
        if self.body_was_read:
            await self.changed.wait()
            return {"type": "http.disconnect"}
        self.body_was_read = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Message) -> None:
        if self.dropped:
            return
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self.complete = True
                self.changed.set()


class SandboxTransport(httpx.AsyncBaseTransport):
    """Sends requests to an ASGI app. Given no task group it opens its own when the client is entered."""

    def __init__(self, app: ASGIApp, task_group: TaskGroup | None = None) -> None:
        """A task group that outlives the client lets effects go on after the client is gone."""
        self._app = app
        self._task_group = task_group
        self._own: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        """Opens a task group if none was given."""
        if self._task_group is None:
            self._own = anyio.create_task_group()
            self._task_group = await self._own.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Waits for what the sandbox still does, if the task group is its own."""
        if self._own is not None:
            own, self._own, self._task_group = self._own, None, None
            await own.__aexit__(exc_type, exc_value, traceback)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request; raises ReadTimeout, ReadError or RemoteProtocolError as a socket would."""
        if self._task_group is None:
            message = "enter the client (or the transport) before sending: the sandbox needs a place to run"
            raise RuntimeError(message)
        conversation = _Conversation(await request.aread())
        self._task_group.start_soon(self._serve, self._scope(request, conversation), conversation)
        timeouts = request.extensions.get("timeout", {})
        with anyio.move_on_after(timeouts.get("read")) as patience:
            await conversation.changed.wait()
        if patience.cancelled_caught:
            message = "the sandbox did not answer in time"
            raise httpx.ReadTimeout(message, request=request)
        if conversation.error is not None:
            raise conversation.error
        if conversation.dropped:
            if conversation.status is None:
                message = "the sandbox cut the connection"
                raise httpx.ReadError(message, request=request)
            message = "peer closed connection without sending complete message body"
            raise httpx.RemoteProtocolError(message, request=request)
        assert conversation.status is not None  # noqa: S101 - an answer that is complete has begun
        stream = httpx.ByteStream(b"".join(conversation.parts))
        return httpx.Response(conversation.status, headers=conversation.headers, stream=stream, request=request)

    async def _serve(self, scope: Scope, conversation: _Conversation) -> None:
        try:
            await self._app(scope, conversation.receive, conversation.send)
        except Exception as error:  # noqa: BLE001 - a fault of the sandbox belongs to whoever called it
            conversation.error = error
        finally:
            if not conversation.complete and not conversation.dropped:
                conversation.dropped = True
            conversation.changed.set()

    @staticmethod
    def _scope(request: httpx.Request, conversation: _Conversation) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "server": (request.url.host, request.url.port),
            "client": ("127.0.0.1", 1),
            "root_path": "",
            DROP: conversation.drop,
        }


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[SandboxTransport]:
    """A sandbox that outlives its clients: hand the transport to as many as you like."""
    failure: Exception | None = None
    async with anyio.create_task_group() as task_group:
        try:
            yield SandboxTransport(app, task_group)
        except Exception as error:  # noqa: BLE001 - raised below, so that no group wraps what is the caller's own
            failure = error
        task_group.cancel_scope.cancel()
    if failure is not None:
        raise failure
