"""State in a folder: durable, private, one holder at a time."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from syncer.errors import LockedError, StateError
from syncer.state import local, place
from syncer.state.journal import SCHEMA
from syncer.state.local import LocalStore
from syncer.state.protocol import Committing, Intended, Note, Parked, Settled, Started
from tests.fakes.hand import HandClock
from tests.fakes.world import directly
from tests.unit.state.conftest import Opener

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[3]
STARTED = Started(plan="p", tool="1")


async def _read(store: LocalStore, run: str = "run1") -> list[Note]:
    journal = await store.journal(run, None)
    return [note async for note in journal.notes()]


async def test_a_long_journal_is_read_page_by_page(opened: Opener, clock: HandClock) -> None:
    """More notes than one page holds come back in order."""
    store = opened()
    journal = await store.journal("run1", await store.acquire(("leads",), "ada", "run1"))
    notes = [Committing(unit=f"a/1/sync/{number:04d}", at=clock.now()) for number in range(1_100)]
    for note in notes:
        await journal.append(note)
    assert await _read(opened()) == notes


async def test_a_dead_holder_is_replaced_at_once(opened: Opener) -> None:
    """Its file lock went with its process, so nothing of it can still be sending."""
    first, second = opened(), opened()
    await first.acquire(("leads",), "ada", "run1")
    first.close()
    await second.acquire(("leads",), "bob", "run1")
    with pytest.raises(LockedError):
        await opened().acquire(("leads",), "eve", "run1")


async def test_a_dead_holder_stays_dead_when_its_replacement_fails(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk failed as the next one took over: nothing has changed, and whoever comes then goes on at once."""
    first, second = opened(), opened()
    await first.acquire(("leads",), "ada", "run1")
    first.close()

    def failing(db: sqlite3.Connection) -> tuple[object, ...]:
        if db.execute("select count(*) from lease where run = 'run2'").fetchone()[0]:
            raise OSError(errno.EIO, "Input/output error")
        return leases(db)

    leases = local._leases
    monkeypatch.setattr(local, "_leases", failing)
    with pytest.raises(StateError, match="R205"):
        await second.acquire(("leads",), "bob", "run2")
    monkeypatch.setattr(local, "_leases", leases)
    await opened().acquire(("leads",), "eve", "run3")
    assert [path.name for path in (tmp_path / "state").glob("holder-*")] == ["holder-2.lock"]


async def test_a_holder_without_a_lock_file_is_waited_for(opened: Opener, tmp_path: Path, clock: HandClock) -> None:
    """State copied from another machine: nobody can see whether its process lives."""
    first, second = opened(), opened()
    lease = await first.acquire(("leads",), "ada", "run1")
    first.close()
    (tmp_path / "state" / f"holder-{lease.epoch}.lock").unlink()
    with pytest.raises(LockedError):
        await second.acquire(("leads",), "bob", "run1")
    clock.pass_by(436)
    await second.acquire(("leads",), "bob", "run1")


async def test_on_a_network_disk_only_time_tells(tmp_path: Path, clock: HandClock) -> None:
    """Locks lie there, so a free lock proves nothing."""
    stores = [LocalStore(tmp_path / "s", clock, allow_network=True, offload=directly) for _ in range(2)]
    await stores[0].acquire(("leads",), "ada", "run1")
    stores[0].close()
    with pytest.raises(LockedError):
        await stores[1].acquire(("leads",), "bob", "run1")
    stores[1].close()


async def test_files_are_the_owners_alone(opened: Opener, tmp_path: Path) -> None:
    """Folder 0700, files 0600, whatever the umask says."""
    before = os.umask(0)
    try:
        store = opened()
        lease = await store.acquire(("leads",), "ada", "run1")
        await (await store.journal("run1", lease)).append(STARTED)
    finally:
        os.umask(before)
    folder = tmp_path / "state"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


async def _some_state(store: LocalStore) -> list[Note]:
    lease = await store.acquire(("leads",), "ada", "run1")
    journal = await store.journal("run1", lease)
    notes: list[Note] = [
        STARTED,
        *(Settled(unit=f"a/1/sync/{number:04d}", letters="cux" * 100) for number in range(40)),
        Parked(reason="quota"),
    ]
    for note in notes:
        await journal.append(note)
    await lease.release()
    store.close()
    return notes


async def test_a_file_cut_anywhere_is_read_whole_in_part_or_refused(
    opened: Opener, tmp_path: Path, clock: HandClock
) -> None:
    """Every cut is either detected, or leaves notes that were written, in their order."""
    notes = await _some_state(opened())
    whole = (tmp_path / "state" / "state.sqlite").read_bytes()
    outcomes = set()
    for cut in [*range(0, len(whole), 509), len(whole)]:
        folder = tmp_path / "cut"
        folder.mkdir(mode=0o700)
        (folder / "state.sqlite").write_bytes(whole[:cut])
        store = LocalStore(folder, clock, offload=directly)
        try:
            told = await _read(store)
            outcomes.add("read" if told else "empty")
            assert told == notes[: len(told)]
            assert told == notes or cut == 0
        except StateError as error:
            outcomes.add(error.code)
        store.close()
        shutil.rmtree(folder)
    assert outcomes == {"read", "empty", "R201"}


async def test_a_changed_byte_in_the_file_is_not_believed(opened: Opener, tmp_path: Path, clock: HandClock) -> None:
    """A flipped byte is refused, or was in a place that holds nothing."""
    notes = await _some_state(opened())
    whole = (tmp_path / "state" / "state.sqlite").read_bytes()
    for at in range(4_096, len(whole), 397):
        folder = tmp_path / "flipped"
        folder.mkdir(mode=0o700)
        (folder / "state.sqlite").write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        store = LocalStore(folder, clock, offload=directly)
        told: list[Note] = []
        try:
            journal = await store.journal("run1", None)
            async for note in journal.notes():
                told.append(note)  # noqa: PERF401 - what was read before a refusal counts
            assert told == notes
        except StateError:
            assert told == notes[: len(told)]
        store.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (f"pragma user_version = {SCHEMA + 1}", "R202"),
        ("pragma application_id = 1", "R203"),
        ("update note set text = replace(text, 'p', 'q')", "R201"),
        ("delete from note where number = 1", "R201"),
        ("drop table note", "R205"),
    ],
)
async def test_a_state_that_is_not_ours_is_refused(opened: Opener, tmp_path: Path, statement: str, code: str) -> None:
    """Newer, foreign or edited: never half believed, never begun afresh."""
    await _some_state(opened())
    with sqlite3.connect(tmp_path / "state" / "state.sqlite") as db:
        db.execute(statement)
    db.close()
    with pytest.raises(StateError) as caught:
        await _read(opened())
    assert caught.value.code == code


async def test_another_programs_file_is_left_alone(opened: Opener, tmp_path: Path) -> None:
    """A database that somebody else keeps there is not written to."""
    (tmp_path / "state").mkdir()
    with sqlite3.connect(tmp_path / "state" / "state.sqlite") as db:
        db.execute("create table theirs (x)")
    db.close()
    with pytest.raises(StateError, match="R203"):
        await opened().runs()


def _full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system find no room for a reserve."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)


async def test_a_full_disk_is_told_before_a_run(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the reserve cannot be taken, no lease is."""
    _full(monkeypatch)
    with pytest.raises(StateError, match="R204"):
        await opened().acquire(("leads",), "ada", "run1")
    assert await opened().held() == ()


async def test_a_full_disk_is_told_before_a_send(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With less than the reserve left nothing new is announced, and outcomes can still be written."""
    store = opened()
    journal = await store.journal("run1", await store.acquire(("leads",), "ada", "run1"))
    assert (tmp_path / "state" / "reserve").stat().st_blocks * 512 >= place.RESERVE_BYTES
    (tmp_path / "state" / "reserve").unlink()
    _full(monkeypatch)
    with pytest.raises(StateError, match="R204"):
        await journal.append(Intended(unit="u", sha256="h", records=1))
    await journal.append(Parked(reason="no room"))


async def test_the_reserve_goes_with_the_run(opened: Opener, tmp_path: Path) -> None:
    """A folder in which nobody works takes no more room than its notes need."""
    store = opened()
    lease = await store.acquire(("leads",), "ada", "run1")
    await lease.release()
    assert not (tmp_path / "state" / "reserve").exists()


async def test_a_disk_that_is_full_at_the_write_is_told_as_such(opened: Opener) -> None:
    """SQLite's refusal becomes a sentence with what to do, and the note before it still stands."""
    store = opened()
    journal = await store.journal("run1", await store.acquire(("leads",), "ada", "run1"))
    await journal.append(STARTED)
    assert store._opened is not None
    pages = store._opened.execute("pragma page_count").fetchone()[0]
    store._opened.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(StateError, match="R204"):
        await journal.append(Settled(unit="u", letters="c" * 50_000))
    assert await _read(store) == [STARTED]


async def test_an_outcome_is_noted_in_the_room_that_was_kept(opened: Opener, tmp_path: Path) -> None:
    """A disk that is full until the reserve is given up: the outcome is there, and the next request is refused."""
    store = opened()
    journal = await store.journal("run1", await store.acquire(("leads",), "ada", "run1"))
    assert store._opened is not None
    db, reserve = store._opened, tmp_path / "state" / "reserve"

    def limit() -> None:
        pages = db.execute("pragma page_count").fetchone()[0]
        db.execute(f"pragma max_page_count = {pages if reserve.exists() else 1_000_000}")

    limit()
    give_up = store._reserve.give_up

    def noticed() -> bool:
        was_there = give_up()
        limit()
        return was_there

    store._reserve.give_up = noticed  # type: ignore[method-assign]
    settled = Settled(unit="u", letters="c" * 50_000)
    await journal.append(settled)
    assert await _read(store) == [settled]
    assert not reserve.exists()


async def test_notes_that_wait_share_a_write(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten units that note at once wait for the disk once or twice, and each note has its place."""
    store = opened()
    journal = await store.journal("run1", await store.acquire(("leads",), "ada", "run1"))
    writes: list[int] = []
    append = store._append

    async def counted(run: str, epoch: int, notes: Sequence[Note]) -> None:
        writes.append(len(notes))
        await append(run, epoch, notes)

    monkeypatch.setattr(store, "_append", counted)
    notes = [Committing(unit=f"a/1/sync/{number}", at=0.0) for number in range(10)]
    async with anyio.create_task_group() as tasks:
        for note in notes:
            tasks.start_soon(journal.append, note)
    assert sum(writes) == 10
    assert len(writes) <= 2
    assert await _read(store) == notes


async def test_where_the_disk_has_no_room_for_all_outcomes_are_noted_and_requests_are_not(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that shares its write with an outcome is refused alone."""
    store = opened()
    journal = await store.journal("run1", await store.acquire(("leads",), "ada", "run1"))
    (tmp_path / "state" / "reserve").unlink()
    _full(monkeypatch)
    refused: list[str] = []

    async def append(note: Note) -> None:
        try:
            await journal.append(note)
        except StateError as error:
            refused.append(error.code)

    async with anyio.create_task_group() as tasks:
        for note in (STARTED, Intended(unit="u", sha256="h", records=1), Parked(reason="no room")):
            tasks.start_soon(append, note)
    assert refused == ["R204"]
    assert await _read(store) == [STARTED, Parked(reason="no room")]


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, clock: HandClock) -> None:
    """The message says which folder and why."""
    (tmp_path / "file").write_text("")
    store = LocalStore(tmp_path / "file" / "state", clock, offload=directly)
    with pytest.raises(StateError, match="file/state"):
        await store.runs()


async def test_a_lock_that_cannot_be_read_is_no_traceback(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the system becomes a state error."""
    store = opened()
    await store.runs()

    def failing(*_: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("syncer.state.local.os.open", failing)
    with pytest.raises(StateError, match="Too many open files"):
        await store.acquire(("leads",), "ada", "run1")


RACER = """
import sys, anyio
from pathlib import Path
from syncer.clock import SystemClock
from syncer.errors import LockedError, LeaseLostError
from syncer.state.local import LocalStore
from syncer.state.protocol import Parked

async def main():
    store = LocalStore(Path(sys.argv[1]), SystemClock())
    sys.stdin.readline()
    won = 0
    for _ in range(25):
        try:
            lease = await store.acquire(("leads",), sys.argv[2], "run1")
        except LockedError:
            continue
        won += 1
        journal = await store.journal("run1", lease)
        for part in ("begin", "end"):
            await journal.append(Parked(reason=f"{part} {lease.epoch}"))
        await lease.release()
    print(won)

anyio.run(main)
"""


async def test_two_processes_take_turns(tmp_path: Path, clock: HandClock) -> None:
    """Real processes on one state: what one writes under its lease is never mixed with the other's."""
    command = [sys.executable, "-c", RACER, str(tmp_path / "state")]
    pairs = [
        subprocess.Popen(  # noqa: ASYNC220, S603 - our own interpreter, our own text
            [*command, name], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    for process in pairs:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    won = [int(process.communicate()[0]) for process in pairs]
    store = LocalStore(tmp_path / "state", clock, offload=directly)
    reasons = [note.reason for note in await _read(store) if isinstance(note, Parked)]
    store.close()
    assert len(reasons) == 2 * sum(won)
    for begin, end in zip(reasons[::2], reasons[1::2], strict=True):
        assert (begin.split()[0], end.split()[0]) == ("begin", "end")
        assert begin.split()[1] == end.split()[1]


HOLDER = """
import sys, anyio
from pathlib import Path
from syncer.clock import SystemClock
from syncer.state.local import LocalStore

async def main():
    await LocalStore(Path(sys.argv[1]), SystemClock()).acquire(("leads",), "victim", "run1")
    print("held", flush=True)
    await anyio.sleep(60)

anyio.run(main)
"""


async def test_a_killed_process_leaves_a_lease_that_can_be_taken_at_once(tmp_path: Path) -> None:
    """Killed, and the next one goes on; while the victim lived it was locked out."""
    from syncer.clock import SystemClock

    process = subprocess.Popen(  # noqa: ASYNC220, S603 - as above
        [sys.executable, "-c", HOLDER, str(tmp_path / "state")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    store = LocalStore(tmp_path / "state", SystemClock())
    with pytest.raises(LockedError):
        await store.acquire(("leads",), "next", "run2")
    process.kill()
    process.communicate()
    await store.acquire(("leads",), "next", "run2")
    store.close()


async def test_a_journal_that_lost_its_run_is_not_written_on(opened: Opener) -> None:
    """It would begin a second chain in the middle of the first."""
    store = opened()
    journal = await store.journal("run1", await store.acquire(("leads",), "ada", "run1"))
    await journal.append(STARTED)
    assert store._opened is not None
    store._opened.execute("delete from run")
    with pytest.raises(StateError, match="R201"):
        await journal.append(STARTED)


async def test_the_ledger_lives_beside(opened: Opener) -> None:
    """One folder is the whole state."""
    assert await opened().ledger().serial("newsletter") == 0
