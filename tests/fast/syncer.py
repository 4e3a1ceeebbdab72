"""`python tests/fast/syncer.py CONTROL_URL words…`: the command line as a real process, in a world without waits."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import pytest

from syncer.cli.main import run
from tests.fast.world import World

if __name__ == "__main__":
    _, control_url, *words = sys.argv
    sys.argv = ["syncer", *words]
    with pytest.MonkeyPatch.context() as patch:
        World(control_url).enter(patch)
        run()
