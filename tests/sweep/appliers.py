"""T8: two `apply` on one state at nearly one moment, and one that stands still for longer than its lease lives."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

from tests.fast.served import Served, serving
from tests.fast.shop import IN_DOUBT, PATIENCE_SECONDS, REJECTS
from tests.sweep import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fast.shop import Shop

FAILED, STALE, LOCKED = 1, 6, 10
MOST_OFFSET_SECONDS = 2.0
PAST_SECONDS = 240.0
"""Longer than a lease, a request and a margin together."""
LOOK_SECONDS = 0.01
LOST = ("R211", "R107")
TAIL = 800
STOPS = ("started", "intended", "committing", "accepted", "settled", "merged")


def sweep(what: str, points: int, seed: int, seconds: float) -> Iterator[str]:
    """Play points until they or the `seconds` are spent; yield a line for each, and the figures."""
    draw = random.Random(seed)  # noqa: S311 - a seed makes it repeatable
    played = bad = 0
    with serving() as served:
        uncut = runs.broken(served, ())
        began = time.monotonic()
        while played < points and time.monotonic() - began < seconds:
            if what == "pairs":
                name, wrong = _pair(served, draw.uniform(0.0, MOST_OFFSET_SECONDS), uncut)
            else:
                name, wrong = _stop(served, STOPS[played % len(STOPS)], draw.randrange(3), uncut)
            played, bad = played + 1, bad + bool(wrong)
            yield name
            yield from (f"    WRONG: {each}" for each in wrong)
        yield f"{what}, seed {seed}: {played} points, {bad} wrong, {time.monotonic() - began:.0f} s"


def _planned(shop: Shop) -> tuple[str, ...]:
    assert shop.run("plan", "--sandbox", "-o", "all.plan") == 0
    return ("apply", "all.plan", "--sandbox")


def _pair(served: Served, offset: float, uncut: runs.Ended) -> tuple[str, list[str]]:
    """Apply one plan twice: exactly one works."""
    with runs.shop(served) as shop:
        words = _planned(shop)
        first = shop.start(*words)
        time.sleep(offset)
        second = shop.start(*words)
        codes = [each.wait(PATIENCE_SECONDS) for each in (first, second)]
        ended = runs.end(shop, [REJECTS])
        wrong = ended.differences(uncut)
        if sorted(codes) not in ([STALE, REJECTS], [REJECTS, LOCKED]):
            wrong.append(f"exits {codes}\n{shop.said()[-800:]}")
        return f"offset {offset:.2f} s: exits {codes}", wrong


def _stop(served: Served, kind: str, more: int, uncut: runs.Ended) -> tuple[str, list[str]]:
    """Stop a run at a note, let another go on with it past the lease's life, and wake it: it writes nothing more."""
    with runs.shop(served) as shop:
        first = shop.apply()
        while sum(each["kind"] == kind for each in shop.notes()) <= more and first.poll() is None:
            time.sleep(LOOK_SECONDS)
        first.send_signal(signal.SIGSTOP)
        try:
            served.ask("clock/advance", {"seconds": PAST_SECONDS})
            codes = [0]
            while not runs.is_finished(shop) and len(codes) < runs.MOST_COMMANDS:
                codes.append(shop.resume())
                if codes[-1] == FAILED:
                    break  # The one that stands still may hold the state's file in the middle of a note.
                if codes[-1] == IN_DOUBT:
                    shop.decide_as_a_person()
            before, heard = served.writes(), len(shop.said())
        finally:
            first.send_signal(signal.SIGCONT)
        woken = first.wait(PATIENCE_SECONDS)
        after, words = served.writes(), shop.said()[heard:]
        wrong = runs.end(shop, codes[-1:]).differences(uncut)
        if len(codes) == 1:
            return f"{kind} {more}: over before it could be stopped, exit {woken}", wrong
        if after != before:
            wrong.append(f"{after - before} requests were written after the lease was gone")
        if not any(code in words for code in LOST):
            wrong.append(f"it does not say that the lease is gone\n{words[:TAIL]}")
        return f"stopped at {kind} {more}: exits of resume {codes[1:]}, of the woken {woken}", wrong
