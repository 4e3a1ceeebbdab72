"""Notes that wait together are written together, and each learns what came of its own."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from syncer.errors import StateError
from syncer.state.protocol import Note, Parked
from syncer.state.together import Together, Waiting

pytestmark = pytest.mark.anyio


def _note(number: int) -> Note:
    return Parked(reason=str(number))


class Slow:
    """A disk that holds the first write until it is let go."""

    def __init__(self) -> None:
        """Nothing was written yet."""
        self.go = anyio.Event()
        self.writes: list[list[str]] = []
        self.refuse: BaseException | None = None

    async def write(self, batch: Sequence[Waiting]) -> None:
        """Keep what was written."""
        self.writes.append([each.note.reason for each in batch if isinstance(each.note, Parked)])
        if len(self.writes) == 1:
            await self.go.wait()
        elif self.refuse is not None:
            raise self.refuse


async def test_a_note_alone_is_written_at_once() -> None:
    """Nobody waits for company."""
    disk = Slow()
    disk.go.set()
    await Together(disk.write).append(_note(1))
    assert disk.writes == [["1"]]


async def test_what_waits_goes_together_and_in_order() -> None:
    """Three notes handed in while one is written are the next write."""
    disk = Slow()
    together = Together(disk.write)
    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(together.append, _note(number))
            await anyio.wait_all_tasks_blocked()
        disk.go.set()
    assert disk.writes == [["0"], ["1", "2", "3"]]


@pytest.mark.parametrize("error", [StateError("R204", "Full.", ""), ValueError("a bug")])
async def test_a_write_that_fails_fails_for_each_of_its_notes(error: Exception) -> None:
    """No note of a failed write is believed to be there, whatever failed, and the one before it is."""
    disk, told = Slow(), []
    together = Together(disk.write)
    disk.refuse = error

    async def append(number: int) -> None:
        try:
            await together.append(_note(number))
        except (StateError, ValueError):
            told.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(append, number)
            await anyio.wait_all_tasks_blocked()
        disk.go.set()
    assert sorted(told) == [1, 2]


async def test_who_gives_up_while_waiting_is_not_written() -> None:
    """A note whose unit was cancelled before its write began is left out."""
    disk = Slow()
    together = Together(disk.write)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(together.append, _note(0))
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0):
            await together.append(_note(1))
        tasks.start_soon(together.append, _note(2))
        await anyio.wait_all_tasks_blocked()
        disk.go.set()
    assert disk.writes == [["0"], ["2"]]
