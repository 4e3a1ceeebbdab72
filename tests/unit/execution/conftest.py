"""Async tests of this room run twice, on asyncio and on trio, both under virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.clock import backend

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, Mapping[str, Any]]:
    """Hours pass in milliseconds."""
    return backend(request.param)
