"""What became of a record that was to bear its run's mark: told by the mark alone, whatever else the record holds.

Pure. Values may have been changed since by others, or rewritten by the vendor; the mark says who wrote last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.facts import Action
from syncer.targets.protocol import Found, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEW_ONLY = frozenset({Action.CREATE, Action.DUPLICATE})
"""Actions that touch no record that is there already."""


def judge(position: int, action: Action, mine: Sequence[str], others: Sequence[str]) -> Found:
    """Return the read-back of one row: `mine` are the ids of its key's records with its mark, `others` without."""
    if mine:
        return Found(position, Verdict.APPLIED if len(mine) == 1 else Verdict.AMBIGUOUS, tuple(mine))
    if not others or action in _NEW_ONLY:
        return Found(position, Verdict.ABSENT)
    return Found(position, Verdict.DIFFERS if len(others) == 1 else Verdict.AMBIGUOUS, tuple(others))
