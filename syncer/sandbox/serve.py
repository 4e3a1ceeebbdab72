"""The sandbox behind a real server on loopback, for clients that want a socket.

The server closes a connection without a word where a fault rule says so. It never listens to another machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from syncer.sandbox.app import Sandbox
from syncer.sandbox.clock import Clock
from syncer.sandbox.exchange import DROP
from syncer.sandbox.options import SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK_NAMES = frozenset({"localhost"})
STOP_SECONDS = 2


class _DroppingProtocol(H11Protocol):
    """HTTP/1.1 that lets an application cut its own connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        app: ASGIApp = self.app

        async def with_drop(scope: Scope, receive: Receive, send: Send) -> None:
            scope[DROP] = self.cut
            await app(scope, receive, send)

        self.app = with_drop

    def cut(self) -> None:
        """Closes the socket now; the application's task goes on."""
        self.transport.abort()


def check_loopback(host: str) -> None:
    """Refuses any address that another machine could reach."""
    if host in LOOPBACK_NAMES:
        return
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        message = f'the sandbox listens on loopback only, not on "{host}"'
        raise ValueError(message)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only over sockets that say they are TCP; others wait 40 ms for the caller.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(128)
    return listener


def _url(host: str, listener: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=_DroppingProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return uvicorn.Server(config)


async def _run(servers: list[tuple[uvicorn.Server, socket.socket]], announce: Callable[[], None]) -> None:
    """Serves until a signal comes; says so once all sockets listen."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(server._serve([listener])) for server, listener in servers]  # noqa: SLF001 - the
    # public `serve` takes the process's signals for one server, and there may be two
    while not all(server.started for server, _ in servers):
        if any(task.done() for task in tasks):
            break
        await asyncio.sleep(0.005)
    else:
        announce()
    await asyncio.gather(*tasks)


def serve(
    options: SandboxOptions | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    announce: Callable[[dict[str, Any]], None] = print,
    control_port: int | None = None,
) -> None:
    """Runs a sandbox until SIGTERM or SIGINT, and announces where it listens and how to log in.

    Port 0 takes a free one. With a control port the control routes are there and not beside the vendors' paths.
    """
    check_loopback(host)
    options = options or SandboxOptions()
    if options.clock is None:
        options = replace(options, clock=Clock.starting_now())
    sandbox = Sandbox(options)
    listener = _listen(host, port)
    servers = [(_server(sandbox.app(with_control=control_port is None)), listener)]
    control = listener
    if control_port is not None:
        control = _listen(host, control_port)
        servers.append((_server(sandbox.control_app()), control))
    announcement: dict[str, Any] = {
        "base_url": _url(host, listener),
        "control_url": f"{_url(host, control)}/__sandbox__",
        "pid": os.getpid(),
        **{system: world.credentials() for system, world in sandbox.worlds.items()},
    }
    try:
        asyncio.run(_run(servers, lambda: announce(announcement)))
    finally:
        for _, each in servers:
            each.close()
