"""Notes that wait while others are being written go together in the next write, so that one wait serves them all.

Nothing is held back to wait for company: a note that finds nobody writing is written at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from syncer.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from syncer.state.protocol import Note


@dataclass(slots=True, eq=False)
class Waiting:
    """A note on its way into the journal, and what came of it."""

    note: Note
    is_done: bool = False
    error: BaseException | None = None


class Together:
    """The notes of one journal, in the order in which they were handed in."""

    def __init__(self, write: Callable[[Sequence[Waiting]], Awaitable[None]]) -> None:
        """`write` makes all it is given durable, or raises for all of them, or sets the `error` of some."""
        self._write = write
        self._waiting: list[Waiting] = []
        self._turn = anyio.Lock()

    async def append(self, note: Note) -> None:
        """Return when `note` is durable; raises what its write raised."""
        own = Waiting(note)
        self._waiting.append(own)
        try:
            async with self._turn:
                if not own.is_done:
                    # A write under way is waited for: whether it arrived must be known before the next one.
                    with anyio.CancelScope(shield=True):
                        await self._write_waiting()
        finally:
            if own in self._waiting:
                self._waiting.remove(own)
        if own.error is not None:
            raise own.error

    async def _write_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            await self._write(batch)
        except StateError as error:
            _refuse(batch, error)
        except BaseException as error:
            _refuse(batch, error)
            raise
        finally:
            for each in batch:
                each.is_done = True


def _refuse(batch: Sequence[Waiting], error: BaseException) -> None:
    for each in batch:
        each.error = error
