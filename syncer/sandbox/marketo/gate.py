"""What every Marketo call passes before its handler, and the envelope of every answer.

The order of the checks is that of the reference: sizes, token, quota, rate, concurrency, path, method, content type,
JSON. A handler gets a `Call` and returns an `Answer`, or raises `MarketoError` for the refusal of the whole call.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl

from starlette.responses import Response

from syncer.sandbox.exchange import Exchange, html_page
from syncer.sandbox.marketo.meter import UNCOUNTED
from syncer.sandbox.traffic import fingerprint

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld

JSON_TYPE = "application/json;charset=UTF-8"
FORM_TYPE = "application/x-www-form-urlencoded"
COMPRESSED_BYTES = 1024
MAX_VALUES = 300


class MarketoError(Exception):
    """The call as a whole is refused: `success` is false and nothing was done."""

    def __init__(self, code: str, message: str) -> None:
        """Takes the vendor's code and words."""
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class Body(StrEnum):
    """What kind of body an operation takes."""

    NONE = "none"
    QUERY = "query"
    JSON = "json"
    JSON_OR_QUERY = "json_or_query"
    FORM = "form"
    MULTIPART = "multipart"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes into the envelope beside `requestId` and `success`; a `file` goes out without one."""

    result: Sequence[Any] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    is_asset: bool = False
    file: bytes | None = None
    file_type: str = "text/csv;charset=UTF-8"
    status: int = 200


@dataclass(slots=True)
class Call:
    """A request that passed the gate."""

    world: MarketoWorld
    exchange: Exchange
    user: str
    params: dict[str, list[str]] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A parameter, None if it is missing or empty: empty optional parameters are ignored."""
        values = [value for value in self.params.get(name, ()) if value]
        return values[-1] if values else None

    def values(self, name: str) -> list[str]:
        """A parameter with many values, comma separated or repeated."""
        given = self.params.get(name, ())
        return [part.strip() for value in given for part in value.split(",") if part.strip()]

    def required(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.text(name)
        if value is None:
            raise MarketoError("1002", f"Missing value for the required parameter '{name}'")
        return value

    def whole_number(self, name: str) -> int | None:
        """A parameter that must be a number if it is there."""
        value = self.text(name)
        return None if value is None else whole_number(value)

    def path_number(self, name: str) -> int:
        """A number in the path."""
        return whole_number(self.exchange.path_params[name])

    def records(self, what: str = "input") -> list[dict[str, Any]]:
        """The records of a write: a list of 1 to 300 objects."""
        given = self.body.get(what)
        if given is None:
            raise MarketoError("1002", f"Missing value for the required parameter '{what}'")
        if not isinstance(given, list) or not all(isinstance(record, dict) for record in given):
            raise MarketoError("1001", f"Invalid value '{what}'. Required of type 'array of objects'")
        limit = self.world.limits.records_per_call
        if not given:
            raise MarketoError("1002", f"Missing value for the required parameter '{what}'")
        if len(given) > limit:
            # The limit is documented, its error is not: reference, "Open questions".
            raise MarketoError("1003", f"Too many records in '{what}': {len(given)}, maximum is {limit}")
        return given


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API: method, path, body and what answers it."""

    method: str
    path: str
    handle: Handler
    body: Body = Body.NONE


def whole_number(value: Any) -> int:
    """A number, or the vendor's words for what is none (recorded for list calls)."""
    try:
        return int(str(value))
    except ValueError:
        text = "null" if value is None else value
        raise MarketoError("1001", f'For input string: "{text}" failed to convert to a number') from None


def skipped(code: str, message: str, **echoed: Any) -> dict[str, Any]:
    """A record that was not done, with its reason."""
    return {**echoed, "status": "skipped", "reasons": [{"code": code, "message": message}]}


def _strict_constant(name: str) -> NoReturn:
    raise ValueError(name)


class Gate:
    """All operations of one path behind the checks; give its `serve` to an `Endpoint`."""

    def __init__(self, world: MarketoWorld, operations: Sequence[Operation]) -> None:
        """No operations at all stands for a path that does not exist."""
        self._world = world
        self._operations = {operation.method: operation for operation in operations}

    async def serve(self, exchange: Exchange) -> Response:
        """Checks, handles, answers."""
        world = self._world
        if (refused := self._size_refusal(exchange)) is not None:
            return refused
        try:
            user = self._user(exchange)
            self._count(exchange, user)
        except MarketoError as error:
            return refusal(world, exchange, error)
        meter = world.meter
        meter.enter()
        try:
            answer = await self._handle(exchange, user)
        except MarketoError as error:
            return refusal(world, exchange, error)
        finally:
            meter.leave()
        return render(world, exchange, answer)

    def _size_refusal(self, exchange: Exchange) -> Response | None:
        """414 and 413; their bodies are not documented, so they are a gateway's page."""
        scope, limits = exchange.scope, self._world.limits
        is_bulk = exchange.entry.endpoint.startswith("/bulk")
        uri_bytes = len(scope.get("raw_path") or scope["path"].encode()) + 1 + len(scope["query_string"])
        if uri_bytes > limits.uri_bytes:
            return html_page(414)
        if exchange.entry.body_bytes > (limits.import_bytes if is_bulk else limits.json_bytes):
            return html_page(413)
        return None

    def _user(self, exchange: Exchange) -> str:
        """The user behind the token: "Authentication"."""
        world = self._world
        scheme, _, text = exchange.headers.get("authorization", "").partition(" ")
        token = text.strip() if scheme.lower() == "bearer" else ""
        if not token and world.limits.query_tokens:
            token = exchange.query.get("access_token", "")
        if not token:
            raise MarketoError("603", "Access denied")
        exchange.entry.token = fingerprint(token)
        if (refused := world.tokens.refusal(token)) is not None:
            raise MarketoError(*refused)
        return world.tokens.user_of(token)

    def _count(self, exchange: Exchange, user: str) -> None:
        world, arrived_at = self._world, exchange.entry.arrived_at
        world.counted[exchange.entry.number] = (user, arrived_at)
        if (refused := world.meter.refusal(user, arrived_at)) is not None:
            raise MarketoError(*refused)

    async def _handle(self, exchange: Exchange, user: str) -> Answer:
        if not self._operations:
            raise MarketoError("610", "Requested resource not found")
        call = Call(self._world, exchange, user)
        for name, value in exchange.query.multi_items():
            call.params.setdefault(name, []).append(value)
        content_type = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type == FORM_TYPE:
            for name, value in parse_qsl(exchange.body.decode("utf-8", "replace"), keep_blank_values=True):
                call.params.setdefault(name, []).append(value)
        method = exchange.method
        if method == "POST" and (override := call.text("_method")) is not None:
            method = override.upper()
        operation = self._operations.get(method)
        if operation is None:
            raise MarketoError("605", "HTTP Method not supported")
        self._read_body(call, operation, content_type)
        self._world.catch_up()
        return await operation.handle(call)

    @staticmethod
    def _read_body(call: Call, operation: Operation, content_type: str) -> None:
        """612 for a content type that does not belong here, 609 for what is no JSON object."""
        body, wants = call.exchange.body, operation.body
        is_json = content_type == "application/json"
        if wants is Body.MULTIPART:
            if content_type != "multipart/form-data":
                raise MarketoError("612", "Invalid Content Type")
        elif wants is Body.FORM:
            if body and content_type != FORM_TYPE:
                raise MarketoError("612", "Invalid Content Type")
        elif wants is Body.JSON or (wants is Body.JSON_OR_QUERY and body) or (wants is Body.QUERY and is_json and body):
            if not is_json:
                raise MarketoError("612", "Invalid Content Type")
            try:
                parsed = json.loads(body, parse_constant=_strict_constant)
            except (ValueError, RecursionError):
                raise MarketoError("609", "Invalid JSON") from None
            if not isinstance(parsed, dict):
                raise MarketoError("609", "Invalid JSON")
            call.body = parsed


def refusal(world: MarketoWorld, exchange: Exchange, error: MarketoError) -> Response:
    """`success: false`, HTTP 200; takes back the count of codes that are not counted."""
    exchange.entry.error_code = error.code
    world.meter.errors[world.meter.today()][error.code] += 1
    counted = world.counted.pop(exchange.entry.number, None)
    if counted is not None and error.code in UNCOUNTED:
        world.meter.give_back(*counted)
    body = {
        "requestId": world.request_id(),
        "success": False,
        "errors": [{"code": error.code, "message": error.message}],
    }
    return _json(exchange, body)


def render(world: MarketoWorld, exchange: Exchange, answer: Answer) -> Response:
    """The envelope of the lead database, or of assets, which differ."""
    world.counted.pop(exchange.entry.number, None)
    if answer.file is not None:
        return Response(answer.file, answer.status, {"content-type": answer.file_type})
    if answer.is_asset:
        body: dict[str, Any] = {"success": True, "errors": [], "requestId": world.request_id(), **answer.more}
        if answer.result is not None:
            body["result"] = answer.result
        return _json(exchange, body)
    body = {"requestId": world.request_id()}
    if answer.result is not None:
        body["result"] = answer.result
    return _json(exchange, {**body, "success": True, **answer.more})


def _json(exchange: Exchange, body: Mapping[str, Any]) -> Response:
    """JSON, compressed from 1024 bytes on where the client takes it; bulk answers never are ("REST API")."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"content-type": JSON_TYPE}
    takes_gzip = "gzip" in exchange.headers.get("accept-encoding", "")
    if takes_gzip and len(content) >= COMPRESSED_BYTES and not exchange.entry.endpoint.startswith("/bulk"):
        content = gzip.compress(content, 1, mtime=0)
        headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
    return Response(content, 200, headers)
