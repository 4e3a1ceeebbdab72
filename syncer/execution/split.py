"""Parts of a unit: a run of records of a request, or the rest of a job's file, byte for byte as they were.

Pure over bytes; a part names itself after its unit, so that the journal of a part is found again.
"""

from __future__ import annotations

import hashlib
import io
import json
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.targets.protocol import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from syncer.engine.protocol import Payload

_SPACE = " \t\r\n,"


def part_id(unit: str, start: int, stop: int) -> str:
    """Return the id of the part that holds the records `start` to `stop` (exclusive) of `unit`."""
    return f"{unit}[{start}:{stop}]"


def rest_id(unit: str) -> str:
    """Return the id of the part that holds what a job left unprocessed."""
    return f"{unit}[rest]"


def whole_of(unit: str) -> str:
    """Return the id of the unit that a part, or a part of a part, belongs to."""
    return unit.partition("[")[0]


def span(part: str) -> tuple[int, int]:
    """Return start and stop of a part made by `part_id`."""
    start, _, stop = part.rpartition("[")[2].removesuffix("]").partition(":")
    return int(start), int(stop)


def request_part(unit: Unit, name: str, body: bytes, positions: Sequence[int]) -> Unit:
    """Return the part `name` of a request, with its records at `positions`."""
    elements = records(body)
    part = b"[" + b",".join(elements[position] for position in positions) + b"]"
    return Unit(name, unit.step, _payload(unit.payload, positions, part, part))


def file_part(unit: Unit, name: str, source: bytes, positions: Sequence[int], path: Path) -> tuple[Unit, bytes]:
    """Return the part `name` of a job, with its records at `positions`, and the bytes for its file at `path`."""
    header, *lines = csv_records(source)
    content = header + b"".join(lines[position] for position in positions)
    return Unit(name, unit.step, _payload(unit.payload, positions, path, content)), content


def records(body: bytes) -> list[bytes]:
    """Return the elements of a JSON list, each exactly as it is written."""
    text = body.decode()
    decoder = json.JSONDecoder()
    found: list[bytes] = []
    at = text.index("[") + 1
    while True:
        while text[at] in _SPACE:
            at += 1
        if text[at] == "]":
            return found
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end].encode())
        at = end


def csv_records(source: bytes) -> Iterator[bytes]:
    """Yield the records of an RFC 4180 file, header first, each with its line end; a quoted cell may hold line ends."""
    held = b""
    for line in io.BytesIO(source):
        held += line
        if held.count(b'"') % 2 == 0:
            yield held
            held = b""
    if held:
        yield held


def _payload(payload: Payload, positions: Sequence[int], body: bytes | Path, content: bytes) -> Payload:
    return replace(
        payload,
        records=len(positions),
        rows=array("q", (payload.rows[position] for position in positions)),
        lanes=array("Q", (payload.lanes[position] for position in positions)),
        body=body,
        byte_count=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
