"""The process that is measured: calls one side of one figure, and prints what it returns as JSON.

Run: `python -m benchmarks.child p01_plan_full ours 1000000 FOLDER`.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path


def main(module: str, side: str, size: str, folder: str) -> None:
    """Call the side and print its answer."""
    answer = getattr(importlib.import_module(f"benchmarks.{module}"), side)(int(size), Path(folder))
    print(json.dumps(answer or {}))


if __name__ == "__main__":
    main(*sys.argv[1:])
