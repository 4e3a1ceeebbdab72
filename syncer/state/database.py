"""The SQLite file of a state folder: opened and checked, one short transaction a call, and its refusals in words.

Reading never waits for a writer. A writer that stands still in the middle of a transaction (a process that was stopped,
a container that was frozen) is waited for no longer than a few seconds, and then named: nobody can take its place
while it lives, and when it is ended SQLite undoes what it had begun.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syncer.errors import BusyStateError, StateError
from syncer.state import place
from syncer.state.journal import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATION: Final = 0x53594E43
"""Marks the SQLite file as ours ("SYNC"), so that no other database is taken for a journal."""
BUSY_SECONDS: Final = 10.0
"""A transaction lasts for one sync of the disk; a lease must still be confirmed in time after a wait for somebody's."""

_TABLES = """
create table run (
  number integer primary key, id text not null unique, notes integer not null, checksum text not null
) strict;
create table note (
  run text not null, number integer not null, epoch integer not null, text text not null, checksum text not null,
  primary key (run, number)
) strict, without rowid;
create table epoch (last integer not null) strict;
insert into epoch values (0);
create table lease (
  epoch integer primary key, holder text not null, run text not null, acquired real not null, renewed real not null
) strict;
create table key_space (name text primary key, epoch integer not null) strict, without rowid;
create table unlocked (epoch integer not null, who text not null, at real not null) strict;
create table spent (plan text primary key, run text not null) strict, without rowid;
"""
_HELD: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
"""SQLite, "Result and Extended Result Codes": the last is a reader that another process kept out for ten seconds."""
_REFUSALS: Final = {
    "SQLITE_READONLY": "it may only be read",
    "SQLITE_IOERR": "the disk failed",
    "SQLITE_CANTOPEN": "a file of it cannot be opened",
}
_LOCKS = Path("/proc/locks")
_WRITER: Final = range(120, 123)
"""Bytes of the -shm file that writer, checkpoint and recovery lock ("WAL-mode File Format", section 2.3)."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file, and make the tables where it is empty; raises `StateError` for one that is not believed."""
    is_new = not path.exists()
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if is_new:
        place.sync_folder(path.parent)
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.execute("pragma synchronous = full")
        db.execute("pragma journal_mode = wal")
        with transaction(db, writes=False):
            is_empty = _is_empty(db)
        if is_empty:
            with transaction(db):
                if _is_empty(db):
                    _make(db)
        with transaction(db, writes=False):
            _check(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _is_empty(db: sqlite3.Connection) -> bool:
    marks = [db.execute(f"pragma {name}").fetchone()[0] for name in ("user_version", "application_id")]
    return marks == [0, 0] and not db.execute("select 1 from sqlite_master").fetchone()


def _make(db: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";\n"):
        db.execute(statement)
    db.execute(f"pragma application_id = {APPLICATION}")
    db.execute(f"pragma user_version = {SCHEMA}")


def _check(db: sqlite3.Connection, path: Path) -> None:
    """Refuse what is not ours, newer than we are, or damaged."""
    if db.execute("pragma application_id").fetchone()[0] != APPLICATION:
        raise StateError("R203", f'The file "{path}" is not a state of syncer.', "Choose another folder for the state.")
    version = db.execute("pragma user_version").fetchone()[0]
    if version != SCHEMA:
        raise StateError(
            "R202",
            f'The state in "{path}" has version {version}; this syncer knows version {SCHEMA}.',
            "Use the version of syncer that wrote it, or a newer one.",
        )
    if db.execute("pragma quick_check(1)").fetchone()[0] != "ok":
        raise _damaged(path)


@contextmanager
def transaction(db: sqlite3.Connection, *, writes: bool = True) -> Iterator[sqlite3.Connection]:
    """Do what follows as one; only what writes waits for others who write."""
    db.execute("begin immediate" if writes else "begin")
    try:
        yield db
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise


@contextmanager
def as_state_errors(folder: Path) -> Iterator[None]:
    """Say what SQLite and the system refuse in words that help."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith("SQLITE_FULL"):
            raise place.full(folder, "SQLite found no room") from error
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise _damaged(folder / "state.sqlite") from error
        if name.startswith(_HELD):
            raise _held(folder) from error
        why = next((f"{words} ({name})" for begins, words in _REFUSALS.items() if name.startswith(begins)), name)
        raise unusable(folder, why or "SQLite gave no reason") from error
    except OSError as error:
        raise unusable(folder, error.strerror or type(error).__name__) from error


def unusable(folder: Path, why: str) -> StateError:
    """Return the error for a folder whose files cannot be used; `why` is a clause."""
    return StateError(
        "R205",
        f'The state in "{folder}" cannot be read or written: {why}.',
        "See that the folder is yours, that its disk works, and that no other process keeps it busy. Then go on with:",
        "syncer resume",
    )


def _damaged(path: Path) -> StateError:
    return StateError(
        "R201",
        f'The state file "{path}" is damaged, so nothing in it is believed.',
        "Restore it from a copy, or look the last run's records up in the target before anything is sent again.",
    )


def _held(folder: Path) -> BusyStateError:
    """Name the process that holds the file in the middle of a write, where the system tells."""
    path = folder / "state.sqlite"
    try:
        pid = writer(_LOCKS.read_text(encoding="ascii"), path.with_name("state.sqlite-shm").stat())
    except OSError:
        pid = 0
    undone = "what it was writing is undone then, and what it sent is looked up by `syncer resume`."
    what = f'has held "{path}" in the middle of a write for {BUSY_SECONDS:.0f} s.'
    if not pid:
        advice = f"Find it with the command below. Let it go on, or end it: {undone}"
        return BusyStateError("R207", f"Another process {what}", advice, f"fuser -v {path}")
    return BusyStateError(
        "R207",
        f"Process {pid} ({_how_it_is(pid)}) {what}",
        f"Let it go on with the command below, or end it with `kill -KILL {pid}`: {undone}",
        f"kill -CONT {pid}",
    )


def writer(locks: str, shared: os.stat_result) -> int:
    """Return the process that writes to the database of this -shm file, by the text of /proc/locks; 0: not told."""
    node = f"{os.major(shared.st_dev):02x}:{os.minor(shared.st_dev):02x}:{shared.st_ino}"
    for line in locks.splitlines():
        parts = line.split()
        # Number, class, kind, mode, process, device and inode, first and last byte, as proc_locks(5) has it. A line
        # with "->" is of somebody who waits.
        if len(parts) == 8 and parts[3] == "WRITE" and parts[5] == node and int(parts[6]) in _WRITER:  # noqa: PLR2004 - as above
            return max(0, int(parts[4]))
    return 0


def _how_it_is(pid: int) -> str:
    """Say whether a process was stopped, as proc_pid_stat(5) tells."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "gone by now"
    return "stopped" if text.rpartition(")")[2].split()[0] in {"T", "t"} else "at work"
