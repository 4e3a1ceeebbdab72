"""Unpacks and re-encodes source files into plain UTF-8, block by block, with limits on what may come out.

A file of no declared encoding is UTF-8, or what the mark in its first bytes says. Nothing else is guessed: any bytes
are readable Latin-1.
"""

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
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_BLOCK_BYTES = 1 << 20
_SLACK_BYTES = 16 << 20


def is_needed(path: Path, declared: str | None) -> bool:
    """Return whether the file cannot be scanned as it is; raises `SourceError`."""
    return _is_packed(path) or not _is_utf8(_encoding(path, declared))


def head(path: Path, declared: str | None, size: int) -> bytes:
    """Return the beginning of the file in UTF-8; raises `SourceError`."""
    found = b""
    for block in _utf8(path, declared):
        found += block
        if len(found) >= size:
            break
    return found[:size]


def to_utf8(path: Path, declared: str | None, target: Path) -> Path:
    """Write the file to `target` as plain UTF-8; raises `SourceError`."""
    target.touch(mode=0o600)
    with target.open("wb") as sink:
        for block in _utf8(path, declared):
            sink.write(block)
    return target


def _encoding(path: Path, declared: str | None) -> str:
    """Return the encoding that is declared, or the one whose mark the text begins with (RFC 2781, 3.2)."""
    if declared is not None:
        return declared
    first = next(_blocks(path), b"")
    return next((encoding for mark, encoding in _MARKS.items() if first.startswith(mark)), "utf-8")


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name in {"utf-8", "utf-8-sig", "ascii"}
    except LookupError as problem:
        raise SourceError(
            "S103", f'There is no encoding "{encoding}".', 'Write "utf-8", "utf-16" or "latin-1".'
        ) from problem


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == GZIP_MARK


def _blocks(path: Path) -> Iterator[bytes]:
    return _unpacked(path) if _is_packed(path) else _plain(path)


def _utf8(path: Path, declared: str | None) -> Iterator[bytes]:
    encoding = _encoding(path, declared)
    blocks = _blocks(path)
    if _is_utf8(encoding):
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
