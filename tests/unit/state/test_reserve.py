"""The room on the disk that is taken before a run, on every kind of system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncer.state.reserve import Reserve

SIZE = (2 << 20) + 4096


@pytest.mark.parametrize("is_able", [True, False], ids=["set aside", "filled with zeros"])
def test_the_room_is_really_taken_and_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_able: bool
) -> None:
    """A file of its whole size stands on the disk, not a hole; giving it up says whether there was one."""
    if not is_able:
        monkeypatch.delattr(os, "posix_fallocate")
    reserve = Reserve(tmp_path, SIZE)
    reserve.take()
    found = (tmp_path / "reserve").stat()
    assert found.st_size == SIZE
    assert found.st_blocks * 512 >= SIZE
    assert reserve.give_up()
    assert not reserve.give_up()
