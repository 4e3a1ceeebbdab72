"""Where state may live."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncer.errors import StateError
from syncer.state import place

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/ada/fast\\040disk xfs rw 0 0
sshfs /mnt/far fuse.sshfs rw 0 0
broken
/dev/sda1 /home ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/state", "ext4"),
        ("/home/ada/fast disk/state", "xfs"),
        ("/mnt/far/state", "fuse.sshfs"),
        ("/home/ada", "ext4"),
    ],
)
def test_the_innermost_and_newest_mount_counts(path: str, kind: str) -> None:
    """As proc_mounts(5) orders them."""
    assert place.file_system(Path(path), MOUNTS) == kind


def test_without_mounts_nothing_is_told() -> None:
    """Other systems have no such file, and are trusted."""
    assert place.file_system(Path("/x"), "") == ""
    assert not place.is_network("")


@pytest.mark.parametrize(("kind", "expected"), [("nfs4", True), ("fuse.sshfs", True), ("9p", True), ("ext4", False)])
def test_network_and_user_space_file_systems_are_told(kind: str, *, expected: bool) -> None:
    """Their locks may lie."""
    assert place.is_network(kind) is expected


def test_a_network_disk_is_refused_unless_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is named."""
    mounts = tmp_path / "mounts"
    mounts.write_text("server:/ / nfs rw 0 0\n")
    monkeypatch.setattr(place, "_MOUNTS", mounts)
    with pytest.raises(StateError, match="SYNCER_ALLOW_NETWORK_FS=1"):
        place.make_private(tmp_path / "state")
    place.make_private(tmp_path / "state", allow_network=True)


def test_a_file_is_old_or_new_never_half(tmp_path: Path) -> None:
    """Written aside, synced, renamed; a failure leaves the old one and nothing else."""
    path = tmp_path / "plan.json"
    place.write_durably(path, b"old")
    place.write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        place.write_durably(tmp_path / "folder", b"x")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "plan.json"]


def _synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the names of what is synced."""
    found: list[str] = []
    real = os.fsync

    def noted(handle: int) -> None:
        found.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    monkeypatch.setattr(os, "fsync", noted)
    return found


def test_content_is_durable_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut leaves the old content or the new one whole, and then the name stays."""
    found = _synced(monkeypatch)
    place.write_durably(tmp_path / "plan.json", b"new")
    assert [name.partition(".json")[0] for name in found] == [".plan", tmp_path.name]


def test_a_new_folders_name_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those of its parents that are new as well; after a power cut the state is there or was never begun."""
    found = _synced(monkeypatch)
    place.make_private(tmp_path / "a" / "b" / "state")
    assert found == ["b", "a", tmp_path.name]
    place.make_private(tmp_path / "a" / "b" / "state")
    assert len(found) == 3


def test_a_tree_is_durable_to_its_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, folders, and the way to them."""
    (tmp_path / "runs" / "r" / "staged").mkdir(parents=True)
    (tmp_path / "runs" / "r" / "staged" / "rows").write_text("x")
    found = _synced(monkeypatch)
    place.sync_tree(tmp_path / "runs" / "r", tmp_path)
    assert sorted(found) == sorted(["r", "staged", "rows", "runs", tmp_path.name])
