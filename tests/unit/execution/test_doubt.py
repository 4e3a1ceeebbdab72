"""No answer is not a no: a write whose answer was lost is looked up before anything is sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from syncer.errors import RefusedError, UserError
from syncer.execution.context import Stop
from syncer.execution.ruling import rule
from syncer.facts import Action
from syncer.outcome import Outcome
from syncer.state.protocol import Committing, Doubted, Held, Remedying, Settled, Unsent
from syncer.targets.protocol import Remedy
from tests.fakes.vendor import FakeSession, Record, counts
from tests.fakes.world import REST_TIMEOUT, TIMEOUT, Op, World, rows, world

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Literal

    from syncer.targets.protocol import Answered, Found, Unit

pytestmark = pytest.mark.anyio
LATE = 30.0


@pytest.mark.parametrize("fault", ["lose after", "lose before", "late 1", "late 45", "late 89", "late 119"])
async def test_a_lost_answer_makes_neither_loss_nor_duplicate(tmp_path: Path, fault: str) -> None:
    """Applied, not applied, or applied late: each record is there once."""
    async with world(tmp_path, Op("a", rows(4)), concurrency=1) as it:
        it.vendor.faults = {("commit", "a/1/sync/0000"): [fault]}
        result = await it.run()
        await anyio.sleep(500)
        assert result.exit_code == 0
        assert it.vendor.state() == {key: ((value, 0),) for key, value in rows(4)}
        assert it.vendor.overlaps() == []
        assert result.operations[0].looked_up == 2


async def test_nothing_is_read_before_the_server_must_be_done(tmp_path: Path) -> None:
    """The read-back waits for the vendor's own time-out and thirty seconds more, counted from the send."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"]}
        await it.run()
        assert it.vendor.looks == [("a/1/sync/0000", pytest.approx(TIMEOUT + LATE, abs=2))]


async def test_a_wall_clock_that_is_set_forward_meanwhile_shortens_no_wait(tmp_path: Path) -> None:
    """The wait is counted on the clock that nobody can set."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"]}

        async def set_forward() -> None:
            await anyio.sleep(5)
            it.clock.start += 3_600

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(set_forward)
            await it.run()
        assert it.vendor.looks == [("a/1/sync/0000", pytest.approx(TIMEOUT + LATE, abs=2))]


async def test_what_was_noted_after_the_clock_was_set_forward_is_waited_for_by_the_next_process(tmp_path: Path) -> None:
    """The journal has the wall clock's moments, which the next process reads on the same clock."""
    async with world(tmp_path, Op("a", rows(4)), concurrency=1) as it:
        it.vendor.faults = {("commit", "a/1/sync/0000"): ["wait 10"], ("commit", "a/1/sync/0001"): ["lose after"]}

        async def trouble() -> None:
            await anyio.sleep(5)
            it.clock.start += 3_600
            await anyio.sleep(15)
            it.stop.request(143)
            it.stop.request(143)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trouble)
            assert (await it.run()).exit_code == 143
        it.stop = Stop()
        assert (await it.run()).exit_code == 0
        assert it.vendor.looks == [("a/1/sync/0001", pytest.approx(10 + TIMEOUT + LATE, abs=2))]


async def test_only_what_is_missing_goes_out_again_and_only_as_a_create(tmp_path: Path) -> None:
    """Absent records are created and nothing else, differing ones are updated by id."""
    async with world(tmp_path, Op("a", rows(3), path="wide")) as it:
        it.vendor.records["k1"].append(Record("x1", "k1", "older"))
        it.vendor.records["k2"].append(Record("x2", "k2", "v2"))
        it.vendor.faults = {("commit", "*"): ["lose before"]}
        assert (await it.run()).exit_code == 0
        assert [(call.verb, call.keys) for call in it.vendor.calls] == [
            ("create only", ("k0",)),
            ("update by id", ("k1",)),
        ]
        assert it.vendor.state()["k1"] == (("v1", 0),)


async def test_a_late_first_write_turns_a_create_into_an_update(tmp_path: Path) -> None:
    """A create-only that is refused is read once more: it may have met the first write."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"]}

        class Late(FakeSession):
            async def remedy(self, unit: Unit, found: Sequence[Found], how: Remedy) -> Answered:
                if how is Remedy.CREATE_ONLY:
                    self.vendor.records["k0"].append(Record("late", "k0", "v0"))
                    self.vendor.records["k1"].append(Record("other", "k1", "older"))
                return await super().remedy(unit, found, how)

        it.sessions["fake"] = Late(it.vendor)
        assert (await it.run()).exit_code == 0
        assert it.vendor.state() == {key: ((value, 0),) for key, value in rows(2)}
        assert [call.verb for call in it.vendor.calls] == ["create only", "update by id"]


async def test_a_create_that_stays_refused_is_a_reject(tmp_path: Path) -> None:
    """Refused, read again, still absent: the vendor's refusal stands."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"]}
        it.vendor.refused = {"k1"}
        result = await it.run()
        assert result.exit_code == 7
        assert it.rejects()[0]["code"] == "V501"


async def test_keys_in_doubt_are_sent_by_nobody(tmp_path: Path) -> None:
    """Between the lost answer and its settlement no write holds one of its keys."""
    async with world(tmp_path, Op("a", [("k", "1")]), Op("b", [("k", "2"), ("z", "1")])) as it:
        it.vendor.faults = {("commit", "a/1/sync/0000"): ["late 80"], ("commit", "b/1/sync/0000"): ["late 70"]}
        assert (await it.run()).exit_code == 0
        assert it.vendor.duplicates() == []
        assert it.vendor.overlaps() == []


async def test_a_second_loss_is_settled_like_the_first(tmp_path: Path) -> None:
    """A remedy whose answer is lost is a doubt again."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"], ("remedy", "*"): ["lose after", "retry", "quota"]}
        assert (await it.run()).exit_code == 0
        assert it.vendor.duplicates() == []
        assert len(it.vendor.looks) == 2


@pytest.mark.parametrize("fault", ["retry", "quota", "refuse caller"])
async def test_a_remedy_that_cannot_be_sent_is_no_new_doubt(tmp_path: Path, fault: str) -> None:
    """Waiting, parking and stopping leave the unit where resume finds it."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"], ("remedy", "*"): [fault]}
        first = await it.run()
        assert first.exit_code == {"retry": 0, "quota": 8, "refuse caller": 1}[fault]
        assert (await it.run()).exit_code == 0
        assert it.vendor.state() == {key: ((value, 0),) for key, value in rows(2)}


async def test_a_remedy_refused_as_a_whole_is_halved(tmp_path: Path) -> None:
    """The record to blame is rejected, its neighbours are written."""
    async with world(tmp_path, Op("a", rows(5), path="wide")) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"]}
        it.vendor.poison = {"k3"}
        assert (await it.run()).exit_code == 7
        assert set(it.vendor.state()) == {"k0", "k1", "k2", "k4"}


@pytest.mark.parametrize("fault", ["retry", "lose"])
async def test_a_read_back_that_fails_is_tried_again_and_has_an_end(tmp_path: Path, fault: str) -> None:
    """After four failures the run parks with the doubt noted; resume settles it."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"], ("look_up", "*"): [fault] * 4}
        result = await it.run()
        assert result.exit_code == 8
        assert result.operations[0].count(Outcome.IN_DOUBT) == 2
        assert (await it.run()).exit_code == 0
        assert len(it.vendor.calls) == 1


@pytest.mark.parametrize(("path", "verb"), [("sync", "look_up"), ("push", "look_up"), ("job", "settle")])
async def test_a_refusal_after_the_send_does_not_make_it_unsent(tmp_path: Path, path: str, verb: str) -> None:
    """A token that is refused while the vendor is asked what came of a write says nothing of that write."""
    async with world(tmp_path, Op("a", rows(2), path=path)) as it:
        it.vendor.faults = {(verb, "*"): ["refuse caller"]}
        if verb == "look_up":
            it.vendor.faults["commit", "*"] = ["lose after"]
        error = (await it.run()).ending.error
        assert isinstance(error, RefusedError)
        assert [note for note in await it.notes() if isinstance(note, Unsent)] == []
        assert (await it.run()).exit_code == 0
        assert len(it.vendor.calls) == 1


async def test_a_read_back_without_quota_parks(tmp_path: Path) -> None:
    """The doubt waits for tomorrow; its records are told as in doubt."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"], ("look_up", "*"): ["quota"]}
        assert (await it.run()).exit_code == 8
        assert (await it.run()).exit_code == 0


async def test_what_cannot_be_told_yet_is_looked_at_again(tmp_path: Path) -> None:
    """Unknown is asked three times more before a person is."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"], ("look_up", "*"): ["unknown"] * 3}
        assert (await it.run()).exit_code == 0
        assert len(it.vendor.looks) == 4


async def _held(it: World) -> None:
    it.vendor.records["k1"] += [Record("x1", "k1", "v1"), Record("x2", "k1", "v1")]
    it.vendor.faults = {("commit", "a/1/sync/0000"): ["lose before"]}
    result = await it.run()
    assert result.exit_code == 9
    assert [unit.unit for unit in result.held] == ["a/1/sync/0000"]
    assert "x1, x2" in result.held[0].reason
    assert result.operations[0].count(Outcome.IN_DOUBT) == 1


async def test_a_record_that_is_there_twice_needs_a_person(tmp_path: Path) -> None:
    """Exit 9 with both ids named; what could be settled is, and later steps of the operation wait."""
    async with world(tmp_path, Op("a", [*rows(4), ("k1", "later")]), concurrency=1) as it:
        await _held(it)
        assert it.vendor.state()["k0"] == (("v0", 0),)
        assert it.vendor.state()["k3"] == (("v3", 0),)
        assert (await it.run()).exit_code == 9


@pytest.mark.parametrize("verdict", ["sent", "unsent"])
async def test_a_person_decides_and_the_run_goes_on(tmp_path: Path, verdict: Literal["sent", "unsent"]) -> None:
    """`sent` ends the doubt; `unsent` sends the undecided records once more, and only those."""
    async with world(tmp_path, Op("a", rows(4)), concurrency=1) as it:
        await _held(it)
        lease = await it.store.acquire((), "person", it.run_id)
        assert await rule(it.store, lease, it.run_id, verdict, "ada") == ("a/1/sync/0000",)
        with pytest.raises(UserError):
            await rule(it.store, lease, it.run_id, verdict, "ada")
        await lease.release()
        before = len(it.vendor.calls)
        assert (await it.run()).exit_code == 0
        assert [call.keys for call in it.vendor.calls[before:]] == ([] if verdict == "sent" else [("k1",)])


async def test_a_repetition_that_could_not_leave_is_asked_about_again(tmp_path: Path) -> None:
    """The target was unwell just then: it is read once more, and what it still cannot tell waits for a second word."""
    async with world(tmp_path, Op("a", rows(4)), concurrency=1) as it:
        await _held(it)
        lease = await it.store.acquire((), "person", it.run_id)
        await rule(it.store, lease, it.run_id, "unsent", "ada")
        await lease.release()
        before = len(it.vendor.calls)
        it.vendor.faults = {("remedy", "*"): ["retry"]}
        assert (await it.run()).exit_code == 9
        assert it.vendor.calls[before:] == []


async def test_a_repetition_that_is_refused_is_a_reject(tmp_path: Path) -> None:
    """The vendor's word on the second sending is the record's outcome."""
    async with world(tmp_path, Op("a", rows(2), path="push", on_unknown="resend")) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"]}
        it.vendor.refused = {"k1"}
        assert (await it.run()).exit_code == 7
        assert [each["row"] for each in it.rejects()] == [3]


async def test_lanes_held_for_a_person_hold_back_other_steps(tmp_path: Path) -> None:
    """Another operation does not write a key of which nobody knows what became, and does not wait for it either."""
    async with world(tmp_path, Op("a", [("k1", "1")]), Op("b", [("k1", "2")])) as it:
        it.vendor.records["k1"] += [Record("x1", "k1", "v"), Record("x2", "k1", "v")]
        it.vendor.faults = {("commit", "a/1/sync/0000"): ["lose before"]}
        it.vendor.faults |= {("prepare", "b/1/sync/0000"): ["retry"]}
        result = await it.run()
        assert result.exit_code == 9
        pending = {each.operation: each.count(Outcome.PENDING) for each in result.operations}
        assert counts(it.vendor.calls)["commit"] + pending["b"] == 1


async def test_a_push_is_never_sent_again_by_itself(tmp_path: Path) -> None:
    """An activity cannot be taken back: undecided, it is held, and sent twice only on a person's word."""
    async with world(tmp_path, Op("a", rows(2), path="push")) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"]}
        assert (await it.run()).exit_code == 9
        assert counts(it.vendor.calls) == {}
        lease = await it.store.acquire((), "person", it.run_id)
        await rule(it.store, lease, it.run_id, "unsent", "ada")
        await lease.release()
        assert (await it.run()).exit_code == 0
        assert it.vendor.state() == {key: ((value, 1),) for key, value in rows(2)}


async def test_a_push_whose_fields_arrived_is_done(tmp_path: Path) -> None:
    """The values are there, so the activity is taken for written, once."""
    async with world(tmp_path, Op("a", rows(2), path="push")) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"]}
        assert (await it.run()).exit_code == 0
        assert it.vendor.state()["k0"] == (("v0", 1),)


async def test_resend_repeats_and_counts(tmp_path: Path) -> None:
    """`on_unknown: resend` is at least once, by choice, and the report says how many."""
    async with world(tmp_path, Op("a", rows(2), path="push", on_unknown="resend")) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"]}
        result = await it.run()
        assert result.exit_code == 0
        assert result.operations[0].repeated == 2


async def test_a_duplicate_on_purpose_is_held(tmp_path: Path) -> None:
    """No read-back can tell whether one more of many was made."""
    async with world(tmp_path, Op("a", rows(1), path="push", action=Action.DUPLICATE)) as it:
        it.vendor.faults = {("commit", "*"): ["lose after"]}
        assert (await it.run()).exit_code == 9


@pytest.mark.parametrize("fault", ["lose before", "lose after"])
async def test_a_job_is_adopted_or_made_anew_never_doubled(tmp_path: Path, fault: str) -> None:
    """The job's own state says whether it took the data."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.faults = {("commit", "*"): [fault]}
        assert (await it.run()).exit_code == 0
        assert len(it.vendor.calls) == 1
        assert len(it.vendor.jobs) == (1 if fault == "lose after" else 2)


async def test_a_cut_file_of_failures_is_no_proof(tmp_path: Path) -> None:
    """A job says that a row failed and its file does not name it: the rows are read back, one is refused."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.refused = {"k1"}
        it.vendor.faults = {("settle", "*"): ["cut"]}
        result = await it.run()
        assert result.exit_code == 7
        assert [each["row"] for each in it.rejects()] == [3]
        assert it.vendor.looks


async def test_the_rest_of_a_job_is_waited_for_as_long_as_the_request_that_carries_it(tmp_path: Path) -> None:
    """Its results are there at once, but what is sent again by a request may take effect until that one's time-out."""
    async with world(tmp_path, Op("a", rows(2), path="job")) as it:
        it.vendor.faults = {("settle", "*"): ["lose before"], ("remedy", "*"): ["lose after"]}
        it.vendor.refused = {"k1"}
        assert (await it.run()).exit_code == 7
        (_, first), (_, second), *_ = it.vendor.looks
        assert second - first >= REST_TIMEOUT + LATE


@pytest.mark.parametrize("fault", ["lose before", "counts", "refuse"])
async def test_a_job_whose_results_do_not_tell_is_read_back_row_by_row(tmp_path: Path, fault: str) -> None:
    """Results gone, refused or not adding up: the records themselves are read, and the job is not sent again."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.faults = {("settle", "*"): [fault]}
        it.vendor.refused = {"k1"}
        it.vendor.job_seconds = 1.0
        if fault == "refuse":
            it.vendor.faults[("look_up", "*")] = ["retry"]
        result = await it.run()
        assert result.exit_code == 7
        assert counts(it.vendor.calls)["commit"] == 1
        assert result.operations[0].count(Outcome.REJECTED) == 1


@pytest.mark.parametrize(("fault", "code"), [("retry", 0), ("quota", 8), ("refuse caller", 1)])
async def test_a_job_that_cannot_be_polled_stays_accepted(tmp_path: Path, fault: str, code: int) -> None:
    """It is waited for again, now or by resume."""
    async with world(tmp_path, Op("a", rows(3), path="job")) as it:
        it.vendor.faults = {("settle", "*"): [fault]}
        assert (await it.run()).exit_code == code
        assert (await it.run()).exit_code == 0
        assert len(it.vendor.calls) == 1


async def test_one_record_with_an_unknown_word_is_looked_up(tmp_path: Path) -> None:
    """Its neighbours keep the outcome that the answer gave them."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["unknown word"]}
        result = await it.run()
        assert result.exit_code == 0
        assert result.operations[0].count(Outcome.CREATED) == 1
        assert result.operations[0].count(Outcome.WRITTEN) == 1


async def test_settlement_is_noted_before_each_step_of_it(tmp_path: Path) -> None:
    """A resumed run finds the doubt, the remedy and the end in the journal, in this order."""
    async with world(tmp_path, Op("a", rows(2))) as it:
        it.vendor.faults = {("commit", "*"): ["lose before"]}
        await it.run()
        wanted = (Committing, Doubted, Remedying, Held, Settled)
        kinds = [type(note) for note in await it.notes() if isinstance(note, wanted)]
        assert kinds == [Committing, Doubted, Remedying, Settled]
