"""The whole sandbox as one ASGI application: both systems on one origin, with control routes beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from syncer.sandbox.clock import Clock
from syncer.sandbox.control import control_routes
from syncer.sandbox.faults import Faults
from syncer.sandbox.marketo import routes as marketo_routes
from syncer.sandbox.marketo.world import MarketoWorld
from syncer.sandbox.options import MarketoOptions, SandboxOptions
from syncer.sandbox.salesforce import routes as salesforce_routes
from syncer.sandbox.salesforce.world import SalesforceWorld
from syncer.sandbox.traffic import Traffic

if TYPE_CHECKING:
    from syncer.sandbox.world import World

__all__ = ["MarketoOptions", "Sandbox", "SandboxOptions", "create_app"]


class Sandbox:
    """One sandbox: a clock, a log, fault rules and a world for each system."""

    def __init__(self, options: SandboxOptions | None = None) -> None:
        """Builds the worlds; nothing runs until a request comes."""
        self.options = options or SandboxOptions()
        self.clock = self.options.clock or Clock()
        self.traffic = Traffic(self.clock, self.options.log_path)
        self.faults = Faults(self.options.seed)
        parts = (self.options, self.clock, self.traffic, self.faults)
        marketo, salesforce = MarketoWorld(*parts), SalesforceWorld(*parts)
        self.worlds: dict[str, World] = {world.system: world for world in (marketo, salesforce)}
        self.endpoints = [*marketo_routes.endpoints(marketo), *salesforce_routes.endpoints(salesforce)]
        """Every path, as Starlette writes patterns, with what answers it; the first that matches counts."""

    def app(self, *, with_control: bool = True) -> Starlette:
        """The application; without control routes when those are served on a port of their own."""
        control = control_routes(self) if with_control else []
        app = Starlette(routes=[*control, *(Route(path, endpoint) for path, endpoint in self.endpoints)])
        app.state.sandbox = self
        return app

    def control_app(self) -> Starlette:
        """The control routes alone."""
        return Starlette(routes=control_routes(self))

    def reset(self) -> None:
        """Everything as at the start, but for the clock, which never runs backwards."""
        self.traffic.reset()
        self.faults.clear()
        for world in self.worlds.values():
            world.reset()


def create_app(options: SandboxOptions | None = None) -> Starlette:
    """A sandbox ready for any ASGI server or for `SandboxTransport`; `app.state.sandbox` is its inside."""
    return Sandbox(options).app()
