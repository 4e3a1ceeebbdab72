"""Every way that syncer can write, each with what its records look like for a made-up person, order, seat or contact.

People and things have numbers; a way says how number and value become a record, and where the sandbox is called.
"""

# ruff: noqa: FBT001 - a record is of a number, a value and a way to write the key

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from syncer.facts import Action, System
from syncer.sandbox.salesforce.ids import make_id

if TYPE_CHECKING:
    from collections.abc import Callable

MARKETO, SALESFORCE = System.MARKETO, System.SALESFORCE
LEAD, MEMBER, ORDER, SEAT, CONTACT = "lead", "program_member", "order_c", "seat_c", "Contact"
PROGRAM, PROGRAM_NAME, LIST = 1044, "Spring Webinar", 1001
STATUS = "Registered"
UNKNOWN: Final = 900_000
"""Numbers from here on belong to nobody who is there."""
TOO_LONG = "x" * 300

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """One path of one object with one action. `writes` is what it changes, in words that the model knows."""

    system: System
    object: str
    path: str
    action: Action
    key: tuple[str, ...]
    writes: str
    record: Callable[[int, str, bool], Record]
    """Of number, value, and whether the key is written in capitals."""
    places: tuple[str, ...]
    """Endpoints of its calls as the sandbox names them, the one with the effect first."""
    late_seconds: float
    """The latest that a lost write of it may still take effect."""
    options: tuple[tuple[str, str], ...] = ()
    largest: int = 300
    """Records of one request, as the vendor has it."""

    @property
    def name(self) -> str:
        """A short name that is the way's own."""
        return f"{self.object} {self.path} {self.action}"

    @property
    def is_job(self) -> bool:
        """Whether it is a job, which is polled."""
        return self.path in {"bulk", "multipart", "bulk2"}

    @property
    def by_id(self) -> bool:
        """Whether it finds records by the target's own ids."""
        return self.key[0] in {"id", "leadId", "Id"}

    @property
    def is_repeatable(self) -> bool:
        """Whether the vendor may do it twice without anybody noticing."""
        return self.action in {Action.UPSERT, Action.UPDATE} and self.path != "push" and not self.is_job


def email(number: int, *, loud: bool = False) -> str:
    """Return a person's address."""
    text = f"p{number}@example.com"
    return text.upper() if loud else text


def _lead(number: int, value: str, loud: bool) -> Record:
    return {"email": email(number, loud=loud), "firstName": value}


def _lead_id(number: int, _value: str, _loud: bool) -> Record:
    return {"id": number + 1}


def _member(number: int, value: str, _loud: bool) -> Record:
    return {"leadId": number + 1, "seatPreference": value}


def _member_id(number: int, _value: str, _loud: bool) -> Record:
    return {"leadId": number + 1}


def _order(number: int, value: str, _loud: bool) -> Record:
    return {"orderNumber": f"O-{number}", "status": value}


def _order_key(number: int, _value: str, _loud: bool) -> Record:
    return {"orderNumber": f"O-{number}"}


def _seat(number: int, value: str, _loud: bool) -> Record:
    return {"accountNumber": f"A{number % 3}", "seatNumber": str(number), "label": value}


def _contact(number: int, value: str, loud: bool) -> Record:
    key = f"Key-{number}"
    return {"Crm_Key__c": key.upper() if loud else key, "FirstName": value, "LastName": "Sim"}


def contact_id(number: int) -> str:
    """Return the id of the contact that was there at the start under this number."""
    return make_id("003", number + 1)


def _contact_id(number: int, value: str, _loud: bool) -> Record:
    return {"Id": contact_id(number), "FirstName": value}


def _contact_gone(number: int, _value: str, _loud: bool) -> Record:
    return {"Id": contact_id(number)}


_LEADS = "/rest/v1/leads.json"
_IMPORT = ("POST /bulk/v1/leads.json", "GET /bulk/v1/leads/batch/*", _LEADS)
_MEMBERS = "/rest/v1/programs/{programId}/members"
_MEMBER_IMPORT = (
    "POST /bulk/v1/program/{programId}/members/import.json",
    "GET /bulk/v1/program/members/import/*",
    f"{_MEMBERS}.json",
)
_OBJECTS = "/rest/v1/customobjects/{apiName}"
_OBJECT_IMPORT = ("POST /bulk/v1/customobjects/*/import.json", "GET /bulk/v1/customobjects/*", f"{_OBJECTS}.json")
_SOBJECTS = "/services/data/vXX.X/composite/sobjects"
_INGEST = "/services/data/vXX.X/jobs/ingest"
_QUERY = "/services/data/vXX.X/query*"
_PROGRAM = (("program", str(PROGRAM)),)


def _sync(action: Action) -> Way:
    return Way(MARKETO, LEAD, "sync", action, ("email",), f"lead {action}", _lead, (f"POST {_LEADS}", "*"), 119.0)


def _custom(action: Action) -> Way:
    places = (f"POST {_OBJECTS}.json", "*")
    return Way(MARKETO, ORDER, "sync", action, ("orderNumber",), f"order {action}", _order, places, 149.0)


def _sales(path: str, action: Action) -> Way:
    call = {Action.CREATE: "POST", Action.UPSERT: "PATCH", Action.UPDATE: "PATCH", Action.DELETE: "DELETE"}[action]
    places = {
        "collections": (f"{call} {_SOBJECTS}*", _QUERY),
        "multipart": (f"POST {_INGEST}", f"GET {_INGEST}*", _QUERY),
        "bulk2": (
            f"PATCH {_INGEST}/{{jobId}}",
            f"PUT {_INGEST}*",
            f"POST {_INGEST}",
            f"GET {_INGEST}*",
            f"GET {_INGEST}/{{jobId}}/*",
            _QUERY,
        ),
    }[path]
    record = {Action.UPDATE: _contact_id, Action.DELETE: _contact_gone}.get(action, _contact)
    key = "Id" if action in {Action.UPDATE, Action.DELETE} else "Crm_Key__c"
    return Way(SALESFORCE, CONTACT, path, action, (key,), f"contact {action}", record, places, 629.0, (), 200)


_UPSERT, _STATUS, _DELETE = Action.UPSERT, Action.STATUS, Action.DELETE
WAYS: Final = (
    *(_sync(action) for action in (_UPSERT, Action.CREATE, Action.UPDATE)),
    Way(
        MARKETO,
        LEAD,
        "sync",
        Action.DUPLICATE,
        ("email",),
        "lead duplicate",
        lambda number, value, _: {"email": f"twin{number}@example.com", "firstName": value},
        (f"POST {_LEADS}", "*"),
        119.0,
    ),
    Way(
        MARKETO,
        LEAD,
        "push",
        _UPSERT,
        ("email",),
        "lead upsert push",
        _lead,
        ("POST /rest/v1/leads/push.json", _LEADS),
        119.0,
        (("program", PROGRAM_NAME),),
    ),
    Way(MARKETO, LEAD, "bulk", _UPSERT, ("email",), "lead upsert", _lead, _IMPORT, 59.0),
    Way(MARKETO, LEAD, "bulk", _UPSERT, ("email",), "lead upsert list", _lead, _IMPORT, 59.0, (("list", str(LIST)),)),
    Way(MARKETO, LEAD, "delete", _DELETE, ("id",), "lead delete", _lead_id, ("POST /rest/v1/leads/delete.json",), 89.0),
    Way(
        MARKETO,
        LEAD,
        "list",
        Action.ADD,
        ("id",),
        "list add",
        _lead_id,
        ("POST /rest/v1/lists/{listId}/leads.json", "GET /rest/v1/lists*"),
        59.0,
        (("list", "Newsletter"),),
    ),
    Way(
        MARKETO,
        LEAD,
        "list",
        Action.REMOVE,
        ("id",),
        "list remove",
        _lead_id,
        ("DELETE /rest/v1/lists/{listId}/leads.json", "GET /rest/v1/lists*"),
        59.0,
        (("list", "Newsletter"),),
    ),
    Way(
        MARKETO,
        MEMBER,
        "status",
        _STATUS,
        ("leadId",),
        "member status",
        _member_id,
        (f"POST {_MEMBERS}/status.json", f"{_MEMBERS}.json"),
        59.0,
        (*_PROGRAM, ("status", STATUS)),
    ),
    Way(
        MARKETO,
        MEMBER,
        "data",
        Action.UPDATE,
        ("leadId",),
        "member data",
        _member,
        (f"POST {_MEMBERS}.json",),
        59.0,
        _PROGRAM,
    ),
    Way(
        MARKETO,
        MEMBER,
        "delete",
        _DELETE,
        ("leadId",),
        "member delete",
        _member_id,
        (f"POST {_MEMBERS}/delete.json", f"{_MEMBERS}.json"),
        59.0,
        _PROGRAM,
    ),
    Way(
        MARKETO,
        MEMBER,
        "bulk",
        _UPSERT,
        ("email",),
        "member upsert",
        _lead,
        _MEMBER_IMPORT,
        59.0,
        (*_PROGRAM, ("status", STATUS)),
    ),
    *(_custom(action) for action in (_UPSERT, Action.CREATE, Action.UPDATE)),
    Way(
        MARKETO,
        ORDER,
        "delete",
        _DELETE,
        ("orderNumber",),
        "order delete",
        _order_key,
        (f"POST {_OBJECTS}/delete.json",),
        89.0,
    ),
    Way(MARKETO, ORDER, "bulk", _UPSERT, ("orderNumber",), "order upsert", _order, _OBJECT_IMPORT, 59.0),
    Way(
        MARKETO,
        SEAT,
        "sync",
        _UPSERT,
        ("accountNumber", "seatNumber"),
        "seat upsert",
        _seat,
        (f"POST {_OBJECTS}.json", "*"),
        149.0,
    ),
    *(
        _sales(path, action)
        for path in ("collections", "multipart", "bulk2")
        for action in (_UPSERT, Action.CREATE, Action.UPDATE, _DELETE)
    ),
)
BY_NAME: Final = {f"{way.name} {way.writes}": way for way in WAYS}
