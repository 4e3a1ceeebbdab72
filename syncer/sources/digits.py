"""Numbers in JSON lines whose digits the engine's own reader would change, because it reads them as floats.

`1.10` would come as `1.1`, and what has more digits than a float would lose some. Most files hold none such and are
read the short way; for the others there is a scan here that keeps every number as it is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2

from syncer.sources.column import name, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BLOCK_BYTES = 1 << 18
_LONGEST = 4_096
"""A number may stand across two blocks; one longer than this fits no field of any target."""

_WHOLE = "(?:0|[1-9][0-9]*)"
_SHAPES = (
    rf"{_WHOLE}\.[0-9]+0",  # a zero that says how exact the number is
    rf"{_WHOLE}(?:\.[0-9]+)?[eE][+-]?[0-9]+",  # an exponent, which the engine writes its own way
    r"0\.0000[0-9]*",  # a small number, which the engine writes with an exponent
    rf"{_WHOLE}\.[0-9]{{8,}}",  # up to 15 digits come back from a float as they were, more may not
    r"[1-9][0-9]{8,}\.[0-9]+",
)
_AT_RISK = rf"[:,\[][ \t]*-?(?:{'|'.join(_SHAPES)})[ \t\r\n,}}\]]"
_STRING = r'"(?:[^"\\]|\\.)*"'
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_MARK = "\\u0001\\u0002\\u0001"
"""Stands, in JSON, at the start of a number that was put into quotes; no text begins so."""


def are_at_risk(path: Path) -> bool:
    """Return whether the file may hold a number that would change; text that looks like one counts too."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    pattern = re2.compile(_AT_RISK.encode(), options)
    rest = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            if pattern.search(rest + block):
                return True
            rest = block[-_LONGEST:]
    return bool(pattern.search(rest + b"\n"))


def scan(files: str, names: Sequence[str]) -> str:
    """Return the SELECT of the members `names` as text, of the list of files: strings unquoted, numbers as written."""
    # Control characters cannot stand in a line of JSON, so they can mark where each number begins and ends.
    marked = rf"regexp_replace(CAST(json AS VARCHAR), '({_STRING})|({_NUMBER})', '\1' || chr(1) || '\2' || chr(2), 'g')"
    quoted = f"replace(replace(replace({marked}, chr(1) || chr(2), ''), chr(1), '\"{_MARK}'), chr(2), '\"')"
    members = "json_object(" + ", ".join(f"{text(each)}, 'JSON'" for each in names) + ")"
    values = ", ".join(f"{_value(each)} AS {name(each)}" for each in names)
    return (
        f"SELECT {values} FROM (SELECT CASE WHEN json_type(json) = 'OBJECT' THEN from_json({quoted}, {members}) "
        "ELSE error('no object') END AS line "
        f"FROM read_json_objects({files}, format = 'newline_delimited', compression = 'uncompressed'))"
    )


def _value(member: str) -> str:
    """Return a member as text; nested values stay JSON, with their own numbers as written."""
    raw = f"line.{name(member)}"
    value = f"CAST({raw} AS VARCHAR)"
    start = f'"{_MARK}'
    number = f"substr({value}, {len(start) + 1}, length({value}) - {len(start) + 1})"
    marked = _MARK.replace("\\", "\\\\")
    nested = rf"regexp_replace({value}, '\"{marked}({_NUMBER})\"', '\1', 'g')"
    return (
        f"CASE WHEN starts_with({value}, '{start}') THEN {number} "
        f"WHEN starts_with({value}, '\"') THEN {raw} ->> '$' "
        f"WHEN left({value}, 1) IN ('[', '{{') THEN {nested} "
        f"WHEN {value} <> 'null' THEN {value} END"
    )
