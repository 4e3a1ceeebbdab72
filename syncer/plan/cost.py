"""What a path costs: units, quota calls, polls and minutes, from measured cuts and the path's stated numbers.

Every assumption of the planner stands in this file. Prices are values; `choose` compares them and `explain` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from syncer.capability import CsvFormat, JsonFormat, PathKind
from syncer.facts import CutFacts, SliceFacts
from syncer.polling import polls_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncer.capability import PathCapability
    from syncer.facts import OperationFacts

BYTES_PER_RECORD = 256
"""Assumed where no cut of the wave was measured. Such a price is estimated, and says so."""

SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True)
class Wave:
    """The outgoing rows of one wave, as shapes. A wave that was not told by shape counts as one shape, number 0."""

    number: int
    records: int
    slices: tuple[SliceFacts, ...]
    cuts: Mapping[str, CutFacts]

    @cached_property
    def bytes_per_record(self) -> float:
        """The widest measured record of the wave on average, or the stated assumption."""
        measured = [cut.bytes / self.records for cut in self.cuts.values() if self.records]
        measured += [cut.bytes / each.records for each in self.slices for cut in each.cuts if each.records]
        return max(measured, default=float(BYTES_PER_RECORD))


@dataclass(frozen=True, slots=True)
class Measure:
    """Rows cut for a path."""

    records: int
    units: int
    bytes: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Price:
    """What a measure costs by a path. `quota` is what counts against the day: calls and planned polls."""

    measure: Measure
    calls: int
    polls: int
    minutes: float

    @property
    def quota(self) -> int:
        """Calls and polls together."""
        return self.calls + self.polls


def waves(facts: OperationFacts) -> tuple[Wave, ...]:
    """Return the waves with something to send, in order, each with its shapes."""
    slices: dict[int, list[SliceFacts]] = {}
    for each in facts.slices:
        slices.setdefault(each.wave, []).append(each)
    found = []
    for wave in sorted(facts.waves, key=lambda each: each.wave):
        if not wave.records:
            continue
        known = tuple(sorted(slices.get(wave.wave, ()), key=lambda each: each.shape))
        whole = SliceFacts(wave.wave, 0, (), (), wave.records, wave.cuts)
        found.append(Wave(wave.wave, wave.records, known or (whole,), {cut.path: cut for cut in wave.cuts}))
    return tuple(found)


def is_uniform(path: PathCapability) -> bool:
    """Say whether a file of this path holds one shape only."""
    return isinstance(path.format, CsvFormat) and path.format.needs_uniform_shape


def measure(path: PathCapability, wave: Wave, slices: Sequence[SliceFacts]) -> Measure:
    """Return `slices` of `wave` as units of `path`: measured where the engine cut just them, else reckoned."""
    if len(slices) == len(wave.slices) and path.name in wave.cuts and not is_uniform(path):
        cut = wave.cuts[path.name]
        return Measure(wave.records, cut.units, cut.bytes, cut.is_exact)
    parts = [_part(path, wave, each) for each in slices]
    if len(parts) == 1:
        return parts[0]
    records = sum(part.records for part in parts)
    total = sum(part.bytes for part in parts)
    is_exact = all(part.is_exact for part in parts)
    if is_uniform(path):
        return Measure(records, sum(part.units for part in parts), total, is_exact)
    # Rows of several shapes share requests. Up to one request's bytes only the record limit cuts: plain arithmetic.
    is_exact = is_exact and total <= _room(path)
    return Measure(records, _units(path, records, total), total, is_exact)


def share(path: PathCapability, wave: Wave, each: SliceFacts) -> float:
    """Return the calls that a shape takes of requests it shares: a fraction where it does not fill the last."""
    part = _part(path, wave, each)
    by_records = part.records / path.format.max_records if path.format.max_records else 0.0
    return max(by_records, part.bytes / _room(path)) * path.calls_per_unit


def price(path: PathCapability, measured: Measure, concurrency: int) -> Price:
    """Return calls, polls and minutes. Units run side by side up to the vendor's limit and `concurrency`."""
    units, room = measured.units, _room(path)
    at_once = path.units_at_once if path.kind is PathKind.JOB else min(path.units_at_once, concurrency)
    # Units are cut full, so the first ones are the largest.
    fitting = measured.records * room / max(measured.bytes, room)
    seconds = path.seconds_per_unit + min(fitting, path.format.max_records or fitting) / path.records_per_second
    polls = path.polls_per_unit
    if path.kind is PathKind.JOB and path.poll_seconds:
        # Polls are counted over all units, by their mean: a full file is polled more often and the last one less.
        usual = path.seconds_per_unit + measured.records / max(units, 1) / path.records_per_second
        polls = max(polls, polls_until(usual, path.poll_seconds))
        # The end of a job is seen at the next poll, not before.
        seconds = ceil(seconds / path.poll_seconds) * path.poll_seconds
    minutes = round(ceil(units / at_once) * seconds / SECONDS_PER_MINUTE, 1)
    return Price(measured, units * path.calls_per_unit, units * polls, minutes)


def _part(path: PathCapability, wave: Wave, each: SliceFacts) -> Measure:
    cut = next((cut for cut in each.cuts if cut.path == path.name), None)
    if cut:
        return Measure(each.records, cut.units, cut.bytes, cut.is_exact)
    total = round(each.records * wave.bytes_per_record)
    return Measure(each.records, _units(path, each.records, total), total, is_exact=False)


def _units(path: PathCapability, records: int, total: int) -> int:
    by_bytes = ceil(total / _room(path))
    by_records = ceil(records / path.format.max_records) if path.format.max_records else 1
    return max(by_bytes, by_records)


def _room(path: PathCapability) -> int:
    overhead = path.format.overhead_bytes if isinstance(path.format, JsonFormat) else 0
    return path.format.max_bytes - overhead
