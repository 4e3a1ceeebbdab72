"""P12: Sync Leads at the vendor's limits of 100 calls in 20 s and 10 at once, beside them and beside marketorestpython.

Real time, real sockets: the server answers after a latency and writes down when each call came. A call is allowed when
the tenth before it has its answer and the hundredth before it came 20 s ago; the share is that of the earliest moment at
which the last call is allowed. The peer is compared with the calls after the first hundred, which wait for no window.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import p13_sync
from benchmarks.bench import Bench, Row, within
from benchmarks.measure import PEERS, Seen, process
from benchmarks.stub import serving

ID = "P12"
CALLS = 600
PEER_CALLS = 60
RECORDS = 300
WINDOW_CALLS, WINDOW_SECONDS, AT_ONCE = 100, 20.0, 10
REACHES = {0.3: (0.98, 2.4), 1.5: (0.97, 8.0)}


def results(bench: Bench) -> Iterator[Row]:
    """Send so many calls at each latency; the sides do not take turns, since both only wait."""
    for latency, (share_reach, times_reach) in REACHES.items():
        ours, arrivals = _measured(sys.executable, "ours", CALLS, latency, bench.folder)
        peer, _ = _measured(str(PEERS), "marketorestpython", PEER_CALLS, latency, bench.folder)
        share = earliest(CALLS, latency)[-1] / (arrivals[-1] - arrivals[0])
        most = most_in_window(arrivals)
        yield within(
            "P12",
            f"share of what the limits allow, latency {latency:g} s",
            CALLS,
            share * 100,
            "%",
            f"≥ {share_reach * 100:g} %, never above {WINDOW_CALLS} in {WINDOW_SECONDS:g} s",
            is_reached=share >= share_reach and most <= WINDOW_CALLS,
            note=f"at most {most} calls in any window, seen from the server",
        )
        rate = (CALLS - WINDOW_CALLS) / (arrivals[-1] - arrivals[WINDOW_CALLS - 1])
        times = rate / (PEER_CALLS / float(peer.said["seconds"]))
        yield within(
            "P12",
            f"calls a second against marketorestpython, latency {latency:g} s",
            CALLS,
            times,
            "×",
            f"≥ {times_reach:g} ×",
            is_reached=times >= times_reach,
            memory=ours.peak_mb,
        )


def earliest(calls: int, latency: float) -> list[float]:
    """Return when each call is allowed at the earliest, the first one at 0."""
    times: list[float] = []
    for number in range(calls):
        answered = times[number - AT_ONCE] + latency if number >= AT_ONCE else 0.0
        freed = times[number - WINDOW_CALLS] + WINDOW_SECONDS if number >= WINDOW_CALLS else 0.0
        times.append(max(answered, freed))
    return times


def most_in_window(arrivals: list[float]) -> int:
    """Return the largest number of calls that came within any one window, its end excluded."""
    return max(bisect_right(arrivals, at + WINDOW_SECONDS - 1e-9) - first for first, at in enumerate(arrivals))


def _measured(python: str, side: str, calls: int, latency: float, folder: Path) -> tuple[Seen, list[float]]:
    p13_sync.leads_file(calls * RECORDS, folder)
    log = folder / "arrivals.txt"
    log.unlink(missing_ok=True)
    with serving("--latency", str(latency), "--arrivals", str(log)) as base:
        command = [python, "-m", "benchmarks.child", "p12_rate", side, str(calls * RECORDS), str(folder)]
        seen = process(command, {"STUB_URL": base})
    return seen, sorted(float(line) for line in log.read_text().split())


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Send with the vendor's limits in force."""
    return p13_sync.sent(size, folder)


def marketorestpython(size: int, folder: Path) -> dict[str, Any]:
    """Send with the peer as it is, its pause between calls included."""
    return p13_sync.peer(size, folder, pauses=True)
