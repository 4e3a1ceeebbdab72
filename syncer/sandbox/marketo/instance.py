"""The default instance: lists, programs and custom object types that are there before anybody writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from syncer.sandbox.marketo.field import Field


@dataclass(slots=True)
class StaticList:
    """A static list with its members and when each was added."""

    id: int
    name: str
    created_at: float
    updated_at: float
    description: str | None = None
    program_name: str | None = None
    folder: dict[str, Any] = field(default_factory=lambda: {"id": 12, "type": "Folder"})
    members: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progression:
    """One status of a channel; leads only move to higher steps ("Program Members")."""

    name: str
    step: int
    success: bool = False


@dataclass(slots=True)
class Member:
    """A lead in a program."""

    status: str
    member_since: float
    updated_at: float
    reached_success: bool = False
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Program:
    """A program, its channel's statuses and its members by lead id."""

    id: int
    name: str
    channel: str
    statuses: tuple[Progression, ...]
    members: dict[int, Member] = field(default_factory=dict)

    def status(self, name: str) -> Progression | None:
        """A status of the channel by its name."""
        return next((status for status in self.statuses if status.name == name), None)


@dataclass(slots=True)
class ObjectRecord:
    """A record of a custom object."""

    guid: str
    values: dict[str, Any]
    created_at: float
    updated_at: float


@dataclass(slots=True)
class ObjectType:
    """A custom object type with its records by marketoGUID; `links` maps a field to the lead field it points at."""

    name: str
    display_name: str
    description: str
    dedupe_fields: tuple[str, ...]
    fields: dict[str, Field]
    links: dict[str, str] = field(default_factory=dict)
    searchable: tuple[str, ...] = ()
    records: dict[str, ObjectRecord] = field(default_factory=dict)
    by_key: dict[tuple[Any, ...], list[str]] = field(default_factory=dict)


EVENT = (
    Progression("Invited", 10),
    Progression("Registered", 20),
    Progression("No Show", 30),
    Progression("Attended", 40, success=True),
)
EMAIL = (
    Progression("Sent", 10),
    Progression("Opened", 20),
    Progression("Clicked", 30),
    Progression("Influenced", 40, success=True),
)


def static_lists(now: float) -> dict[int, StaticList]:
    """Two lists to begin with."""
    return {
        1001: StaticList(1001, "Newsletter", now, now, description="Everybody who asked for the newsletter"),
        1002: StaticList(1002, "Trial users", now, now),
    }


def programs() -> dict[int, Program]:
    """An event and an e-mail program."""
    return {
        1044: Program(1044, "Spring Webinar", "Webinar", EVENT),
        1045: Program(1045, "Monthly Newsletter", "Email Send", EMAIL),
    }


def _field(
    name: str, display_name: str, data_type: str, length: int | None = None, *, read_only: bool = False
) -> Field:
    return Field(0, name, display_name, data_type, length, read_only)


SYSTEM_FIELDS = (
    _field("createdAt", "Created At", "datetime", read_only=True),
    _field("marketoGUID", "Marketo GUID", "string", 36, read_only=True),
    _field("updatedAt", "Updated At", "datetime", read_only=True),
)


def member_fields() -> dict[str, Field]:
    """Fields of program members ("Program Members": Describe); the last two are custom."""
    fields = (
        _field("acquiredBy", "acquiredBy", "boolean"),
        _field("attendanceLikelihood", "attendanceLikelihood", "integer", read_only=True),
        _field("createdAt", "createdAt", "datetime", read_only=True),
        _field("isExhausted", "isExhausted", "boolean", read_only=True),
        _field("leadId", "leadId", "integer", read_only=True),
        _field("membershipDate", "membershipDate", "datetime", read_only=True),
        _field("nurtureCadence", "nurtureCadence", "string", 4, read_only=True),
        _field("program", "program", "string", 255, read_only=True),
        _field("programId", "programId", "integer", read_only=True),
        _field("reachedSuccess", "reachedSuccess", "boolean", read_only=True),
        _field("reachedSuccessDate", "reachedSuccessDate", "datetime", read_only=True),
        _field("registrationLikelihood", "registrationLikelihood", "integer", read_only=True),
        _field("statusName", "statusName", "string", 255, read_only=True),
        _field("statusReason", "statusReason", "string", 255),
        _field("trackName", "trackName", "string", 255, read_only=True),
        _field("updatedAt", "updatedAt", "datetime", read_only=True),
        _field("waitlistPriority", "waitlistPriority", "integer", read_only=True),
        _field("registrationCode", "registrationCode", "string", 100),
        _field("webinarUrl", "webinarUrl", "url", 2000),
        _field("seatPreference", "Seat Preference", "string", 255),
        _field("guestCount", "Guest Count", "integer"),
    )
    return {field.name: field for field in fields}


def object_types() -> dict[str, ObjectType]:
    """Orders, which have one key and a link to a lead; and seats, whose key has two parts."""
    orders = (
        _field("orderNumber", "Order Number", "string", 255),
        _field("email", "Lead Email", "email", 255),
        _field("amount", "Amount", "currency"),
        _field("quantity", "Quantity", "integer"),
        _field("orderedAt", "Ordered At", "datetime"),
        _field("status", "Status", "string", 50),
    )
    seats = (
        _field("accountNumber", "Account Number", "string", 255),
        _field("seatNumber", "Seat Number", "integer"),
        _field("label", "Label", "string", 255),
    )
    return {
        "order_c": ObjectType(
            "order_c",
            "Order",
            "An order of a customer",
            ("orderNumber",),
            {field.name: field for field in (*SYSTEM_FIELDS, *orders)},
            {"email": "email"},
            ("orderNumber", "marketoGUID", "email"),
        ),
        "seat_c": ObjectType(
            "seat_c",
            "Seat",
            "A seat of an account",
            ("accountNumber", "seatNumber"),
            {field.name: field for field in (*SYSTEM_FIELDS, *seats)},
            {},
            ("marketoGUID", "accountNumber"),
        ),
    }
