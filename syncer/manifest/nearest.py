"""Names that people may have meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 12


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that `name` is most like, whatever the case, or ""."""
    by_folded = {each.casefold(): each for each in sorted(known, reverse=True)}
    close = get_close_matches(name.casefold(), sorted(by_folded), n=1, cutoff=0.6)
    return by_folded[close[0]] if close else ""


def did_you_mean(name: str, known: Iterable[str], kind: str) -> str:
    """Return the advice for an unknown name: the nearest one, or what there is."""
    names = sorted(known)
    close = nearest(name, names)
    if close:
        return f'Did you mean "{close}"?'
    if not names:
        return f"There is no {kind} yet."
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"There is: {', '.join(names[:_SHOWN])}{rest}."
