"""`python tests/fast/syncer.py SPEED BEGAN words…`: the command line as a real process, in a world of faster time."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import pytest

from syncer.cli.main import run
from tests.fast.world import taken

if __name__ == "__main__":
    fast, arguments = taken(sys.argv[1:])
    sys.argv = ["syncer", *arguments]
    with pytest.MonkeyPatch.context() as patch:
        fast.hasten(patch)
        run()
