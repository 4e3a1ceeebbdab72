"""Stories of a state that cannot be written, or not be believed, and of clocks that are wrong: one clear error each.

A command ends with a code and a way on, nothing more is sent, and when the trouble is over `resume` brings each record
to its place once.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sqlite3
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from syncer.clock import SystemClock
from syncer.state import local
from syncer.state.database import transaction
from tests.fakes.s3 import BUCKET, S3Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fast.served import Served
    from tests.scenarios.story import Player

COMMON = Path(__file__).parent / "common"
ROWS = 650
PARKED = 8
LONGEST_SECONDS = 600.0
"""A take-over waits for 435 s at the most, and a doubt for 120 s."""
MANIFEST = """\
version: 1
sources:
  contacts: { file: contacts.csv }
targets:
  leads: { connection: marketo, object: lead, key: email }
mappings:
  contact_to_lead: { email: "{{ email }}", firstName: "{{ first_name }}" }
operations:
  newsletter:
    source: contacts
    mapping: contact_to_lead
    target: leads
    path: sync
    because: several requests make a run that can be cut between them
"""


@pytest.fixture
def shop(player: Player) -> Player:
    """A project of three requests."""
    shutil.copy(COMMON / "connections.yaml", player.folder)
    (player.folder / "newsletter.yaml").write_text(MANIFEST, encoding="utf-8")
    rows = "".join(f"p{number}@example.com,Ada {number}\n" for number in range(ROWS))
    (player.folder / "contacts.csv").write_text(f"email,first_name\n{rows}", encoding="utf-8")
    return player


def _syncer(shop: Player, *words: str) -> tuple[str, int]:
    printed, code = shop.play(" ".join(("syncer", *words, "--sandbox")))
    text = "\n".join(printed)
    assert "Traceback" not in text
    return text, code


def _is_done(served: Served) -> bool:
    """Whether every record is there once, with its own value."""
    held = Counter((each["email"], each["firstName"]) for each in served.ask("state")["marketo"]["leads"])
    wanted = Counter({(f"p{number}@example.com", f"Ada {number}"): 1 for number in range(ROWS)})
    return held & wanted == wanted and sum(count for (mail, _), count in held.items() if mail.startswith("p")) == ROWS


class _Disk:
    """Refuses from the n-th write of the state on, as SQLite and the system say it."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path, *, sqlite: str, system: int) -> None:
        self.left, self._folder, self._system = sys.maxsize, folder, system
        opened = os.open

        @contextmanager
        def refusing(db: sqlite3.Connection, *, writes: bool = True) -> Iterator[sqlite3.Connection]:
            self.left -= writes
            if self.left < 0 and writes:
                error = sqlite3.OperationalError("refused")
                error.sqlite_errorname = sqlite
                raise error
            with transaction(db, writes=writes) as begun:
                yield begun

        def opening(path: Any, flags: int, *rest: Any, **named: Any) -> int:
            is_ours = str(path).startswith(str(folder / ".syncer"))
            if self.left < 0 and is_ours and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                raise OSError(system, os.strerror(system), str(path))
            return opened(path, flags, *rest, **named)

        patch.setattr(local, "transaction", refusing)
        patch.setattr(os, "open", opening)


DISKS = {
    "full": ("SQLITE_FULL", errno.ENOSPC, "R204", "SQLite found no room"),
    "read-only": ("SQLITE_READONLY_ROLLBACK", errno.EROFS, "R205", "it may only be read"),
    "failing": ("SQLITE_IOERR_WRITE", errno.EIO, "R205", "the disk failed"),
}


CUT_AT = 9
"""Writes of the state, after which one of three requests or more are under way."""
DOUBTED_AT = 16
"""All three answers were lost, and that is noted; the lease was renewed while that is waited for."""


def _cut(shop: Player, patch: pytest.MonkeyPatch, kind: str = "failing", writes: int = CUT_AT) -> _Disk:
    """Apply on a disk that refuses after so many writes; return it, still refusing."""
    sqlite, system, code, why = DISKS[kind]
    _syncer(shop, "plan")
    disk = _Disk(patch, shop.folder, sqlite=sqlite, system=system)
    disk.left = writes
    text, exit_code = _syncer(shop, "apply --yes")
    assert (f"error {code}: " in text, why in text, exit_code) == (True, True, 1), text
    return disk


@pytest.mark.parametrize(
    ("kind", "writes"),
    [("full", CUT_AT), ("read-only", 0), ("read-only", 4), ("read-only", CUT_AT), ("failing", CUT_AT)],
)
def test_a_disk_that_refuses_writes(
    shop: Player, served: Served, monkeypatch: pytest.MonkeyPatch, kind: str, writes: int
) -> None:
    """From the first write, before a send and after one: the run stops with its code and is resumed on a good disk."""
    disk = _cut(shop, monkeypatch, kind, writes)
    # Notes of several requests may share one write of the state, so that more than one can have left.
    sent = served.writes()
    assert sent in ((1, 2, 3) if writes == CUT_AT else (0,))
    _, exit_code = _syncer(shop, "resume")
    assert (exit_code, served.writes()) == (1 if writes else 2, sent)
    disk.left = sys.maxsize
    _, exit_code = _syncer(shop, "resume" if writes else "apply --yes")
    assert (exit_code, _is_done(served)) == (0, True)


@pytest.fixture
def mortal() -> Iterator[None]:
    """Let the modes of files count for this thread, and for those that it starts, though root runs the tests.

    capabilities(7): CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER are the first four.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    usual, less = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, usual) == 0
    ctypes.memmove(less, usual, ctypes.sizeof(usual))
    less[0] = usual[0] & ~0b1111
    assert libc.capset(header, less) == 0
    try:
        yield
    finally:
        assert libc.capset(header, usual) == 0


@pytest.mark.usefixtures("mortal")
def test_a_state_file_that_may_only_be_read(shop: Player, served: Served) -> None:
    """The command ends with its code before anything is sent, and goes as ever when the file may be written again."""
    assert _syncer(shop, "apply --yes")[1] == 0
    path, sent = shop.folder / ".syncer" / "state" / "state.sqlite", served.writes()
    (shop.folder / "contacts.csv").write_text("email,first_name\np0@example.com,Grace\n", encoding="utf-8")
    path.chmod(0o400)
    text, code = _syncer(shop, "apply --yes")
    assert ("error R205: " in text, "Permission denied" in text, code, served.writes()) == (True, True, 1, sent)
    path.chmod(0o600)
    assert (_syncer(shop, "apply --yes")[1], served.writes()) == (0, sent + 1)


@pytest.mark.usefixtures("mortal")
def test_a_project_folder_that_may_only_be_read(shop: Player, served: Served) -> None:
    """There is no place for state and runs: told with the option that names another one."""
    shop.folder.chmod(0o500)
    try:
        text, code = _syncer(shop, "apply --yes")
        assert ("error R907: " in text, "--work" in text, code, served.writes()) == (True, True, 2, 0)
        assert _syncer(shop, "apply --yes --work ../elsewhere")[1] == 0
    finally:
        shop.folder.chmod(0o700)
    assert _is_done(served)


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _flipped(body: bytes) -> bytes:
    """Change one bit inside the last note of a request."""
    at = body.rindex(b'"kind":"committing"')
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def _other_version(body: bytes) -> bytes:
    """SQLite, "Database File Format", 1.3: the user version stands at offset 60."""
    return body[:60] + bytes(3) + b"\x63" + body[64:]


@pytest.mark.parametrize(("spoil", "code"), [(_half, "R201"), (_flipped, "R201"), (_other_version, "R202")])
def test_a_state_file_that_is_damaged(
    shop: Player, served: Served, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[bytes], bytes], code: str
) -> None:
    """Nothing of it is acted on; with the copy back in its place the run goes on where it was."""
    disk = _cut(shop, monkeypatch)
    disk.left = sys.maxsize
    path, sent = shop.folder / ".syncer" / "state" / "state.sqlite", served.writes()
    with sqlite3.connect(path) as db:
        db.execute("pragma wal_checkpoint(truncate)")
    db.close()
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    text, exit_code = _syncer(shop, "resume")
    assert (f"error {code}: " in text, exit_code, served.writes()) == (True, 1, sent)
    for each in path.parent.glob("state.sqlite-*"):
        each.unlink()
    path.write_bytes(whole)
    assert (_syncer(shop, "resume")[1], _is_done(served)) == (0, True)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_half, "R223"),
        (lambda body: body[:-9] + bytes([body[-9] ^ 1]) + body[-8:], "R223"),
        (lambda body: body.replace(b"syncer-state 1 ", b"syncer-state 9 ", 1), "R202"),
    ],
    ids=["half", "flipped", "other version"],
)
@pytest.mark.parametrize("part", ["journal/", "leases"])
def test_an_object_in_the_bucket_that_is_damaged(
    shop: Player, served: Served, part: str, spoil: Callable[[bytes], bytes], code: str
) -> None:
    """A note or the table of leases: nothing of it is acted on, and with the old version back the run goes on."""
    rule = {"action": "vendor_error", "code": "607", "system": "marketo", "endpoint": "POST /rest/v1/leads.json"}
    served.ask("faults", {**rule, "nth": 2})
    with S3Server() as bucket:
        place = {**bucket.environment(), "SYNCER_STATE": f"s3://{BUCKET}/state"}
        there = replace(shop, environment={**shop.environment, **place})
        assert _syncer(there, "apply --yes")[1] == PARKED
        sent = served.writes()
        name = max(each for each in bucket.objects if part in each)
        whole = bucket.objects[name].body
        bucket.put(name, spoil(whole))
        text, exit_code = _syncer(there, "resume")
        assert (f"error {code}: " in text, exit_code, served.writes()) == (True, 1, sent)
        bucket.put(name, whole)
        assert (_syncer(there, "resume")[1], _is_done(served)) == (0, True)


YEAR = 365.25 * 86_400


@pytest.mark.parametrize(
    "ahead", [-3_600.0, 3_600.0, -10 * YEAR, 60 * YEAR], ids=["back", "forward", "long ago", "far"]
)
def test_a_wall_clock_that_was_set(shop: Player, served: Served, monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    """Between two lives of a run, with lost answers noted: what is in doubt is looked up, and no wait grows by it."""
    rule = {"action": "apply_then_lose", "system": "marketo", "endpoint": "POST /rest/v1/leads.json"}
    served.ask("faults", {**rule, "count": 3})
    disk = _cut(shop, monkeypatch, writes=DOUBTED_AT)
    disk.left = sys.maxsize
    right = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda clock: right(clock) + ahead)
    began = served.ask("overview")["now"]
    text, code = _syncer(shop, "resume")
    assert (code, _is_done(served)) == (0, True), text
    assert served.ask("overview")["now"] - began < LONGEST_SECONDS
    (shop.folder / "contacts.csv").write_text("email,first_name\np0@example.com,Ada 0\n", encoding="utf-8")
    assert "nothing to do" in _syncer(shop, "plan")[0]
