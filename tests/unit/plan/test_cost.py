"""What a path costs, and how a choice must move when a price or the rows do: stated as relations, for real paths."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.capability import Capabilities, PathCapability, PathKind
from syncer.facts import System
from syncer.plan.choose import Contest, Part, choose
from syncer.plan.cost import Measure, price, waves
from tests.fakes.rows import facts
from tests.golden.cases import able_of

OBJECTS = [("marketo", "lead"), ("marketo", "order_c"), ("salesforce", "Contact")]
PATHS = [
    pytest.param(path, id=f"{name}-{path.name}") for system, name in OBJECTS for path in able_of(system, name).paths
]
JOBS = [each for each in PATHS if each.values[0].kind is PathKind.JOB]
UPSERTS = [
    tuple(
        path
        for path in able_of(system, name).paths
        if path.name in {"sync", "bulk", "collections", "multipart", "bulk2"}
    )
    for system, name in OBJECTS
]
SIZES = st.integers(20, 2_000)
RECORDS = st.integers(1, 400_000)


def parts_of(paths: tuple[PathCapability, ...], records: int, size: int) -> tuple[Part, ...]:
    """Return the choice for one wave of one shape."""
    able = Capabilities(System.MARKETO, "any", paths)
    (wave,) = waves(facts("any", able, ((records,),), size))
    return choose(wave, Contest(paths, {}, 5))


def quota(parts: tuple[Part, ...]) -> int:
    """Return calls and polls of a whole choice."""
    return sum(part.price.quota for part in parts)


def kinds(parts: tuple[Part, ...]) -> set[PathKind]:
    """Return the kinds of paths that a choice uses."""
    return {part.path.kind for part in parts}


def _dearer(paths: tuple[PathCapability, ...], chosen: PathCapability, more: int) -> tuple[PathCapability, ...]:
    return tuple(replace(each, calls_per_unit=each.calls_per_unit + more) if each is chosen else each for each in paths)


@given(st.sampled_from(UPSERTS), RECORDS, SIZES, st.integers(0, 2), st.integers(1, 30))
def test_a_dearer_call_never_moves_a_choice_to_more_calls_of_that_path(
    paths: tuple[PathCapability, ...], records: int, size: int, which: int, more: int
) -> None:
    """The path whose calls became dearer carries no more units than before, and the whole is no cheaper."""
    path = paths[which % len(paths)]
    before, after = parts_of(paths, records, size), parts_of(_dearer(paths, path, more), records, size)
    units = [
        sum(each.price.measure.units for each in parts if each.path.name == path.name) for parts in (before, after)
    ]
    assert units[1] <= units[0]
    assert quota(before) <= quota(after)


@given(st.sampled_from(UPSERTS), RECORDS, SIZES, st.integers(1, 30))
def test_dearer_requests_never_move_rows_from_a_file_to_requests(
    paths: tuple[PathCapability, ...], records: int, size: int, more: int
) -> None:
    """What went by file because requests cost more goes by file when they cost still more."""
    dearer = _dearer(paths, paths[0], more)
    if kinds(parts_of(paths, records, size)) == {PathKind.JOB}:
        assert kinds(parts_of(dearer, records, size)) == {PathKind.JOB}


@given(st.sampled_from(UPSERTS), RECORDS, SIZES, st.floats(0, 1))
def test_more_rows_never_move_from_a_file_to_requests_while_it_holds_them(
    paths: tuple[PathCapability, ...], records: int, size: int, filled: float
) -> None:
    """A file's price grows by a poll in thousands of rows, that of requests by a call in hundreds.

    Only the first row of a second file may make requests the cheaper way again: it doubles the price.
    """
    parts = parts_of(paths, records, size)
    if kinds(parts) != {PathKind.JOB} or parts[0].price.measure.units > 1:
        return
    room = (parts[0].path.format.max_bytes - parts[0].price.measure.bytes) // size
    assert kinds(parts_of(paths, records + int(room * filled), size)) == {PathKind.JOB}


@given(st.sampled_from(UPSERTS), RECORDS, SIZES)
def test_a_path_more_never_makes_a_plan_dearer(paths: tuple[PathCapability, ...], records: int, size: int) -> None:
    """Leaving a path out can only cost calls, but for a job that is not started because one request will do."""
    whole = quota(parts_of(paths, records, size))
    assert all(whole <= quota(parts_of(tuple(p for p in paths if p is not left), records, size)) for left in paths)


@given(st.sampled_from(UPSERTS), RECORDS, SIZES, st.integers(0, 50_000))
def test_more_rows_never_cost_less(paths: tuple[PathCapability, ...], records: int, size: int, more: int) -> None:
    """The least price grows with the rows."""
    assert quota(parts_of(paths, records, size)) <= quota(parts_of(paths, records + more, size))


@given(st.sampled_from(UPSERTS), RECORDS, SIZES, st.integers(1, 1_000))
def test_wider_rows_never_cost_less(paths: tuple[PathCapability, ...], records: int, size: int, more: int) -> None:
    """Bytes fill requests and files; they never empty them."""
    assert quota(parts_of(paths, records, size)) <= quota(parts_of(paths, records, size + more))


@given(
    st.sampled_from(PATHS).map(lambda each: each.values[0]),
    st.integers(1, 5_000),
    st.integers(1, 25),
    st.integers(0, 25),
)
def test_more_calls_at_once_never_take_longer(path: PathCapability, units: int, few: int, more: int) -> None:
    """Concurrency changes minutes, never calls."""
    measured = Measure(units * 10, units, units * 1_000, is_exact=True)
    slow, quick = price(path, measured, few), price(path, measured, few + more)
    assert quick.minutes <= slow.minutes
    assert quick.quota == slow.quota


@pytest.mark.parametrize("path", JOBS)
def test_a_long_job_is_planned_with_the_polls_that_its_time_takes(path: PathCapability) -> None:
    """A file of narrow rows is at work for long, and is looked at all the while."""
    full = Measure(path.format.max_bytes // 20, 1, path.format.max_bytes, is_exact=True)
    tiny = Measure(1, 1, 20, is_exact=True)
    assert price(path, tiny, 5).polls == path.polls_per_unit
    assert price(path, full, 5).polls >= price(path, tiny, 5).polls
    if path.format.max_bytes > 1_000_000:
        assert price(path, full, 5).polls > path.polls_per_unit
