"""Measured rows without an engine: how many records of how many bytes each, cut for each path by plain arithmetic."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from syncer.capability import CsvFormat, JsonFormat
from syncer.facts import CutFacts, OperationFacts, SliceFacts, WaveFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.capability import Capabilities, PathCapability

BYTES = 130


def cut(path: PathCapability, records: int, size: int = BYTES) -> CutFacts:
    """Return what `records` of `size` bytes each are for `path`."""
    total = records * size
    overhead = path.format.overhead_bytes if isinstance(path.format, JsonFormat) else 0
    units = max(
        ceil(records / (path.format.max_records or records or 1)), ceil(total / (path.format.max_bytes - overhead))
    )
    return CutFacts(path.name, units, total, is_exact=True)


def wave(able: Capabilities, number: int, shapes: Sequence[SliceFacts], size: int = BYTES) -> WaveFacts:
    """Return the whole of a wave, cut for each path that takes mixed shapes."""
    records = sum(each.records for each in shapes)
    mixed = [path for path in able.paths if not is_uniform(path)]
    return WaveFacts(number, records, tuple(cut(path, records, size) for path in mixed))


def shape(  # noqa: PLR0917 - a table of numbers
    able: Capabilities,
    number: int,
    index: int,
    records: int,
    fields: tuple[str, ...] = ("email",),
    clears: tuple[str, ...] = (),
    size: int = BYTES,
) -> SliceFacts:
    """Return one shape of a wave, cut for each path."""
    cuts = tuple(cut(path, records, size) for path in able.paths)
    return SliceFacts(number, index, fields, clears, records, cuts)


def is_uniform(path: PathCapability) -> bool:
    """Say whether a file of this path holds one shape."""
    return isinstance(path.format, CsvFormat) and path.format.needs_uniform_shape


def facts(
    name: str,
    able: Capabilities,
    waves: Sequence[Sequence[int]] = ((1000,),),
    size: int = BYTES,
    *,
    fields: tuple[str, ...] = ("email",),
    clears: tuple[str, ...] = (),
    unchanged: int = 0,
    skipped: int = 0,
    rejected: int = 0,
    known_keys: int | None = None,
    gone: int = 0,
) -> OperationFacts:
    """Return an operation's facts from the records of each shape of each wave; `clears` is said by the last shape."""
    shapes = [
        [
            shape(able, number, index, records, fields, clears if index == len(found) - 1 else (), size)
            for index, records in enumerate(found)
        ]
        for number, found in enumerate(waves, 1)
    ]
    outgoing = sum(map(sum, waves))
    return OperationFacts(
        operation=name,
        source="contacts",
        source_digest="5" * 64,
        rows_digest="7" * 64,
        read=outgoing + unchanged + skipped + rejected,
        outgoing=outgoing,
        unchanged=unchanged,
        skipped=skipped,
        rejected=rejected,
        folded=0,
        keys=sum(waves[0]) if waves else 0,
        known_keys=known_keys,
        gone=gone,
        waves=tuple(wave(able, number, found, size) for number, found in enumerate(shapes, 1)),
        slices=tuple(each for found in shapes for each in found),
    )
