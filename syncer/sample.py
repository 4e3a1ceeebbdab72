"""A few rows of people, taken out because somebody asked to see them: values on their way from engine to a rendering.

They are personal data. No plan file, log, journal or state ever holds one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SampleKind(StrEnum):
    """What becomes of a row that is shown."""

    SENT = "to send"
    NEW = "new"
    CHANGED = "to change"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class SampleCell:
    """A value under its name: a field of the target, or a column of the source for a row that was refused.

    `value` is None where it is empty. `held` is what the target has in its place, where the two were compared and
    differ (`is_changed`).
    """

    name: str
    value: str | None
    held: str | None = None
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One row by its number in the source. `code`, `field` and `reason` say why it was refused."""

    row: int
    kind: SampleKind
    cells: tuple[SampleCell, ...] = ()
    code: str = ""
    field: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OperationSample:
    """The rows of one operation that are shown."""

    operation: str
    rows: tuple[SampleRow, ...]
