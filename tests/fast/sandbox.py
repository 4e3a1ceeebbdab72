"""`python tests/fast/sandbox.py`: a sandbox as a real server, always of the same date; it announces itself in JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from syncer.sandbox.clock import Clock
from syncer.sandbox.options import SandboxOptions
from syncer.sandbox.serve import serve

if __name__ == "__main__":
    serve(
        SandboxOptions(clock=Clock()),
        announce=lambda where: print(json.dumps(where), flush=True),  # noqa: T201 - the announcement is its output
    )
