"""The door that every request passes: session, version, daily calls, and the shape that all answers share.

Handlers of the operation families get an `Exchange` that has passed, raise `Refusal` or return a `Response`,
and know nothing of headers, compression or pretty-printing.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from syncer.sandbox.exchange import Endpoint, Exchange
from syncer.sandbox.salesforce.refusal import Refusal, not_found
from syncer.sandbox.traffic import fingerprint

if TYPE_CHECKING:
    from syncer.sandbox.salesforce.world import SalesforceWorld

Handler = Callable[["SalesforceWorld", Exchange], Awaitable[Response]]
OLDEST, NEWEST = 31, 67
RETIRED = range(21, 31)
JSON_TYPE = "application/json;charset=UTF-8"
_STANDING = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "1; mode=block",
    "X-Robots-Tag": "none",
    "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
}
_COMPRESSED_FROM = 1024
_BEARER = re.compile(r"(?:Bearer|OAuth) (\S+)", re.IGNORECASE)


def reply(body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, or one without a body."""
    if body is None:
        standing = {"Content-Security-Policy": "upgrade-insecure-requests"}
        return Response(b"", status, headers=dict(headers or {}) | standing)
    answer = Response(json.dumps(body, separators=(",", ":"), ensure_ascii=False), status, headers=headers)
    answer.headers["Content-Type"] = JSON_TYPE
    return answer


def reply_csv(text: str, headers: Mapping[str, str] | None = None) -> Response:
    """A CSV answer; the vendor names no charset."""
    answer = Response(text.encode(), 200, headers=headers)
    answer.headers["Content-Type"] = "text/csv"
    return answer


def body_of(exchange: Exchange) -> bytes:
    """The request's body, unpacked if it says that it is packed."""
    if exchange.headers.get("content-encoding", "").lower() != "gzip":
        return exchange.body
    try:
        return gzip.decompress(exchange.body)
    except (OSError, EOFError, zlib.error) as error:
        raise Refusal(400, "API_ERROR", "The request body is not in gzip format") from error


def json_of(exchange: Exchange) -> dict[str, Any]:
    """The request's body as a JSON object."""
    return parse_json(body_of(exchange))


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object; anything else is the vendor's parser error."""
    try:
        parsed = json.loads(body)
    except ValueError as error:
        message = f"The HTTP entity body could not be parsed as JSON: {type(error).__name__}"
        raise Refusal(400, "JSON_PARSER_ERROR", message) from error
    if not isinstance(parsed, dict):
        raise Refusal(400, "JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object")
    return parsed


def version_of(exchange: Exchange) -> float:
    """The API version in the path; unknown ones do not exist, retired ones are gone."""
    text = exchange.path_params["version"]
    matched = re.fullmatch(r"(\d{2})\.0", text)
    if matched is None:
        raise not_found()
    number = int(matched[1])
    if number in RETIRED:
        raise Refusal(410, "UNSUPPORTED_API_VERSION", f"API version {text} is retired")
    if not OLDEST <= number <= NEWEST:
        raise not_found()
    return float(number)


def since(exchange: Exchange, oldest: float) -> float:
    """The version in the path, for a resource that came with a later one."""
    version = version_of(exchange)
    if version < oldest:
        raise not_found()
    return version


async def read(world: SalesforceWorld, exchange: Exchange, operation: str) -> None:
    """Pass the time of a call that changes nothing, with the fault rules that name its operation."""
    entry = exchange.entry
    entry.operation = operation
    await exchange.trouble_before(world.faults.on_contents(entry))
    if world.options.latency_seconds:
        await world.clock.sleep(world.options.latency_seconds)
        world.settle()


def serve(world: SalesforceWorld, template: str, handlers: Mapping[str, Handler], *, is_open: bool = False) -> Endpoint:
    """One path of the API with a handler for each method; `is_open` paths ask for no session."""

    async def handle(exchange: Exchange) -> Response:
        world.settle()
        is_counted = False
        try:
            _check_size(world, exchange)
            if not is_open:
                check_session(world, exchange)
                count_call(world)
                is_counted = True
            response = await _handler_of(handlers, exchange.method)(world, exchange)
        except Refusal as refusal:
            exchange.entry.error_code = refusal.code
            response = refuse(refusal)
        return finish(world, exchange, response, is_counted=is_counted)

    return Endpoint(world, template, handle)


def _handler_of(handlers: Mapping[str, Handler], method: str) -> Handler:
    handler = handlers.get("GET" if method == "HEAD" else method)
    if not handlers:
        raise not_found()
    if handler is None:
        message = f"HTTP Method '{method}' not allowed. Allowed are {','.join(sorted(handlers))}"
        raise Refusal(405, "METHOD_NOT_ALLOWED", message)
    return handler


def _check_size(world: SalesforceWorld, exchange: Exchange) -> None:
    """*API Request Limits and Allocations*: a URI, and all headers together, of 16,384 bytes at most."""
    limit = world.limits.uri_bytes
    raw_path: bytes = exchange.scope.get("raw_path") or exchange.scope["path"].encode()
    if len(raw_path) + len(exchange.scope["query_string"]) > limit:
        raise Refusal(414, "URI_TOO_LONG", "The URI is too long")
    if sum(len(name) + len(value) + 4 for name, value in exchange.headers.raw) > limit:
        raise Refusal(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "The request header is too large")


def check_session(world: SalesforceWorld, exchange: Exchange) -> None:
    """Refuse a call without a living session."""
    given = exchange.headers.get("authorization")
    matched = _BEARER.fullmatch(given or "")
    if given is not None and matched is None:
        raise Refusal(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
    token = matched[1] if matched else ""
    exchange.entry.token = fingerprint(token)
    if not world.sessions.is_alive(token, world.org.timeline.moment):
        raise Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")


def count_call(world: SalesforceWorld) -> None:
    """Spend one of the calls of the rolling day."""
    if not world.org.calls.take(world.org.timeline.moment):
        raise Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def refuse(refusal: Refusal) -> Response:
    """The error answer."""
    headers = {"WWW-Authenticate": "Token"} if refusal.status == 401 else {}  # noqa: PLR2004 - HTTP
    return reply(refusal.body(), refusal.status, headers)


def finish(world: SalesforceWorld, exchange: Exchange, response: Response, *, is_counted: bool) -> Response:
    """Add what every answer carries: standing headers, the limit header, pretty print, compression."""
    for name, value in _STANDING.items():
        response.headers.setdefault(name, value)
    if is_counted:
        used = world.org.calls.used(world.org.timeline.moment)
        response.headers["Sforce-Limit-Info"] = f"api-usage={used}/{world.org.limits.daily_calls or 10**9}"
    body = bytes(response.body)
    if body and exchange.headers.get("x-prettyprint") == "1" and response.headers["Content-Type"] == JSON_TYPE:
        body = json.dumps(json.loads(body), indent=2, separators=(",", " : "), ensure_ascii=False).encode()
    if body:
        response.headers["Vary"] = "Accept-Encoding"
    if (
        world.limits.compresses
        and len(body) >= _COMPRESSED_FROM
        and "gzip" in exchange.headers.get("accept-encoding", "").lower()
    ):
        body = gzip.compress(body, compresslevel=1, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    if exchange.method == "HEAD":
        body = b""
    response.body = body
    response.headers["Content-Length"] = str(len(body))
    return response
