"""Which system calls change the world: a file's content, a folder's names, or what a vendor has received."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.sweep.seccomp import Call

SENDS: Final = ("sendto", "sendmsg", "write", "writev")
WRITES: Final = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "copy_file_range", "sendfile")
SYNCS: Final = ("fsync", "fdatasync")
SIZES: Final = ("ftruncate", "fallocate")
RENAMES: Final = ("rename", "renameat", "renameat2")
NAMES: Final = (
    *("mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat", "open", "openat"),
    *RENAMES,
)
STATE: Final = (*WRITES, *SYNCS, *SIZES, *NAMES, "sendto", "sendmsg")
WAKE_BYTES: Final = 1
"""An event loop wakes itself with one byte through a socket of its own."""


_NO_FILES: Final = ("/dev/null", "/dev/pts", "/dev/tty", "/proc/")


def changes_state(call: Call) -> bool:
    """Say whether the call changes a file, a folder, or what was sent; waking a thread does not."""
    if call.name in {"sendto", "sendmsg"}:
        return call.name == "sendmsg" or call.arguments[2] > WAKE_BYTES
    if call.name in {*WRITES, *SYNCS, *SIZES}:
        place = call.path_of()
        is_file = place.startswith("/") and not place.startswith(_NO_FILES)
        return is_file or (place.startswith("socket:") and call.arguments[2] > WAKE_BYTES)
    return True


_WRITE = re.compile(rb"(POST|PUT|PATCH|DELETE) (\S+) HTTP")


def vendor_write(call: Call) -> str:
    """Return method and path of a request that may change a record and that this call is about to send; "" if none."""
    if call.name not in SENDS or not call.path_of().startswith("socket:"):
        return ""
    found = _WRITE.match(call.payload(2_048))
    if found is None or b"/oauth" in found[2] or b"_method=GET" in found[2] or found[2].startswith(b"/state/"):
        return ""
    return f"{found[1].decode()} {found[2].decode()}"


def told(call: Call, root: str) -> str:
    """Return what the call is about, in a few words, without the folder that all is in."""
    if call.name in {"open", "openat", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", *RENAMES}:
        place = call.text(int(call.name.endswith("at") or call.name == "renameat2"))
    elif call.name in {"sendto", "sendmsg", "connect", "recvfrom", "socket"}:
        place = vendor_write(call) or "network"
    else:
        place = call.path_of()
    return f"{call.name} {place.removeprefix(root).lstrip('/') or '.'}"
