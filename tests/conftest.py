"""What every test shares: the Hypothesis profiles, the async backend, and the flag that writes golden files anew."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import HealthCheck, settings

# Tests start processes from several threads at once; sharing memory with the child until it runs its program has been
# seen to fail there with EFAULT. Python, "subprocess", Disabling use of vfork() or posix_spawn().
subprocess._USE_VFORK = False
subprocess._USE_POSIX_SPAWN = False

settings.register_profile("quick", deadline=None, derandomize=True, print_blob=True)
settings.register_profile(
    "deep", deadline=None, max_examples=100_000, suppress_health_check=list(HealthCheck), print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag for golden plans and command-line stories; read the diff that it makes as code."""
    parser.addoption("--golden", action="store_true", help="write what comes out as what is expected")


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as people do; simulations choose trio themselves."""
    return "asyncio"
