"""What a plain YAML scalar means: YAML 1.2's core schema, and a refusal wherever YAML 1.1 would read something else.

Quoted and block scalars are text and never come here. A refusal names its code and what to write; it never guesses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Value = str | int | float | bool | None

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_OLD_TRUE = frozenset({"yes", "Yes", "YES", "on", "On", "ON"})
_OLD_FALSE = frozenset({"no", "No", "NO", "off", "Off", "OFF"})
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_OLD_NUMBER = re.compile(
    r"[-+]?0[0-7_]+|[-+]?0b[01_]+|0o[0-7]+|[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?|[-+]?0x[0-9a-fA-F_]+"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
)
_MAX_DIGITS = 18
"""Every integer of so many digits fits into 64 bits."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plain scalar is not read; `sentence` is ready to follow the scalar's name."""

    code: str
    sentence: str
    advice: str


def parse_plain(text: str) -> Value | Refusal:
    """Return the value of a plain scalar, or why it must be written otherwise."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _OLD_TRUE or text in _OLD_FALSE:
        meant = "true" if text in _OLD_TRUE else "false"
        return Refusal(
            "M113",
            f"is text in YAML 1.2 and {meant} in YAML 1.1, so readers disagree.",
            f'Write "{text}" in quotes for text, or {meant} for a truth value.',
        )
    return _parse_number(text)


def _parse_number(text: str) -> Value | Refusal:
    if _INTEGER.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
        if len(text.lstrip("+-")) > _MAX_DIGITS:
            return Refusal(
                "M114", f"is a number of more than {_MAX_DIGITS} digits.", "Write it in quotes to keep every digit."
            )
        return int(text, 0)
    if _NOT_FINITE.fullmatch(text):
        return Refusal("M114", "is no finite number.", "Write it in quotes for text.")
    if _OLD_NUMBER.fullmatch(text):
        return Refusal(
            "M113",
            "is read as different values by YAML 1.1 and YAML 1.2.",
            "Write it in quotes for text, or as a plain decimal number.",
        )
    if _FLOAT.fullmatch(text):
        return _parse_float(text)
    return text


def _parse_float(text: str) -> float | Refusal:
    value = float(text)
    if repr(value) == text.removeprefix("+"):
        return value
    return Refusal(
        "M114",
        f"is a number to YAML and would be read as {value!r}.",
        "Write it in quotes for text, or in the form that it would be read as.",
    )
