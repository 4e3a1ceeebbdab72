"""Unpacks and re-encodes source files into plain UTF-8, block by block, with limits on what may come out."""

from __future__ import annotations

import codecs
import gzip
import zlib
from typing import TYPE_CHECKING

from syncer.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_RATIO = 200
"""A gzip file that grows by more is a bomb; tables of text grow by less than 100."""
GZIP_MARK = b"\x1f\x8b"
_BLOCK_BYTES = 1 << 20
_SLACK_BYTES = 16 << 20


def is_declared(encoding: str) -> bool:
    """Return whether the encoding is another than UTF-8."""
    try:
        return codecs.lookup(encoding).name not in {"utf-8", "utf-8-sig", "ascii"}
    except LookupError as problem:
        raise SourceError(
            "S103", f'There is no encoding "{encoding}".', 'Write "utf-8", "utf-16" or "latin-1".'
        ) from problem


def is_needed(path: Path, encoding: str) -> bool:
    """Return whether the file cannot be scanned as it is."""
    return is_declared(encoding) or _is_packed(path)


def head(path: Path, encoding: str, size: int) -> bytes:
    """Return the beginning of the file in UTF-8; raises `SourceError`."""
    found = b""
    for block in _utf8(path, encoding):
        found += block
        if len(found) >= size:
            break
    return found[:size]


def to_utf8(path: Path, encoding: str, target: Path) -> Path:
    """Write the file to `target` as plain UTF-8; raises `SourceError`."""
    target.touch(mode=0o600)
    with target.open("wb") as sink:
        for block in _utf8(path, encoding):
            sink.write(block)
    return target


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == GZIP_MARK


def _utf8(path: Path, encoding: str) -> Iterator[bytes]:
    blocks = _unpacked(path) if _is_packed(path) else _plain(path)
    if not is_declared(encoding):
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done = 0
    try:
        for block in blocks:
            yield decoder.decode(block).encode("utf-8")
            done += len(block)
        yield decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeError as problem:
        start = done + getattr(problem, "start", 0)
        detail = f'"{path.name}" is not {encoding} at byte {start} or shortly before.'
        raise SourceError("S103", detail, "Declare the encoding that the file was written in.") from problem


def _plain(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _unpacked(path: Path) -> Iterator[bytes]:
    most = path.stat().st_size * MAX_RATIO + _SLACK_BYTES
    done = 0
    try:
        with gzip.open(path, "rb") as file:
            while block := file.read(_BLOCK_BYTES):
                if not done and block.startswith(GZIP_MARK):
                    raise SourceError("S111", f'"{path.name}" is packed twice.', "Pack the file once.")
                done += len(block)
                if done > most:
                    raise SourceError("S111", f'"{path.name}" grows by more than {MAX_RATIO} when it is unpacked.')
                yield block
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise SourceError(
            "S111", f'"{path.name}" is not a whole gzip file.', "Fetch or pack the file again."
        ) from problem
