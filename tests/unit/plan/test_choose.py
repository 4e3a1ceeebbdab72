"""The choice of a path: the fewest calls, never a job for one request, and a reason for everything."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syncer.capability import Capabilities, CsvFormat
from syncer.facts import System, WaveFacts
from syncer.plan.choose import Contest, choose
from syncer.plan.cost import price, waves
from tests.fakes.capabilities import BULK, BULK2, COLLECTIONS, LEAD, MULTIPART, PUSH, SYNC, salesforce
from tests.fakes.projects import ABLE, plan
from tests.fakes.rows import facts, shape

if TYPE_CHECKING:
    from syncer.capability import PathCapability
    from syncer.plan.choose import Part


def parts_of(
    able: Capabilities, shapes: tuple[int, ...], size: int = 130, clears: tuple[str, ...] = ()
) -> tuple[Part, ...]:
    """Choose for one wave of these shapes; the last shape clears."""
    (wave,) = waves(facts("newsletter", able, (shapes,), size, clears=clears))
    return choose(wave, Contest(able.paths, {}, 5))


def paths_of(*args: object, **kwargs: object) -> list[str]:
    """Return the names of the chosen paths."""
    return [part.path.name for part in parts_of(*args, **kwargs)]  # type: ignore[arg-type]


TWO = Capabilities(System.MARKETO, "lead", (SYNC, BULK))


@pytest.mark.parametrize(("records", "path"), [(1, "sync"), (300, "sync"), (6900, "sync"), (6901, "bulk")])
def test_the_fewest_calls_win_and_a_tie_goes_to_the_quicker_path(records: int, path: str) -> None:
    """A job of 23 calls wins where requests need 24, and loses the tie at 23 to the quicker requests."""
    assert paths_of(TWO, (records,)) == [path]


def test_a_path_that_ties_in_all_gives_way_to_the_smaller_one() -> None:
    """Push and sync cost the same, so the first of the target's list carries the rows and push says so."""
    (part,) = parts_of(LEAD, (900,))
    assert part.path is SYNC
    assert part.losing[0].reason == 'The same calls and minutes; path "sync" is the smaller one and goes first.'


def test_no_job_is_started_for_rows_that_one_request_carries() -> None:
    """Even a job that costs nothing loses to a single request."""
    free = replace(BULK, calls_per_unit=0, polls_per_unit=0)
    (part,) = parts_of(replace(TWO, paths=(SYNC, free)), (300,))
    assert (part.path, part.reason) == (SYNC, "One request carries all 300 records.")
    assert part.losing[0].reason == "One request can carry all 300 records, and no job is started for that."


def test_a_losing_path_says_the_break_even() -> None:
    """The reason holds both numbers, so that nobody has to reckon."""
    (part,) = parts_of(TWO, (48_210,))
    assert part.losing[0].reason == '161 calls, path "bulk" needs 23.'
    assert part.reason == '23 calls, the least; path "sync" is next and needs 161.'


def test_large_shapes_go_by_file_and_the_rest_shares_requests() -> None:
    """Files of one shape are weighed one by one; each record goes exactly one way."""
    sync, bulk = parts_of(TWO, (40_000, 8_000, 210, 90))
    assert [each.shape for each in bulk.slices] == [0, 1]
    assert [each.shape for each in sync.slices] == [2, 3]
    assert (sync.is_whole, bulk.is_whole) == (False, False)


def test_a_shape_beside_the_threshold_goes_where_whole_requests_are_spared() -> None:
    """A file pays by share for 6,901 records, but not where a last request runs anyhow."""
    assert paths_of(TWO, (6_901, 40)) == ["sync"]
    assert paths_of(TWO, (7_201, 40)) == ["sync", "bulk"]


def test_rows_that_clear_leave_the_path_that_cannot() -> None:
    """The shape that clears goes by requests even where a file would be cheaper, the others by file."""
    sync, bulk = parts_of(TWO, (40_000, 9_000), clears=("phone",))
    assert (sync.slices[0].clears, bulk.slices[0].clears) == (("phone",), ())
    assert sync.reason == "It is the only path that can say this."
    assert sync.losing[0].reason == 'It cannot clear a field, and 9,000 records clear "phone".'


def test_a_mixed_path_that_cannot_clear_shares_a_wave_with_one_that_can() -> None:
    """The pair is not bound to files of one shape."""
    plain = replace(BULK2, name="plain", allows_clear=False)
    assert paths_of(replace(TWO, paths=(COLLECTIONS, plain)), (40_000, 400), clears=("Phone",)) == [
        "collections",
        "plain",
    ]


def test_a_path_that_no_row_may_take_is_no_pair() -> None:
    """Where everything clears, only the path that can is left."""
    assert paths_of(TWO, (9_000,), clears=("phone",)) == ["sync"]


def test_a_wave_that_no_path_can_say_has_no_parts() -> None:
    """Nothing is chosen, and the caller asks why."""
    assert paths_of(replace(TWO, paths=(BULK,)), (9_000,), clears=("phone",)) == []
    assert paths_of(replace(TWO, paths=(BULK, replace(BULK, name="other"))), (9_000, 10), clears=("phone",)) == []


def test_files_must_take_what_requests_cannot_say() -> None:
    """A shape that the other path cannot say counts as a gain for the file, whatever it costs."""
    shy = replace(SYNC, allows_clear=False)
    brave = replace(BULK, allows_clear=True, format=CsvFormat(None, 9_990_000, clear_text="", needs_uniform_shape=True))
    assert paths_of(replace(TWO, paths=(shy, brave)), (400, 400), clears=("phone",)) == ["sync", "bulk"]


def test_a_path_that_is_cheaper_for_a_part_alone_says_that_the_whole_decided() -> None:
    """A path for mixed rows takes all or none of them, so it may lose although a part of them would suit it."""
    able = replace(TWO, paths=(COLLECTIONS, MULTIPART, replace(BULK2, name="plain", allows_clear=False)))
    narrow, wide = shape(able, 1, 0, 4_000, size=24), shape(able, 1, 1, 2_000, clears=("Phone",), size=900)
    known = replace(facts("crm", able), waves=(WaveFacts(1, 6_000),), slices=(narrow, wide))
    requests, file = choose(waves(known)[0], Contest(able.paths, {}, 5))
    assert (requests.path.name, file.path.name) == ("collections", "plain")
    assert file.losing[1].reason == "5 calls for these 4,000 records, but the wave as a whole would cost more."


@pytest.mark.parametrize(
    ("records", "size", "path"),
    [(200, 130, "collections"), (2_400, 30, "multipart"), (900, 900, "collections"), (300_000, 130, "bulk2")],
)
def test_salesforce_rows_take_the_path_of_their_size(records: int, size: int, path: str) -> None:
    """Requests, one small job, or a large one, by calls alone."""
    assert paths_of(salesforce("Contact"), (records,), size) == [path]


def test_a_wave_that_was_not_told_by_shape_is_one_shape() -> None:
    """Without slices the wave's own records are weighed, estimated where nothing was cut."""
    known = facts("newsletter", TWO, ((90_000,),))
    (wave,) = waves(replace(known, slices=(), waves=(replace(known.waves[0], cuts=()),)))
    (part,) = choose(wave, Contest(TWO.paths, {}, 5))
    assert part.path is BULK
    assert not part.price.measure.is_exact
    assert part.price.measure.bytes == 90_000 * 256


def test_requests_run_side_by_side_up_to_the_smaller_limit() -> None:
    """Five at once of ten allowed: 23 requests are five rounds, and a poll is awaited by a job."""
    (wave,) = waves(facts("newsletter", TWO, ((6_900,),)))
    whole = parts_of(TWO, (6_900,))[0].price
    assert (whole.calls, whole.minutes) == (23, round(5 * 1.5 / 60, 1))
    assert price(BULK, replace(whole.measure, units=1), 5).minutes == 2.0
    assert price(replace(BULK, poll_seconds=0.0), replace(whole.measure, units=1), 5).minutes == 1.6
    assert wave.bytes_per_record == 130


def test_a_wave_without_records_is_no_step() -> None:
    """Facts may name a wave that holds nothing."""
    known = facts("newsletter", TWO, ((90,),))
    assert [wave.number for wave in waves(replace(known, waves=(WaveFacts(2, 0), *known.waves)))] == [1]


PATHS = st.sampled_from([(SYNC, BULK), (SYNC, PUSH, BULK), (COLLECTIONS, MULTIPART, BULK2)])
SHAPES = st.lists(st.integers(1, 60_000), min_size=1, max_size=6).map(tuple)


def total(parts: tuple[Part, ...]) -> int:
    """Return the calls and polls of a whole choice."""
    return sum(part.price.quota for part in parts)


@given(PATHS, SHAPES, st.integers(20, 3_000))
def test_every_record_goes_exactly_one_way(
    paths: tuple[PathCapability, ...], shapes: tuple[int, ...], size: int
) -> None:
    """The parts of a wave are disjoint and hold all of it."""
    parts = parts_of(Capabilities(System.MARKETO, "lead", paths), shapes, size)
    taken = [each.shape for part in parts for each in part.slices]
    assert sorted(taken) == list(range(len(shapes)))
    assert sum(part.price.measure.records for part in parts) == sum(shapes)


@given(PATHS, SHAPES, st.integers(20, 3_000), st.integers(0, 2), st.integers(1, 50))
def test_a_dearer_call_never_moves_a_choice_to_more_units(
    paths: tuple[PathCapability, ...], shapes: tuple[int, ...], size: int, which: int, more: int
) -> None:
    """Raising the price of one path never makes the plan use more of that path's units."""
    path = paths[min(which, len(paths) - 1)]
    dearer = tuple(replace(p, calls_per_unit=p.calls_per_unit + more) if p is path else p for p in paths)
    before = parts_of(Capabilities(System.MARKETO, "lead", paths), shapes, size)
    after = parts_of(Capabilities(System.MARKETO, "lead", dearer), shapes, size)
    assert total(before) <= total(after)

    def units(parts: tuple[Part, ...]) -> int:
        return sum(part.price.measure.units for part in parts if part.path.name == path.name)

    assert units(after) <= units(before)


@given(st.integers(301, 70_000), st.integers(0, 70_000))
def test_more_rows_never_move_from_a_file_to_requests(records: int, more: int) -> None:
    """Within one import file its price stands still and that of requests grows."""
    assume((records + more) * 130 <= BULK.format.max_bytes)
    if paths_of(TWO, (records,)) == ["bulk"]:
        assert paths_of(TWO, (records + more,)) == ["bulk"]


@given(SHAPES)
def test_a_split_wave_is_within_one_call_of_the_least_there_is(shapes: tuple[int, ...]) -> None:
    """All subsets of shapes by file, the rest by requests: the choice is the best of them, or a call beside it."""
    best = min(
        sum(23 * ceil(n * 130 / 9_990_000) for i, n in enumerate(shapes) if files >> i & 1)
        + ceil(sum(n for i, n in enumerate(shapes) if not files >> i & 1) / 300)
        for files in range(2 ** len(shapes))
    )
    assert best <= total(parts_of(TWO, shapes)) <= best + 1


@given(st.permutations(["b", "c", "a"]), st.integers(1, 9_000))
def test_the_order_of_declaration_never_matters(names: list[str], records: int) -> None:
    """The same operations, facts and paths give the same plan, whichever was written first."""
    known = {name: facts(name, LEAD, ((records,), (5,))) for name in names}
    again = {name: known[name] for name in sorted(known)}
    able = dict(reversed(ABLE.items()))
    assert plan({name: {} for name in names}, known) == plan({name: {} for name in "abc"}, again, able=able)
