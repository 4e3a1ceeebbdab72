"""How the plan speaks: numbers, plurals, lists and sizes, the same in text, Markdown and HTML.

It also makes any text safe to print: no control character, no terminal escape and no workflow command passes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncer.facts import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

_DONE = {
    Action.DELETE: "deleted",
    Action.ADD: "added",
    Action.REMOVE: "removed",
    Action.STATUS: "given the status",
}


def number(value: int) -> str:
    """Return `value` with thousands separators."""
    return f"{value:,}"


def count(value: int, singular: str, plural: str = "") -> str:
    """Return the number and its noun, e.g. `1 call`, `2,400 calls`."""
    return f"{value:,} {singular if value == 1 else plural or singular + 's'}"


def quoted(names: Sequence[str]) -> str:
    """Return names in double quotes as a list in prose: `"a", "b" and "c"`."""
    marked = [f'"{name}"' for name in names]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} and {marked[-1]}"


def size(value: int) -> str:
    """Return bytes in the decimal units that the vendors' limits are stated in."""
    for unit, scale in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if value >= scale:
            return f"{value / scale:,.1f} {unit}"
    return f"{value} B"


def minutes(value: float) -> str:
    """Return a duration that is given in tenths of minutes; below six seconds there is nothing to wait for."""
    return "under 0.1 min" if value < 0.1 else f"{value:,.1f} min"  # noqa: PLR2004 - the smallest step of a plan's minutes


def done(action: Action) -> str:
    """Return what an action that neither creates nor updates does to a record, or "" for those that do."""
    return _DONE.get(action, "")


def printable(text: str) -> str:
    """Return `text` with control, bidirectional and invisible characters escaped, and `::` broken for CI logs."""
    shown = _CONTROL.sub(lambda match: _escape(ord(match.group())), text)
    return shown.replace("::", ":\\x3a")


def _escape(point: int) -> str:
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"  # noqa: PLR2004 - one byte
