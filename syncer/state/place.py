"""Where state may live: a private folder on a disk of this machine, with room to write.

Network file systems are refused, because their locks and syncs do not mean what they say.
"""

from __future__ import annotations

import os
from pathlib import Path

from syncer.errors import StateError

RESERVE_BYTES = 64 * 1024 * 1024
"""Taken before anything is sent, so that the outcome of what is under way can still be written on a full disk."""

_NETWORK = frozenset(
    (
        *("nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre"),
        *("gpfs", "beegfs", "ocfs2", "gfs2", "vboxsf", "vmhgfs", "virtiofs", "davfs"),
    )
)
_MOUNTS = Path("/proc/self/mounts")


def make_private(folder: Path, *, allow_network: bool = False) -> None:
    """Create `folder` for its owner alone; raises `StateError` where that fails or the file system is not trusted."""
    try:
        make_folder(folder)
        folder.chmod(0o700)
    except OSError as error:
        raise StateError(
            "R205",
            f'The state folder "{folder}" cannot be created or made private: {error.strerror}.',
            "Choose a folder of your own.",
        ) from error
    mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace") if _MOUNTS.exists() else ""
    kind = file_system(folder.resolve(), mounts)
    if is_network(kind) and not allow_network:
        raise StateError(
            "R206",
            f'The state folder "{folder}" is on a file system of type "{kind}".',
            "Keep the state on a local disk or in an object store. If only one machine writes here, allow it with:",
            "export SYNCER_ALLOW_NETWORK_FS=1",
        )


def file_system(path: Path, mounts: str) -> str:
    """Return the type of the file system that holds `path`, by the text of /proc/mounts; "" when it is not told."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:  # noqa: PLR2004 - device, mount point and type, as proc_mounts(5) has it
            continue
        point = Path(parts[1].encode("latin-1", "replace").decode("unicode_escape"))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), parts[2]
    return kind


def is_network(kind: str) -> bool:
    """Whether a file system of this type may lie about locks: network and user-space ones."""
    return kind in _NETWORK or kind.startswith("fuse")


def full(folder: Path, why: str) -> StateError:
    """Return the error for a disk that has no room; `why` is a clause."""
    return StateError(
        "R204",
        f'The disk of "{folder}" is full or nearly so: {why}. {RESERVE_BYTES // 1_048_576} MB are kept for outcomes.',
        "Make room there, then go on with:",
        "syncer resume",
    )


def write_durably(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that after a power cut either the old or the new content is there, mode 0600."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Create `folder` and its parents, and make their names durable."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for each in made:
        sync_folder(each.parent)


def sync_tree(folder: Path, root: Path) -> None:
    """Make everything in `folder` durable, and its name and those of its parents up to `root`."""
    for place, _, names in os.walk(folder):
        for name in names:
            with (Path(place) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))
    for each in folder.parents:
        sync_folder(each)
        if each == root:
            break


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
