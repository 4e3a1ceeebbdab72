"""The doubt matrix as data: every mutating request, the places where it can be cut, and what the vendor made of it.

A cell is one request that goes wrong at one place with one effect. What follows is asked of every cell alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from syncer.capability import Repeat
from syncer.facts import Action, System
from syncer.mark import RUN_MARKER, field_of
from syncer.secret import Secret
from syncer.targets.endpoint import Endpoint
from syncer.targets.registry import capabilities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.capability import PathCapability

M, S = System.MARKETO, System.SALESFORCE


class Place(StrEnum):
    """Where the client's side of a request ends."""

    BEFORE_CONNECT = "before connect"
    REFUSED = "connect refused"
    TLS_CUT = "TLS cut"
    NOTHING_SENT = "after connect, nothing sent"
    HEADERS_SENT = "after headers"
    HALF_BODY = "half the body"
    NO_ANSWER = "all sent, no answer"
    ANSWER_HEADERS = "answer headers only"
    HALF_ANSWER = "half the answer"
    RESET_ON_CLOSE = "answer whole, connection reset on close"
    TOO_LATE = "answer delayed beyond the deadline"


UNSENT = frozenset({Place.BEFORE_CONNECT, Place.REFUSED, Place.TLS_CUT, Place.NOTHING_SENT, Place.HEADERS_SENT})
"""The body never left, so the vendor cannot have done anything."""
NOT_CONNECTED = frozenset({Place.BEFORE_CONNECT, Place.REFUSED, Place.TLS_CUT})
NEVER, AT_ONCE, IN_PART = "not applied", "applied", "applied in part"
LATE_SECONDS = (1.0, 45.0, 89.0, 119.0)
FIRST = 2
"""Records that are written when a request is applied in part."""


@dataclass(frozen=True)
class Effect:
    """What the vendor does with the request, and when."""

    name: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Operation:
    """One mutating request. `method` and `part` find it among an operation's calls; `needs` is there beforehand."""

    name: str
    system: System
    object: str
    path: str
    action: Action
    key: str
    value: str
    method: str
    part: str
    needs: str = ""
    options: tuple[tuple[str, str], ...] = ()
    is_about_rows: bool = True
    """Carries or starts rows; an empty job does not."""

    @property
    def capability(self) -> PathCapability:
        """What the path may do, from the client's own table."""
        endpoint = Endpoint(self.system, self.system, "https://x", "", Secret(""))
        return next(each for each in capabilities(self.object, endpoint).paths if each.name == self.path)

    @property
    def holds(self) -> bool:
        """Whether a write that cannot be seen waits for a person."""
        return not self.is_marked and (self.capability.repeat is Repeat.NEVER or self.action is Action.DUPLICATE)

    @property
    def is_marked(self) -> bool:
        """Whether each record says which run wrote it."""
        return bool(field_of(self.options))


LIST = (("list", "Trial users"),)
PROGRAM = (("program", "1044"),)
INVITED = (*PROGRAM, ("status", "Invited"))
LEADS, ORDERS, MEMBERS = "/rest/v1/leads.json", "/rest/v1/customobjects/order_c", "/rest/v1/programs/1044/members"
INGEST, ROWS = "/jobs/ingest", "/composite/sobjects"

MARKETO = (
    Operation("Sync Leads, createOrUpdate", M, "lead", "sync", Action.UPSERT, "email", "firstName", "POST", LEADS),
    Operation("Sync Leads, createOnly", M, "lead", "sync", Action.CREATE, "email", "firstName", "POST", LEADS),
    Operation(
        "Sync Leads, updateOnly", M, "lead", "sync", Action.UPDATE, "email", "firstName", "POST", LEADS, "records"
    ),
    Operation("Sync Leads, createDuplicate", M, "lead", "sync", Action.DUPLICATE, "email", "firstName", "POST", LEADS),
    Operation(
        "Push Lead", M, "lead", "push", Action.UPSERT, "email", "firstName", "POST", "/rest/v1/leads/push.json",
        options=(("program", "Spring Webinar"),),
    ),
    Operation("Delete Leads", M, "lead", "delete", Action.DELETE, "id", "", "POST", "/leads/delete.json", "records"),
    Operation("Add to List", M, "lead", "list", Action.ADD, "id", "", "POST", "/leads.json", "records", LIST),
    Operation("Remove from List", M, "lead", "list", Action.REMOVE, "id", "", "DELETE", "/leads.json", "listed", LIST),
    Operation("Import Leads", M, "lead", "bulk", Action.UPSERT, "email", "firstName", "POST", "/bulk/v1/leads.json"),
    Operation(
        "Import Leads, updates", M, "lead", "bulk", Action.UPDATE, "email", "firstName", "POST",
        "/bulk/v1/leads.json", "records",
    ),
    Operation(
        "Program Member Status", M, "program_member", "status", Action.STATUS, "leadId", "", "POST",
        f"{MEMBERS}/status.json", "records", INVITED,
    ),
    Operation(
        "Program Member Data", M, "program_member", "data", Action.UPDATE, "leadId", "registrationCode", "POST",
        f"{MEMBERS}.json", "members", PROGRAM,
    ),
    Operation(
        "Delete Program Members", M, "program_member", "delete", Action.DELETE, "leadId", "", "POST",
        f"{MEMBERS}/delete.json", "members", PROGRAM,
    ),
    Operation(
        "Import Program Members", M, "program_member", "bulk", Action.STATUS, "email", "", "POST",
        "/bulk/v1/program/1044/members/import.json", "records", INVITED,
    ),
    Operation(
        "Sync Custom Objects, createOrUpdate", M, "order_c", "sync", Action.UPSERT, "orderNumber", "quantity", "POST",
        f"{ORDERS}.json",
    ),
    Operation(
        "Sync Custom Objects, createOnly", M, "order_c", "sync", Action.CREATE, "orderNumber", "quantity", "POST",
        f"{ORDERS}.json",
    ),
    Operation(
        "Sync Custom Objects, updateOnly", M, "order_c", "sync", Action.UPDATE, "orderNumber", "quantity", "POST",
        f"{ORDERS}.json", "records",
    ),
    Operation(
        "Delete Custom Objects", M, "order_c", "delete", Action.DELETE, "orderNumber", "", "POST",
        f"{ORDERS}/delete.json", "records",
    ),
    Operation(
        "Import Custom Objects", M, "order_c", "bulk", Action.UPSERT, "orderNumber", "quantity", "POST",
        "/bulk/v1/customobjects/order_c/import.json",
    ),
)  # fmt: skip


def _salesforce() -> Iterator[Operation]:
    verbs = {Action.UPSERT: "PATCH", Action.CREATE: "POST", Action.UPDATE: "PATCH", Action.DELETE: "DELETE"}
    for action, method in verbs.items():
        by_id = action in {Action.UPDATE, Action.DELETE}
        key, needs = ("Id", "records") if by_id else ("Crm_Key__c", "")
        value = "" if action is Action.DELETE else "FirstName"
        common = (S, "Contact")
        yield Operation(f"Collections, {action}", *common, "collections", action, key, value, method, ROWS, needs)
        yield Operation(f"Multipart job, {action}", *common, "multipart", action, key, value, "POST", INGEST, needs)
        yield Operation(f"Job, {action}: upload", *common, "bulk2", action, key, value, "PUT", "/batches", needs)
        yield Operation(f"Job, {action}: close", *common, "bulk2", action, key, value, "PATCH", INGEST, needs)
        yield Operation(
            f"Job, {action}: create", *common, "bulk2", action, key, value, "POST", INGEST, needs, is_about_rows=False
        )


def _marked() -> Iterator[Operation]:
    """Yield what waits for a person without a mark, once more with one."""
    fields = {"lead": "syncerRun", "order_c": "status", "program_member": "seatPreference"}
    waits = {
        "Sync Leads, createDuplicate",
        "Push Lead",
        "Import Leads",
        "Import Program Members",
        "Import Custom Objects",
    }
    for each in MARKETO:
        if each.name in waits:
            options = (*each.options, (RUN_MARKER, fields[each.object]))
            yield replace(each, name=f"{each.name}, marked", options=options)


OPERATIONS = (*MARKETO, *_marked(), *_salesforce())


def effects(operation: Operation, place: Place) -> Iterator[Effect]:
    """Yield what can have become of the request there: late means before the vendor's published time-out is over."""
    yield Effect(NEVER)
    if place in UNSENT:
        return
    yield Effect(AT_ONCE)
    timeout = operation.capability.server_timeout_seconds
    late = {each for each in LATE_SECONDS if each < timeout or not timeout}
    yield from (Effect("applied late", each) for each in sorted(late | ({timeout - 1.0} if timeout else set())))
    if operation.is_about_rows and operation.part != INGEST:
        yield Effect(IN_PART)


@dataclass(frozen=True)
class Cell:
    """One request, cut at one place, with one effect."""

    operation: Operation
    place: Place
    effect: Effect

    def __str__(self) -> str:
        """Name the cell, so that it can be played alone."""
        late = f" by {self.effect.seconds:g} s" if self.effect.seconds else ""
        return f"{self.operation.name} / {self.place} / {self.effect.name}{late}"


CELLS = tuple(
    Cell(operation, place, effect)
    for operation in OPERATIONS
    for place in Place
    for effect in effects(operation, place)
)


def _is_usual(cell: Cell) -> bool:
    """Whether the ordinary suite plays the cell: every request and place, the latest of the late effects.

    A job's way does not depend on its action: three of the four actions of Salesforce's jobs are played at few places.
    """
    operation, place = cell.operation, cell.place
    few = operation.system is S and operation.path != "collections" and operation.action is not Action.UPSERT
    if few and place not in {Place.REFUSED, Place.NO_ANSWER}:
        return False
    latest = max((each.seconds for each in effects(operation, place)), default=0.0)
    return place is Place.NO_ANSWER or cell.effect.seconds in {0.0, latest}


USUAL = tuple(cell for cell in CELLS if _is_usual(cell))
