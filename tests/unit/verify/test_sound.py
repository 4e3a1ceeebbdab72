"""What the executor leaves behind, whatever happened to it, breaks no promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.execution.ruling import rule
from syncer.verify.rules import PROMISES, Verdict, judge
from tests.fakes.world import Op, World, rows, world
from tests.unit.verify.conftest import evidence

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.verify.rules import Finding

pytestmark = pytest.mark.anyio


def broken(findings: tuple[Finding, ...]) -> dict[str, tuple[str, ...]]:
    """Return the breaches by rule."""
    return {each.rule: each.breaches for each in findings if each.verdict is Verdict.BROKEN}


async def _judged(it: World) -> dict[str, tuple[str, ...]]:
    return broken(judge(await evidence(it)))


async def test_an_undisturbed_run_keeps_every_promise(tmp_path: Path) -> None:
    """Nothing is broken, and nothing is left untold."""
    async with world(tmp_path, Op("a", [*rows(5), ("k1", "again")]), Op("b", rows(7, "j"), path="job")) as it:
        it.vendor.refused = {"k2", "j3"}
        await it.run()
        assert {each.rule: each.verdict for each in judge(await evidence(it))} == {
            each.name: Verdict.HOLDS for each in PROMISES
        }


@pytest.mark.parametrize("before", [True, False])
async def test_a_run_that_died_anywhere_keeps_them_too(tmp_path: Path, *, before: bool) -> None:
    """A journal cut at any note, and what its resume adds, is as sound as an uncut one."""
    at = 0
    died = True
    while died:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        twice = [*rows(3), ("k1", "again")]
        async with world(folder, Op("a", twice), Op("b", rows(4, "j"), path="job"), concurrency=1) as it:
            it.vendor.faults[("commit", "a/1/sync/0000")] = ["lose after"]
            died = await it.run_and_die(lambda seen, _, at=at: seen == at, before=before)
            assert await _judged(it) == {}, at
            assert (await it.run()).exit_code == 0
            assert await _judged(it) == {}, at
    assert at > 20


@pytest.mark.parametrize("fault", ["lose before", "lose after", "late 30", "retry", "quota", "unknown word"])
async def test_a_run_in_trouble_keeps_them(tmp_path: Path, fault: str) -> None:
    """Lost and late answers, refusals, a spent day: what is settled is settled soundly."""
    async with world(tmp_path, Op("a", rows(5)), Op("b", rows(4, "j"), path="job")) as it:
        it.vendor.faults[("commit", "a/1/sync/0000")] = [fault]
        it.vendor.faults[("commit", "b/1/job/0000")] = [fault]
        it.vendor.faults[("remedy", "a/1/sync/0000")] = ["lose after"]
        while (await it.run()).exit_code:
            assert await _judged(it) == {}
        assert await _judged(it) == {}


async def test_a_spoilt_request_keeps_them(tmp_path: Path) -> None:
    """Parts of a request, and of a remedy, are judged record by record."""
    async with world(tmp_path, Op("a", rows(40), path="wide"), Op("b", rows(20, "j"), path="wide")) as it:
        it.vendor.poison = {"k7", "k31", "j3"}
        it.vendor.faults[("commit", "b/1/wide/0000")] = ["lose before"]
        assert (await it.run()).exit_code == 7
        assert await _judged(it) == {}


async def test_a_job_that_leaves_a_rest_keeps_them(tmp_path: Path) -> None:
    """The rest is a part like any other."""
    async with world(tmp_path, Op("b", rows(6, "j"), path="job")) as it:
        it.vendor.left = lambda unit, keys: () if "rest" in unit else keys[:1]
        assert (await it.run()).exit_code == 0
        assert await _judged(it) == {}


@pytest.mark.parametrize("verdict", ["sent", "unsent"])
async def test_a_persons_word_is_no_breach(tmp_path: Path, verdict: str) -> None:
    """A push that a person sent again was not repeated silently."""
    async with world(tmp_path, Op("p", rows(2), path="push")) as it:
        it.vendor.faults[("commit", "p/1/push/0000")] = ["lose before"]
        assert (await it.run()).exit_code == 9
        assert await _judged(it) == {}
        lease = await it.store.acquire((), "person", it.run_id)
        await rule(it.store, lease, it.run_id, verdict, "ada")  # type: ignore[arg-type] # a parameter
        it.store.live()
        assert (await it.run()).exit_code == 0
        assert await _judged(it) == {}


async def test_what_is_gone_is_not_judged(tmp_path: Path) -> None:
    """Without rows the exact keys cannot be told, and without a plan nearly nothing; both are said."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        await it.run()
        found = {each.rule: each for each in judge(await evidence(it, with_rows=False))}
        assert found["keys"].verdict is Verdict.UNKNOWN
        assert found["keys"].missing == "the staged rows, which a finished run deletes"
        assert found["rows"].verdict is Verdict.HOLDS
