"""What a run promises when nothing, or little, goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from syncer.engine.protocol import RowReject
from syncer.errors import LeaseLostError, StalePlanError, StateError
from syncer.execution.context import Guard
from syncer.execution.events import NodeSettled, NodeStarted, UnitSettled
from syncer.facts import Action
from syncer.outcome import Outcome
from syncer.state.protocol import Committing, Intended, Settled
from tests.fakes.staged import FakeStaged
from tests.fakes.vendor import FakeSession
from tests.fakes.world import Op, rows, world

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.state.protocol import Note

pytestmark = pytest.mark.anyio


async def test_every_row_is_written_once(tmp_path: Path) -> None:
    """A run without trouble writes each row, ends with 0 and adds up."""
    async with world(tmp_path, Op("a", rows(5))) as it:
        result = await it.run()
        assert result.exit_code == 0
        assert result.is_finished
        assert it.vendor.state() == {key: ((value, 0),) for key, value in rows(5)}
        assert result.operations[0].count(Outcome.CREATED) == 5


async def test_no_operation_reads_the_outcomes_of_another(tmp_path: Path) -> None:
    """Row 2 of one source is not row 2 of another: their outcomes are noted in different places."""
    async with world(tmp_path, Op("a", rows(3, "a")), Op("b", rows(3, "b"))) as it:
        await it.run()
        noted = [each.noted_in for each in it.staged.values()]
        assert [len(each) for each in noted] == [1, 1]
        assert not set.intersection(*noted)


async def test_the_intent_is_durable_before_the_target_hears_of_it(tmp_path: Path) -> None:
    """Nothing is sent of which the journal does not know."""
    async with world(tmp_path, Op("a", rows(6))) as it:
        known: list[int] = []

        class Watching(FakeSession):
            async def commit(self, unit, reference):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
                notes = await it.notes()
                known.append(sum(isinstance(note, Committing) and note.unit == unit.id for note in notes))
                return await super().commit(unit, reference)

        it.sessions["fake"] = Watching(it.vendor)
        await it.run()
        assert known == [1, 1, 1]


async def test_a_step_waits_for_those_before_it(tmp_path: Path) -> None:
    """A second occurrence of a key is sent when the first one is settled, so the last row wins."""
    async with world(tmp_path, Op("a", [("k", "1"), ("x", "1"), ("k", "2"), ("k", "3")])) as it:
        result = await it.run()
        assert result.exit_code == 0
        assert it.vendor.overlaps() == []
        assert it.vendor.state()["k"] == (("3", 0),)
        assert it.confirmed() == {"k": "3", "x": "1"}


async def test_units_of_a_step_go_side_by_side(tmp_path: Path) -> None:
    """Up to `concurrency` units of a step are under way at once, and never more."""
    async with world(tmp_path, Op("a", rows(12)), concurrency=3) as it:
        await it.run()
        spans = [(call.arrived, call.ended or 0.0) for call in it.vendor.calls]
        most = max(sum(start <= at < end for start, end in spans) for at, _ in spans)
        assert most == 3


async def test_the_next_units_are_ready_and_not_in_doubt(tmp_path: Path) -> None:
    """While all calls at once are under way as many units more are announced, and none of them counts as sent."""
    async with world(tmp_path, Op("a", rows(24)), Op("b", rows(24, "b")), concurrency=2) as it:
        seen: list[tuple[int, int]] = []

        class Watching(FakeSession):
            async def commit(self, unit, reference):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
                await anyio.wait_all_tasks_blocked()
                notes = await it.notes()
                ended = sum(isinstance(note, Settled) for note in notes)
                kinds = [sum(isinstance(note, kind) for note in notes) - ended for kind in (Committing, Intended)]
                seen.append((kinds[0], kinds[1]))
                return await super().commit(unit, reference)

        it.sessions["fake"] = Watching(it.vendor)
        result = await it.run()
        assert result.exit_code == 0
        assert max(sent for sent, _ in seen) == 2
        assert max(announced for _, announced in seen) == 8


async def test_operations_without_an_edge_go_side_by_side(tmp_path: Path) -> None:
    """What the plan does not order is not kept waiting."""
    async with world(tmp_path, Op("a", rows(2)), Op("b", rows(2, "b"))) as it:
        await it.run()
        assert len({call.arrived for call in it.vendor.calls}) == 1


async def test_a_key_that_two_steps_share_is_not_written_at_once(tmp_path: Path) -> None:
    """Where the graph has no edge between two writers of one key, the lanes still keep them apart."""
    async with world(tmp_path, Op("a", [("k", "a")]), Op("b", [("k", "b")])) as it:
        result = await it.run()
        assert result.exit_code == 0
        assert it.vendor.overlaps() == []
        assert it.vendor.duplicates() == []


async def test_a_refused_row_ends_in_the_rejects(tmp_path: Path) -> None:
    """Row number, code and reason of each refused row are in the file, planned ones first, and the run ends with 7."""
    early = [RowReject(9, "V201", "It is no date.", "born")]
    async with world(tmp_path, Op("a", rows(5), rejects=early)) as it:
        it.vendor.refused = {"k3"}
        result = await it.run()
        assert result.exit_code == 7
        assert [(each["row"], each["code"]) for each in it.rejects()] == [(9, "V201"), (5, "V501")]
        assert result.operations[0].count(Outcome.REJECTED) == 2
        assert "k3" not in it.confirmed()


async def test_a_job_is_settled_by_its_result_files(tmp_path: Path) -> None:
    """Rows of a job are told apart by key from its files."""
    async with world(tmp_path, Op("a", rows(7), path="job")) as it:
        it.vendor.refused = {"k4"}
        result = await it.run()
        assert result.exit_code == 7
        assert len(it.vendor.jobs) == 3
        assert [each["row"] for each in it.rejects()] == [6]
        assert list((tmp_path / "units").rglob("*.csv")) == []


async def test_what_a_job_leaves_unprocessed_is_sent_again(tmp_path: Path) -> None:
    """Only the rows that the vendor did not process go into another job."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.left = lambda unit, keys: () if "rest" in unit else keys[1:]
        result = await it.run()
        assert result.exit_code == 0
        assert [call.keys for call in it.vendor.calls] == [("k0", "k1", "k2"), ("k1", "k2")]


async def test_rows_that_others_lock_are_sent_again_in_ever_smaller_jobs(tmp_path: Path) -> None:
    """Nothing of a locked row was written, so it goes out again with the other locked ones, after a growing pause."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.locked = {"k0": 1, "k2": 3}
        it.vendor.refused = {"k1"}
        result = await it.run()
        assert result.exit_code == 7
        assert [call.keys for call in it.vendor.calls] == [("k0", "k1", "k2"), ("k0", "k2"), ("k2",), ("k2",)]
        assert [each["code"] for each in it.rejects()] == ["V501"]
        assert anyio.current_time() >= 4 * it.vendor.job_seconds + 30 + 60 + 120


async def test_rows_that_stay_locked_are_refused_in_the_end(tmp_path: Path) -> None:
    """After three rests they are rejects with a code of their own, and the run ends."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.locked = {"k2": 99}
        result = await it.run()
        assert result.exit_code == 7
        assert [(each["row"], each["code"]) for each in it.rejects()] == [(4, "V509")]
        assert len(it.vendor.jobs) == 4


async def test_a_job_that_never_processes_its_rest_parks_the_run(tmp_path: Path) -> None:
    """There is no wait without an end: after three rests the run parks, resumable."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.left = lambda _, keys: keys
        result = await it.run()
        assert result.exit_code == 8
        assert len(it.vendor.jobs) == 4
        it.vendor.left = None
        assert (await it.run()).exit_code == 0


async def test_the_listener_hears_of_steps_and_units(tmp_path: Path) -> None:
    """A progress bar can be drawn from the events alone."""
    async with world(tmp_path, Op("a", rows(3))) as it:
        await it.run()
        kinds = [type(event) for event in it.events]
        assert kinds.count(NodeStarted) == kinds.count(NodeSettled) == 1
        assert sum(event.created for event in it.events if isinstance(event, UnitSettled)) == 3


async def test_too_many_rejects_stop_the_run(tmp_path: Path) -> None:
    """The guard is held against what really happens; the rest stays pending, and resume goes on once it is raised."""
    async with world(tmp_path, Op("a", rows(10)), concurrency=1) as it:
        it.vendor.refused = {"k0", "k1"}
        it.guards["a"] = Guard(max_rejected=1)
        result = await it.run()
        assert result.exit_code == 5
        assert "2 rejected rows; its guard allows 1" in result.ending.guard
        assert result.operations[0].count(Outcome.PENDING) == 8
        it.guards["a"] = Guard(max_rejected=5)
        assert (await it.run()).exit_code == 7


async def test_too_many_creates_stop_the_run(tmp_path: Path) -> None:
    """Creating more than was reviewed ends the run after the unit that did it."""
    async with world(tmp_path, Op("a", rows(10)), concurrency=1) as it:
        it.guards["a"] = Guard(max_creates=3)
        result = await it.run()
        assert result.exit_code == 5
        assert result.operations[0].count(Outcome.CREATED) == 4


async def test_a_spent_day_parks_the_run_and_resume_goes_on(tmp_path: Path) -> None:
    """Exit 8 with what is left pending; the next run sends just that."""
    async with world(tmp_path, Op("a", rows(6)), concurrency=1) as it:
        it.vendor.faults = {("commit", "a/1/sync/0001"): ["quota"]}
        result = await it.run()
        assert result.exit_code == 8
        assert result.ending.until == 99.0
        assert result.operations[0].count(Outcome.PENDING) == 4
        assert (await it.run()).exit_code == 0
        assert [call.keys for call in it.vendor.calls] == [("k0", "k1"), ("k2", "k3"), ("k4", "k5")]


async def test_a_parked_connection_does_not_stop_the_others(tmp_path: Path) -> None:
    """What goes to another connection is still sent."""
    async with world(tmp_path, Op("a", rows(2)), Op("b", rows(2, "b"), connection="other")) as it:
        it.vendor.faults = {("commit", "a/1/sync/0000"): ["quota"]}
        result = await it.run()
        assert result.exit_code == 8
        assert sorted(it.vendor.state()) == ["b0", "b1"]


async def test_what_was_not_executed_is_tried_again(tmp_path: Path) -> None:
    """A refusal that says wait is waited for; nothing is doubted, nothing is sent twice."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["retry", "retry"], ("prepare", "*"): ["lose"]}
        result = await it.run()
        assert result.exit_code == 0
        assert [call.verb for call in it.vendor.calls] == ["commit"]
        assert [note.attempt for note in await it.notes() if isinstance(note, Intended)] == [1, 2, 3, 4]


async def test_a_target_that_stays_unwell_parks_the_run(tmp_path: Path) -> None:
    """Tries have an end, and then the run can be resumed."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["retry"] * 4}
        assert (await it.run()).exit_code == 8
        assert (await it.run()).exit_code == 0


async def test_a_user_who_may_not_write_stops_the_run(tmp_path: Path) -> None:
    """A refusal that is about the caller is not searched for a record to blame."""
    async with world(tmp_path, Op("a", rows(6)), concurrency=1) as it:
        it.vendor.faults = {("commit", "*"): ["refuse caller"]}
        result = await it.run()
        assert result.exit_code == 1
        assert result.error is not None
        assert "may not write" in result.error.detail
        assert it.vendor.calls == []


async def test_a_refused_job_stops_the_run(tmp_path: Path) -> None:
    """A job's file cannot be blamed on one record, so a person must look."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.faults = {("commit", "*"): ["refuse"]}
        assert (await it.run()).exit_code == 1
        assert (await it.run()).exit_code == 0


@pytest.mark.parametrize("spoilt", [{"k0"}, {"k299"}, {"k150"}, {"k7", "k8"}, {"k0", "k149", "k298"}])
async def test_a_spoilt_record_does_not_take_its_neighbours_along(tmp_path: Path, spoilt: set[str]) -> None:
    """A request refused as a whole is searched: the records to blame are rejected, all others written, in few calls."""
    async with world(tmp_path, Op("a", rows(300), path="wide")) as it:
        it.vendor.poison = set(spoilt)
        result = await it.run()
        assert result.exit_code == 7
        assert set(it.vendor.state()) == {key for key, _ in rows(300)} - spoilt
        assert {f"k{int(str(each['row'])) - 2}" for each in it.rejects()} == spoilt
        assert len(it.vendor.calls) - 1 <= (9 + 2) * len(spoilt)


async def test_a_request_of_which_every_record_is_refused_stops_the_run(tmp_path: Path) -> None:
    """Eight refusals in a row and nothing written: no record is to blame, and no more calls are wasted on it."""
    async with world(tmp_path, Op("a", rows(300), path="wide")) as it:
        it.vendor.poison = {key for key, _ in rows(300)}
        result = await it.run()
        assert result.exit_code == 1
        assert len(it.vendor.calls) < 90
        it.vendor.poison = set()
        result = await it.run()
        assert result.exit_code == 7
        assert result.operations[0].count(Outcome.REJECTED) == 8


async def test_a_request_of_one_that_is_refused_is_a_reject(tmp_path: Path) -> None:
    """One record, one refusal: nothing to search."""
    async with world(tmp_path, Op("a", rows(1))) as it:
        it.vendor.poison = {"k0"}
        result = await it.run()
        assert result.exit_code == 7
        assert len(it.vendor.calls) == 1


async def test_the_ledger_is_merged_once_all_steps_are_settled(tmp_path: Path) -> None:
    """Only what was confirmed enters it, and a second resume changes nothing."""
    async with world(tmp_path, Op("a", rows(4)), Op("b", rows(1, "b"))) as it:
        it.vendor.refused = {"k1"}
        await it.run()
        assert it.confirmed() == {"k0": "v0", "k2": "v2", "k3": "v3", "b0": "v0"}
        await it.run()
        assert it.store.books.serials == {"a": 1, "b": 1}
        assert len(it.vendor.calls) == 3


async def test_a_plan_is_spent_once(tmp_path: Path) -> None:
    """A second run with the same plan is refused before anything is sent."""
    async with world(tmp_path, Op("a", rows(1))) as it:
        await it.run()
        it.run_id = "run2"
        with pytest.raises(StalePlanError):
            await it.run()


async def test_a_run_is_not_resumed_with_another_plan(tmp_path: Path) -> None:
    """The journal says which plan it is of."""
    async with world(tmp_path, Op("a", rows(1))) as it:
        await it.run()
        it.plan = it.plan.model_copy(update={"digest": "other"})
        with pytest.raises(StalePlanError):
            await it.run()


async def test_rows_that_changed_since_are_not_taken_for_those_that_were_sent(tmp_path: Path) -> None:
    """Resume confirms, and sends again, the same bytes or nothing."""
    async with world(tmp_path, Op("a", rows(4)), concurrency=1) as it:
        it.vendor.faults = {("commit", "a/1/sync/0001"): ["quota"]}
        await it.run()
        changed = [rows(4)[0], ("k1", "other"), *rows(4)[2:]]
        it.staged["a"] = FakeStaged("a", changed)
        result = await it.run()
        assert result.exit_code == 6
        assert isinstance(result.error, StalePlanError)


async def test_a_doubted_unit_whose_rows_changed_is_not_settled(tmp_path: Path) -> None:
    """A read-back with other values would tell nothing about what was sent."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        assert await it.run_and_die(lambda _, note: isinstance(note, Committing))
        it.staged["a"] = FakeStaged("a", [("k0", "other"), ("k1", "other")])
        assert (await it.run()).exit_code == 6
        it.staged["a"] = FakeStaged("a", [])
        assert (await it.run()).exit_code == 6


async def test_a_lost_lease_stops_the_run_before_its_next_send(tmp_path: Path) -> None:
    """Somebody else took over: nothing more is sent, and no note of the old epoch is accepted."""
    async with world(tmp_path, Op("a", rows(40)), concurrency=1) as it:
        it.vendor.latency = 10.0

        async def thief() -> None:
            await anyio.sleep(32)
            it.store.steal()

        it.vendor.tasks.start_soon(thief)
        result = await it.run()
        assert isinstance(result.error, LeaseLostError)
        assert result.exit_code == 1
        assert max(call.arrived for call in it.vendor.calls) < 45


async def test_a_lease_that_cannot_be_confirmed_stops_sending_in_time(tmp_path: Path) -> None:
    """Before another run may take over, this one has stopped."""
    async with world(tmp_path, Op("a", rows(40)), concurrency=1) as it:
        it.vendor.latency = 10.0
        context = await it.context()
        context.lease.can_renew = False  # type: ignore[attr-defined]
        from syncer.execution.executor import run

        result = await run(it.plan, context)
        assert isinstance(result.error, StateError)
        assert result.error.code == "R107"
        assert max(call.arrived for call in it.vendor.calls) < 55


async def test_a_suspended_machine_does_not_send_with_an_old_lease(tmp_path: Path) -> None:
    """Time in which the machine slept counts."""
    async with world(tmp_path, Op("a", rows(10)), concurrency=1) as it:
        it.vendor.latency = 2.0

        async def sleepy() -> None:
            await anyio.sleep(3)
            it.clock.suspended = 10_000.0

        it.vendor.tasks.start_soon(sleepy)
        result = await it.run()
        assert result.exit_code == 1
        assert max(call.arrived for call in it.vendor.calls) < 5


async def test_a_machine_that_slept_at_the_end_leaves_the_files_to_who_took_over(tmp_path: Path) -> None:
    """Its rejects are not written over those of the other process."""
    async with world(tmp_path, Op("a", rows(1))) as it:

        def asleep(note: Note) -> None:
            if note.kind == "merged":
                it.clock.suspended = 10_000.0
                it.store.steal()

        it.store.before = asleep
        result = await it.run()
        assert isinstance(result.error, LeaseLostError)
    assert not list(tmp_path.rglob("rejects.csv"))  # noqa: ASYNC240 - nothing else runs any more


@pytest.mark.parametrize("place", ["syncer.execution.finish._planned_rejects", "syncer.execution.account.write"])
async def test_what_was_cleared_away_under_a_sleeping_machine_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """It says that the lease is gone; with the lease in hand the same failure is told as what it is."""
    for slept in (10_000.0, 0.0):
        (tmp_path / str(slept)).mkdir()
        async with world(tmp_path / str(slept), Op("a", rows(1))) as it:

            def cleared(*_: object) -> None:
                it.clock.suspended = slept  # noqa: B023 - called within the turn
                raise FileNotFoundError

            monkeypatch.setattr(place, cleared)
            if slept:
                result = await it.run()
                assert result.error is not None
                assert result.error.code == "R107"
            else:
                with pytest.raises(FileNotFoundError):
                    await it.run()


async def test_what_could_not_be_noted_is_not_confirmed(tmp_path: Path) -> None:
    """An outcome that the journal did not take is looked up by the next process; no ledger hears of it before."""
    async with world(tmp_path, Op("a", rows(2))) as it:

        def full(note: Note) -> None:
            if note.kind == "settled":
                raise StateError("R205", "The state is out of reach.")

        it.store.before = full
        assert (await it.run()).exit_code == 1
        assert it.store.books.merges == []
        it.store.live()
        assert (await it.run()).exit_code == 0
        assert it.vendor.looks
        assert it.confirmed() == {"k0": "v0", "k1": "v1"}


async def test_a_full_disk_stops_the_run_with_advice(tmp_path: Path) -> None:
    """When the journal cannot be written, nothing more is sent."""
    async with world(tmp_path, Op("a", rows(10)), concurrency=1) as it:
        seen = 0

        def full(note: object) -> None:
            nonlocal seen
            seen += isinstance(note, Settled)
            if seen >= 2:
                raise StateError("R204", "The disk is full.")

        it.store.before = full
        result = await it.run()
        assert result.exit_code == 1
        assert len(it.vendor.calls) == 2
        it.store.before = lambda _: None
        assert (await it.run()).exit_code == 0
        assert it.vendor.duplicates() == []


async def test_a_delete_that_finds_nothing_is_done(tmp_path: Path) -> None:
    """After a lost answer, an absent record is what was wanted."""
    async with world(tmp_path, Op("a", rows(2), action=Action.DELETE)) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"]}
        assert (await it.run()).exit_code == 0
        assert len(it.vendor.calls) == 1


async def test_a_bug_in_a_client_is_not_hidden(tmp_path: Path) -> None:
    """What syncer did not raise on purpose goes up as it is, and resume treats the unit as in doubt."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["bug"]}
        with pytest.raises(BaseExceptionGroup):
            await it.run()
        assert (await it.run()).exit_code == 0
        assert len(it.vendor.looks) == 1
