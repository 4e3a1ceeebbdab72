"""Lets a parent see, order, refuse and cut the system calls of a child, by the kernel's user notification.

The child asks for it before it does anything else. Each call named here then waits in the kernel until the parent has
answered, so a parent counts the calls of all threads in one order, and a child that is killed meanwhile has not made
the call. See seccomp_unotify(2). It needs Linux on x86-64 or arm64, and no package.
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import os
import platform
import select
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNSEEN: Final = range(200, 210)
"""Descriptors whose calls are not seen: the test's own lines to its parent and to the sandbox's clock."""


def _numbers(text: str) -> dict[str, int]:
    return {name: int(number) for name, _, number in (each.partition("=") for each in text.split())}


_X86 = _numbers("""
write=1 pwrite64=18 writev=20 pwritev=296 pwritev2=328 sendto=44 sendmsg=46 fsync=74 fdatasync=75 ftruncate=77
fallocate=285 copy_file_range=326 sendfile=40 rename=82 renameat=264 renameat2=316 mkdir=83 mkdirat=258 rmdir=84
unlink=87 unlinkat=263 link=86 linkat=265 symlink=88 symlinkat=266 open=2 openat=257 socket=41 connect=42 recvfrom=45
""")
_ARM = _numbers("""
write=64 pwrite64=68 writev=66 pwritev=70 pwritev2=287 sendto=206 sendmsg=211 fsync=82 fdatasync=83 ftruncate=46
fallocate=47 copy_file_range=285 sendfile=71 renameat=38 renameat2=276 mkdirat=34 unlinkat=35 linkat=37 symlinkat=36
openat=56 socket=198 connect=203 recvfrom=207
""")
_NUMBERS, _ARCH, _SECCOMP = {
    "x86_64": (_X86, 0xC000003E, 317),
    "aarch64": (_ARM, 0xC00000B7, 277),
}.get(platform.machine(), ({}, 0, 0))
_NAMES = {number: name for name, number in _NUMBERS.items()}
_CREATES = os.O_CREAT | os.O_TRUNC

_SET_FILTER, _NEW_LISTENER, _NO_NEW_PRIVILEGES = 1, 8, 38
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_LOAD, _EQUAL, _ABOVE, _ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_AT, _SECOND_AT, _THIRD_AT = 0, 4, 16, 24, 32
_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101
_CONTINUE = 1


def is_able() -> bool:
    """Say whether this machine's kernel can do it at all."""
    try:
        with open("/proc/sys/kernel/seccomp/actions_avail", encoding="ascii") as known:  # noqa: PTH123 - the kernel's
            return bool(_NUMBERS) and "user_notif" in known.read().split()
    except OSError:
        return False


def _filter(calls: Sequence[str]) -> bytes:
    """Return a program that stops at `calls`, but not at those about stdout, stderr and the unseen descriptors."""
    stop = [_NUMBERS[each] for each in calls if each in _NUMBERS and each not in {"open", "openat"}]
    opens = {name: at for name, at in (("open", _SECOND_AT), ("openat", _THIRD_AT)) if name in calls}
    lines: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_EQUAL, 1, 0, _ARCH),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FIRST_AT),
        (_EQUAL, 3, 0, 1),
        (_EQUAL, 2, 0, 2),
        (_ABOVE, 0, 2, UNSEEN.start),
        (_ABOVE, 1, 0, UNSEEN.stop),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    for each in stop:
        lines += [(_EQUAL, 0, 1, each), (_RETURN, 0, 0, _NOTIFY)]
    for name, at in opens.items():
        if name in _NUMBERS:
            lines += [
                (_EQUAL, 0, 4, _NUMBERS[name]),
                (_LOAD, 0, 0, at),
                (_ANY, 0, 1, _CREATES),
                (_RETURN, 0, 0, _NOTIFY),
                (_RETURN, 0, 0, _ALLOW),
            ]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def be_watched(calls: Sequence[str], line: socket.socket) -> None:
    """Let whoever has the other end of `line` decide on `calls` of this process from now on."""
    own = os.dup2(line.fileno(), UNSEEN.start)
    program = ctypes.create_string_buffer(_filter(calls))
    head = struct.pack("HxxxxxxP", len(program.raw) // 8, ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    listener = libc.syscall(_SECCOMP, _SET_FILTER, _NEW_LISTENER, ctypes.create_string_buffer(head))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    with socket.socket(fileno=own) as told:
        told.sendmsg([b"!"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))])
    os.close(listener)
    line.close()


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that waits for its answer. `thread` made it."""

    identity: int
    thread: int
    name: str
    arguments: tuple[int, ...]

    def path_of(self, argument: int = 0) -> str:
        """Return what the descriptor in this argument stands for, as /proc has it; "" when it is none."""
        try:
            return str(Path(f"/proc/{self.thread}/fd/{self.arguments[argument] & 0xFFFFFFFF}").readlink())
        except OSError:
            return ""

    def memory(self, argument: int, size: int) -> bytes:
        """Return bytes that this argument points at."""
        return self._at(self.arguments[argument], size)

    def _at(self, address: int, size: int) -> bytes:
        try:
            with open(f"/proc/{self.thread}/mem", "rb", buffering=0) as memory:  # noqa: PTH123 - the kernel's
                memory.seek(address)
                return memory.read(size)
        except OSError:
            return b""

    def payload(self, most: int = 65_536) -> bytes:
        """Return what a writing or sending call hands over."""
        if self.name in {"writev", "pwritev", "pwritev2"}:
            parts = struct.iter_unpack("QQ", self.memory(1, 16 * min(self.arguments[2], 64)))
            return b"".join(self._at(start, min(size, most)) for start, size in parts)[:most]
        return self.memory(1, min(self.arguments[2], most))

    def text(self, argument: int) -> str:
        """Return the text that this argument points at."""
        return self.memory(argument, 4_096).partition(b"\0")[0].decode("utf-8", "replace")


class Listener:
    """The parent's end."""

    def __init__(self, line: socket.socket) -> None:
        """Take the listener that the child sends."""
        _, parts, _, _ = line.recvmsg(1, socket.CMSG_SPACE(4))
        self._handle = array.array("i", bytes(parts[0][2][:4]))[0]
        self._poll = select.poll()
        self._poll.register(self._handle, select.POLLIN)

    def calls(self, patience: float) -> Iterator[Call]:
        """Yield calls until the child is no more; raises `TimeoutError` when nothing happens for so long."""
        while True:
            ready = self._poll.poll(patience * 1_000)
            if not ready:
                message = "The watched process makes no calls and does not end."
                raise TimeoutError(message)
            if not ready[0][1] & select.POLLIN:
                return
            room = bytearray(80)
            try:
                fcntl.ioctl(self._handle, _RECEIVE, room)
            except OSError as error:
                if error.errno in {errno.ENOENT, errno.EINTR}:
                    continue  # Whoever made the call is no more.
                raise
            identity, thread, _, number, _, _, *arguments = struct.unpack("QIIiIQ6Q", room)
            yield Call(identity, thread, _NAMES.get(number, str(number)), tuple(arguments))

    def go_on(self, call: Call) -> None:
        """Let the call be made."""
        self._answer(struct.pack("QqiI", call.identity, 0, 0, _CONTINUE))

    def fail(self, call: Call, error: int) -> None:
        """Let the call fail with this number, unmade."""
        self._answer(struct.pack("QqiI", call.identity, 0, -error, 0))

    def close(self) -> None:
        """Answer nothing more."""
        os.close(self._handle)

    def _answer(self, answer: bytes) -> None:
        try:
            fcntl.ioctl(self._handle, _ANSWER, bytearray(answer))
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
