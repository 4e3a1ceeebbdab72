"""Reads the header of a delimited file from its first bytes: delimiter, quote, names. Pure.

A header is a promise about every row, so it is taken literally: nothing is trimmed or renamed, and a form is read off
it only where it allows one reading.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from syncer.errors import SourceError

MAX_COLUMNS = 5_000
MAX_HEADER_BYTES = 1 << 20
UTF8_MARK = b"\xef\xbb\xbf"
DELIMITERS = {"csv": ",", "tsv": "\t", "ssv": ";"}
_CANDIDATES = (",", ";", "\t", "|")
_IN_APOSTROPHES = re.compile(rb"'[^'\"]*'(?:[,;\t|]'[^'\"]*')*")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


@dataclass(frozen=True, slots=True)
class Form:
    """How the file is delimited. `is_declared` is false where the delimiter may be read off the header.

    A quote that is none is read off it as well.
    """

    delimiter: str
    quote: str | None
    is_declared: bool


@dataclass(frozen=True, slots=True)
class Header:
    """The names in order, the delimiter that stands between them, and the quote that stands around cells."""

    names: tuple[str, ...]
    delimiter: str
    quote: str = '"'


def read(head: bytes, form: Form, label: str) -> Header:
    """Parse the header from the file's first bytes in UTF-8; raises `SourceError`."""
    body = head.removeprefix(UTF8_MARK)
    if not body.strip(b"\r\n"):
        raise SourceError("S101", f'"{label}" is empty: it has no header.', "A file of no rows still has a header.")
    if body.startswith((b"\n", b"\r")):
        raise SourceError("S107", f'The first line of "{label}" is empty.', "Let the header be the first line.")
    text = _decode(body, label)
    if text.lower().startswith("sep=") and len(text.splitlines()[0].strip()) == len("sep=") + 1:
        detail = f'"{label}" begins with "sep=", a line that one spreadsheet program writes for itself.'
        raise SourceError("S106", detail, 'Remove the line and declare "delimiter" instead.')
    quote = form.quote or quote_of(head)
    delimiter, names = form.delimiter, _split(text, form.delimiter, quote)
    if len(names) <= 1:
        others = {each: split for each in _CANDIDATES if len(split := _split(text, each, quote)) > 1}
        if len(others) == 1 and not form.is_declared:
            delimiter, names = others.popitem()
        elif others:
            detail = f'"{label}" has one column when it is split at {_called(delimiter)}.'
            raise SourceError(
                "S106", detail, f'Its header looks split at {_called(next(iter(others)))}: declare that as "delimiter".'
            )
    if not names:
        detail = f'The header of "{label}" cannot be split: a quote is not closed, or stands beside other text.'
        raise SourceError("S104", detail, "Close every quote, and double a quote inside quotes.")
    check_names(names, label)
    return Header(tuple(names), delimiter, quote)


def quote_of(head: bytes) -> str:
    """Return the apostrophe where every name stands in apostrophes: such a line is meant in no other way."""
    lines = head.removeprefix(UTF8_MARK).splitlines()
    return "'" if lines and _IN_APOSTROPHES.fullmatch(lines[0]) else '"'


def _called(delimiter: str) -> str:
    return _NAMES.get(delimiter, f'"{delimiter}"')


def _decode(body: bytes, label: str) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as problem:
        # A head that was cut inside a character is no fault of the file.
        if len(body) - problem.start < 4 and len(body) + 4 > MAX_HEADER_BYTES:  # noqa: PLR2004 - longest character of UTF-8
            return body[: problem.start].decode("utf-8")
        complete = body[: problem.start]
        if b"\n" in complete:
            return complete.decode("utf-8")
        detail = f'The header of "{label}" is not UTF-8 at byte {problem.start}.'
        raise SourceError("S103", detail, 'Declare "encoding", or save the file as UTF-8.') from problem


def _split(text: str, delimiter: str, quote: str) -> list[str]:
    """Return the names, or none where the quotes and this delimiter do not go together."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=True)
        return next((row for row in reader if row), [])
    except csv.Error:
        return []


def check_names(names: list[str], label: str) -> None:
    """Refuse names that could be taken for one another or for nothing; raises `SourceError`."""
    if len(names) > MAX_COLUMNS:
        raise SourceError("S107", f'"{label}" has {len(names):,} columns; at most {MAX_COLUMNS:,} are read.')
    seen: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        advice = "Give every column a name of its own in the first line."
        if "\0" in name:
            raise SourceError("S107", f'The name of column {place} of "{label}" holds a NUL character.', advice)
        if not name.strip():
            raise SourceError("S107", f'Column {place} of "{label}" has no name.', advice)
        if name != name.strip():
            advice = f'Did you mean "{name.strip()}"?'
            raise SourceError(
                "S107", f'The name of column {place} of "{label}" begins or ends with a blank: "{name}".', advice
            )
        other = seen.get(name.casefold())
        if other is not None:
            alike = "" if other == name else f' and "{name}", which differ in letter case only'
            raise SourceError("S107", f'"{label}" has two columns "{other}"{alike}.', advice)
        seen[name.casefold()] = name
