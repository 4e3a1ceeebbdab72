"""Runs figures and writes a dated JSON and a Markdown table beside it; figures run again replace their own rows only.

Run: `python -m benchmarks.run [--only P1,P9] [--sizes 100000,1000000] [--rounds 3]`, or `make bench`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.measure import ROOT

RESULTS = ROOT / "benchmarks" / "results"
FOLDER = ROOT / "build" / "bench"
ORDER = "p01 p04 p05 p07 p08 p09 p03 p10 p06 p16 p14 p17 p12 p13 p11 p18 p20 p19".split()
GROWTH_LIMIT = 1.05


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="figures, such as P1,P9")
    parser.add_argument("--sizes", default="", help="sizes, such as 100000,1000000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where data are made and kept")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    sizes = tuple(int(each) for each in given.sizes.split(",") if each) or None
    bench = Bench(given.folder.resolve(), sizes, given.rounds)
    wanted = {each.strip().upper() for each in given.only.split(",") if each.strip()}
    for name in modules():
        module = importlib.import_module(f"benchmarks.{name}")
        if wanted and not wanted & set(module.ID.split()):
            continue
        print(f"-- {module.ID}  {(module.__doc__ or '').splitlines()[0]}", flush=True)
        try:
            for row in module.results(bench):
                print(line(row.values()), flush=True)
                keep([row.values()])
        except Exception as problem:  # noqa: BLE001 - one figure that fails must not take the others with it
            print(f"   {module.ID} failed: {problem}", flush=True)


def modules() -> list[str]:
    """Return the figures' modules in the order of work."""
    found = {each.stem for each in Path(__file__).parent.glob("p[0-9][0-9]_*.py")}
    return sorted(found, key=lambda each: (ORDER.index(each[:3]) if each[:3] in ORDER else len(ORDER), each))


def keep(rows: Iterable[dict[str, Any]]) -> None:
    """Put the rows into today's results, in the place of older ones of the same figure, words and size."""
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.json"
    old = json.loads(path.read_text())["rows"] if path.exists() else []
    known = {(each["figure"], each["what"], each["size"]): each for each in old}
    moment = f"{datetime.now(UTC):%H:%M}"
    load = f"{os.getloadavg()[1]:.1f}"
    known |= {(each["figure"], each["what"], each["size"]): {**each, "at": moment, "load": load} for each in rows}
    everything = sorted(known.values(), key=lambda each: (int(each["figure"][1:]), each["what"], each["size"]))
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "rows": everything}, indent=1, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text(table(everything, machine))


def growth(rows: list[dict[str, Any]], row: dict[str, Any]) -> float | None:
    """Return the exponent with which our time grows over the sizes of one line, by least squares; None below three sizes."""
    same = [each for each in rows if (each["figure"], each["what"]) == (row["figure"], row["what"])]
    points = [(math.log(each["size"]), math.log(each["ours"])) for each in same if each["ours"] > 0]
    if len(points) < 3 or row["unit"] != "s":
        return None
    mean_x, mean_y = (sum(column) / len(points) for column in zip(*points, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def table(rows: list[dict[str, Any]], machine: str) -> str:
    """Return the Markdown table."""
    head = (
        f"# Benchmark results\n\n{machine}. Medians of the rounds; sides in turns, each a fresh process; a ratio of fewer than three rounds is shown and not judged. A ratio is the wall-clock time per row "
        "against the baseline of the same run; CPU is the same ratio of processor time. Memory is the peak of the process tree. "
        "Growth is the exponent of our time over the sizes; above 1.05 is a finding. Load is the machine's own, of five minutes: "
        "above 2 the two cores were shared, and absolute times say nothing.\n\n"
        "| figure | what | size | ours | baseline | ratio | CPU | reach | reached | MB | growth | rounds | load | note |\n"
        "|---|---|--:|--:|--:|--:|--:|---|---|--:|--:|--:|--:|---|\n"
    )
    return head + "".join(_line(rows, each) for each in rows)


def _line(rows: list[dict[str, Any]], row: dict[str, Any]) -> str:
    exponent = growth(rows, row)
    grown = "" if exponent is None else f"**{exponent:.2f}**" if exponent > GROWTH_LIMIT else f"{exponent:.2f}"
    reached = {True: "yes", False: "**no**", None: ""}[row["reached"]]
    theirs = "" if row["theirs"] is None else f"{row['baseline']} {_number(row['theirs'])} s"
    cells = [
        row["figure"],
        row["what"],
        f"{row['size']:,}",
        f"{_number(row['ours'])} {row['unit']}",
        theirs,
        _times(row["ratio"]),
        _times(row["cpu_ratio"]),
        row["reach"],
        reached,
        "" if row["memory_mb"] is None else f"{row['memory_mb']:,.0f}",
        grown,
        str(row.get("rounds", 1)),
        row.get("load", ""),
        row["note"],
    ]
    return "| " + " | ".join(cells) + " |\n"


def _number(value: float) -> str:
    return (
        f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"
    )


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} ×"


def line(row: dict[str, Any]) -> str:
    """Return a row for the terminal."""
    reached = {True: "reached", False: "NOT REACHED", None: ""}[row["reached"]]
    return (
        f"   {row['figure']:4} {row['what']:50} {row['size']:>10,}  {_number(row['ours'])} {row['unit']}"
        f"  {_times(row['ratio'])} (cpu {_times(row['cpu_ratio'])}) of {row['baseline']}  {row['reach']} {reached}  {row['note']}"
    )


if __name__ == "__main__":
    main()
