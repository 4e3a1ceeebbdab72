"""Does a target hold what was sent? A comparison of two JSON values that forgives what vendors do to values. Pure.

A boolean set to null reads back false, moments come back in UTC without milliseconds, floats in single precision,
numbers as text, ids with blanks behind them. Anything else that differs, differs.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_INFINITE, _MINUS_INFINITE = struct.pack("<f", float("inf")), struct.pack("<f", float("-inf"))


def holds(sent: Mapping[str, object], held: Mapping[str, object]) -> bool:
    """Tell whether every field that was sent stands in what is held; names are compared without case."""
    by_name = {name.lower(): value for name, value in held.items()}
    return all(same(value, by_name.get(name.lower())) for name, value in sent.items())


def same(sent: object, held: object) -> bool:
    """Tell whether the two are one value to the vendor."""
    if _is_blank(sent) or _is_blank(held):
        return _is_blank(sent) and _is_blank(held)
    if isinstance(sent, bool) or isinstance(held, bool):
        return _words(sent) == _words(held)
    return _text(sent) == _text(held) or _same_number(sent, held) or _same_moment(sent, held)


def folded(value: object) -> str:
    """Return a key value in the form in which keys are matched: trimmed, without case."""
    return _text(value).casefold()


def _is_blank(value: object) -> bool:
    """Null, empty text and false are one to a vendor that stores null booleans as false."""
    return value is None or value is False or value in {"", "false", "False"}


def _words(value: object) -> str:
    return {"1": "true", "0": "false"}.get(_text(value), _text(value).lower())


def _text(value: object) -> str:
    return str(value).strip()


def _same_number(sent: object, held: object) -> bool:
    try:
        first, second = Decimal(_text(sent)), Decimal(_text(held))
    except InvalidOperation:
        return False
    if not (first.is_finite() and second.is_finite()):
        return False
    return first == second or _single(first) == _single(second)


def _single(number: Decimal) -> bytes:
    """Return the number in single precision: what Marketo keeps of a float ("Field Types")."""
    try:
        packed = struct.pack("<f", float(number))
    except OverflowError:
        packed = _INFINITE
    return str(number).encode() if packed in {_INFINITE, _MINUS_INFINITE} else packed


def _same_moment(sent: object, held: object) -> bool:
    first, second = _moment(sent), _moment(held)
    return first is not None and first == second


def _moment(value: object) -> datetime | None:
    """Read ISO 8601, with `+0000` too; without a zone it is taken for UTC, as both are."""
    text = _text(value)
    if "T" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).replace(microsecond=0)
