"""Every path of a Salesforce object, against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from syncer.errors import InDoubtError, QuotaSpentError, RefusedError
from syncer.facts import Action, System
from syncer.outcome import Outcome
from syncer.targets.protocol import Accepted, Answered, Remedy, Verdict
from tests.contract.conftest import step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.targets.protocol import Session
    from tests.contract.conftest import Stage

pytestmark = pytest.mark.anyio
S = System.SALESFORCE
KEY = "Crm_Key__c"
UPSERT = step(S, "Contact", "collections", key=KEY)
BULK = step(S, "Contact", "bulk2", key=KEY)
SMALL = step(S, "Contact", "multipart", key=KEY)


def _contact(key: str, **fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Contact"}, KEY: key, "LastName": "Okafor", **fields}


def _row(key: str, name: str = "Okafor", email: str = "ada@example.org") -> dict[str, Any]:
    return {KEY: key, "LastName": name, "Email": email}


def _outcomes(answer: object) -> Sequence[Outcome]:
    assert isinstance(answer, Answered)
    return [each.outcome for each in answer.results]


async def test_update_and_delete_go_by_id(stage: Stage) -> None:
    """Ids come from the answer; what is deleted twice is nothing to do."""
    session = stage.session(S)
    created = await session.commit(stage.unit(UPSERT, _contact("K-1")), "")
    assert isinstance(created, Answered)
    record = {"attributes": {"type": "Contact"}, "Id": created.results[0].target_id}
    update = step(S, "Contact", "collections", Action.UPDATE, "Id")
    unit = stage.unit(update, record | {"FirstName": "Ada"})
    assert _outcomes(await session.commit(unit, "")) == [Outcome.UPDATED]
    assert [each.verdict for each in (await session.look_up(unit, "")).records] == [Verdict.APPLIED]
    delete = stage.unit(step(S, "Contact", "collections", Action.DELETE, "Id"), record)
    assert [each.verdict for each in (await session.look_up(delete, "")).records] == [Verdict.DIFFERS]
    assert _outcomes(await session.commit(delete, "")) == [Outcome.UPDATED]
    assert _outcomes(await session.commit(delete, "")) == [Outcome.SKIPPED]
    assert [each.verdict for each in (await session.look_up(delete, "")).records] == [Verdict.APPLIED]


async def test_insert_creates_and_is_looked_up_by_its_key(stage: Stage) -> None:
    """A create is read back by the operation's key."""
    session = stage.session(S)
    unit = stage.unit(step(S, "Contact", "collections", Action.CREATE, KEY), _contact("K-1"), _contact("K-2"))
    assert [each.verdict for each in (await session.look_up(unit, "")).records] == [Verdict.ABSENT] * 2
    assert _outcomes(await session.commit(unit, "")) == [Outcome.CREATED] * 2
    assert [each.verdict for each in (await session.look_up(unit, "")).records] == [Verdict.APPLIED] * 2


async def test_a_mark_tells_whose_contact_it_is(stage: Stage) -> None:
    """By a key that several may have: only what bears the mark was created by this run, whatever it holds since."""
    session = stage.session(S)
    held = [
        _contact("K-1", LastName="Byron", Title="run/1", FirstName="Changed"),
        _contact("K-2", LastName="Byron"),
        _contact("K-3", LastName="Hopper", Title="run/0"),
        _contact("K-4", LastName="Turing", Title="run/1"),
        _contact("K-5", LastName="Turing", Title="run/1"),
    ]
    await session.commit(stage.unit(step(S, "Contact", "collections", Action.CREATE, KEY), *held), "")
    names = ("Byron", "Hopper", "Turing", "Nobody")
    made = step(S, "Contact", "collections", Action.CREATE, "LastName", run_marker="Title")
    rows = [{"attributes": {"type": "Contact"}, "LastName": name, "Title": "run/1"} for name in names]
    found = (await session.look_up(stage.unit(made, *rows), "")).records
    assert [each.verdict for each in found] == [Verdict.APPLIED, Verdict.ABSENT, Verdict.AMBIGUOUS, Verdict.ABSENT]
    assert [len(each.target_ids) for each in found] == [1, 0, 2, 0]


async def test_keys_are_escaped(stage: Stage) -> None:
    """A key that looks like SOQL finds itself and nothing else."""
    session = stage.session(S)
    hostile = "K' OR Name != '\\"
    await session.commit(stage.unit(UPSERT, _contact("K-1"), _contact(hostile)), "")
    unit = stage.unit(UPSERT, _contact(hostile), _contact("' OR ''='"))
    found = (await session.look_up(unit, "")).records
    assert [each.verdict for each in found] == [Verdict.APPLIED, Verdict.ABSENT]


async def test_a_null_clears(stage: Stage) -> None:
    """JSON null empties a field, and the read-back sees it empty."""
    session = stage.session(S)
    await session.commit(stage.unit(UPSERT, _contact("K-1", FirstName="Ada")), "")
    unit = stage.unit(UPSERT, _contact("K-1", FirstName=None))
    assert [each.verdict for each in (await session.look_up(unit, "")).records] == [Verdict.DIFFERS]
    await session.commit(unit, "")
    assert [each.verdict for each in (await session.look_up(unit, "")).records] == [Verdict.APPLIED]


async def test_locked_records_are_sent_again(stage: Stage) -> None:
    """A lock refuses a record untouched, so only that record is repeated, a few times."""
    stage.spoil("lock_rows", first=1)
    session = stage.session(S)
    answer = await session.commit(stage.unit(UPSERT, _contact("K-1"), _contact("K-2")), "")
    assert _outcomes(answer) == [Outcome.CREATED, Outcome.CREATED]
    assert len(stage.calls("composite")) == 2


async def test_a_bulk_job_gives_its_result_files(stage: Stage) -> None:
    """Good and bad rows stand in files of their own; the header names what the vendor adds."""
    session = stage.session(S)
    unit = stage.file_unit(BULK, _row("K-1"), _row("K-2", email="not-an-email"), _row("K-3"))
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    settled = await session.settle(unit, accepted.reference, stage.folder)
    assert (settled.processed, settled.failed) == (3, 1)
    files = {each.kind: each for each in settled.files}
    assert sorted(files) == ["failed", "succeeded"]
    assert files["succeeded"].path.read_text().count("K-") == 2
    assert "INVALID_EMAIL_ADDRESS" in files["failed"].path.read_text()
    assert (files["succeeded"].created_column, files["failed"].error_column) == ("sf__Created", "sf__Error")


async def test_a_fault_free_job_costs_its_calls_and_no_more(stage: Stage) -> None:
    """Create, upload, close, one poll, one result file: files that the counts prove empty are not fetched."""
    session = stage.session(S)
    unit = stage.file_unit(BULK, _row("K-1"))
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    await session.settle(unit, accepted.reference, stage.folder)
    jobs = stage.calls("jobs/ingest")
    assert [each.split()[0] for each in jobs][:3] == ["POST", "PUT", "PATCH"]
    assert sum("{results}" in each for each in jobs) == 1


async def test_a_small_job_is_handed_in_with_its_rows(stage: Stage) -> None:
    """One request creates, uploads and closes."""
    session = stage.session(S)
    unit = stage.file_unit(SMALL, _row("K-1"), _row("K-2"))
    assert await session.prepare(unit) == ""
    accepted = await session.commit(unit, "")
    assert isinstance(accepted, Accepted)
    settled = await session.settle(unit, accepted.reference, stage.folder)
    assert (settled.processed, settled.failed) == (2, 0)
    assert stage.calls("jobs/ingest")[0].startswith("POST")
    assert not any(each.startswith("PUT") for each in stage.calls())


async def test_a_lost_small_job_is_found_in_its_rows(stage: Stage) -> None:
    """Jobs carry no name of ours: when none is under way any more, the rows are read."""
    stage.spoil("apply_then_lose", "POST */jobs/ingest")
    session = stage.session(S)
    unit = stage.file_unit(SMALL, _row("K-1"), _row("K-2"))
    with pytest.raises(InDoubtError):
        await session.commit(unit, "")
    found = (await session.look_up(unit, "")).records
    assert [each.verdict for each in found] == [Verdict.APPLIED] * 2


async def test_a_lost_upload_ends_with_an_aborted_job(stage: Stage) -> None:
    """An Open job has processed nothing: it is aborted, so that no late request can start it, and made anew."""
    stage.spoil("apply_then_lose", "PUT */batches")
    session = stage.session(S)
    unit = stage.file_unit(BULK, _row("K-1"))
    reference = await session.prepare(unit)
    with pytest.raises(InDoubtError):
        await session.commit(unit, reference)
    assert (await session.look_up(unit, reference)).job is Verdict.ABSENT
    assert (await session.look_up(unit, reference)).job is Verdict.ABSENT
    again = await session.prepare(unit)
    assert again != reference
    await session.commit(unit, again)
    assert (await session.settle(unit, again, stage.folder)).processed == 1


@pytest.mark.parametrize("fault", ["apply_then_lose", "lose_before_apply"])
async def test_a_lost_close_is_settled_by_the_jobs_state(stage: Stage, fault: str) -> None:
    """Closing is asked of the state and repeated where it was not done; no doubt is left."""
    stage.spoil(fault, "PATCH */jobs/ingest/*")
    session = stage.session(S)
    unit = stage.file_unit(BULK, _row("K-1"))
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    assert (await session.settle(unit, accepted.reference, stage.folder)).processed == 1


async def test_a_lost_creation_leaves_an_empty_job_behind(stage: Stage) -> None:
    """An empty job has no effect, so creating one is simply repeated."""
    stage.spoil("apply_then_lose", "POST */jobs/ingest")
    session = stage.session(S)
    unit = stage.file_unit(BULK, _row("K-1"))
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    assert (await session.settle(unit, accepted.reference, stage.folder)).processed == 1


async def test_a_job_that_is_gone_is_read_back(stage: Stage) -> None:
    """A job unknown to the org is settled by its rows."""
    session = stage.session(S)
    await session.commit(stage.unit(UPSERT, _contact("K-1", Email="ada@example.org")), "")
    unit = stage.file_unit(BULK, _row("K-1"), _row("K-2"))
    looked = await session.look_up(unit, "7505g00000Kp3XbAAJ")
    assert [each.verdict for each in looked.records] == [Verdict.APPLIED, Verdict.ABSENT]
    assert _outcomes(await session.remedy(unit, looked.records[1:], Remedy.CREATE_ONLY)) == [Outcome.CREATED]


async def test_a_file_that_cannot_be_used_is_refused(stage: Stage) -> None:
    """A column that the org does not know fails the whole job, and nothing of it was carried out."""
    session = stage.session(S)
    unit = stage.file_unit(BULK, {KEY: "K-1", "LastName": "Okafor", "Nope__c": "x"})
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    with pytest.raises(RefusedError) as caught:
        await session.settle(unit, accepted.reference, stage.folder)
    assert "Nope__c" in str(caught.value)


async def test_a_job_stopped_half_way_tells_its_three_kinds_of_rows(stage: Stage) -> None:
    """Failed jobs keep what was committed; the rest stands among the unprocessed."""
    stage.spoil("fail_job")
    session = stage.session(S)
    unit = stage.file_unit(BULK, *(_row(f"K-{n}") for n in range(400)))
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    settled = await session.settle(unit, accepted.reference, stage.folder)
    kinds = {each.kind: each.path.read_text().count("K-") for each in settled.files}
    assert sum(kinds.values()) == 400
    assert kinds["unprocessed"] > 0
    assert settled.succeeded == "?"


async def test_keys_that_match_twice_are_ambiguous(stage: Stage) -> None:
    """A lookup field is not unique; the read-back names both ids and picks none."""
    session = stage.session(S)
    create = step(S, "Contact", "collections", Action.CREATE, KEY)
    twins = (_contact("K-1", Email="a@b.co"), _contact("K-2", Email="a@b.co"))
    await session.commit(stage.unit(create, *twins), "")
    by_email = step(S, "Contact", "collections", key="Email")
    unit = stage.unit(by_email, {"attributes": {"type": "Contact"}, "Email": "a@b.co", "LastName": "Roe"})
    found = (await session.look_up(unit, "")).records[0]
    assert found.verdict is Verdict.AMBIGUOUS
    assert len(found.target_ids) == 2


async def test_an_expired_session_in_mid_run_costs_one_sign_in(stage: Stage) -> None:
    """401 INVALID_SESSION_ID is renewed once and the call repeated."""
    stage.spoil("vendor_error", "PATCH */composite/sobjects/*", code="INVALID_SESSION_ID")
    answer = await stage.session(S).commit(stage.unit(UPSERT, _contact("K-1")), "")
    assert _outcomes(answer) == [Outcome.CREATED]
    assert len(stage.calls("oauth2/token")) == 2


async def test_a_spent_day_parks(stage: Stage) -> None:
    """REQUEST_LIMIT_EXCEEDED for the day ends the run in good order."""
    stage.spoil("vendor_error", "PATCH */composite/sobjects/*", code="REQUEST_LIMIT_EXCEEDED")
    with pytest.raises(QuotaSpentError) as caught:
        await stage.session(S).commit(stage.unit(UPSERT, _contact("K-1")), "")
    assert caught.value.code == "R301"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_gateway_page_is_a_doubt(stage: Stage, status: int) -> None:
    """An HTML page may come before or after the write."""
    stage.spoil("status", "PATCH */composite/sobjects/*", status=status)
    with pytest.raises(InDoubtError):
        await stage.session(S).commit(stage.unit(UPSERT, _contact("K-1")), "")
    assert len(stage.calls("composite")) == 1


async def test_unknown_fields_are_refused_record_by_record(stage: Stage) -> None:
    """A field that the object does not have refuses the record that carries it."""
    answer = await stage.session(S).commit(stage.unit(UPSERT, _contact("K-1", Nope__c="s3cret")), "")
    assert isinstance(answer, Answered)
    assert answer.results[0].outcome is Outcome.REJECTED
    assert "s3cret" not in answer.results[0].message


async def test_limits_are_learnt_from_each_answer(stage: Stage) -> None:
    """The header of any answer tells the day's calls, so a reserve holds without asking."""
    session = stage.session(S, endpoint=stage.endpoint(S, reserve=0.9999))
    await session.commit(stage.unit(UPSERT, *(_contact(f"K-{number}") for number in range(3))), "")
    with pytest.raises(QuotaSpentError) as caught:
        await _commit_many(stage, session, 50)
    assert caught.value.code == "R316"


async def _commit_many(stage: Stage, session: Session, times: int) -> None:
    for number in range(times):
        await session.commit(stage.unit(UPSERT, _contact(f"K-{number}")), "")


async def test_a_lost_lease_begins_no_job(stage: Stage) -> None:
    """Not even an empty one: the fence is asked before a job is created, too."""

    class FenceError(Exception):
        pass

    def fence() -> None:
        raise FenceError

    session = stage.session(S, fence=fence)
    with pytest.raises(FenceError):
        await session.prepare(stage.file_unit(step(S, "Contact", "bulk2", key="Crm_Key__c"), {"Crm_Key__c": "a"}))
    assert stage.calls("ingest") == []
