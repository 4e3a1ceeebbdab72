"""Values: text or JSON into what a field stores, and the vendor's objections to a value it could read.

Two steps, because the vendor has two: a value that is none of the field's type cannot be deserialised at all,
and one that is may still be too long, no e-mail address, or not in a restricted list.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from syncer.sandbox.salesforce.field import DECIMAL_KINDS, TEXT_KINDS, Field
from syncer.sandbox.salesforce.refusal import RowError

Value = str | float | int | bool | None
Reader = Callable[[str], Value]
Check = Callable[[Any], RowError | None]

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.(\d{1,3}))?Z?")
_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_EMAIL = re.compile(r"[^\s@,;<>()\[\]\\\"]+@(?:[^\s@.,;<>()\[\]\\\"]+\.)+[^\s@.,;<>()\[\]\\\"]{2,}")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
MAX_INT = 2**31 - 1


def stamp(epoch: float) -> str:
    """A moment as the vendor prints it: UTC, whole seconds with milliseconds, an offset without a colon."""
    return dt.datetime.fromtimestamp(int(epoch), dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _read_boolean(text: str) -> Value:
    if text not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text]


def _read_integer(text: str) -> Value:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _read_decimal(text: str) -> Value:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _read_date(text: str) -> Value:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return dt.date.fromisoformat(text).isoformat()


def _read_datetime(text: str) -> Value:
    if not _DATETIME.fullmatch(text):
        raise ValueError(text)
    moment = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def _read_time(text: str) -> Value:
    matched = _TIME.fullmatch(text)
    if matched is None:
        raise ValueError(text)
    return f"{text[:8]}.{(matched[2] or '').ljust(3, '0')}Z"


def _read_text(text: str) -> Value:
    return text


_READERS: dict[str, Reader] = {
    "boolean": _read_boolean,
    "int": _read_integer,
    "date": _read_date,
    "datetime": _read_datetime,
    "time": _read_time,
    **dict.fromkeys(DECIMAL_KINDS, _read_decimal),
}


def reader(field: Field) -> Reader:
    """The function that deserialises a text value of the field, and raises ValueError where the vendor cannot."""
    return _READERS.get(field.kind, _read_text)


def from_json(field: Field, value: object) -> Value:
    """Deserialise a JSON value; numbers and booleans may come as text. ValueError if it is of another type."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return reader(field)(value)
    if isinstance(value, bool):
        if field.kind == "boolean":
            return value
    elif isinstance(value, int | float) and (field.kind in DECIMAL_KINDS or field.kind == "int"):
        return reader(field)(str(value))
    raise ValueError(value)


def check(field: Field) -> Check | None:
    """The function that objects to a readable value of the field, or None if every readable value will do."""
    if field.kind == "email":
        return _check_email(field)
    if field.kind in {"picklist", "multipicklist"} and field.is_restricted:
        return _check_restricted(field)
    if field.kind in TEXT_KINDS:
        return _check_length(field)
    if field.kind in DECIMAL_KINDS:
        return _check_decimal(field)
    if field.kind == "int":
        return _check_integer(field)
    return None


def _check_length(field: Field) -> Check:
    def over(value: str) -> RowError | None:
        if len(value) <= field.length:
            return None
        message = f"{field.label}: data value too large: {value} (max length={field.length})"
        return RowError("STRING_TOO_LONG", message, (field.name,))

    return over


def _check_email(field: Field) -> Check:
    too_long = _check_length(field)

    def bad(value: str) -> RowError | None:
        if not _EMAIL.fullmatch(value):
            message = f"{field.label}: invalid email address: {value}"
            return RowError("INVALID_EMAIL_ADDRESS", message, (field.name,))
        return too_long(value)

    return bad


def _check_restricted(field: Field) -> Check:
    allowed = frozenset(field.values)

    def outside(value: str) -> RowError | None:
        chosen = value.split(";") if field.kind == "multipicklist" else [value]
        if allowed.issuperset(chosen):
            return None
        message = f"{field.label}: bad value for restricted picklist field: {value}"
        return RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (field.name,))

    return outside


def _check_decimal(field: Field) -> Check:
    limit = 10.0 ** (field.precision - field.scale)

    def outside(value: float) -> RowError | None:
        if abs(value) < limit:
            return None
        return _out_of_range(field, value)

    return outside


def _check_integer(field: Field) -> Check:
    limit = min(10**field.digits - 1, MAX_INT)

    def outside(value: int) -> RowError | None:
        return None if abs(value) <= limit else _out_of_range(field, value)

    return outside


def _out_of_range(field: Field, value: float) -> RowError:
    message = f"{field.label}: value outside of valid range on numeric field: {value}"
    return RowError("NUMBER_OUTSIDE_VALID_RANGE", message, (field.name,))


def settle_decimal(field: Field, value: float) -> float:
    """The number as the field keeps it: rounded half up to its scale."""
    if round(value, field.scale) == value:
        return value
    try:
        return float(Decimal(str(value)).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP))
    except InvalidOperation:
        return value


def java_double(value: float) -> str:
    """A number as the vendor's result files spell it once it has ten million or more: `9.12260031E8`."""
    shortest = min((f"{value:.{places}e}" for places in range(17)), key=lambda text: (float(text) != value, len(text)))
    digits, exponent = shortest.split("e")
    if "." not in digits:
        digits += ".0"
    return f"{digits}E{int(exponent)}"
