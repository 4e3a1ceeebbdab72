"""The report of a run as a file: it says what the journal and the target say, whatever became of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.engine.protocol import RowReject
from syncer.execution.account import RunAccount
from syncer.execution.context import Stop
from syncer.execution.executor import run
from syncer.execution.history import History
from syncer.execution.page import render_cell
from syncer.execution.ruling import rule
from syncer.outcome import Outcome
from syncer.state.protocol import Parked, Settled, Started
from tests.fakes.world import Op, plan_of, rows, world

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


def read(folder: Path) -> RunAccount:
    """Return the report that lies in a run's folder."""
    return RunAccount.model_validate_json((folder / "report.json").read_text())


def page(folder: Path) -> str:
    """Return the page that lies beside it."""
    return (folder / "report.md").read_text()


async def test_counts_are_those_of_the_result_the_journal_and_the_target(tmp_path: Path) -> None:
    """Three ways to count, one number: the report, the letters in the journal, the target's own records."""
    spoilt = RowReject(99, "V201", "The cell is no date.", "born")
    async with world(tmp_path, Op("a", rows(7), rejects=[spoilt]), Op("b", rows(5, "j"), path="job")) as it:
        it.vendor.refused = {"k3", "j1"}
        result = await it.run()
        told = read(tmp_path)
        letters = [note.outcomes for note in await it.notes() if isinstance(note, Settled) and "[" not in note.unit]
        for operation, counted in zip(told.operations, result.operations, strict=True):
            assert operation.rows == counted.read == sum(operation.outcomes.values())
            assert {each: counted.count(each) for each in Outcome} == operation.outcomes
        written = sum(each.outcomes[Outcome.CREATED] + each.outcomes[Outcome.WRITTEN] for each in told.operations)
        assert written == sum(text.count("c") + text.count("w") for text in letters) == len(it.vendor.records) == 10
        assert told.exit_code == result.exit_code == 7


async def test_rejects_stand_by_reason(tmp_path: Path) -> None:
    """Rows refused by the plan and by the target are counted together, by code and field, with the vendor's words."""
    spoilt = RowReject(99, "V201", "The cell is no date.", "born")
    async with world(tmp_path, Op("a", rows(4), rejects=[spoilt])) as it:
        it.vendor.refused = {"k0", "k3"}
        await it.run()
        found = read(tmp_path).operations[0].rejects
        assert [(each.code, each.field, each.records, each.reason) for each in found] == [
            ("V501", "", 2, "The record is spoilt."),
            ("V201", "born", 1, ""),
        ]
        assert "| a | 2 | V501 |  | The record is spoilt. |" in page(tmp_path)


async def test_a_lost_answer_is_told_with_its_end(tmp_path: Path) -> None:
    """Which request, how many records, why, and what became of them."""
    async with world(tmp_path, Op("a", rows(2)), Op("p", rows(2, "q"), path="push")) as it:
        it.vendor.faults[("commit", "a/1/sync/0000")] = ["lose after"]
        it.vendor.faults[("commit", "p/1/push/0000")] = ["lose before"]
        assert (await it.run()).exit_code == 9
        doubts = {each.unit: each for each in read(tmp_path).doubts}
        assert doubts["a/1/sync/0000"].ended == "settled"
        assert doubts["p/1/push/0000"].ended == "waits for a person"
        assert doubts["p/1/push/0000"].records == 2
        lease = await it.store.acquire((), "person", it.run_id)
        await rule(it.store, lease, it.run_id, "unsent", "ada")
        it.store.live()
        assert (await it.run()).exit_code == 0
        ruled = next(each for each in read(tmp_path).doubts if each.unit.startswith("p/"))
        assert (ruled.ended, ruled.ruled) == ("settled", "unsent, said ada")
        assert "unsent, said ada" in page(tmp_path)


async def test_an_activity_that_nobody_can_see_is_not_told_as_done(tmp_path: Path) -> None:
    """A push whose fields were found is done, and the report says that its activity is not confirmed."""
    async with world(tmp_path, Op("p", rows(3), path="push")) as it:
        it.vendor.faults[("commit", "p/1/push/0000")] = ["lose after"]
        result = await it.run()
        assert result.exit_code == 0
        assert result.operations[0].unconfirmed == read(tmp_path).operations[0].unconfirmed == 2
        assert "- p: 2 hold what was sent; their activity is not confirmed" in page(tmp_path)


async def test_requests_jobs_and_calls_are_counted_over_all_processes(tmp_path: Path) -> None:
    """A killed process's sends are in the journal, so the last report knows them."""
    async with world(tmp_path, Op("a", rows(6)), concurrency=1) as it:
        assert await it.run_and_die(lambda _, note: isinstance(note, Settled))
        assert not (tmp_path / "report.json").exists()
        assert (await it.run()).exit_code == 0
        told = read(tmp_path)
        assert told.processes == 2
        assert told.operations[0].nodes[0].sends == 3
        assert told.operations[0].nodes[0].settled == 6
        assert told.connections[0].calls >= 3
        assert (told.seconds, told.began) == (3.0, "2026-03-02T08:00:00Z")


async def test_a_stopped_run_reports_and_its_resume_reports_again(tmp_path: Path) -> None:
    """The report of a parked run says why; the one after says that all is done."""
    async with world(tmp_path, Op("a", rows(6)), concurrency=1) as it:
        it.vendor.faults[("commit", "a/1/sync/0001")] = ["quota"]
        assert (await it.run()).exit_code == 8
        parked = read(tmp_path)
        assert (parked.exit_code, parked.reason) == (8, "The day's calls are used up.")
        assert parked.operations[0].outcomes[Outcome.PENDING] == 4
        assert parked.operations[0].nodes[0].refused == 1
        it.stop = Stop()
        assert (await it.run()).exit_code == 0
        assert read(tmp_path).reason == ""
        assert page(tmp_path).splitlines()[2] == "Every row has its outcome."


async def test_a_run_that_lost_its_lease_leaves_the_report_alone(tmp_path: Path) -> None:
    """Whoever took over reports; two processes never write one file."""
    async with world(tmp_path, Op("a", rows(6)), concurrency=1) as it:
        it.vendor.faults[("commit", "a/1/sync/0001")] = ["wait 100"]
        context = await it.context()
        context.lease.can_renew = False  # type: ignore[attr-defined] # the fake's
        assert (await run(it.plan, context)).exit_code == 1
        assert not (tmp_path / "report.json").exists()


async def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """It names operations and counts, which are nobody else's business."""
    async with world(tmp_path, Op("a", rows(1))) as it:
        await it.run()
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("report.json", "report.md")} == {0o600}


def test_a_cell_of_the_page_holds_any_text() -> None:
    """A vendor's words cannot end a cell, nor begin a tag."""
    assert render_cell("a|b\\c<script>\nd") == "a\\|b\\\\c&lt;script> d"


def test_the_journal_of_an_older_version_still_gives_a_report() -> None:
    """Moments and calls are 0 in notes that were written before they were noted."""
    history = History(plan_of([Op("a", rows(1))]))
    for note in (Started(plan="d", tool="0.1"), Settled(unit="a/1/sync/0000", letters="c"), Parked(reason="r")):
        history.add(note)
    assert (history.began, history.lives, history.calls("fake")) == (0.0, 1, 0)


async def test_doubts_are_counted_by_lost_answers(tmp_path: Path) -> None:
    """What a read-back decides meanwhile is kept in the journal, and is no new doubt."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults[("commit", "a/1/sync/0000")] = ["lose before"]
        it.vendor.faults[("remedy", "a/1/sync/0000")] = ["lose after"]
        await it.run()
        assert [each.times for each in read(tmp_path).doubts] == [2]
