"""Salesforce record ids: fifteen case-sensitive characters, and three more that let case be lost.

The sandbox stores and answers the 18-character form and reads both. An id says its object by its first three
characters.
"""

from __future__ import annotations

import functools

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_INSTANCE = "5g0000"
SHORT, LONG = 15, 18
PREFIX = 3


@functools.lru_cache(maxsize=4096)
def _checksum_character(five: str) -> str:
    return _CHECKSUM[sum(1 << place for place, character in enumerate(five) if "A" <= character <= "Z")]


def lengthen(short: str) -> str:
    """The 18-character form of a 15-character id: one checksum character for each five of the id."""
    checksum = "".join(_checksum_character(short[start : start + 5]) for start in (0, 5, 10))
    return short + checksum


def make_id(prefix: str, number: int) -> str:
    """The 18-character id of the `number`-th record of the object that owns `prefix`."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return lengthen(prefix + _INSTANCE + digits.rjust(SHORT - PREFIX - len(_INSTANCE), "0"))


def parse_id(text: str) -> str | None:
    """The 18-character form of what is written, or None if it is no id at all or its checksum is wrong."""
    if len(text) not in (SHORT, LONG) or not (text.isascii() and text.isalnum()):
        return None
    if len(text) == SHORT:
        return lengthen(text)
    return _restore_case(text)


def _restore_case(text: str) -> str | None:
    """An 18-character id carries the case of its letters in its checksum, so it may come in any case."""
    letters = []
    for group in range(3):
        mask = _CHECKSUM.find(text[SHORT + group].upper())
        if mask < 0:
            return None
        for place in range(5):
            character = text[group * 5 + place]
            is_capital = bool(mask >> place & 1)
            if is_capital and not character.isalpha():
                return None
            letters.append(character.upper() if is_capital else character.lower())
    restored = lengthen("".join(letters))
    return restored if text in (restored, text.lower(), text.upper()) else None
