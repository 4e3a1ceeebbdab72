"""The journal's text: a note as one JSON line, sealed by a checksum that covers every line before it.

Hands the stores lines to keep and reads back notes they can believe. It never reads past a line that does not fit: a
journal that was cut, edited or written by a newer syncer is refused, never half believed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from syncer.errors import StateError
from syncer.state.protocol import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCHEMA = 1
"""Version of the notes and of the tables around them; an older syncer refuses a newer one."""

_NOTES: TypeAdapter[Note] = TypeAdapter(Note)


@dataclass(frozen=True, slots=True)
class Line:
    """One note as kept: `number` counts from 1 in its run, `epoch` is the lease it was written under."""

    number: int
    epoch: int
    text: str
    checksum: str


def opening(run: str) -> str:
    """Return the checksum that a run's first line is chained to."""
    return hashlib.sha256(f"syncer journal {SCHEMA} {run}".encode()).hexdigest()


def seal(previous: str, number: int, epoch: int, note: Note) -> Line:
    """Return the line of `note` that follows the line with checksum `previous`."""
    text = note.model_dump_json()
    return Line(number, epoch, text, _checksum(previous, number, epoch, text))


def fence(previous: str, number: int, epoch: int) -> Line:
    """Return a line that says nothing and takes a number, so that no line of an older epoch can have it any more."""
    return Line(number, epoch, "", _checksum(previous, number, epoch, ""))


def read(run: str, lines: Iterable[Line]) -> Iterator[Note]:
    """Yield the notes of `lines`; raises `StateError` at the first that is not what was written."""
    previous, epoch = opening(run), 0
    for number, line in enumerate(lines, start=1):
        checksum = _checksum(previous, line.number, line.epoch, line.text)
        if line.number != number or line.checksum != checksum or line.epoch < epoch:
            raise broken(run, f"Note {number} is not the one that was written there")
        if line.text:
            yield _parse(run, line)
        previous, epoch = checksum, line.epoch


def _parse(run: str, line: Line) -> Note:
    try:
        return _NOTES.validate_json(line.text)
    except ValidationError as error:
        raise StateError(
            "R202",
            f'Note {line.number} of run "{run}" is of a kind or form that this version of syncer does not know.',
            "Go on with the version of syncer that began the run, or a newer one.",
        ) from error


def broken(run: str, what: str) -> StateError:
    """Return the error for a journal of `run` that cannot be believed; `what` is a clause without a full stop."""
    return StateError(
        "R201",
        f'{what} in the journal of run "{run}", so nothing after it is believed.',
        "Restore the state folder from a copy, or look the records up in the target before anything is sent again.",
    )


def _checksum(previous: str, number: int, epoch: int, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{number}\n{epoch}\n{text}".encode()).hexdigest()
