"""Files sealed with a key that only the environment knows: staged rows on their way from review to apply.

AES-256-GCM over chunks, each with its number and whether it is the last in its nonce, so a file that was cut, reordered
or mixed with another opens nowhere. The key of a file is derived anew, and bound to the digest of its plan.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from syncer.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VARIABLE = "SYNCER_PLAN_KEY"
CHUNK = 1 << 20
MAKE_KEY = f'export {VARIABLE}="$(openssl rand -base64 32)"'

_MAGIC = b"syncer rows 1\n"
_SALT = 16
_CHECK = 16
_TAG = 16


def read_key(environment: Mapping[str, str] = os.environ) -> bytes:
    """Return the key; raises `UserError` where there is none, or where it is not 32 bytes in base64."""
    text = environment.get(VARIABLE, "").strip()
    if not text:
        detail = f"A source is pinned, so its rows travel beside the plan, and {VARIABLE} is not set."
        raise UserError("P122", detail, "Use the same key for plan and apply. To make one:", MAKE_KEY)
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:  # noqa: PLR2004 - AES-256
        raise UserError("P122", f"{VARIABLE} is not 32 bytes written in base64.", "To make a key:", MAKE_KEY)
    return key


def _cipher(key: bytes, salt: bytes, about: str) -> tuple[AESGCM, bytes]:
    """Return the cipher of one file, and the bytes that tell a wrong key from a damaged file."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError as error:
        advice = "Install it with:"
        raise UserError("P125", "Pinned rows need it.", advice, "pip install 'syncer[pinned]'") from error
    derived = HKDF(SHA256(), 32 + _CHECK, salt, f"syncer rows 1 {about}".encode()).derive(key)
    return AESGCM(derived[:32]), derived[32:]


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


@dataclass(slots=True)
class Seal:
    """A writer that seals what it is given; `finish` writes the last chunk, without which nothing opens."""

    file: BinaryIO
    key: bytes
    about: str
    _held: bytearray = field(default_factory=bytearray)
    _number: int = 0
    _cipher: AESGCM | None = None

    def write(self, data: bytes) -> int:
        """Take bytes; whole chunks leave at once."""
        self._held += data
        while len(self._held) > CHUNK:
            self._put(bytes(self._held[:CHUNK]), is_last=False)
            del self._held[:CHUNK]
        return len(data)

    def finish(self) -> None:
        """Write the last chunk."""
        self._put(bytes(self._held), is_last=True)
        self._held.clear()

    def _put(self, chunk: bytes, *, is_last: bool) -> None:
        if self._cipher is None:
            salt = secrets.token_bytes(_SALT)
            self._cipher, check = _cipher(self.key, salt, self.about)
            self.file.write(_MAGIC + salt + check)
        self.file.write(self._cipher.encrypt(_nonce(self._number, is_last=is_last), chunk, None))
        self._number += 1


class Opened(io.RawIOBase):
    """A reader of a sealed file; raises `UserError` for a wrong key, another plan's rows, or a damaged file."""

    def __init__(self, file: BinaryIO, key: bytes, about: str) -> None:
        """Read the head and hold the key against it."""
        head = file.read(len(_MAGIC) + _SALT + _CHECK)
        salt, check = head[len(_MAGIC) : len(_MAGIC) + _SALT], head[len(_MAGIC) + _SALT :]
        if not head.startswith(_MAGIC) or len(check) != _CHECK:
            why = "It is no file of pinned rows."
            raise _damaged(why)
        self._cipher, expected = _cipher(key, salt, about)
        if not secrets.compare_digest(check, expected):
            detail = f"The key in {VARIABLE} is not the one they were sealed with, or they belong to another plan."
            raise UserError("P123", detail, "Use the key and the rows of the very plan that you apply.")
        self._file = file
        self._number = 0
        self._plain = b""
        self._ahead = file.read(CHUNK + _TAG)
        self._is_over = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub wants any buffer
        """Give plain bytes, chunk after chunk; none is given before it is proved whole."""
        while not self._plain and not self._is_over:
            self._open_next()
        taken = self._plain[: len(buffer)]
        buffer[: len(taken)] = taken
        self._plain = self._plain[len(taken) :]
        return len(taken)

    def _open_next(self) -> None:
        from cryptography.exceptions import InvalidTag

        chunk, self._ahead = self._ahead, self._file.read(CHUNK + _TAG)
        self._is_over = not self._ahead
        try:
            self._plain = self._cipher.decrypt(_nonce(self._number, is_last=self._is_over), chunk, None)
        except InvalidTag as error:
            why = "They were cut short or changed on their way."
            raise _damaged(why) from error
        self._number += 1


def _damaged(why: str) -> UserError:
    return UserError("P124", why, "Copy the file again from where the plan was made, or make the plan again.")
