"""What the sandbox holds for the people of a scene: put there before it begins, and read from its inside afterwards."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo.activities import PUSH
from syncer.sandbox.marketo.instance import Member
from syncer.sandbox.marketo.seed import plant as plant_marketo
from tests.sim.ways import LIST, PROGRAM, email

if TYPE_CHECKING:
    from syncer.sandbox.app import Sandbox
    from tests.sim.scene import Scene

OLD = "old"


@dataclass
class Contents:
    """Values by key, one for each record that is there; keys are without case."""

    leads: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    orders: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seats: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    contacts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    listed: set[str] = field(default_factory=set)
    members: dict[str, tuple[str, str]] = field(default_factory=dict)
    pushes: Counter[str] = field(default_factory=Counter)


def plant(sandbox: Sandbox, scene: Scene) -> None:
    """Put the scene's people into both systems: leads 0, 2, 4 … into the list, every third into the program."""
    marketo: Any = sandbox.worlds["marketo"]
    org: Any = sandbox.worlds["salesforce"]
    known = range(scene.people)
    seed = {
        "leads": [
            *({"email": email(number), "firstName": OLD} for number in known),
            *({"email": email(number), "firstName": OLD} for number in scene.twins for _ in (1, 2)),
        ],
        "objects": {
            "order_c": [{"orderNumber": f"O-{number}", "status": OLD} for number in known],
            "seat_c": [{"accountNumber": f"A{number % 3}", "seatNumber": number, "label": OLD} for number in known],
        },
    }
    plant_marketo(marketo, seed)
    start = marketo.clock.start
    for number in known:
        if number % 2 == 0:
            marketo.lists[LIST].members[number + 1] = start
        if number % 3 == 0:
            marketo.programs[PROGRAM].members[number + 1] = Member("Invited", start, start)
    for number in known:
        org.org.store.table("Contact").insert({"Crm_Key__c": f"Key-{number}", "LastName": "Sim", "FirstName": OLD})


def read(sandbox: Sandbox, scene: Scene) -> Contents:
    """Return what is there now; an activity is told of whoever had its lead's id at the start, deleted or not."""
    marketo: Any = sandbox.worlds["marketo"]
    org: Any = sandbox.worlds["salesforce"]
    marketo.catch_up()
    org.settle()
    found = Contents()
    names = {number + 1: email(number) for number in range(scene.people)}
    for lead in marketo.leads.rows.values():
        names[lead.id] = str(lead.values.get("email", "")).lower()
        found.leads[names[lead.id]].append(lead.values.get("firstName", ""))
    found.listed = {names[each] for each in marketo.lists[LIST].members}
    found.members = {
        names[each]: (member.status, member.values.get("seatPreference", ""))
        for each, member in marketo.programs[PROGRAM].members.items()
    }
    found.pushes = Counter(names.get(each.lead_id, "") for each in marketo.activities.entries if each.type_id == PUSH)
    for record in marketo.objects["order_c"].records.values():
        found.orders[record.values["orderNumber"].lower()].append(record.values.get("status", ""))
    for record in marketo.objects["seat_c"].records.values():
        found.seats[str(record.values["seatNumber"])].append(record.values.get("label", ""))
    for record in org.org.store.table("Contact").rows.values():
        found.contacts[record["Crm_Key__c"].lower()].append(record.get("FirstName", ""))
    return found
