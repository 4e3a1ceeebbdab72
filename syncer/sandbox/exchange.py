"""One request, from its arrival to its answer or to the cut of its connection.

`Endpoint` is the ASGI edge that every route of a world goes through: it reads the body, writes the log entry and
carries out the fault rules that concern the connection. A handler gets an `Exchange`, puts its effect through
`Exchange.perform`, and never sends anything itself.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response

from syncer.sandbox.faults import Action, FaultRule, When

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.types import Message, Receive, Scope, Send

    from syncer.sandbox.traffic import Entry
    from syncer.sandbox.world import World

Value = TypeVar("Value")
DROP = "sandbox.drop"
"""The member of an ASGI scope that cuts the client's connection; put there by whoever owns the connection."""


class ConnectionDroppedError(Exception):
    """The client gets no answer."""


class AnsweredError(Exception):
    """A fault rule gave the answer; the handler has nothing left to say."""

    def __init__(self, response: Response) -> None:
        """Carries the answer outwards."""
        super().__init__("answered by a fault rule")
        self.response = response


def html_page(status: int) -> Response:
    """What a gateway in front of a vendor sends when what is behind it does not answer."""
    titles = {
        500: "Internal Server Error",
        502: "Bad Gateway",
        503: "Service Unavailable",
        504: "Gateway Time-out",
    }
    title = f"{status} {titles.get(status, 'Error')}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    return Response(page + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", status, media_type="text/html")


@dataclass(slots=True)
class Exchange:
    """What a handler knows of its request, and how it makes its effect."""

    world: World
    scope: Scope
    entry: Entry
    body: bytes
    headers: Headers
    query: QueryParams
    fired: list[FaultRule] = field(default_factory=list)

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.entry.method

    @property
    def path_params(self) -> dict[str, str]:
        """The variable parts of the path, as text."""
        params: dict[str, str] = self.scope.get("path_params", {})
        return params

    def fault(self, action: Action) -> FaultRule | None:
        """The rule of one connection action that fired for this request."""
        return next((rule for rule in self.fired if rule.action is action), None)

    def world_fault(self, action: Action) -> FaultRule | None:
        """The rule of one job or record action (slow_job, lock_rows, …) that fires here; asking spends it."""
        rule = self.world.faults.for_world(action, self.entry)
        if rule is not None:
            self.entry.faults += (rule.action.value,)
        return rule

    def drop(self) -> None:
        """Cuts the client's connection now; the handler may go on."""
        if not self.entry.dropped:
            self.entry.dropped = True
            self.scope[DROP]()

    async def trouble_before(self, rules: Sequence[FaultRule]) -> None:
        """Carries out what rules say of the time before the effect."""
        self.fired.extend(rules)
        self.entry.faults += tuple(rule.action.value for rule in rules)
        for rule in rules:
            if rule.action is Action.DELAY and rule.when is When.BEFORE:
                await self.world.clock.sleep(rule.seconds)
        for rule in rules:
            if rule.action is Action.LOSE_BEFORE_APPLY:
                raise ConnectionDroppedError
            if rule.action is Action.STATUS and rule.when is When.BEFORE:
                raise AnsweredError(html_page(rule.status))
            if rule.action is Action.VENDOR_ERROR and rule.when is When.BEFORE:
                raise AnsweredError(self.world.vendor_error(self, rule))

    async def perform(
        self,
        operation: str,
        keys: Sequence[str],
        record_count: int,
        write: Callable[[int | None], Value],
        *,
        seconds: float = 0.0,
    ) -> Value:
        """Makes the effect of a call: waits as long as the vendor takes, then writes in one step.

        `keys` are canonical (`object/field/value`). `write` gets how many of the records may be written, or None for
        all; between the caller's look-up and it other calls run, which is how two of them can miss each other.
        """
        entry = self.entry
        entry.operation, entry.keys, entry.record_count = operation, tuple(keys), record_count
        entry.started_at = self.world.clock.now()
        generation = self.world.traffic.generation
        await self.trouble_before(self.world.faults.on_contents(entry))
        await self.world.clock.sleep(self.world.options.latency_seconds + seconds)
        if (late := self.fault(Action.APPLY_LATE)) is not None:
            self.drop()
            await self.world.clock.sleep(late.seconds)
        if generation != self.world.traffic.generation:
            raise ConnectionDroppedError  # the sandbox was reset meanwhile: this effect belongs to what is gone
        partial = self.fault(Action.APPLY_FIRST_K)
        value = write(None if partial is None else partial.first)
        entry.applied_at = self.world.clock.now()
        if partial is not None and partial.cut:
            raise ConnectionDroppedError
        if partial is not None:
            raise AnsweredError(html_page(partial.status))
        return value


class Endpoint:
    """An ASGI application for one path of one world; give it to `starlette.routing.Route` as the endpoint."""

    def __init__(
        self,
        world: World,
        template: str,
        handle: Callable[[Exchange], Awaitable[Response]],
        *,
        body_limit: int | None = None,
    ) -> None:
        """`template` is the path as the vendor writes it, for rules and logs; a longer body than the limit is cut."""
        self._world = world
        self._template = template
        self._handle = handle
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        world, method = self._world, str(scope["method"])
        entry = world.traffic.open(world.system, method, self._template)
        try:
            body = await self._read(receive)
            if body is None:
                entry.dropped = True
                return
            entry.body_bytes, entry.body_sha256 = len(body), hashlib.sha256(body).hexdigest()
            headers = Headers(scope=scope)
            query = QueryParams(scope["query_string"])
            exchange = Exchange(world, scope, entry, body, headers, query)
            try:
                response = await self._answer(exchange)
            except ConnectionDroppedError:
                exchange.drop()
            else:
                await self._send(exchange, response, send)
        finally:
            world.traffic.close(entry)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body, or None if the client went away in the middle of it."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if self._body_limit is None or size - len(part) <= self._body_limit:
                parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    async def _answer(self, exchange: Exchange) -> Response:
        """The handler's answer, after what rules do to it."""
        world, entry = exchange.world, exchange.entry
        try:
            await exchange.trouble_before(world.faults.on_arrival(entry))
            response = await self._handle(exchange)
            if exchange.fault(Action.APPLY_TWICE) is not None:
                response = await self._handle(exchange)
        except AnsweredError as answered:
            return answered.response
        for rule in exchange.fired:
            if rule.action is Action.DELAY and rule.when is When.AFTER:
                await world.clock.sleep(rule.seconds)
        for rule in exchange.fired:
            if rule.action is Action.APPLY_THEN_LOSE:
                raise ConnectionDroppedError
            if rule.action is Action.STATUS:
                return html_page(rule.status)
            if rule.action is Action.VENDOR_ERROR:
                return world.vendor_error(exchange, rule)
        return self._spoilt(exchange, response)

    @staticmethod
    def _spoilt(exchange: Exchange, response: Response) -> Response:
        """The answer with its body emptied, cut or replaced, if a rule says so."""
        body = bytes(response.body)
        for rule in exchange.fired:
            if rule.action is Action.EMPTY_BODY:
                body = b""
            elif rule.action is Action.GARBAGE_BODY:
                chance = random.Random(f"{exchange.world.options.seed}/{exchange.entry.number}")
                body = rule.body.encode() if rule.body is not None else chance.randbytes(max(64, len(body)))
            elif rule.action is Action.TRUNCATE_BODY and not rule.cut:
                body = body[: int(len(body) * rule.share)]
        if body == bytes(response.body):
            return response
        changed = Response(body, response.status_code)
        changed.raw_headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
        changed.raw_headers.append((b"content-length", str(len(body)).encode()))
        return changed

    @staticmethod
    async def _send(exchange: Exchange, response: Response, send: Send) -> None:
        """Sends the answer, or the first part of it if a rule cuts the connection in the middle."""
        entry, clock = exchange.entry, exchange.world.clock
        if entry.dropped:
            return
        entry.status = response.status_code
        start: Message = {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
        entry.first_byte_at = clock.now()
        await send(start)
        body = bytes(response.body)
        cut = exchange.fault(Action.TRUNCATE_BODY)
        if cut is not None and cut.cut:
            await send({"type": "http.response.body", "body": body[: int(len(body) * cut.share)], "more_body": True})
            exchange.drop()
            return
        await send({"type": "http.response.body", "body": body})
        entry.last_byte_at = clock.now()
