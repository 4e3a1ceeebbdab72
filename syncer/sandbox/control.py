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
PAGE_ENTRIES = 200


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


def control_routes(sandbox: Sandbox) -> list[BaseRoute]:
    """The routes for one sandbox."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(_page())

    async def overview(_request: Request) -> Response:
        traffic = sandbox.traffic
        recent = list(traffic.entries)[-PAGE_ENTRIES:]
        return JSONResponse(
            {
                "now": sandbox.clock.now(),
                "systems": {system: world.overview() for system, world in sandbox.worlds.items()},
                "requests": [entry.as_dict() | {"keys": len(entry.keys)} for entry in reversed(recent)],
                "request_count": sum(traffic.counters.values()),
                "faults": sandbox.faults.listing(),
            }
        )

    async def state(request: Request) -> Response:
        wanted, named = request.query_params.get("system"), request.query_params.get("object")
        states: dict[str, Any] = {
            system: world.state() for system, world in sandbox.worlds.items() if wanted in {None, system}
        }
        if named is not None:
            states = {system: objects.get(named, []) for system, objects in states.items()}
        return JSONResponse(states)

    async def reset(_request: Request) -> Response:
        sandbox.reset()
        return JSONResponse({"reset": True})

    async def log(request: Request) -> Response:
        since = int(request.query_params.get("since", "0"))
        return JSONResponse([entry.as_dict() for entry in sandbox.traffic.entries if entry.number > since])

    async def counters(_request: Request) -> Response:
        traffic = sandbox.traffic
        return JSONResponse(
            {
                system: {
                    "calls": {place: count for (of, place), count in sorted(traffic.counters.items()) if of == system},
                    "errors": {code: count for (of, code), count in sorted(traffic.errors.items()) if of == system},
                    "quota": world.overview()["quota"],
                }
                for system, world in sandbox.worlds.items()
            }
        )

    async def get_faults(_request: Request) -> Response:
        return JSONResponse(sandbox.faults.listing())

    async def add_faults(request: Request) -> Response:
        body = await request.json()
        rules = [FaultRule.parse(rule) for rule in (body if isinstance(body, list) else [body])]
        sandbox.faults.add(*rules)
        return JSONResponse({"armed": len(rules)})

    async def clear_faults(_request: Request) -> Response:
        sandbox.faults.clear()
        return JSONResponse({"armed": 0})

    async def advance(request: Request) -> Response:
        body = await request.json()
        sandbox.clock.advance(float(body["seconds"]))
        return JSONResponse({"now": sandbox.clock.now()})

    async def credentials(_request: Request) -> Response:
        return JSONResponse({system: world.credentials() for system, world in sandbox.worlds.items()})

    async def neighbours(request: Request) -> Response:
        body = await request.json()
        world = sandbox.worlds[body.get("system", "marketo")]
        world.add_neighbours(int(body.get("calls", 0)), float(body.get("calls_per_second", 0.0)))
        return JSONResponse(world.overview()["quota"])

    routes: list[BaseRoute] = [
        Route("/", page),
        Route("/overview", overview),
        Route("/state", state),
        Route("/reset", reset, methods=["POST"]),
        Route("/log", _lenient(log)),
        Route("/counters", counters),
        Route("/faults", get_faults, methods=["GET"]),
        Route("/faults", _lenient(add_faults), methods=["POST"]),
        Route("/faults", clear_faults, methods=["DELETE"]),
        Route("/clock/advance", _lenient(advance), methods=["POST"]),
        Route("/credentials", credentials),
        Route("/neighbours", _lenient(neighbours), methods=["POST"]),
    ]
    return [Mount(PREFIX, routes=routes)]
