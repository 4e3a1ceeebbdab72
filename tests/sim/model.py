"""What an undisturbed run would leave: a plain model of both targets, a dictionary an object, row after row.

It knows the vendors' rules and nothing of syncer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.sim.target import OLD
from tests.sim.ways import STATUS, UNKNOWN

if TYPE_CHECKING:
    from tests.sim.scene import Op, Row, Scene

STEPS = {"Invited": 10, "Registered": 20, "No Show": 30, "Attended": 40}


@dataclass
class Model:
    """The targets' records, by the numbers of a scene."""

    people: int
    twins: frozenset[int]
    leads: dict[int, str] = field(default_factory=dict)
    ids: set[int] = field(default_factory=set)
    """Leads that still have the id they had at the start."""
    listed: set[int] = field(default_factory=set)
    members: dict[int, tuple[str, str]] = field(default_factory=dict)
    orders: dict[int, str] = field(default_factory=dict)
    seats: dict[int, str] = field(default_factory=dict)
    contacts: dict[int, str] = field(default_factory=dict)
    contact_ids: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, scene: Scene) -> Model:
        """Return the targets as a scene finds them."""
        known = range(scene.people)
        old = dict.fromkeys(known, OLD)
        return cls(
            scene.people,
            frozenset(scene.twins),
            leads=dict(old),
            ids=set(known),
            listed=set(known[::2]),
            members=dict.fromkeys(known[::3], ("Invited", "")),
            orders=dict(old),
            seats=dict(old),
            contacts=dict(old),
            contact_ids=set(known),
        )

    def would(self, op: Op, row: Row) -> str:  # noqa: C901, PLR0911, PLR0912 - a table of rules, one a line
        """Return what an undisturbed vendor makes of a row: `done`, `nothing` to do, or `refused`."""
        thing, _, verb = op.way.writes.partition(" ")
        whom = row.whom
        if row.is_spoilt and not op.way.by_id and verb != "delete":
            return "refused"
        if thing in {"lead", "member"} and not op.way.by_id and whom in self.twins:
            return "refused"
        match thing, verb:
            case "lead", "delete":
                return "done" if whom in self.ids else "nothing"
            case "list", "add":
                return "done" if whom in self.ids else "refused"
            case "list", "remove":
                return ("done" if whom in self.listed else "nothing") if whom in self.ids else "refused"
            case "member", "status":
                return self._would_move(whom)
            case "member", "data":
                is_member = whom in self.members and whom in self.ids
                return "done" if is_member and not row.is_spoilt else "refused"
            case "member", "delete":
                return "done" if whom in self.members and whom in self.ids else "nothing"
            case "contact", "update":
                return "done" if whom in self.contact_ids and not row.is_spoilt else "refused"
            case "contact", "delete":
                return "done" if whom in self.contact_ids else "nothing" if whom < UNKNOWN else "refused"
            case "order", "delete":
                return "done" if whom in self.orders else "nothing"
            case _, "create":
                return "refused" if whom in self._of(thing) else "done"
            case _, "update":
                return "done" if whom in self._of(thing) else "refused"
            case _:
                return "done"

    def _would_move(self, whom: int) -> str:
        if whom not in self.ids:
            return "refused"
        status = self.members.get(whom, ("", ""))[0]
        return "done" if STEPS.get(status, 0) < STEPS[STATUS] else "nothing"

    def _of(self, thing: str) -> dict[int, str]:
        return {
            "lead": self.leads,
            "member": self.leads,
            "order": self.orders,
            "seat": self.seats,
            "contact": self.contacts,
        }[thing]

    def do(self, op: Op, row: Row) -> None:  # noqa: C901 - one case an action
        """Write a row."""
        thing, _, verb = op.way.writes.partition(" ")
        whom = row.whom
        match thing, verb:
            case "lead", "delete":
                self.leads.pop(whom, None)
                self.ids.discard(whom)
                self.listed.discard(whom)
                self.members.pop(whom, None)
            case "list", "add":
                self.listed.add(whom)
            case "list", "remove":
                self.listed.discard(whom)
            case "member", "status":
                self._move(whom)
            case "member", "data":
                self.members[whom] = (self.members.get(whom, ("Invited", ""))[0], row.value)
            case "member", "delete":
                self.members.pop(whom, None)
            case "member", "upsert":
                self.leads[whom] = row.value
                self._move(whom)
            case "lead", "duplicate":
                pass
            case "lead", "upsert list":
                self.leads[whom] = row.value
                self.listed.add(whom)
            case "contact", "delete":
                self.contacts.pop(whom, None)
                self.contact_ids.discard(whom)
            case "order", "delete":
                self.orders.pop(whom, None)
            case _:
                self._of(thing)[whom] = row.value

    def _move(self, whom: int) -> None:
        status, value = self.members.get(whom, ("", ""))
        if STEPS.get(status, 0) < STEPS[STATUS]:
            self.members[whom] = (STATUS, value)
