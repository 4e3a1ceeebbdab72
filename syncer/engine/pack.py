"""Packs consecutive records into units that obey a count and a byte limit, exactly and greedily.

The same arithmetic counts units for the plan and cuts them for the run, so both always agree. Where a record ends is
read from running byte totals (an Arrow offsets buffer is one), so the work is per unit, never per record.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Limits:
    """At most `max_records` records (None: any number) and `max_bytes` bytes in a unit."""

    max_records: int | None
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Span:
    """Records `start` to `stop` of one piece. `opens` a new unit, or goes on with the one before."""

    start: int
    stop: int
    opens: bool


class Oversize(ValueError):  # noqa: N818 - the caller knows whose bug it is
    """One record alone is over the limit."""


def spans(pieces: Iterable[Sequence[int]], limits: Limits) -> Iterator[tuple[int, Span]]:
    """Yield (piece number, span) in order; `pieces` are running totals, one more entry than records each.

    A unit ends when the next record would break a limit, never earlier: where the pieces happen to end has no
    influence.
    """
    most = limits.max_records
    records_used = bytes_used = 0
    is_open = False
    for number, totals in enumerate(pieces):
        start, last = 0, len(totals) - 1
        while start < last:
            stop_by_count = last if most is None else min(last, start + most - records_used)
            room = totals[start] + limits.max_bytes - bytes_used
            stop = bisect_right(totals, room, start, stop_by_count + 1) - 1
            if stop > start:
                yield number, Span(start, stop, opens=not is_open)
                records_used += stop - start
                bytes_used += totals[stop] - totals[start]
                is_open = True
                start = stop
            elif is_open:
                records_used = bytes_used = 0
                is_open = False
            else:
                raise Oversize


def unit_count(pieces: Iterable[Sequence[int]], limits: Limits) -> int:
    """Return how many units the records make."""
    return sum(span.opens for _, span in spans(pieces, limits))
