"""The paths of a Marketo instance: every family's operations, by path, behind the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.sandbox.exchange import Endpoint
from syncer.sandbox.marketo import (
    activities,
    custom_objects,
    describe,
    imports_leads,
    imports_members,
    imports_objects,
    leads_delete,
    leads_merge,
    leads_push,
    leads_read,
    leads_sync,
    list_assets,
    lists,
    partitions,
    program_members,
    usage,
)
from syncer.sandbox.marketo.gate import Gate, Operation
from syncer.sandbox.marketo.tokens import PATH, token_endpoint

if TYPE_CHECKING:
    from starlette.responses import Response

    from syncer.sandbox.exchange import Exchange
    from syncer.sandbox.marketo.world import MarketoWorld

FAMILIES = (
    describe,
    leads_sync,
    leads_read,
    leads_delete,
    leads_push,
    leads_merge,
    partitions,
    lists,
    list_assets,
    program_members,
    custom_objects,
    imports_leads,
    imports_members,
    imports_objects,
    activities,
    usage,
)


def operations() -> list[Operation]:
    """Every operation that the sandbox knows."""
    return [operation for family in FAMILIES for operation in family.OPERATIONS]


def endpoints(world: MarketoWorld) -> list[tuple[str, Endpoint]]:
    """One endpoint a path, fixed paths before variable ones, and 610 for the rest."""
    by_path: dict[str, list[Operation]] = {}
    for operation in operations():
        by_path.setdefault(operation.path, []).append(operation)

    async def token(exchange: Exchange) -> Response:
        return await token_endpoint(world, exchange)

    found = [(PATH, Endpoint(world, PATH, token))]
    for path in sorted(by_path, key=lambda path: (path.count("{"), path)):
        is_bulk = path.startswith("/bulk")
        limit = world.limits.import_bytes if is_bulk else world.limits.json_bytes
        gate = Gate(world, by_path[path])
        found.append((path, Endpoint(world, path, gate.serve, body_limit=limit)))
    nothing = Gate(world, ())
    roots = ("/rest", "/bulk", "/identity")
    return [
        *found,
        *((root + "/{path:path}", Endpoint(world, root + "/*", nothing.serve, body_limit=0)) for root in roots),
    ]
