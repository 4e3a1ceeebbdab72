"""The pure core of the gate: when may the next call start?"""

from __future__ import annotations

from math import inf, isinf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.targets.pace import (
    CONCURRENCY_PAUSE_SECONDS,
    QUEUE_PAUSE_SECONDS,
    TRAVEL_SECONDS,
    WINDOW_MARGIN_SECONDS,
    Limits,
    Pace,
    Traffic,
)

WINDOW = 20.0
FULL = WINDOW + WINDOW_MARGIN_SECONDS


def _pace(calls: int = 3, concurrency: int = 10, jobs: int = 2, **members: float) -> Pace:
    return Pace(Limits(calls, WINDOW, concurrency, jobs, **members))  # type: ignore[arg-type]


def _call(pace: Pace, sent: float, ended: float) -> int:
    number = pace.start()
    pace.sent(number, sent)
    pace.end(number, ended, is_counted=True)
    return number


def test_calls_start_at_once_until_the_window_is_full() -> None:
    """The first calls wait for nothing; the next waits until the first one's latest arrival is a window old."""
    pace = _pace(calls=2)
    _call(pace, 0.0, 0.1)
    assert pace.wait_seconds(0.1) == 0
    _call(pace, 0.1, 0.2)
    assert pace.wait_seconds(1.0) == pytest.approx(0.1 + FULL - 1.0)
    assert pace.wait_seconds(0.1 + FULL) == 0


def test_a_slow_answer_costs_only_the_way_there() -> None:
    """A call that takes 10 s to answer frees its place a window after it can have arrived, not after its answer."""
    pace = _pace(calls=1)
    number = pace.start()
    pace.sent(number, 0.0)
    assert pace.wait_seconds(5.0) == pytest.approx(TRAVEL_SECONDS + FULL - 5.0)
    pace.end(number, 10.0, is_counted=True)
    assert pace.wait_seconds(10.0) == pytest.approx(TRAVEL_SECONDS + FULL - 10.0)


def test_a_call_whose_body_is_still_leaving_holds_its_place() -> None:
    """Nobody knows when it will arrive, so a full window waits for it."""
    pace = _pace(calls=1)
    pace.start()
    assert isinf(pace.wait_seconds(1_000.0))


def test_a_call_that_is_not_counted_gives_its_place_back() -> None:
    """601, 602, 604, 605, 608 and 611 are free, and so is what never left."""
    pace = _pace(calls=1, calls_today=1)
    pace.end(pace.start(), 0.0, is_counted=False)
    assert pace.wait_seconds(0.0) == 0
    assert not pace.is_spent


def test_calls_at_once_are_bounded() -> None:
    """With every slot taken, only the end of a call lets the next one start."""
    pace = _pace(calls=100, concurrency=2)
    first = pace.start()
    pace.start()
    assert isinf(pace.wait_seconds(0.0))
    pace.end(first, 1.0, is_counted=True)
    assert pace.wait_seconds(1.0) == 0


def test_a_restart_remembers_the_window() -> None:
    """Calls of the run before this one count until they are a window old."""
    pace = _pace(calls=3)
    pace.remember(3, 100.0)
    assert pace.wait_seconds(100.0) == pytest.approx(FULL)
    assert pace.wait_seconds(100.0 + FULL) == 0


def test_a_refusal_teaches_what_neighbours_leave() -> None:
    """606 after one accepted call means that the window holds one of ours at present."""
    pace = _pace(calls=10)
    _call(pace, 0.0, 0.1)
    second = pace.start()
    pace.refuse_rate(second, 0.2)
    pace.end(second, 0.2, is_counted=True)
    assert pace.allowed == 1
    assert pace.wait_seconds(0.2) == pytest.approx(0.2 + FULL - 0.2)


def test_a_refused_first_call_leaves_one() -> None:
    """However much the neighbours take, one call a window asks again."""
    pace = _pace(calls=10)
    pace.refuse_rate(pace.start(), 0.0)
    assert pace.allowed == 1


def test_clean_windows_let_it_grow_again_and_faster() -> None:
    """One more after two clean windows, then two, then four, up to the vendor's limit."""
    pace = _pace(calls=10)
    number = pace.start()
    pace.refuse_rate(number, 0.0)
    pace.end(number, 0.0, is_counted=True)
    seen = []
    for step in range(1, 6):
        pace.wait_seconds(step * (2 * FULL + 1))
        seen.append(pace.allowed)
    assert seen == [2, 4, 8, 10, 10]


def test_too_many_at_once_halves_and_holds_back() -> None:
    """615 halves the width once a moment, however many calls hear it, and grows by one a window."""
    pace = _pace(calls=100, concurrency=8)
    pace.refuse_concurrency(0.0)
    pace.refuse_concurrency(0.1)
    assert pace.width == 4
    assert pace.wait_seconds(0.1) == pytest.approx(CONCURRENCY_PAUSE_SECONDS)
    assert pace.wait_seconds(1.2) == 0
    pace.wait_seconds(FULL + 0.1)
    assert pace.width == 5


def test_the_width_never_falls_below_one() -> None:
    """Halving ends at one call at a time."""
    pace = _pace(concurrency=1)
    pace.refuse_concurrency(0.0)
    assert pace.width == 1


def test_the_budget_is_spent_to_the_call() -> None:
    """The last call of the budget may start, the next may not."""
    pace = _pace(calls=100, calls_today=2)
    _call(pace, 0.0, 0.1)
    assert not pace.is_spent
    _call(pace, 0.1, 0.2)
    assert pace.is_spent


def test_the_reserve_is_left_to_others() -> None:
    """The vendor's own count of everybody's calls decides, and ours since then."""
    pace = _pace(calls=100, reserve=0.3)
    pace.learn_usage(68, 100)
    _call(pace, 0.0, 0.1)
    assert not pace.is_spent
    pace.end(pace.start(), 0.2, is_counted=False)
    _call(pace, 0.2, 0.3)
    assert pace.is_spent


def test_without_a_reserve_the_vendor_judges() -> None:
    """A usual quota is no contract, so nothing is refused on its account."""
    pace = _pace(calls=100)
    pace.learn_usage(100, 100)
    assert not pace.is_spent


def test_jobs_wait_for_a_place() -> None:
    """A job holds its place until it is freed; taking it twice is taking it once."""
    pace = _pace(jobs=1)
    pace.take_job("a")
    pace.take_job("a")
    assert pace.job_wait_seconds("a", 0.0) == 0
    assert pace.job_wait_seconds("b", 0.0) == inf
    pace.free_job("a")
    pace.free_job("a")
    assert pace.job_wait_seconds("b", 0.0) == 0


def test_a_full_queue_closes_for_a_while() -> None:
    """1016 tells every job of ours to wait."""
    pace = _pace(jobs=5)
    pace.refuse_job(10.0)
    assert pace.job_wait_seconds("a", 10.0) == QUEUE_PAUSE_SECONDS
    assert pace.job_wait_seconds("a", 10.0 + QUEUE_PAUSE_SECONDS) == 0


@given(
    st.lists(
        st.tuples(st.floats(0.0, 3.0), st.floats(0.0, TRAVEL_SECONDS), st.floats(0.0, 8.0)), min_size=1, max_size=60
    )
)
def test_no_vendor_window_ever_holds_more(calls: list[tuple[float, float, float]]) -> None:
    """Whatever the gaps, the ways there and the answers' times: no 20 s of arrivals hold more than the limit."""
    pace = _pace(calls=4, concurrency=100)
    now, arrivals = 0.0, []
    running: list[tuple[float, int]] = []
    for gap, travel, answer in calls:
        now += gap
        while True:
            for ended, number in [each for each in running if each[0] <= now]:
                pace.end(number, ended, is_counted=True)
                running.remove((ended, number))
            wait = pace.wait_seconds(now)
            if wait <= 0:
                break
            now += min(wait, *(max(each[0] - now, 1e-6) for each in running)) if running else wait
        number = pace.start()
        pace.sent(number, now)
        arrivals.append(now + min(travel, answer))
        running.append((now + answer, number))
    arrivals.sort()
    assert all(later - first > WINDOW for first, later in zip(arrivals, arrivals[4:], strict=False))


def test_connections_of_one_instance_share_window_and_day() -> None:
    """A call of either fills the window of both, and counts against the budget of both."""
    traffic = Traffic()
    limits = [Limits(2, WINDOW, 10, 2, calls_today=most) for most in (2, 3)]
    first, second = (Pace(each, traffic) for each in limits)
    _call(first, 0.0, 0.1)
    _call(second, 0.0, 0.1)
    assert first.wait_seconds(1.0) > 0
    assert (first.is_spent, second.is_spent) == (True, False)
    assert (first.calls_made, second.calls_made) == (1, 1)


def test_connections_of_one_instance_share_its_queue() -> None:
    """The vendor has one queue, whoever hands its jobs in."""
    traffic = Traffic()
    first, second = (Pace(Limits(9, WINDOW, 10, 1), traffic) for _ in range(2))
    first.take_job("a")
    assert isinf(second.job_wait_seconds("b", 0.0))


def test_calls_at_once_are_those_of_the_most_generous_connection() -> None:
    """Each keeps to its own number, and all of them together to the largest, less what 615 taught any of them."""
    traffic = Traffic()
    narrow, wide = (Pace(Limits(99, WINDOW, most, 1), traffic) for most in (1, 3))
    narrow.start()
    assert isinf(narrow.wait_seconds(0.0))
    wide.start()
    wide.start()
    assert isinf(wide.wait_seconds(0.0))
    narrow.refuse_concurrency(0.0)
    assert wide.width == 1


def test_the_reserve_is_each_connections_own() -> None:
    """One leaves half of the day to others, another nothing; both see the calls of both."""
    traffic = Traffic()
    careful, greedy = (Pace(Limits(99, WINDOW, 9, 1, reserve=share), traffic) for share in (0.5, 0.0))
    careful.learn_usage(49, 100)
    assert not careful.is_spent
    _call(greedy, 0.0, 0.1)
    assert (careful.is_spent, greedy.is_spent) == (True, False)
