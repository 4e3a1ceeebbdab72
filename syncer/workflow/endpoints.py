"""Connections of a project, resolved and opened: the one place where secrets leave the environment."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.facts import System
from syncer.manifest.template import ResolvedConnection, resolve_connections, resolve_template
from syncer.secret import Secret
from syncer.targets import registry
from syncer.targets.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    import httpx

    from syncer.clock import Clock
    from syncer.manifest.models import Manifest
    from syncer.targets.protocol import Session
    from syncer.workflow.load import Loaded


def endpoints(loaded: Loaded, names: Iterable[str]) -> list[Endpoint]:
    """Resolve connections from the environment; raises `ManifestError` with every variable that is missing."""
    resolved, _ = resolve_connections(loaded.manifest, loaded.project.positions, sorted(names), os.environ)
    return [_endpoint(each) for each in resolved.values()]


def declared_endpoint(manifest: Manifest, name: str) -> Endpoint:
    """Return a connection as it is written, nothing resolved: enough to know what its paths can carry."""
    declared = manifest.connections[name]
    return _endpoint(ResolvedConnection(name, System(declared.system), declared.base_url, "", Secret(""), declared))


def _endpoint(resolved: ResolvedConnection) -> Endpoint:
    declared = resolved.declared
    return Endpoint(
        name=resolved.name,
        system=resolved.system,
        base_url=resolved.base_url,
        client_id=resolved.client_id,
        client_secret=resolved.client_secret,
        api_version=getattr(declared, "api_version", "61.0"),
        blank_cells=getattr(declared, "blank_cells", "unknown"),
        company_fields=getattr(declared, "company_fields", "unknown"),
        budget=declared.budget.calls_per_day,
        concurrency=declared.budget.concurrency,
        reserve=float(declared.budget.reserve.removesuffix("%")) / 100,
    )


@asynccontextmanager
async def sessions(
    loaded: Loaded,
    names: Iterable[str],
    clock: Clock,
    *,
    sandbox: bool,
    fence: Callable[[], None] = lambda: None,
    recent_calls: int = 0,
    spent: Mapping[str, int] | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[dict[str, Session]]:
    """Open a session for each named connection and close all of them at the end.

    `fence` is asked right before each write leaves; `recent_calls` were made just before; `spent` are the calls that
    were made today, by instance, and are taken off the budget; a `transport` stands in for the network. Sessions that
    lead to one vendor instance share its limits.
    """
    from syncer.targets.gate import Instance

    opened: dict[str, Session] = {}
    shared: dict[str, Instance] = {}
    try:
        for each in endpoints(loaded, names):
            at = instance_of(loaded, each.name)
            endpoint = _less(each, (spent or {}).get(at, 0))
            opened[endpoint.name] = registry.open_session(
                endpoint,
                clock,
                transport,
                sandbox=sandbox,
                fence=fence,
                recent_calls=0 if at in shared else recent_calls,
                instance=shared.setdefault(at, Instance()),
            )
        yield opened
    finally:
        for session in opened.values():
            await session.close()


def _less(endpoint: Endpoint, spent: int) -> Endpoint:
    return endpoint if endpoint.budget is None else replace(endpoint, budget=max(0, endpoint.budget - spent))


def instance_of(loaded: Loaded, connection: str) -> str:
    """Return what tells two connections of one vendor instance to be the same, in any project: system and address.

    An address that needs what the environment does not have, as in an offline plan, counts as it is written.
    """
    known = loaded.manifest.connections[connection]
    address, faults = resolve_template(known.base_url, os.environ, loaded.manifest.vars)
    if faults or isinstance(address, Secret):
        address = known.base_url
    return f"{known.system} {address.strip().rstrip('/').casefold()}"
