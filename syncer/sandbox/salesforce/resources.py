"""What the API says of itself: its versions, its resources and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from syncer.sandbox.exchange import Exchange
from syncer.sandbox.salesforce.door import NEWEST, OLDEST, read, reply, version_of

if TYPE_CHECKING:
    from syncer.sandbox.salesforce.world import SalesforceWorld

_SEASONS = ("Winter", "Spring", "Summer")


def label_of(number: int) -> str:
    """The release that brought an API version: 58 is Summer '23, 59 Winter '24, and so on, three a year."""
    year, season = divmod(number - 32, 3)
    return f"{_SEASONS[season]} '{15 + year:02d}"


async def versions(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /services/data/`, which asks for no session."""
    await read(world, exchange, "versions")
    return reply(
        [
            {"label": label_of(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(OLDEST, NEWEST + 1)
        ]
    )


async def root(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /services/data/vXX.X/`."""
    version = version_of(exchange)
    await read(world, exchange, "resources")
    base = f"/services/data/v{version}"
    names = ("composite", "jobs", "limits", "query", "queryAll", "sobjects")
    return reply({name: f"{base}/{name}" for name in names} | {"identity": "/services/oauth2/userinfo"})


async def limits(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /limits`."""
    version_of(exchange)
    await read(world, exchange, "limits")
    org = world.org
    moment = org.timeline.moment
    shown = {
        name: {"Max": allowance.limit or 10**9, "Remaining": allowance.left(moment)}
        for name, allowance in (
            ("DailyApiRequests", org.calls),
            ("DailyBulkApiBatches", org.batches),
            ("DailyBulkV2QueryJobs", org.query_jobs),
        )
    }
    megabytes = 1024 * 1024
    return reply(shown | {"DailyBulkV2QueryFileStorageMB": {"Max": megabytes, "Remaining": megabytes}})
