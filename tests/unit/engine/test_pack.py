"""Packing is exact, greedy and blind to how records arrive."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.engine.pack import Limits, Oversize, spans, unit_count

SIZES = st.lists(st.integers(1, 20), max_size=60)


def by_hand(sizes: list[int], limits: Limits) -> list[list[int]]:
    """Fill units one record at a time."""
    units: list[list[int]] = []
    for size in sizes:
        full = not units or sum(units[-1]) + size > limits.max_bytes or len(units[-1]) == limits.max_records
        if full:
            units.append([])
        units[-1].append(size)
    return units


def totals(sizes: list[int], cuts: list[int]) -> list[list[int]]:
    """Return running totals of the sizes in pieces that end at the cuts; a piece may begin anywhere."""
    ends = [*sorted(min(each, len(sizes)) for each in cuts), len(sizes)]
    starts = [0, *ends[:-1]]
    return [[7 + each for each in accumulate(sizes[a:b], initial=0)] for a, b in zip(starts, ends, strict=True)]


@given(SIZES, st.lists(st.integers(0, 60), max_size=5), st.one_of(st.none(), st.integers(1, 9)), st.integers(20, 90))
def test_units_are_those_of_a_patient_hand(sizes: list[int], cuts: list[int], most: int | None, room: int) -> None:
    """The units are the same as if records were put in one by one, wherever the pieces end."""
    limits = Limits(most, room)
    pieces = totals(sizes, cuts)
    found: list[list[int]] = []
    for number, span in spans(pieces, limits):
        if span.opens:
            found.append([])
        piece = pieces[number]
        found[-1] += [piece[at + 1] - piece[at] for at in range(span.start, span.stop)]
    assert found == by_hand(sizes, limits)
    assert unit_count(pieces, limits) == len(found)


def test_one_record_over_the_limit_is_told() -> None:
    """No unit is made over the limit, whatever happens."""
    with pytest.raises(Oversize):
        unit_count([[0, 3, 20]], Limits(None, 10))
