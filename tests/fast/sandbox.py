"""`python tests/fast/sandbox.py SPEED BEGAN`: a sandbox as a real server in a world of faster time.

It announces itself in one line of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from syncer.sandbox.options import SandboxOptions
from syncer.sandbox.serve import serve
from tests.fast.world import FastSandboxClock, taken

if __name__ == "__main__":
    fast, _ = taken(sys.argv[1:])
    serve(
        SandboxOptions(clock=FastSandboxClock(fast), latency_seconds=0.05),
        announce=lambda where: print(json.dumps(where), flush=True),  # noqa: T201 - the announcement is its output
    )
