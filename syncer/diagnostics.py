"""A diagnostic is a value about the person's files: where, what, why, what to do.

Rooms collect diagnostics and hand all of them on at once; only the command line prints them.
No diagnostic holds a secret or a field value of a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from syncer import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """Errors stop the command; warnings are shown and do not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file, as people count: line and column start at 1. Line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column`, or the file alone where there is no line."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `detail` and `advice` are full sentences, `command` is a line to copy."""

    code: str
    detail: str
    place: Place | None = None
    advice: str = ""
    command: str = ""
    severity: Severity = Severity.ERROR

    @property
    def title(self) -> str:
        """The constant title of the code, as in the catalogue."""
        return catalogue.title(self.code)

    def __str__(self) -> str:
        """Return the diagnostic in the form that the terminal shows, without colour."""
        lines = [f"{f'{self.place}: ' if self.place else ''}{self.severity} {self.code}: {self.title}"]
        lines += [f"  {line}" for line in self.detail.splitlines()]
        lines += [f"  {line}" for line in self.advice.splitlines()]
        if self.command:
            lines.append(f"      {self.command}")
        return "\n".join(lines)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by place, then code; findings without a place come last; exact repeats are dropped."""
    nowhere = Place("\U0010ffff")
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda d: (d.place or nowhere, d.code, d.detail)))
