"""Fields of Marketo objects and what their types take: a value in, the stored value out, or a refusal.

Rules: Adobe, "Field Types", and refusals recorded from a real instance. Stored values are what a read gives back:
datetimes in UTC without milliseconds, numbers of single precision, booleans never null.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

INTEGER_LIMIT = 2**63
TEXT_BYTES = 30_000
MAX_EMAIL_LENGTH = 255
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_INTEGER = re.compile(r"[+-]?\d{1,19}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s*(Z|[+-]\d{2}:?\d{2})?)?")
_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


class InvalidValueError(ValueError):
    """The type does not take this value."""


class TooLongError(ValueError):
    """The value is longer than the field."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field as describe shows it; `kind` is standard, custom or company."""

    id: int
    name: str
    display_name: str
    data_type: str
    length: int | None
    is_read_only: bool = False
    soap_name: str = ""
    kind: str = "custom"

    def store(self, value: Any) -> Any:
        """What is kept of a value; null and empty text empty the field ("Custom Objects": both are null)."""
        if value is None or value == "":
            return False if self.data_type == "boolean" else None
        if isinstance(value, (dict, list)):
            raise InvalidValueError
        return _STORE[self.data_type](self, value)


def is_email(text: str) -> bool:
    """Whether Marketo would send mail there: ASCII only ("Leads")."""
    return len(text) <= MAX_EMAIL_LENGTH and _EMAIL.fullmatch(text) is not None


def as_text(value: Any) -> str:
    """A JSON value as Marketo repeats it in a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def timestamp(epoch: float) -> str:
    """A moment the way the lead database writes it."""
    return datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _string(field: Field, value: Any) -> str:
    text = as_text(value)
    if field.length is not None and len(text) > field.length:
        raise TooLongError
    return text


def _text(_field: Field, value: Any) -> str:
    text = as_text(value)
    if len(text) * 4 > TEXT_BYTES and len(text.encode()) > TEXT_BYTES:
        raise TooLongError
    return text


def _email(field: Field, value: Any) -> str:
    text = _string(field, value).strip()
    if not is_email(text):
        raise InvalidValueError
    return text


def _url(field: Field, value: Any) -> str:
    text = _string(field, value)
    if not _PROTOCOL.fullmatch(text):
        raise InvalidValueError
    return text


def _integer(_field: Field, value: Any) -> int:
    if isinstance(value, bool):
        raise InvalidValueError
    if isinstance(value, float):
        if not value.is_integer():
            raise InvalidValueError
        value = int(value)
    elif isinstance(value, str):
        if not _INTEGER.fullmatch(value.strip()):
            raise InvalidValueError
        value = int(value)
    if not -INTEGER_LIMIT <= value < INTEGER_LIMIT:
        raise InvalidValueError
    return int(value)


def _float(_field: Field, value: Any) -> float:
    """Single precision: seven digits survive."""
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value.strip())):
        raise InvalidValueError
    number = float(value)
    if abs(number) > 3.4e38:  # noqa: PLR2004 - the largest number of single precision
        raise InvalidValueError
    return float(f"{number:.7g}")


def _boolean(_field: Field, value: Any) -> bool:
    word = as_text(value).lower()
    if word in {"true", "1"}:
        return True
    if word in {"false", "0"}:
        return False
    raise InvalidValueError


def _date(_field: Field, value: Any) -> str:
    text = as_text(value).strip()
    if not _DATE.fullmatch(text):
        raise InvalidValueError
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InvalidValueError from error


def _datetime(_field: Field, value: Any) -> str:
    """UTC without milliseconds; a value without a zone is taken as UTC, the sandbox's instance zone."""
    text = as_text(value).strip()
    if not _DATETIME.fullmatch(text):
        raise InvalidValueError
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValueError from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


_STORE = {
    "string": _string,
    "phone": _string,
    "text": _text,
    "email": _email,
    "url": _url,
    "integer": _integer,
    "score": _integer,
    "percent": _integer,
    "reference": _integer,
    "float": _float,
    "currency": _float,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}

SEARCHABLE = (
    "cookies",
    "email",
    "facebookId",
    "id",
    "leadPartitionId",
    "linkedInId",
    "sfdcAccountId",
    "sfdcContactId",
    "sfdcLeadId",
    "sfdcLeadOwnerId",
    "sfdcOpptyId",
    "twitterId",
)
"""Standard fields that a lead can be looked up by: "Leads", Query."""

SEARCHABLE_CUSTOM_TYPES = frozenset({"string", "email", "integer"})


def lead_fields() -> dict[str, Field]:
    """The lead fields of a small instance, with one custom field of each type."""
    return dict(_lead_fields())


@cache
def _lead_fields() -> dict[str, Field]:
    text = files("syncer.sandbox.marketo").joinpath("lead_fields.csv").read_text(encoding="utf-8")
    return {
        row["name"]: Field(
            int(row["id"]),
            row["name"],
            row["displayName"],
            row["dataType"],
            int(row["length"]) if row["length"] else None,
            row["readOnly"] == "true",
            row["soapName"],
            row["kind"],
        )
        for row in csv.DictReader(text.splitlines())
    }


def is_searchable(field: Field) -> bool:
    """Whether a lead can be looked up by this field."""
    return field.name in SEARCHABLE or (field.kind == "custom" and field.data_type in SEARCHABLE_CUSTOM_TYPES)


def canonical(field_name: str, data_type: str, value: Any) -> Any:
    """The form in which two values of a key are the same: e-mail without case, other text as it stands."""
    if value is None:
        return None
    if data_type == "email" or field_name == "email":
        return str(value).strip().casefold()
    if data_type in {"integer", "reference"}:
        text = str(value).strip()
        return int(text) if _INTEGER.fullmatch(text) else text
    return str(value).strip()
