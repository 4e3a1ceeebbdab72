"""RE2 on both sides: the engine has it built in, Python by its binding, and this file where the binding differs.

The binding replaces empty matches and writes groups the way Python's `re` does, so replacing is done here, RE2's way.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol, cast


class Match(Protocol):
    """What the binding gives for a match."""

    def span(self, group: int = 0) -> tuple[int, int]:
        """Return where the group begins and ends."""

    def group(self, group: int = 0) -> str | None:
        """Return the text of the group, None where it took no part."""


class Pattern(Protocol):
    """What the binding gives for a pattern."""

    groups: int

    def search(self, text: str, pos: int = 0) -> Match | None:
        """Find the first match at or after `pos`."""

    def fullmatch(self, text: str) -> Match | None:
        """Match the text as a whole."""


@cache
def compiled(pattern: str) -> Pattern:
    """Return the compiled pattern; raises `re2.error` for one that RE2 refuses."""
    import re2

    options = re2.Options()
    options.log_errors = False
    return cast("Pattern", re2.compile(pattern, options))


def problem(pattern: object) -> str:
    """Return a sentence on why RE2 refuses the pattern, or nothing."""
    import re2

    try:
        compiled(str(pattern))
    except re2.error as refused:
        return f"RE2 refuses the pattern: {_words(refused)}."
    return ""


def _words(refused: Exception) -> str:
    first = refused.args[0] if refused.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def replacement_problem(replacement: object) -> str:
    r"""Return a sentence where the replacement has a backslash that is not `\0` to `\9` or `\\`."""
    text = str(replacement)
    position = text.find("\\")
    while position >= 0:
        if text[position + 1 : position + 2] not in tuple("0123456789\\"):
            return 'In a replacement a backslash is written "\\\\" and a group "\\1".'
        position = text.find("\\", position + 2)
    return ""


def search(text: str, pattern: str, group: int) -> str | None:
    """Return the first match, or the group of it; null where nothing matches, empty where the group took no part."""
    found = compiled(pattern).search(text)
    return None if found is None else found.group(group) or ""


def replace(text: str, pattern: str, replacement: str) -> str:
    """Replace every match as RE2 does: an empty match right after a match does not count."""
    expression, written, position, last = compiled(pattern), list[str](), 0, -1
    while position <= len(text) and (found := expression.search(text, position)):
        start, end = found.span()
        written.append(text[position:start])
        if start == end == last:
            written.append(text[start : start + 1])
            position = start + 1
            continue
        written.append(_expanded(found, replacement))
        position = last = end
    return "".join(written) + text[position:]


def _expanded(found: Match, replacement: str) -> str:
    pieces = replacement.split("\\\\")
    return "\\".join(_groups(found, piece) for piece in pieces)


def _groups(found: Match, piece: str) -> str:
    first, *rest = piece.split("\\")
    return first + "".join((found.group(int(each[0])) or "") + each[1:] for each in rest)
