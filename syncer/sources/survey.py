"""Looks at a delimited file as bytes: digest, line ends, NUL, how many records it must have, and where it breaks.

Works on blocks with the interpreter's own byte searches. The engine's parallel reader can lose step inside quoted
cells that look like rows; the number of records counted here is what unmasks it.
"""

from __future__ import annotations

import hashlib
import mmap
import re
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK_BYTES = 256 << 10
_BLANK = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class Signature:
    """What the file system says of a file; any difference means that somebody wrote to it."""

    size: int
    modified: int
    inode: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over the bytes found. `records` are non-empty lines outside quotes, the header included."""

    sha256: str
    records: int
    blanks: array[int]
    """Which lines outside quotes are empty, counted from 1 as records are."""


@dataclass(frozen=True, slots=True)
class LineEnds:
    """Line ends outside quotes; `first_cr` is the line of the first lone CR, 0 where there is none."""

    crlf: int
    lf: int
    first_cr: int


def signature(path: Path) -> Signature:
    """Return the file's size, time of change and identity."""
    found = path.stat()
    return Signature(found.st_size, found.st_mtime_ns, found.st_ino)


def holds(path: Path, byte: bytes) -> bool:
    """Return whether the byte stands anywhere in the file."""
    # Not by mapping the file: its pages would count as this process's memory.
    return any(byte in block for block in _blocks(path))


def digest(path: Path) -> str:
    """Return the SHA-256 of the file."""
    whole = hashlib.sha256()
    for block in _blocks(path):
        whole.update(block)
    return whole.hexdigest()


def survey(path: Path, quote: bytes, *, block_bytes: int = BLOCK_BYTES) -> Survey:
    """Digest the file and count its records."""
    others = bytes(each for each in range(256) if each not in (quote[0], 10))
    whole = hashlib.sha256()
    is_inside = False
    newlines = 0
    last = b"\n"
    may_have_blanks = False
    tail = b"\n"
    for block in _blocks(path, block_bytes):
        whole.update(block)
        seam = tail + block[:2]
        may_have_blanks = may_have_blanks or any(_BLANK.search(part) for part in (seam, block))
        tail, last = (tail + block)[-2:] if len(block) < 2 else block[-2:], block[-1:]  # noqa: PLR2004 - two bytes of seam
        if quote not in block and not is_inside:
            newlines += block.count(b"\n")
            continue
        # Pairs of quotes without a line end between them say nothing of line ends; cells of several lines are left.
        marks = block.translate(None, others).replace(quote * 2, b"")
        parts = marks.split(quote)
        newlines += sum(map(len, parts[int(is_inside) :: 2]))
        is_inside ^= not len(parts) % 2
    blanks = _blanks(path, quote, block_bytes) if may_have_blanks else array("q")
    lines = newlines + (is_inside or last != b"\n")
    return Survey(whole.hexdigest(), lines - len(blanks), blanks)


def line_ends(path: Path, quote: bytes) -> LineEnds:
    """Count the line ends outside quotes, for a file that holds a CR at all."""
    crlf = lf = line = 0
    first_cr = 0
    pending = False
    for outside, part in _parts(path, quote, BLOCK_BYTES):
        if not outside:
            first_cr = first_cr or (line + 1 if pending else 0)
            pending = False
            line += part.count(b"\n")
            continue
        text = b"\r" + part if pending else part
        pending = text.endswith(b"\r")
        whole = text[:-1] if pending else text
        both = whole.count(b"\r\n")
        crlf += both
        lf += whole.count(b"\n") - both
        if whole.count(b"\r") > both and not first_cr:
            lone = re.search(rb"\r(?!\n)", whole)
            first_cr = line + 1 + (whole.count(b"\n", 0, lone.start()) if lone else 0)
        line += whole.count(b"\n")
    return LineEnds(crlf, lf, first_cr or (line + 1 if pending else 0))


def line_at(path: Path, position: int) -> int:
    """Return the line, as an editor counts, that holds the byte at `position`."""
    line, left = 1, position
    for block in _blocks(path):
        line += block[:left].count(b"\n")
        left -= len(block)
        if left <= 0:
            break
    return line


def first_invalid(path: Path) -> int | None:
    """Return the position of the first byte that is not UTF-8, or None."""
    base, rest = 0, b""
    for block in _blocks(path):
        data = rest + block
        try:
            data.decode("utf-8")
            rest = b""
        except UnicodeDecodeError as problem:
            if problem.start < len(data) - 3:
                return base + problem.start
            rest = data[problem.start :]
        base += len(data) - len(rest)
    return base if rest else None


def first_misquoted(path: Path, delimiter: bytes, quote: bytes) -> int:
    """Return the line of the first misquoted cell, 0 where there is none. Cell by cell: for bad files only."""
    q, d = re.escape(quote), re.escape(delimiter)
    plain = rb"[^" + q + d + rb"\r\n]*"
    cell = re.compile(
        rb"(?:" + q + rb"(?:[^" + q + rb"]|" + q + q + rb")*+" + q + rb"|" + plain + rb")(?:" + d + rb"|\r?\n|\Z)"
    )
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        place = 0
        while place < len(view):
            found = cell.match(view, place)
            if found is None:
                return line_at(path, place)
            place = found.end()
    return 0


def with_line_feeds(path: Path, quote: bytes, target: Path) -> None:
    """Write a copy in which every line outside quotes ends in LF."""
    pending = False
    target.touch(mode=0o600)
    with target.open("wb") as sink:
        for outside, part in _parts(path, quote, BLOCK_BYTES):
            text = b"\r" + part if pending else part
            pending = outside and text.endswith(b"\r")
            whole = text[:-1] if pending else text
            sink.write(whole.replace(b"\r\n", b"\n") if outside else whole)


def _blanks(path: Path, quote: bytes, block_bytes: int) -> array[int]:
    """Return which lines outside quotes are empty."""
    found = array("q")
    lines = 0
    at_start = True
    for outside, part in _parts(path, quote, block_bytes):
        if not outside:
            at_start = False
            continue
        text = part.replace(b"\r", b"")
        for run in re.finditer(rb"\n+", text):
            length = run.end() - run.start()
            opens = at_start and run.start() == 0
            found.extend(range(lines + (1 if opens else 2), lines + length + 1))
            lines += length
        if text:
            at_start = text.endswith(b"\n")
    return found


def _parts(path: Path, quote: bytes, block_bytes: int) -> Iterator[tuple[bool, bytes]]:
    """Yield the file in parts that stand outside (true) or inside (false) quotes.

    Parts inside quotes come with their quotes, so that joining all parts gives the file.
    """
    is_inside = False
    for block in _blocks(path, block_bytes):
        parts = block.split(quote)
        for number, part in enumerate(parts):
            inside = is_inside ^ bool(number % 2)
            text = part
            if inside:
                text = (quote if number else b"") + part + (quote if number < len(parts) - 1 else b"")
            yield not inside, text
        is_inside ^= not len(parts) % 2


def _blocks(path: Path, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(size):
            yield block
