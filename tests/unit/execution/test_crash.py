"""`kill -9` at any note, then resume: the same final state as a run that nobody disturbed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import anyio
import pytest

from tests.fakes.vendor import Record
from tests.fakes.world import Op, World, rows, world

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

OPS = (
    Op("a", [*rows(5), ("k1", "second"), ("k1", "third")]),
    Op("p", rows(2, "p"), path="push"),
    Op("j", rows(4, "j"), path="job"),
    Op("b", [("k1", "last"), ("b1", "v")], after=("a",)),
)
REFUSED = {"k3", "j2"}


def _spoil(it: World) -> None:
    it.vendor.refused = set(REFUSED)
    it.vendor.poison = {"k4"}
    it.vendor.faults = {("commit", "b/1/sync/0000"): ["lose before"], ("commit", "a/2/sync/0000"): ["late 50"]}


async def _undisturbed(folder: Path) -> tuple[object, object, object, int]:
    async with world(folder, *OPS) as it:
        _spoil(it)
        result = await it.run()
        await anyio.sleep(500)
        return it.vendor.state(), it.confirmed(), _rejected(it), result.exit_code


def _rejected(it: World) -> set[tuple[object, object]]:
    return {(each["operation"], each["row"]) for each in it.rejects()}


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_a_crash_at_any_note_changes_nothing_in_the_end(tmp_path: Path, *, before: bool) -> None:
    """Killed before or after each note, the resumed run ends like an undisturbed one, no key sent twice at once."""
    wanted = await _undisturbed(_new(tmp_path, "calm"))
    at = 0
    while True:
        at += 1
        async with world(_new(tmp_path, str(at)), *OPS) as it:
            _spoil(it)
            died = await it.run_and_die(lambda seen, _, at=at: seen == at, before=before)
            result = await it.run()
            await anyio.sleep(500)
            found = it.vendor.state(), it.confirmed(), _rejected(it), result.exit_code
            if result.exit_code == 9:
                # A push cut between send and note may have been sent or not: a person is asked, nothing is twice there.
                assert [each.unit for each in result.held] == ["p/1/push/0000"]
                assert not any(activities for ((_, activities),) in _pushed(it))
            else:
                assert found == wanted, f"killed at note {at}"
            assert it.vendor.duplicates() == []
            assert it.vendor.overlaps() == []
        shutil.rmtree(tmp_path / str(at))
        if not died:
            break
    assert at > 30


def _pushed(it: World) -> list[tuple[tuple[str, int], ...]]:
    return [found for key, found in it.vendor.state().items() if key.startswith("p")]


async def test_a_crash_in_a_resume_changes_nothing_either(tmp_path: Path) -> None:
    """Killed again and again, each time one note further, the run still ends like an undisturbed one."""
    wanted = await _undisturbed(_new(tmp_path, "calm"))
    async with world(_new(tmp_path, "stubborn"), *OPS) as it:
        _spoil(it)
        deaths = 0
        while await it.run_and_die(lambda seen, _, deaths=deaths: seen == 3 + deaths):
            deaths += 1
        await anyio.sleep(500)
        found = it.vendor.state(), it.confirmed()
        assert found == wanted[:2] or it.vendor.state().get("p0") is None
        assert deaths > 5
        assert it.vendor.duplicates() == []


async def test_what_was_sent_before_is_settled_before_anything_new_is_sent(tmp_path: Path) -> None:
    """A resumed run reads back first; its first write comes after its last look."""
    async with world(tmp_path, Op("a", rows(8))) as it:
        seen = 0

        def third_commit(_: int, note: object) -> bool:
            nonlocal seen
            seen += type(note).__name__ == "Committing"
            return seen == 3

        await it.run_and_die(third_commit)
        before = len(it.vendor.calls)
        assert (await it.run()).exit_code == 0
        assert max(at for _, at in it.vendor.looks) <= min(call.arrived for call in it.vendor.calls[before:])


async def test_the_wait_after_a_crash_begins_anew(tmp_path: Path) -> None:
    """The journal knows when the send was announced, not when its last byte left, so the full wait is kept."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        await it.run_and_die(lambda _, note: type(note).__name__ == "Committing")
        await anyio.sleep(1_000)
        began = anyio.current_time()
        await it.run()
        assert it.vendor.looks[0][1] >= began + 120


async def test_a_clock_that_was_set_back_does_not_stretch_the_wait(tmp_path: Path) -> None:
    """An hour back is not an hour more."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"]}
        await it.run_and_die(lambda _, note: type(note).__name__ == "Doubted")
        it.clock.start -= 3_600
        began = anyio.current_time()
        assert (await it.run()).exit_code == 0
        assert anyio.current_time() - began < 130


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_held_unit_keeps_its_lanes_in_the_next_run(tmp_path: Path) -> None:
    """Until a person has spoken, no run writes those keys. On asyncio, where "a" always comes before "b"."""
    async with world(tmp_path, Op("a", [("k", "1")]), Op("b", [("k", "2")])) as it:
        it.vendor.records["k"] += [Record("1", "k", "x"), Record("2", "k", "x")]
        it.vendor.faults = {("commit", "a/1/sync/0000"): ["lose before"], ("prepare", "b/1/sync/0000"): ["quota"]}
        await it.run()
        before = len(it.vendor.calls)
        result = await it.run()
        assert result.exit_code == 9
        assert len(it.vendor.calls) == before


async def test_a_finished_run_can_be_resumed_without_effect(tmp_path: Path) -> None:
    """Nothing is sent, nothing is merged again, and the report is the same."""
    async with world(tmp_path, *OPS) as it:
        _spoil(it)
        first = await it.run()
        calls, merges = len(it.vendor.calls), len(it.store.books.merges)
        second = await it.run()
        assert (len(it.vendor.calls), len(it.store.books.merges)) == (calls, merges)
        assert second.operations == first.operations


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name
