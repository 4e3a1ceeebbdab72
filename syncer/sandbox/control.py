"""The control routes under `/__sandbox__`: what tests and the page ask of the sandbox, never of a vendor."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from syncer.sandbox.faults import FaultRule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from syncer.sandbox.app import Sandbox

PREFIX = "/__sandbox__"
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
PAGE_ENTRIES = 200
PAGE_RECORDS = 500


@cache
def _page() -> str:
    return files("syncer.sandbox.page").joinpath("index.html").read_text(encoding="utf-8")


def _lenient(handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Answers 400 with a sentence for a body that makes no sense."""

    async def wrapped(request: Request) -> Response:
        try:
            return await handle(request)
        except (ValueError, TypeError, KeyError) as problem:
            return JSONResponse({"error": str(problem)}, 400)

    return wrapped


def _shortened(overview: dict[str, Any]) -> dict[str, Any]:
    """Of each object the number of records, and the newest few hundred."""
    records = {
        name: {"count": len(rows), "rows": rows[: -PAGE_RECORDS - 1 : -1]} for name, rows in overview["records"].items()
    }
    return {**overview, "records": records}


class _Control:
    """What each control route answers."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def page(self, _request: Request) -> Response:
        return HTMLResponse(_page(), headers={"content-security-policy": PAGE_POLICY})

    async def overview(self, _request: Request) -> Response:
        traffic = self._sandbox.traffic
        recent = list(traffic.entries)[-PAGE_ENTRIES:]
        return JSONResponse(
            {
                "now": self._sandbox.clock.now(),
                "systems": {system: _shortened(world.overview()) for system, world in self._sandbox.worlds.items()},
                "requests": [entry.as_dict() | {"keys": len(entry.keys)} for entry in reversed(recent)],
                "request_count": sum(traffic.counters.values()),
                "faults": self._sandbox.faults.listing(),
            }
        )

    async def state(self, request: Request) -> Response:
        wanted, named = request.query_params.get("system"), request.query_params.get("object")
        states: dict[str, Any] = {
            system: world.state() for system, world in self._sandbox.worlds.items() if wanted in {None, system}
        }
        if named is not None:
            states = {system: objects.get(named, []) for system, objects in states.items()}
        return JSONResponse(states)

    async def reset(self, _request: Request) -> Response:
        self._sandbox.reset()
        return JSONResponse({"reset": True})

    async def log(self, request: Request) -> Response:
        since = int(request.query_params.get("since", "0"))
        return JSONResponse([entry.as_dict() for entry in self._sandbox.traffic.entries if entry.number > since])

    async def counters(self, _request: Request) -> Response:
        traffic = self._sandbox.traffic
        return JSONResponse(
            {
                system: {
                    "calls": {place: count for (of, place), count in sorted(traffic.counters.items()) if of == system},
                    "errors": {code: count for (of, code), count in sorted(traffic.errors.items()) if of == system},
                    "quota": world.overview()["quota"],
                }
                for system, world in self._sandbox.worlds.items()
            }
        )

    async def get_faults(self, _request: Request) -> Response:
        return JSONResponse(self._sandbox.faults.listing())

    async def add_faults(self, request: Request) -> Response:
        body = await request.json()
        rules = [FaultRule.parse(rule) for rule in (body if isinstance(body, list) else [body])]
        self._sandbox.faults.add(*rules)
        return JSONResponse({"armed": len(rules)})

    async def clear_faults(self, _request: Request) -> Response:
        self._sandbox.faults.clear()
        return JSONResponse({"armed": 0})

    async def advance(self, request: Request) -> Response:
        body = await request.json()
        self._sandbox.clock.advance(float(body["seconds"]))
        return JSONResponse({"now": self._sandbox.clock.now()})

    async def credentials(self, _request: Request) -> Response:
        return JSONResponse({system: world.credentials() for system, world in self._sandbox.worlds.items()})

    async def neighbours(self, request: Request) -> Response:
        body = await request.json()
        world = self._sandbox.worlds[body.get("system", "marketo")]
        world.add_neighbours(int(body.get("calls", 0)), float(body.get("calls_per_second", 0.0)))
        return JSONResponse(world.overview()["quota"])


def control_routes(sandbox: Sandbox) -> list[BaseRoute]:
    """The routes for one sandbox."""
    control = _Control(sandbox)
    routes: list[BaseRoute] = [
        Route("/", control.page),
        Route("/overview", control.overview),
        Route("/state", control.state),
        Route("/reset", control.reset, methods=["POST"]),
        Route("/log", _lenient(control.log)),
        Route("/counters", control.counters),
        Route("/faults", control.get_faults, methods=["GET"]),
        Route("/faults", _lenient(control.add_faults), methods=["POST"]),
        Route("/faults", control.clear_faults, methods=["DELETE"]),
        Route("/clock/advance", _lenient(control.advance), methods=["POST"]),
        Route("/credentials", control.credentials),
        Route("/neighbours", _lenient(control.neighbours), methods=["POST"]),
    ]
    return [Mount(PREFIX, routes=routes)]
