"""Measures one side of a figure: a fresh process, its time, its processor time and the peak memory of its process tree.

Sides are functions of a figure's module, called by name in `benchmarks.child`; what they return is compared between sides,
so a fast wrong answer is no answer. Sides take turns, so that a slow minute of the machine falls on all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv-bench" / "bin" / "python"
"""The interpreter of the packages that syncer is compared with; they are no part of syncer's own environment."""
SAMPLE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Seen:
    """What one process cost, and what it said."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """All rounds of one side. `rows` is how many rows it really did: slow sides do fewer, and are compared by the row."""

    name: str
    rows: int
    rounds: tuple[Seen, ...]

    @property
    def seconds(self) -> float:
        """The median time; the time the side itself measured where it says `seconds`."""
        return median(float(each.said.get("seconds", each.seconds)) for each in self.rounds)

    @property
    def cpu_seconds(self) -> float:
        """The median processor time, of the part the side measured where it says so."""
        return median(float(each.said.get("cpu_seconds", each.cpu_seconds)) for each in self.rounds)

    @property
    def peak_mb(self) -> float:
        """The median peak of the process tree."""
        return median(each.peak_mb for each in self.rounds)

    @property
    def said(self) -> Mapping[str, Any]:
        """What the side returned, which is the same in every round but for times."""
        return self.rounds[-1].said


def process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Seen:
    """Run a command and measure it; its last line may be a JSON object."""
    start = time.perf_counter()
    child = subprocess.Popen(  # noqa: S603 - our own commands
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
    )
    assert child.stdout is not None
    assert child.stderr is not None
    peak = _Peak(child.pid)
    texts: dict[str, bytes] = {}
    readers = [
        threading.Thread(target=lambda name=name, pipe=pipe: texts.__setitem__(name, pipe.read()))
        for name, pipe in (("out", child.stdout), ("err", child.stderr))
    ]
    for each in readers:
        each.start()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    for each in readers:
        each.join()
    sampled = peak.stop()
    if child.returncode:
        message = f"{' '.join(command)} ended with {child.returncode}:\n{texts['err'].decode()[-2_000:]}"
        raise RuntimeError(message)
    last = texts["out"].decode().strip().splitlines()[-1:]
    said = json.loads(last[0]) if last and last[0].startswith("{") else {}
    return Seen(seconds, usage.ru_utime + usage.ru_stime, sampled, said)


class _Peak(threading.Thread):
    """Adds up the resident memory of a process and its descendants, again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.most = 0.0
        self.is_over = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.is_over.wait(SAMPLE_SECONDS):
            # Not `ru_maxrss`: a process starts with its parent's, as it shares that one's memory until it runs.
            self.most = max(self.most, sum(map(_resident_mb, _tree(self.pid))), _high_water_mb(self.pid))

    def stop(self) -> float:
        self.is_over.set()
        self.join()
        return self.most


def _tree(pid: int) -> Iterable[int]:
    yield pid
    try:
        children = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return
    for each in children:
        yield from _tree(int(each))


def _resident_mb(pid: int) -> float:
    try:
        return int((Path("/proc") / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0.0


def _high_water_mb(pid: int) -> float:
    """Return the process's own peak so far, which the samples may have missed."""
    try:
        status = (Path("/proc") / str(pid) / "status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) / 1024 if found else 0.0


def child(module: str, side: str, size: int, folder: Path, *, is_peer: bool = False) -> Seen:
    """Run one side of a figure in a fresh process."""
    python = str(PEERS) if is_peer else sys.executable
    return process([python, "-m", "benchmarks.child", module, side, str(size), str(folder)])


def take_turns(
    sides: Mapping[str, Callable[[], Seen]], size: int, rounds: int, *, agree: str = "digest"
) -> dict[str, Side]:
    """Run all sides `rounds` times in turns. Those that say `agree` must say the same, in every round."""
    seen: dict[str, list[Seen]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            seen[name].append(run())
    answers = {str(each.said[agree]) for every in seen.values() for each in every if agree in each.said}
    if len(answers) > 1:
        message = (
            f"The sides do not agree: { {name: [e.said.get(agree) for e in every] for name, every in seen.items()} }"
        )
        raise AssertionError(message)
    return {name: Side(name, int(every[0].said.get("rows", size)), tuple(every)) for name, every in seen.items()}
