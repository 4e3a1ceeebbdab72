"""A Marketo instance: its stores, its counters and its queue, put together.

Every look at the instance starts with `catch_up`, which lets imports get on to the present moment.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo import instance
from syncer.sandbox.marketo.activities import Activities
from syncer.sandbox.marketo.field import Field, lead_fields, timestamp
from syncer.sandbox.marketo.gate import MarketoError, refusal
from syncer.sandbox.marketo.imports import ImportQueue
from syncer.sandbox.marketo.leads import DEFAULT_PARTITION, Lead, LeadStore
from syncer.sandbox.marketo.meter import Meter
from syncer.sandbox.marketo.seed import plant
from syncer.sandbox.marketo.tokens import Tokens

if TYPE_CHECKING:
    from starlette.responses import Response

    from syncer.sandbox.clock import Clock
    from syncer.sandbox.exchange import Exchange
    from syncer.sandbox.faults import FaultRule, Faults
    from syncer.sandbox.options import MarketoOptions, SandboxOptions
    from syncer.sandbox.traffic import Traffic

MESSAGES = {
    "500": "Internal Server error",
    "502": "Bad Gateway",
    "601": "Access token invalid",
    "602": "Access token expired",
    "603": "Access denied",
    "604": "Request time-out",
    "606": "Max rate limit '100' exceeded with in '20' secs",
    "607": "Daily quota reached",
    "608": "API Temporarily Unavailable",
    "609": "Invalid JSON",
    "610": "Requested resource not found",
    "611": "System error",
    "612": "Invalid Content Type",
    "614": "Invalid Subscription",
    "615": "Concurrent access limit '10' reached",
    "713": "Transient Error",
    "719": "Lock wait timeout exception",
    "1016": "There are 10 imports currently being processed. Please try again later",
    "1019": "Import in progress",
}
"""Words for the codes that fault rules may ask for: "Error Codes"."""
CLIENT_ID = "5b2e4a0c-8f1d-4c3a-9a77-1c0f7d5e2b10"
USER = "api@example.com"


@dataclass(slots=True)
class MarketoWorld:
    """One instance."""

    options: SandboxOptions
    clock: Clock
    traffic: Traffic
    faults: Faults
    leads: LeadStore = field(init=False)
    lists: dict[int, instance.StaticList] = field(init=False)
    programs: dict[int, instance.Program] = field(init=False)
    objects: dict[str, instance.ObjectType] = field(init=False)
    imports: ImportQueue = field(init=False)
    activities: Activities = field(init=False)
    meter: Meter = field(init=False)
    tokens: Tokens = field(init=False)
    counted: dict[int, tuple[str, float]] = field(init=False)
    member_fields: dict[str, Field] = field(init=False)
    chance: random.Random = field(init=False)
    next_list_id: int = field(init=False)

    def __post_init__(self) -> None:
        """Starts as after a reset."""
        self.reset()

    @property
    def system(self) -> str:
        """The word for this system."""
        return "marketo"

    @property
    def limits(self) -> MarketoOptions:
        """The instance's limits."""
        return self.options.marketo

    def reset(self) -> None:
        """A fresh instance with the seed file's contents; tokens too are forgotten."""
        self.chance = random.Random(f"marketo/{self.options.seed}")
        start = self.clock.start
        self.leads = LeadStore(lead_fields(), {DEFAULT_PARTITION: 1, "EMEA": 2})
        self.lists = instance.static_lists(start)
        self.next_list_id = max(self.lists) + 1
        self.programs = instance.programs()
        self.objects = instance.object_types()
        self.member_fields = instance.member_fields()
        self.imports = ImportQueue(self.clock, self.limits)
        self.activities = Activities()
        self.meter = Meter(self.clock, self.limits)
        secret = random.Random(f"secret/{self.options.seed}").randbytes(16).hex()
        self.tokens = Tokens(self.clock, self.limits.token_seconds, {CLIENT_ID: (secret, USER)}, self.chance)
        self.counted = {}
        plant(self, self.options.seed_of(self.system))

    def catch_up(self) -> None:
        """Lets everything that is due happen."""
        self.imports.catch_up()

    def request_id(self) -> str:
        """A counter-like number and the moment in milliseconds, both in hex."""
        return f"{self.chance.randrange(1, 1 << 17):x}#{int(self.clock.now() * 1000):x}"

    def new_guid(self) -> str:
        """A marketoGUID."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def credentials(self) -> dict[str, str]:
        """The custom service's id and secret."""
        (client_id, (secret, _)), *_ = self.tokens.services.items()
        return {"client_id": client_id, "client_secret": secret}

    def add_neighbours(self, calls: int, calls_per_second: float) -> None:
        """Another integration uses up calls."""
        self.meter.add_neighbours(calls, calls_per_second)

    def vendor_error(self, exchange: Exchange, fault: FaultRule) -> Response:
        """A refusal of the whole call with the rule's code."""
        message = fault.message or MESSAGES.get(fault.code, "System error")
        return refusal(self, exchange, MarketoError(fault.code, message))

    def state(self) -> dict[str, Any]:
        """Leads, lists, program members, custom objects and counts of activities, without ids and times."""
        self.catch_up()
        return {
            "leads": _in_order(self._canonical(lead) for lead in self.leads.rows.values()),
            "lists": {
                each.name: sorted(self._name(lead_id) for lead_id in each.members) for each in self.lists.values()
            },
            "programs": {
                program.name: _in_order(
                    {"lead": self._name(lead_id), "status": member.status, **member.values}
                    for lead_id, member in program.members.items()
                )
                for program in self.programs.values()
            },
            "objects": {
                name: _in_order(dict(sorted(record.values.items())) for record in each.records.values())
                for name, each in self.objects.items()
            },
            "activities": dict(sorted(Counter(each.type_name for each in self.activities.entries).items())),
        }

    def overview(self) -> dict[str, Any]:
        """Everything the page shows."""
        self.catch_up()
        names = ("id", "email", "firstName", "lastName", "externalKey", "createdAt", "updatedAt")
        records: dict[str, Any] = {
            "leads": [self.leads.view(lead, names) for lead in self.leads.rows.values()],
            **{
                name: [
                    {"marketoGUID": each.guid, **each.values, "updatedAt": timestamp(each.updated_at)}
                    for each in kind.records.values()
                ]
                for name, kind in self.objects.items()
            },
        }
        lists = [{"id": each.id, "list": each.name, "members": len(each.members)} for each in self.lists.values()]
        programs = [
            {"id": each.id, "program": each.name, "members": len(each.members)} for each in self.programs.values()
        ]
        active = sum(1 for job in self.imports.jobs.values() if job.is_active)
        waiting = {"name": "Imports waiting or at work", "used": active, "limit": self.limits.imports_queued}
        return {
            "quota": [*self.meter.quota(), waiting],
            "jobs": self.imports.rows()[::-1],
            "lists": lists,
            "programs": programs,
            "records": records,
        }

    def _canonical(self, lead: Lead) -> dict[str, Any]:
        values = {name: value for name, value in sorted(lead.values.items()) if value is not False}
        return values if lead.partition == DEFAULT_PARTITION else values | {"partition": lead.partition}

    def _name(self, lead_id: int) -> str:
        lead = self.leads.rows[lead_id]
        email = lead.values.get("email")
        return email.lower() if email else json.dumps(self._canonical(lead), sort_keys=True)


def _in_order(records: Any) -> list[dict[str, Any]]:
    return sorted(records, key=lambda record: json.dumps(record, sort_keys=True))
