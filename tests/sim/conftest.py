"""How many seeds the simulation plays: a few in every run, as many as wanted with `SYNCER_SIM_SEEDS`."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def seeds() -> range:
    """The seeds of this run."""
    return range(int(os.environ.get("SYNCER_SIM_SEEDS", "300")))
