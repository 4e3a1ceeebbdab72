"""`python -m tests.doubts [WORDS]` plays every cell whose name holds all the words, and prints a table."""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.doubts.cells import CELLS, OPERATIONS
from tests.doubts.play import play, violations


def main(words: list[str]) -> int:
    """Return 1 when any cell is broken."""
    began, bad = time.perf_counter(), 0
    ends: dict[str, Counter[str]] = {each.name: Counter() for each in OPERATIONS}
    for cell in CELLS:
        if not all(word.lower() in str(cell).lower() for word in words):
            continue
        played = play(cell)
        found = violations(played)
        word = "BROKEN" if found else {(0,): "settled", (9, 0): "by a person", (9,): "waits"}[tuple(played.codes)]
        ends[cell.operation.name][word] += 1
        bad += bool(found)
        for each in found:
            sys.stdout.write(f"{cell}: {each}\n")
    for name, counts in ends.items():
        if counts:
            told = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
            sys.stdout.write(f"{name:<38}{sum(counts.values()):>5}  {told}\n")
    total = sum(sum(counts.values()) for counts in ends.values())
    sys.stdout.write(f"{total} cells, {bad} broken, {time.perf_counter() - began:.0f} s\n")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
