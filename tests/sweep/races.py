"""T8: two processes on one state at nearly one moment, and one that stands still for longer than its lease lives.

On a folder and on a bucket. Time that a lease needs to run out is let pass on the clock that commands, vendors and
the bucket share, so nothing of the protocol is shortened.
"""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syncer.state.lease import MARGIN_SECONDS, MAX_REQUEST_SECONDS, TTL_SECONDS
from tests.sweep import calls, forked
from tests.sweep.canon import OVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sweep.canon import Canon, Ended

FEW: Final = ("members", "webinar")
"""What a race is about: three requests of Sync Leads and a push, which leaves an activity each time."""
MOST_OFFSET_SECONDS: Final = 2.0
PAST_SECONDS: Final = TTL_SECONDS + MAX_REQUEST_SECONDS + MARGIN_SECONDS + 30.0
WORKERS: Final = 3
"""Requests that a process may have at once, as the project's manifest says."""
STALE, LOCKED = 6, 10
LOST: Final = ("R211", "R107")
DONE: Final = "R905"
"""What is said of a run that has ended."""
OUSTED: Final = frozenset({1, LOCKED})
TAIL: Final = 900


@dataclass(frozen=True, slots=True)
class Played:
    """One point: what happened, and what should not have; missed when the run was over before."""

    told: str
    wrong: tuple[str, ...]
    is_missed: bool = False


def uncut(canon: Canon) -> tuple[Ended, int, int]:
    """Return how a run ends that has no rival, its writes, and its state-changing calls from its beginning on."""
    place = canon.begun()
    place.pass_by(PAST_SECONDS)
    process = place.resume(watched=calls.STATE)
    assert process.listener is not None
    count = 0
    for call in process.listener.calls(forked.PATIENCE_SECONDS):
        count += calls.changes_state(call)
        process.listener.go_on(call)
    ended = place.end([process.wait()])
    writes = place.served.writes()
    place.forget()
    return ended, writes, count


def race(canon: Canon, seed: str, wanted: Ended, writes: int) -> Played:
    """Let two begin within two seconds: exactly one works, and the other sends nothing."""
    draw = random.Random(f"race {seed}")  # noqa: S311 - a story, not a secret
    is_new = bool(draw.randrange(2))
    offset = draw.choice((0.0, draw.uniform(0.0, 0.2), draw.uniform(0.0, MOST_OFFSET_SECONDS)))
    place = canon.planned() if is_new else canon.begun()
    if not is_new:
        place.pass_by(PAST_SECONDS)
    begin: Callable[[], forked.Process] = place.apply if is_new else place.resume
    first = begin()
    time.sleep(offset)
    codes = _both(first, begin())
    sent = place.served.writes()
    ended = place.end([code for code in codes if code in OVER] or list(codes))
    wrong = ended.differences(wanted)
    won, others = [each for each in codes if each in OVER], [each for each in codes if each not in OVER]
    # Who comes when all is over finds a spent plan, or nothing to resume.
    late = {STALE, LOCKED} if is_new else {2, LOCKED}
    if len(won) != 1 or not set(others) <= late:
        wrong.append(f"exits {codes}\n{ended.said[-TAIL:]}")
    if sent != writes:
        wrong.append(f"{sent} writes, and one run makes {writes}")
    place.forget()
    what = "apply" if is_new else "resume"
    return Played(f"two {what}, {offset:.2f} s apart: exits {codes}", tuple(wrong))


def _both(*processes: forked.Process) -> tuple[int, ...]:
    return tuple(each.wait() for each in processes)


def stop(canon: Canon, seed: str, wanted: Ended, size: int, *, at_send: bool) -> Played:
    """Stop a run at a call, let another go on past the lease's life, and wake it: nothing of it is noted any more."""
    draw = random.Random(f"stop {seed}")  # noqa: S311 - as above
    place = canon.begun()
    place.pass_by(PAST_SECONDS)
    number = draw.randint(1, WORKERS + 1) if at_send else draw.randint(1, size)
    process = place.resume(watched=calls.STATE)
    where = _stop_at(process, number, str(place.folder), at_send=at_send)
    if not where:
        ended = place.end([process.wait()])
        place.forget()
        return Played(f"over before call {number}", tuple(ended.differences(wanted)), is_missed=True)
    place.pass_by(PAST_SECONDS)
    codes = [place.resume().wait()]
    is_held, has_ended = codes[-1] == LOCKED and "R207" in place.said(), DONE in place.said()
    if not is_held:
        ended = place.end(codes)
        codes = list(ended.codes)
    before, notes, heard = place.served.writes(), 0 if is_held else len(place.notes()), len(place.said())
    os.kill(process.pid, signal.SIGCONT)
    woken = _drain(process)
    late, words = place.served.writes() - before, place.said()[heard:]
    added = [] if is_held else place.notes()[notes:]
    ended = place.end(codes[-1:])
    wrong = [] if late and at_send else ended.differences(wanted)
    rightly = _rightly(words, is_held=is_held, has_ended=has_ended)
    if rightly == OUSTED and not any(code in words for code in LOST):
        wrong.append(f"it does not say that the lease is gone\n{words[-TAIL:]}")
    if not is_held and late > (WORKERS if at_send else 0):
        wrong.append(f"{late} requests were written after the lease was gone")
    if added:
        wrong.append(f"the woken one noted {[each['kind'] for each in added]}")
    if not is_held and 1 in codes:
        wrong.append(f"nobody could go on while it stood still: exits {codes}")
    if woken not in rightly:
        wrong.append(f"the woken one ended with {woken}\n{words[-TAIL:]}")
    place.forget()
    held = ", which holds the state" * is_held
    return Played(f"{where}{held}: exits {tuple(codes)}, woken {woken}, {late} late, {ended.ruled} ruled", tuple(wrong))


def _rightly(words: str, *, is_held: bool, has_ended: bool) -> frozenset[int]:
    """Return with what a woken process may end."""
    if is_held:
        # Nobody could take over, so it goes on if it had no lease yet, and else stops for the time that has passed.
        return frozenset({0, 1})
    if has_ended:
        # It was stopped as it tidied up behind the run that it had ended itself.
        return frozenset({0})
    # Without a lease yet, it comes to one when the other has ended the run.
    return frozenset({2}) if DONE in words else OUSTED


def _stop_at(process: forked.Process, number: int, root: str, *, at_send: bool) -> str:
    """Stop the process as it comes to its `number`-th such call, which is then not made; return the call."""
    assert process.listener is not None
    found = 0
    for call in process.listener.calls(forked.PATIENCE_SECONDS):
        write = calls.vendor_write(call) if at_send else ""
        found += bool(write) if at_send else calls.changes_state(call)
        if found == number and (write or not at_send):
            told = write or calls.told(call, root)
            os.kill(process.pid, signal.SIGSTOP)
            while _state(process.pid) != "T":
                time.sleep(0.001)
            return told
        process.listener.go_on(call)
    return ""


def _drain(process: forked.Process) -> int:
    """Let a process do what it wants from here on, and return how it ended."""
    assert process.listener is not None
    for call in process.listener.calls(forked.PATIENCE_SECONDS):
        process.listener.go_on(call)
    return process.wait()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
