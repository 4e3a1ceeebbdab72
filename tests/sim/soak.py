"""`python -m tests.sim.soak --seeds N` plays many seeds in two processes, says how it goes, and sums up what was met.

Writes `soak.json` and `soak.md` into `--out`. Exit 1 when an invariant broke; each broken seed with what replays it.
"""

# ruff: noqa: BLE001, PLR0917, S108, T201 - a finding may be any failure; a command speaks; memory is where it is

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.sim.check import violations
from tests.sim.play import Played, play
from tests.sim.trace import trace_hash

REPLAY = "python -m tests.sim --seed {seed}"
TWICE = 100
"""Of so many seeds one is played twice, and must be the same story to the last call."""


@dataclass
class Told:
    """What one seed told: broken invariants, what it met, and the seconds of one core that it took."""

    seed: int
    broken: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    hours: float = 0.0


def tell(seed: int) -> Told:
    """Play one seed, check it, and tell."""
    began = time.process_time()
    told = Told(seed)
    try:
        with tempfile.TemporaryDirectory(dir=_memory()) as folder:
            played = play(seed, Path(folder))
        told.broken = violations(played)
        told.hours = played.seconds / 3600
        told.met.update(_met(played))
        if seed % TWICE == 0:
            with tempfile.TemporaryDirectory(dir=_memory()) as folder:
                if trace_hash(play(seed, Path(folder))) != trace_hash(played):
                    told.broken.append("I12: the same seed was another story the second time")
    except Exception as error:
        told.broken = [f"stopped: {error!r}"]
    told.seconds = time.process_time() - began
    return told


def _met(played: Played) -> Counter[str]:
    met = Counter({f"path {op.way.name}": 1 for op in played.scene.ops})
    for entry in played.entries:
        met.update(f"fault {each}" for each in set(entry.faults))
    met.update(f"snag {snag.kind}" for snag in played.scene.snags)
    met.update(f"meddling {each.what}" for each in played.scene.meddling)
    met.update(f"code {code}" for (_, code), count in played.errors.items() for _ in range(min(count, 1)))
    met["process died"] += sum(life.is_dead for life in played.lives)
    met["process signalled"] += sum(bool(life.signals) for life in played.lives)
    met["processes"] += len(played.lives)
    met["journal on disk"] += played.scene.on_disk
    for note in played.notes:
        if note.kind in {"doubted", "remedying", "held", "ruled", "split", "settled"}:
            met[f"note {note.kind}"] += 1
    met[f"exit {played.result.exit_code if played.result else None}"] += 1
    return met


def _memory() -> str | None:
    """Return a folder in memory, where there is one: no seed needs what it wrote to outlive it."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def prepare() -> None:
    """Let the collector look seldom: what is imported stays, and a scene leaves few cycles."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def main() -> int:
    """Play, report, and return 1 when an invariant broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("build/soak"))
    options = parser.parse_args()
    began = time.monotonic()
    broken: list[Told] = []
    met: Counter[str] = Counter()
    done, seconds, hours = 0, 0.0, 0.0
    wanted = range(options.first, options.first + options.seeds)
    with multiprocessing.get_context("spawn").Pool(min(2, options.processes), prepare) as pool:
        for told in pool.imap_unordered(tell, wanted, chunksize=8):
            done += 1
            seconds += told.seconds
            hours += told.hours
            met.update(told.met)
            if told.broken:
                broken.append(told)
                print(f"\n{told.broken[0][:500]}\n    {REPLAY.format(seed=told.seed)}", flush=True)
            if done % 200 == 0 or done == options.seeds:
                took = time.monotonic() - began
                left = took / done * (options.seeds - done)
                print(
                    f"{done:,} of {options.seeds:,} seeds, {len(broken)} broken, {done / took:.1f} a second, "
                    f"{left / 60:.0f} min left",
                    flush=True,
                )
    _write(options.out, wanted, broken, met, seconds, hours, time.monotonic() - began)
    return 1 if broken else 0


def _write(
    out: Path, wanted: range, broken: list[Told], met: Counter[str], seconds: float, hours: float, took: float
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    summary = {
        "seeds": len(wanted),
        "first": wanted.start,
        "broken": {str(told.seed): told.broken for told in broken},
        "core_seconds": round(seconds, 1),
        "seconds": round(took, 1),
        "seeds_a_core_second": round(len(wanted) / max(seconds, 0.001), 1),
        "virtual_hours": round(hours),
        "virtual_over_core_time": round(hours * 3_600 / max(seconds, 0.001)),
        "met": dict(sorted(met.items())),
    }
    (out / "soak.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    lines = [
        (
            f"{len(wanted):,} seeds from {wanted.start}: {len(broken)} broke an invariant. "
            f"{took / 60:.0f} min, {summary['seeds_a_core_second']} seeds a second of one core, "
            f"{hours:,.0f} simulated hours, {summary['virtual_over_core_time']:,} times as fast as one core's clock."
        ),
        "",
        "| met | times |",
        "| --- | ---: |",
        *(f"| {name} | {count:,} |" for name, count in sorted(met.items())),
        *(f"| **{told.broken[0][:160]}** | `{REPLAY.format(seed=told.seed)}` |" for told in broken),
    ]
    (out / "soak.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[:1]))


if __name__ == "__main__":
    sys.exit(main())
