"""A Salesforce org on loopback: what the core of the sandbox asks of it, and what its operation families share.

The default org, which everything that is documented of it may be relied upon: objects and fields of
`objects.py`, one integration user, no records but what the seed file brings, the credentials of `options.py`,
and an access token that is ready for use.
"""

from __future__ import annotations

from typing import Any

import anyio
from starlette.responses import Response

from syncer.sandbox.clock import Clock
from syncer.sandbox.exchange import Exchange
from syncer.sandbox.faults import FaultRule, Faults
from syncer.sandbox.options import SandboxOptions
from syncer.sandbox.salesforce import trouble
from syncer.sandbox.salesforce.jobs import Jobs
from syncer.sandbox.salesforce.oauth import Sessions
from syncer.sandbox.salesforce.options import SalesforceOptions
from syncer.sandbox.salesforce.org import Org
from syncer.sandbox.salesforce.query import Cursors
from syncer.sandbox.salesforce.queryjobs import QueryJobs
from syncer.sandbox.salesforce.recordio import RecordReader
from syncer.sandbox.salesforce.runner import Runner
from syncer.sandbox.traffic import Traffic

_MADE_BY_ORG = frozenset({"Id", "CreatedDate", "LastModifiedDate", "SystemModstamp", "CreatedById", "LastModifiedById"})
HIDDEN_OBJECTS = frozenset({"User"})


class SalesforceWorld:
    """One pretended org."""

    system = "salesforce"

    def __init__(self, options: SandboxOptions, clock: Clock, traffic: Traffic, faults: Faults) -> None:
        """`options.salesforce` holds `SalesforceOptions`, or nothing for the default org."""
        self.options = options
        self.clock = clock
        self.traffic = traffic
        self.faults = faults
        self.limits: SalesforceOptions = options.salesforce or SalesforceOptions()
        self.reset()

    def reset(self) -> None:
        """Back to the seed file, with the ready token and full quotas."""
        self.org = Org(self.limits, self.options.seed, self.options.duplicates_on_overlap)
        self.jobs = Jobs(self.org)
        self.query_jobs = QueryJobs(self.org, self.jobs)
        self.runner = Runner(self.org)
        self.cursors = Cursors()
        self.sessions = Sessions(self.org.id, self.limits.session_seconds, self.limits.access_token)
        self._neighbour_rate = 0.0
        self.org.timeline.moment = self.clock.start
        RecordReader(self.org).seed(self.options.seed_of(self.system))

    def settle(self) -> None:
        """Let happen what was due by now; outside an event loop no time passes."""
        try:
            now = self.clock.now()
        except anyio.NoEventLoopError:
            return
        self.org.timeline.reach(now)

    def canonical(self, name: str) -> str:
        """The object's own spelling of its name."""
        table = self.org.store.table(name)
        return table.type.name if table else name

    def instance_url(self, exchange: Exchange) -> str:
        """Where API calls of this org go."""
        if self.limits.instance_url is not None:
            return self.limits.instance_url
        host = exchange.headers.get("host", "localhost")
        return f"{exchange.scope['scheme']}://{host}"

    def state(self) -> dict[str, Any]:
        """All records by object, sorted, without what the org makes up: ids, times and users; parents by place."""
        self.settle()
        return {
            name: sorted((self._canonical_record(record) for record in table.rows.values()), key=repr)
            for name, table in self.org.store.tables.items()
            if name not in HIDDEN_OBJECTS
        }

    def _canonical_record(self, record: dict[str, Any]) -> dict[str, Any]:
        """A parent is told by its own values, since its id is of the org's making."""
        shown: dict[str, Any] = {}
        for name in sorted(record.keys() - _MADE_BY_ORG):
            value = record[name]
            parent = self.org.store.table_of(value) if name.endswith(("Id", "__c")) and isinstance(value, str) else None
            if parent is None or value not in parent.rows:
                shown[name] = value
            elif parent.type.name not in HIDDEN_OBJECTS:
                shown[name] = _label(parent.rows[value], parent.type.fields)
        return shown

    def overview(self) -> dict[str, Any]:
        """What the page shows."""
        self.settle()
        org = self.org
        moment = org.timeline.moment
        return {
            "quota": [
                {"name": name, "used": allowance.used(moment), "limit": allowance.limit}
                for name, allowance in (
                    ("API calls in 24 hours", org.calls),
                    ("Bulk batches in 24 hours", org.batches),
                    ("Query jobs in 24 hours", org.query_jobs),
                )
            ],
            "jobs": [job.as_info() for job in self.jobs.all()],
            "lists": [],
            "records": {name: list(table.rows.values()) for name, table in org.store.tables.items()},
        }

    def credentials(self) -> dict[str, str]:
        """What a client needs to log in."""
        limits = self.limits
        return {
            "client_id": limits.client_id,
            "client_secret": limits.client_secret,
            "username": limits.username,
            "password": limits.password,
            "security_token": limits.security_token,
            "refresh_token": limits.refresh_token,
            "access_token": limits.access_token,
        }

    def add_neighbours(self, calls: int, calls_per_second: float) -> None:
        """Let another integration spend calls of the rolling day, at once and from now on."""
        self.settle()
        timeline, allowance = self.org.timeline, self.org.calls
        allowance.take(timeline.moment, min(calls, allowance.left(timeline.moment)))
        self._neighbour_rate = calls_per_second
        if calls_per_second > 0:
            timeline.at(timeline.moment + 1 / calls_per_second, lambda: self._spend(calls_per_second))

    def _spend(self, rate: float) -> None:
        if rate == self._neighbour_rate:
            timeline = self.org.timeline
            self.org.calls.take(timeline.moment)
            timeline.at(timeline.moment + 1 / rate, lambda: self._spend(rate))

    def vendor_error(self, exchange: Exchange, fault: FaultRule) -> Response:
        """The vendor's own way of saying the error that a rule asks for."""
        return trouble.vendor_error(exchange, fault)


def _label(record: dict[str, Any], fields: Any) -> str:
    """A record's name for a reader: its first key, or the best it has."""
    for each in fields:
        if each.is_unique and record.get(each.name) is not None:
            return f"{each.name}={record[each.name]}"
    for name in ("Name", "LastName"):
        if name in record:
            return f"{name}={record[name]}"
    return "a record"
