"""T5: what a power cut would leave. Reads a run's calls in their order, and says what was relied on too early.

A file that got a name for good must be on the disk before, and the name right after; and whenever a request leaves,
everything that a resume would need is on the disk, names included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from tests.sweep import calls, forked

if TYPE_CHECKING:
    from tests.sweep.seccomp import Call

DRAFT: Final = re.compile(r"\.(part|new|tmp)$|/tmp_[^/]*$|/spill$")
NEEDED: Final = re.compile(r"/\.syncer/runs/[^/]+/(staged/|plan\.json)")
"""What a resume reads, but for the journal's own file, which SQLite sees to by rules of its own."""
STAGED: Final = re.compile(r"/\.syncer/runs/[^/]+/staged/")
"""Rows are staged under their names and made durable together, before anything leaves."""
MADE_AGAIN: Final = re.compile(r"/\.syncer/runs/[^/]+/units/")
"""A job's file is rendered from the staged rows whenever it is sent, and proved by its digest."""
_NEGATIVE: Final = 0x80000000
"""AT_FDCWD is -100."""


@dataclass(slots=True)
class Disk:
    """What is written and not yet on the disk: files' contents, and names in folders."""

    contents: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    """Each new name's folder."""
    renamed: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def take(self, call: Call, folder: str) -> None:
        """Take one call in, as if it had succeeded. `folder` is what relative names begin at."""
        if write := calls.vendor_write(call):
            self._before(write)
        elif call.name in {*calls.WRITES, *calls.SIZES}:
            self.contents.add(call.path_of())
        elif call.name in calls.SYNCS:
            self._sync(call.path_of())
        elif call.name in {"open", "openat", "mkdir", "mkdirat"}:
            self._name(_path(call, int(call.name.endswith("at")), folder))
        elif call.name in {"unlink", "unlinkat", "rmdir"}:
            self._forget(_path(call, int(call.name == "unlinkat"), folder))
        elif call.name == "rename":
            self._rename(_path(call, 0, folder), _plain(call, 1, folder))
        elif call.name in calls.RENAMES:
            self._rename(_path(call, 1, folder), _path(call, 3, folder))

    def _name(self, path: str) -> None:
        self.names.setdefault(path, str(PurePosixPath(path).parent))

    def _forget(self, path: str) -> None:
        self.contents.discard(path)
        self.names.pop(path, None)
        self.renamed.pop(path, None)

    def _sync(self, path: str) -> None:
        self.contents.discard(path)
        for known in (self.names, self.renamed):
            for name in [name for name, parent in known.items() if parent == path]:
                del known[name]

    def _rename(self, old: str, new: str) -> None:
        is_dirty = old in self.contents
        self._forget(old)
        self._name(new)
        if is_dirty:
            self.contents.add(new)
        if not DRAFT.search(new) and not MADE_AGAIN.search(new):
            if is_dirty and STAGED.search(new):
                return
            self.renamed[new] = str(PurePosixPath(new).parent)
            if is_dirty:
                self.findings.append(f"{new} got its name before its content was on the disk")

    def _before(self, write: str) -> None:
        late = [f"the content of {each}" for each in self.contents if NEEDED.search(each) and not DRAFT.search(each)]
        late += [f"the name of {each}" for each in self.names if NEEDED.search(each) and not DRAFT.search(each)]
        self.findings += [f"{write} left, and {each} was not on the disk" for each in sorted(late)]

    def end(self) -> list[str]:
        """Return all findings of a run that is over."""
        last = [f"{each} got its name, and its folder was never synced" for each in sorted(self.renamed)]
        return list(dict.fromkeys([*self.findings, *last]))


def _plain(call: Call, argument: int, folder: str) -> str:
    """Return the path in this argument, of a call whose names begin at the process's folder."""
    return str(PurePosixPath(folder) / call.text(argument))


def _path(call: Call, argument: int, folder: str) -> str:
    """Return the path in this argument; if it is not the first, a descriptor stands before it."""
    if argument and not call.arguments[argument - 1] & _NEGATIVE:
        return _plain(call, argument, call.path_of(argument - 1))
    return _plain(call, argument, folder)


def lint(process: forked.Process, folder: str) -> tuple[list[str], int]:
    """Let a watched command run to its end; return what it relied on too early, and how many calls were read."""
    assert process.listener is not None
    disk, count = Disk(), 0
    for call in process.listener.calls(forked.PATIENCE_SECONDS):
        disk.take(call, folder)
        count += 1
        process.listener.go_on(call)
    process.wait()
    return disk.end(), count
