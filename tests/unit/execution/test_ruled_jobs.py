"""A person's word on a job: what was not written goes again as a job, for no request may be able to say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.capability import Repeat
from syncer.execution.ruling import rule
from tests.fakes.world import RULES, Op, World, world

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def _unsent(it: World) -> None:
    lease = await it.store.acquire((), "person", it.run_id)
    await rule(it.store, lease, it.run_id, "unsent", "ada")
    await lease.release()


async def test_a_job_that_was_not_taken_is_started_anew(tmp_path: Path) -> None:
    """Marketo's import of program members adds people by address, which no request can."""
    rows = [(f"k{number}", "v") for number in range(3)]
    async with world(tmp_path, Op("a", rows, path="job")) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"], ("look_up", "*"): ["unknown"] * 9}
        assert (await it.run()).exit_code == 9
        await _unsent(it)
        it.vendor.faults = {}
        assert (await it.run()).exit_code == 0
        assert [(call.verb, call.keys) for call in it.vendor.calls] == [("commit", ("k0", "k1", "k2"))]


async def test_the_rest_of_a_job_goes_as_a_job_of_its_own(tmp_path: Path) -> None:
    """What the first one refused stays refused, and is not sent again."""
    rows = [(f"k{number}", "v") for number in range(3)]
    async with world(tmp_path, Op("a", rows, path="job")) as it:
        it.vendor.refused = {"k1"}
        it.vendor.faults = {("settle", "*"): ["counts"], ("look_up", "*"): ["unknown"] * 9}
        assert (await it.run()).exit_code == 9
        await _unsent(it)
        it.vendor.faults = {}
        assert (await it.run()).exit_code == 7
        assert [(call.verb, call.keys) for call in it.vendor.calls] == [
            ("commit", ("k0", "k1", "k2")),
            ("commit", ("k0", "k2")),
        ]


async def test_a_job_that_the_manifest_wishes_sent_again_goes_by_its_own_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`on_unknown: resend` starts the job anew instead of sending its rows by a request that cannot say them."""
    monkeypatch.setitem(RULES, "job", (RULES["job"][0], Repeat.NEVER))
    rows = [(f"k{number}", "v") for number in range(3)]
    async with world(tmp_path, Op("a", rows, path="job", on_unknown="resend")) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"], ("look_up", "*"): ["unknown"] * 9}
        result = await it.run()
        assert result.exit_code == 0
        assert [(call.verb, call.keys) for call in it.vendor.calls] == [("commit", ("k0", "k1", "k2"))]
        assert result.operations[0].repeated == 3


async def test_the_part_that_is_wished_sent_again_goes_as_a_job_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first job is known to have refused stays out of the second."""
    monkeypatch.setitem(RULES, "job", (RULES["job"][0], Repeat.NEVER))
    rows = [(f"k{number}", "v") for number in range(3)]
    async with world(tmp_path, Op("a", rows, path="job", on_unknown="resend")) as it:
        it.vendor.refused = {"k1"}
        it.vendor.faults = {("settle", "*"): ["counts"], ("look_up", "*"): ["unknown"] * 9}
        assert (await it.run()).exit_code == 7
        assert [(call.verb, call.keys) for call in it.vendor.calls] == [
            ("commit", ("k0", "k1", "k2")),
            ("commit", ("k0", "k2")),
        ]
