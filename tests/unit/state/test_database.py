"""The state's file while somebody else has it: readers wait for nobody, and a writer that stands still is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from syncer.cli.exits import Exit, exit_for
from syncer.errors import BusyStateError
from syncer.state import database
from syncer.state.local import LocalStore
from syncer.state.protocol import Note, Started
from tests.fakes.world import directly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.hand import HandClock
    from tests.unit.state.conftest import Opener

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[3]
STARTED = Started(plan="p", tool="1")
WRITER = """
import sys, sqlite3, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("begin immediate")
db.execute("update epoch set last = 77")
print("held", flush=True)
time.sleep(60)
"""


async def _read(store: LocalStore) -> list[Note]:
    journal = await store.journal("run1", None)
    return [note async for note in journal.notes()]


@pytest.fixture
async def state(tmp_path: Path, clock: HandClock) -> Path:
    """A state with one run of one note, left in good order."""
    store = LocalStore(tmp_path / "state", clock, offload=directly)
    lease = await store.acquire(("leads",), "ada", "run1")
    await (await store.journal("run1", lease)).append(STARTED)
    await lease.release()
    store.close()
    return tmp_path / "state"


@pytest.fixture
def stopped(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A process that was stopped in the middle of a transaction, and stores that wait for no long time."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own text
        [sys.executable, "-c", WRITER, str(state / "state.sqlite")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.send_signal(signal.SIGSTOP)
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.001)
    with process:
        yield process
        process.kill()


async def test_a_stopped_writer_is_named_with_what_to_do(opened: Opener, stopped: subprocess.Popen[str]) -> None:
    """Its process, that it is stopped, and both ways on; the command ends as a locked one."""
    with pytest.raises(BusyStateError, match="R207") as caught:
        await opened().acquire(("leads",), "bob", "run2")
    assert f"Process {stopped.pid} (stopped)" in caught.value.detail
    assert f"kill -KILL {stopped.pid}" in caught.value.advice
    assert caught.value.command == f"kill -CONT {stopped.pid}"
    assert exit_for(caught.value) is Exit.LOCKED


async def test_reading_waits_for_no_writer(opened: Opener, stopped: subprocess.Popen[str]) -> None:
    """Runs, notes, leases and spent plans are told while somebody stands still in the middle of a write."""
    assert stopped.poll() is None
    store = opened()
    assert await _read(store) == [STARTED]
    assert await store.runs() == ("run1",)
    assert await store.held() == ()
    assert await store.spent_by("p") is None


async def test_what_a_stopped_writer_had_begun_is_undone_with_it(
    opened: Opener, stopped: subprocess.Popen[str]
) -> None:
    """Ended, it leaves the state as it was, and the next one goes on at once."""
    stopped.kill()
    stopped.wait()
    store = opened()
    lease = await store.acquire(("leads",), "bob", "run2")
    assert lease.epoch == 2
    assert await _read(store) == [STARTED]


async def test_where_the_system_does_not_tell_who_it_is_the_way_to_find_out_is(
    opened: Opener, stopped: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without a list of locks."""
    assert stopped.poll() is None
    monkeypatch.setattr(database, "_LOCKS", tmp_path / "none")
    with pytest.raises(BusyStateError, match="Another process") as caught:
        await opened().acquire(("leads",), "bob", "run2")
    assert caught.value.command.startswith("fuser -v ")


def test_the_writer_is_read_from_the_systems_list(tmp_path: Path) -> None:
    """Others' files, readers, waiters and other bytes of the file are none."""
    (tmp_path / "file").touch()
    shared = (tmp_path / "file").stat()
    node = f"{os.major(shared.st_dev):02x}:{os.minor(shared.st_dev):02x}:{shared.st_ino}"
    others = f"""\
1: FLOCK  ADVISORY  WRITE 11 {node} 0 EOF
2: POSIX  ADVISORY  READ 12 {node} 120 120
3: POSIX  ADVISORY  WRITE 13 {node}9 120 120
3: -> POSIX  ADVISORY  WRITE 14 {node} 120 120
4: POSIX  ADVISORY  WRITE 15 {node} 124 124
"""
    assert database.writer(others, shared) == 0
    assert database.writer(f"{others}5: POSIX  ADVISORY  WRITE 16 {node} 120 120\n", shared) == 16
    assert database.writer(f"5: POSIX  ADVISORY  WRITE -1 {node} 122 122\n", shared) == 0


def test_a_process_that_is_gone_is_said_to_be() -> None:
    """It ended between the list and the look."""
    assert database._how_it_is(os.getpid()) == "at work"
    assert database._how_it_is(2**22 + 1) == "gone by now"
