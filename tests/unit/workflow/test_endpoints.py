"""Sessions of a project: those that lead to one vendor instance share its window and its day."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from syncer.clock import SystemClock
from syncer.errors import QuotaSpentError
from syncer.facts import System
from syncer.sandbox.transport import running
from syncer.workflow.endpoints import sessions
from syncer.workflow.load import load
from tests.refresh.shop import URL, login, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from syncer.targets.protocol import Session

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def two(
    folder: Path, patch: pytest.MonkeyPatch, spent: Mapping[str, int], **budgets: int
) -> AsyncIterator[tuple[Session, Session]]:
    """Open two connections that name one address in two ways, each with a budget for the day."""
    shop = opened(folder, patch, {})
    addresses = (URL, f"{URL}/")
    connections = {
        name: login(System.MARKETO, base_url=address, budget={"calls_per_day": calls})
        for address, (name, calls) in zip(addresses, budgets.items(), strict=True)
    }
    shop.write("email\n", connections=connections, targets={}, mappings={}, operations={})
    async with running(shop.sandbox.app()) as transport:
        names = list(budgets)
        async with sessions(
            load(folder), names, SystemClock(), sandbox=True, spent=spent, transport=transport
        ) as found:
            yield found[names[0]], found[names[1]]


async def test_connections_of_one_instance_share_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of either is one less for both, and each keeps to its own budget."""
    async with two(tmp_path, monkeypatch, {}, small=2, large=3) as (small, large):
        await small.usage()
        await large.usage()
        with pytest.raises(QuotaSpentError):
            await small.usage()
        await large.usage()
        with pytest.raises(QuotaSpentError):
            await large.usage()
        assert (small.calls_made(), large.calls_made()) == (1, 2)


async def test_calls_of_earlier_runs_count_for_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the state knows of the instance is taken off every budget for it."""
    async with two(tmp_path, monkeypatch, {f"marketo {URL}": 2}, small=2, large=3) as (small, large):
        with pytest.raises(QuotaSpentError):
            await small.usage()
        await large.usage()
