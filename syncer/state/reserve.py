"""Room on the disk that is taken beforehand, so that what came of a request can be noted though the disk is full.

A file of zeros that belongs to nobody's data: while it stands, requests may begin; when the disk is full it is given
up, and what is under way is noted in its place. It goes when the run leaves the state in good order.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from syncer.state.place import RESERVE_BYTES, full

if TYPE_CHECKING:
    from pathlib import Path

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_BLOCK: Final = 512
"""The unit of `st_blocks`, as stat(2) has it."""
_PIECE: Final = 1 << 20


class Reserve:
    """The reserve of one state folder. Several runs may share it."""

    def __init__(self, folder: Path, size: int = RESERVE_BYTES) -> None:
        """Nothing is taken yet."""
        self._folder = folder
        self._path = folder / "reserve"
        self._size = size

    def take(self) -> None:
        """See that the room is taken; raises `StateError` where there is not so much."""
        try:
            if self._path.stat().st_blocks * _BLOCK >= self._size:
                return
        except FileNotFoundError:
            pass
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _fill(handle, self._size)
        except OSError as error:
            self.give_up()
            if error.errno in _NO_ROOM:
                raise full(self._folder, "the reserve cannot be taken") from error
            raise
        finally:
            os.close(handle)

    def give_up(self) -> bool:
        """Give the room back, and say whether there was some."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True


def _fill(handle: int, size: int) -> None:
    """Take `size` bytes of the disk for a file, with zeros where the system cannot set them aside (macOS)."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
        return
    zeros = bytes(_PIECE)
    for start in range(0, size, _PIECE):
        os.pwrite(handle, zeros[: size - start], start)
