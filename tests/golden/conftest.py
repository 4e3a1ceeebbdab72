"""Golden plans change only by a flag: `pytest tests/golden --golden` writes what comes out. Read the diff as code."""

from __future__ import annotations

import pytest

from tests.golden.cases import FOLDERS, Case, load_case


@pytest.fixture(params=FOLDERS, ids=lambda path: path.name)
def case(request: pytest.FixtureRequest) -> Case:
    """Each golden case in turn."""
    return load_case(request.param)
