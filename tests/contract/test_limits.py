"""The vendor's limits, read from the vendor's own log: how much of them is used, and how seldom a call is refused.

Real sessions press as hard as they can, on virtual time, while another integration takes its share.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import anyio
import pytest

from syncer.errors import QuotaSpentError, RetryableError
from syncer.facts import System
from syncer.sandbox.app import MarketoOptions, SandboxOptions
from syncer.sandbox.salesforce.options import SalesforceOptions
from tests.contract.conftest import step

if TYPE_CHECKING:
    from syncer.sandbox.traffic import Entry
    from syncer.targets.protocol import Session
    from tests.contract.conftest import Stage

pytestmark = pytest.mark.anyio
M, S = System.MARKETO, System.SALESFORCE
LEADS = step(M, "lead", "sync", key="email")
CONTACTS = step(S, "Contact", "collections", key="Crm_Key__c")
WINDOW, CALLS = 20.0, 100
WORKERS = 12
SECONDS = 140.0
FEW = 2


def _log(stage: Stage) -> list[Entry]:
    """Return the counted calls, by arrival."""
    return sorted(
        (each for each in stage.sandbox.traffic.entries if "/oauth" not in each.endpoint),
        key=lambda each: each.arrived_at,
    )


def _fullest(moments: list[float], window: float = WINDOW) -> int:
    """Return the most moments that any window holds."""
    return max(at + 1 - bisect_right(moments, moment - window) for at, moment in enumerate(moments))


async def _press(stage: Stage, session: Session, seconds: float) -> list[QuotaSpentError]:
    """Write one lead a call, from many tasks at once, as fast as the session lets them; a spent day ends a task."""
    until = anyio.current_time() + seconds
    spent: list[QuotaSpentError] = []

    async def work(worker: int) -> None:
        number = 0
        while anyio.current_time() < until:
            number += 1
            try:
                await session.commit(stage.unit(LEADS, {"email": f"p{worker}.{number}@b.co"}), "")
            except RetryableError as error:
                await anyio.sleep(error.wait_seconds or 1.0)
            except QuotaSpentError as error:
                spent.append(error)
                return

    async with anyio.create_task_group() as tasks:
        for worker in range(WORKERS):
            tasks.start_soon(work, worker)
    return spent


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
async def test_the_window_is_used_and_never_stormed(stage: Stage, share: float) -> None:
    """Alone no call is refused; beside half or nine tenths one a window at the most, and 80 % of the rest is used.

    What others take is not told by anybody: the first refusals, of calls that are under way together, teach it.
    """
    stage.sandbox.worlds[M].add_neighbours(0, share * CALLS / WINDOW)
    await anyio.sleep(WINDOW)
    await _press(stage, stage.session(M), SECONDS)
    log = _log(stage)
    began = log[0].arrived_at
    refused = [each.arrived_at - began for each in log if each.error_code == "606"]
    taken = [each.arrived_at - began for each in log if each.error_code is None]
    assert len(refused) + len(taken) == len(log)
    assert _fullest(taken) <= (1 - share) * CALLS + 1
    assert len([moment for moment in refused if moment < WINDOW]) <= (WORKERS if share else 0)
    later = [moment for moment in refused if moment >= WINDOW]
    assert not later or (share > 0 and _fullest(later) == 1)
    assert len(taken) >= 0.8 * (1 - share) * CALLS * SECONDS / WINDOW


class TestFewAtOnce:
    """An instance that lets four calls run at once."""

    @pytest.fixture
    def options(self) -> SandboxOptions:
        """Slow answers, so that calls at once are the bound."""
        return SandboxOptions(latency_seconds=2.0, marketo=MarketoOptions(concurrent_calls=4))

    async def test_too_many_at_once_is_learnt(self, stage: Stage) -> None:
        """The first refusals halve the calls at once; from then on refusals are rare, and what is allowed is used."""
        await _press(stage, stage.session(M), SECONDS)
        log = _log(stage)
        began = log[0].arrived_at
        refused = [each.arrived_at - began for each in log if each.error_code == "615"]
        assert 0 < len([moment for moment in refused if moment < WINDOW]) <= WORKERS
        assert _fullest([moment for moment in refused if moment >= WINDOW]) <= FEW
        assert sum(each.error_code is None for each in log) >= 0.7 * 4 / 2.0 * SECONDS


class TestSmallDay:
    """Few calls a day, of which others use some."""

    @pytest.fixture
    def options(self) -> SandboxOptions:
        """A day of sixty calls at Marketo, and of two hundred in the org."""
        return SandboxOptions(
            latency_seconds=0.2,
            marketo=MarketoOptions(daily_calls=60),
            salesforce=SalesforceOptions(daily_calls=200),
        )

    async def test_a_spent_day_parks_and_the_next_one_goes_on(self, stage: Stage) -> None:
        """The vendor's 607 ends the work with the moment of the next day, after which the same session writes again."""
        stage.sandbox.worlds[M].add_neighbours(20, 0.0)
        session = stage.session(M)
        spent = await _press(stage, session, SECONDS)
        log = _log(stage)
        assert sum(each.error_code is None for each in log) == 60 - 20
        assert sum(each.error_code == "607" for each in log) <= WORKERS
        assert len(spent) == WORKERS
        await anyio.sleep(spent[0].resets_at - stage.clock.now() + 1)
        await session.commit(stage.unit(LEADS, {"email": "next@b.co"}), "")
        assert _log(stage)[-1].error_code is None

    async def test_a_reserve_is_left_to_others(self, stage: Stage) -> None:
        """Half of the org's day is theirs: by the org's own count not one call more is made, whoever made the rest."""
        stage.sandbox.worlds[S].add_neighbours(30, 0.0)
        session = stage.session(S, endpoint=stage.endpoint(S, reserve=0.5))
        record = {"attributes": {"type": "Contact"}, "Crm_Key__c": "K", "LastName": "Byron"}
        for _ in range(200 // 2 - 30):
            await session.commit(stage.unit(CONTACTS, record), "")
        with pytest.raises(QuotaSpentError):
            await session.commit(stage.unit(CONTACTS, record), "")
        assert len(_log(stage)) == 200 // 2 - 30
