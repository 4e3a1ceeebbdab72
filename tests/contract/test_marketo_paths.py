"""Every path of a Marketo object, against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from syncer.errors import InDoubtError, QuotaSpentError, RefusedError
from syncer.facts import Action, System
from syncer.outcome import Outcome
from syncer.sandbox.app import MarketoOptions, SandboxOptions
from syncer.targets.protocol import Accepted, Answered, LookedUp, Remedy, Verdict
from tests.contract.conftest import step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.targets.protocol import Session
    from tests.contract.conftest import Stage

pytestmark = pytest.mark.anyio
M = System.MARKETO
LEADS = step(M, "lead", "sync", key="email")


async def _leads(stage: Stage, session: Session, *emails: str) -> list[int]:
    """Create leads and return their ids."""
    answer = await session.commit(stage.unit(LEADS, *({"email": each} for each in emails)), "")
    assert isinstance(answer, Answered)
    return [int(each.target_id) for each in answer.results]


def _outcomes(answer: object) -> Sequence[Outcome]:
    assert isinstance(answer, Answered)
    return [each.outcome for each in answer.results]


async def _verdicts(stage: Stage, session: Session, step_: Any, *records: dict[str, Any]) -> list[Verdict]:
    return [each.verdict for each in (await session.look_up(stage.unit(step_, *records), "")).records]


async def test_create_only_refuses_what_exists(stage: Stage) -> None:
    """`create` answers "already exists" for a known key."""
    session = stage.session(M)
    await _leads(stage, session, "a@b.co")
    create = step(M, "lead", "sync", Action.CREATE, "email")
    answer = await session.commit(stage.unit(create, {"email": "a@b.co"}, {"email": "new@b.co"}), "")
    assert _outcomes(answer) == [Outcome.REJECTED, Outcome.CREATED]
    assert isinstance(answer, Answered)
    assert answer.results[0].code == "V503"


async def test_update_only_refuses_what_is_missing(stage: Stage) -> None:
    """`update` never creates."""
    update = step(M, "lead", "sync", Action.UPDATE, "email")
    answer = await stage.session(M).commit(stage.unit(update, {"email": "no@b.co"}), "")
    assert isinstance(answer, Answered)
    assert [(each.outcome, each.code) for each in answer.results] == [(Outcome.REJECTED, "V502")]


async def test_duplicates_are_made_and_then_ambiguous(stage: Stage) -> None:
    """CreateDuplicate creates a second lead; later upserts of the key are refused, and a read-back names both ids."""
    session = stage.session(M)
    ids = await _leads(stage, session, "a@b.co")
    twice = step(M, "lead", "sync", Action.DUPLICATE, "email")
    assert _outcomes(await session.commit(stage.unit(twice, {"email": "a@b.co"}), "")) == [Outcome.CREATED]
    found = (await session.look_up(stage.unit(LEADS, {"email": "a@b.co"}), "")).records[0]
    assert found.verdict is Verdict.AMBIGUOUS
    assert str(ids[0]) in found.target_ids
    assert len(found.target_ids) == 2
    assert await _verdicts(stage, session, twice, {"email": "a@b.co"}) == [Verdict.UNKNOWN]


async def test_push_writes_and_reads_back(stage: Stage) -> None:
    """Push upserts and is read back by its fields; whether the activity was written cannot be seen."""
    session = stage.session(M)
    push = step(M, "lead", "push", key="email", program="Spring Webinar")
    answer = await session.commit(stage.unit(push, {"email": "a@b.co", "firstName": "Ada"}), "")
    assert _outcomes(answer) == [Outcome.CREATED]
    assert await _verdicts(stage, session, push, {"email": "a@b.co", "firstName": "Ada"}) == [Verdict.APPLIED]


async def test_a_partition_is_sent_along(stage: Stage) -> None:
    """An unknown partition is refused by the vendor, so the option has reached it."""
    elsewhere = step(M, "lead", "sync", key="email", partition="Nowhere")
    try:
        answer: object = await stage.session(M).commit(stage.unit(elsewhere, {"email": "a@b.co"}), "")
    except RefusedError as error:
        answer = error.vendor_code
    assert answer == "1008" or (isinstance(answer, Answered) and answer.results[0].code == "V507")


async def test_leads_are_deleted_by_id(stage: Stage) -> None:
    """Deleting what is gone is nothing to do, and a read-back calls it applied."""
    session = stage.session(M)
    ids = await _leads(stage, session, "a@b.co")
    delete = step(M, "lead", "delete", Action.DELETE, "id")
    records = [{"id": ids[0]}, {"id": 999_999}]
    assert await _verdicts(stage, session, delete, *records) == [Verdict.DIFFERS, Verdict.APPLIED]
    assert _outcomes(await session.commit(stage.unit(delete, *records), "")) == [Outcome.UPDATED, Outcome.SKIPPED]
    assert await _verdicts(stage, session, delete, *records) == [Verdict.APPLIED, Verdict.APPLIED]


async def test_list_members_come_and_go(stage: Stage) -> None:
    """A list is found by its name; adding and removing are read back as membership."""
    session = stage.session(M)
    ids = [{"id": each} for each in await _leads(stage, session, "a@b.co", "c@b.co")]
    add = step(M, "lead", "list", Action.ADD, "id", list="Trial users")
    remove = step(M, "lead", "list", Action.REMOVE, "id", list="1002")
    assert await _verdicts(stage, session, add, *ids) == [Verdict.DIFFERS] * 2
    assert _outcomes(await session.commit(stage.unit(add, *ids), "")) == [Outcome.UPDATED] * 2
    assert await _verdicts(stage, session, add, *ids) == [Verdict.APPLIED] * 2
    assert _outcomes(await session.commit(stage.unit(remove, ids[0]), "")) == [Outcome.UPDATED]
    assert _outcomes(await session.commit(stage.unit(remove, ids[0]), "")) == [Outcome.SKIPPED]
    assert await _verdicts(stage, session, remove, *ids) == [Verdict.APPLIED, Verdict.DIFFERS]


async def test_an_unknown_list_is_refused_before_anything_is_sent(stage: Stage) -> None:
    """A list that does not exist is the manifest's mistake, not the records'."""
    session = stage.session(M)
    add = step(M, "lead", "list", Action.ADD, "id", list="No such list")
    with pytest.raises(RefusedError) as caught:
        await session.prepare(stage.unit(add, {"id": 1}))
    assert caught.value.is_about_caller
    assert caught.value.code == "R315"


async def test_program_status_is_set_and_never_goes_back(stage: Stage) -> None:
    """Status adds members, and a member at the status is nothing to do."""
    session = stage.session(M)
    members = [{"leadId": each} for each in await _leads(stage, session, "a@b.co", "c@b.co")]
    status = step(M, "program_member", "status", Action.STATUS, "leadId", program="1044", status="Registered")
    assert await _verdicts(stage, session, status, *members) == [Verdict.ABSENT] * 2
    assert _outcomes(await session.commit(stage.unit(status, *members), "")) == [Outcome.CREATED] * 2
    assert _outcomes(await session.commit(stage.unit(status, members[0]), "")) == [Outcome.SKIPPED]
    assert await _verdicts(stage, session, status, *members) == [Verdict.APPLIED] * 2


async def test_member_data_is_written_to_members(stage: Stage) -> None:
    """Fields of a membership are set, read back, and the member removed."""
    session = stage.session(M)
    (lead,) = await _leads(stage, session, "a@b.co")
    status = step(M, "program_member", "status", Action.STATUS, "leadId", program="1044", status="Invited")
    await session.commit(stage.unit(status, {"leadId": lead}), "")
    data = step(M, "program_member", "data", Action.UPDATE, "leadId", program="1044")
    record = {"leadId": lead, "registrationCode": "x"}
    assert _outcomes(await session.commit(stage.unit(data, record), "")) == [Outcome.UPDATED]
    assert await _verdicts(stage, session, data, record) == [Verdict.APPLIED]
    delete = step(M, "program_member", "delete", Action.DELETE, "leadId", program="1044")
    assert _outcomes(await session.commit(stage.unit(delete, {"leadId": lead}), "")) == [Outcome.UPDATED]
    assert await _verdicts(stage, session, delete, {"leadId": lead}) == [Verdict.APPLIED]


async def test_members_are_imported_by_email(stage: Stage) -> None:
    """The import of members sets their status, and a lost one is found in the program."""
    session = stage.session(M)
    bulk = step(M, "program_member", "bulk", Action.STATUS, "email", program="1044", status="Invited")
    unit = stage.file_unit(bulk, {"email": "a@b.co"}, {"email": "c@b.co"})
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    settled = await session.settle(unit, accepted.reference, stage.folder)
    assert (settled.processed, settled.failed) == (2, 0)
    assert [each.verdict for each in (await session.look_up(unit, "")).records] == [Verdict.APPLIED] * 2
    assert stage.calls("describe2") == ["GET /rest/v1/leads/describe2.json"], "a search asks once, not with each look"


async def test_custom_objects_by_one_key(stage: Stage) -> None:
    """Upsert, look up and delete by the dedupe field; other fields do not spoil a delete."""
    session = stage.session(M)
    sync = step(M, "order_c", "sync", key="orderNumber")
    delete = step(M, "order_c", "delete", Action.DELETE, "orderNumber")
    records = [{"orderNumber": "O-1", "status": "new"}, {"orderNumber": "O-2", "status": "new"}]
    assert _outcomes(await session.commit(stage.unit(sync, *records), "")) == [Outcome.CREATED] * 2
    assert _outcomes(await session.commit(stage.unit(sync, *records), "")) == [Outcome.UPDATED] * 2
    assert await _verdicts(stage, session, sync, records[0], {"orderNumber": "O-9"}) == [
        Verdict.APPLIED,
        Verdict.ABSENT,
    ]
    assert _outcomes(await session.commit(stage.unit(delete, *records), "")) == [Outcome.UPDATED] * 2
    assert _outcomes(await session.commit(stage.unit(delete, *records), "")) == [Outcome.SKIPPED] * 2


async def test_custom_objects_by_compound_key(stage: Stage) -> None:
    """A key of two fields is read back whole, and a record is updated by its GUID."""
    session = stage.session(M)
    sync = step(M, "seat_c", "sync", key="accountNumber seatNumber")
    seat = {"accountNumber": "A-1", "seatNumber": 7, "label": "Window"}
    await session.commit(stage.unit(sync, seat), "")
    unit = stage.unit(sync, seat | {"label": "Aisle"}, seat | {"seatNumber": 8})
    found = (await session.look_up(unit, "")).records
    assert [each.verdict for each in found] == [Verdict.DIFFERS, Verdict.ABSENT]
    assert _outcomes(await session.remedy(unit, [found[0]], Remedy.UPDATE_BY_ID)) == [Outcome.UPDATED]
    assert _outcomes(await session.remedy(unit, [found[1]], Remedy.CREATE_ONLY)) == [Outcome.CREATED]
    assert [each.verdict for each in (await session.look_up(unit, "")).records] == [Verdict.APPLIED] * 2


async def test_custom_objects_are_imported(stage: Stage) -> None:
    """Failed rows stand in the failures file with a reason; the counts are the vendor's."""
    session = stage.session(M)
    unit = stage.file_unit(
        step(M, "order_c", "bulk", key="orderNumber"),
        {"orderNumber": "O-1", "quantity": 1},
        {"orderNumber": "O-2", "quantity": "many"},
    )
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    settled = await session.settle(unit, accepted.reference, stage.folder)
    assert (settled.processed, settled.failed, settled.succeeded) == (2, 1, "w")
    assert "Import Failure Reason" in settled.files[0].path.read_text()
    assert settled.files[0].error_column == "Import Failure Reason"


async def test_an_import_can_fill_a_list(stage: Stage) -> None:
    """The `list` option of an import puts its leads into the list."""
    session = stage.session(M)
    unit = stage.file_unit(step(M, "lead", "bulk", key="email", list="Newsletter"), {"email": "a@b.co"})
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    await session.settle(unit, accepted.reference, stage.folder)
    lead = (await session.look_up(stage.unit(LEADS, {"email": "a@b.co"}), "")).records[0].target_ids[0]
    add = step(M, "lead", "list", Action.ADD, "id", list="Newsletter")
    assert await _verdicts(stage, session, add, {"id": int(lead)}) == [Verdict.APPLIED]


async def test_counts_that_do_not_add_up_prove_nothing(stage: Stage) -> None:
    """Rows in no file are in doubt when the vendor's counts do not cover the file."""
    stage.spoil("wrong_counts")
    session = stage.session(M)
    unit = stage.file_unit(step(M, "lead", "bulk", key="email"), {"email": "a@b.co"}, {"email": "c@b.co"})
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    assert (await session.settle(unit, accepted.reference, stage.folder)).succeeded == "?"


async def test_a_lost_import_is_found_in_its_rows(stage: Stage) -> None:
    """Nobody lists imports, so a sample of rows is watched until it stops moving, then all rows are read."""
    stage.spoil("apply_then_lose", "POST /bulk/v1/leads.json")
    session = stage.session(M)
    rows = [{"email": f"p{n}@b.co", "firstName": "Ada"} for n in range(600)]
    unit = stage.file_unit(step(M, "lead", "bulk", key="email"), *rows)
    with pytest.raises(InDoubtError):
        await session.commit(unit, await session.prepare(unit))
    found = (await session.look_up(unit, "")).records
    assert {each.verdict for each in found} == {Verdict.APPLIED}
    assert [each.position for each in found] == list(range(600))
    assert len(stage.calls("POST /bulk") or stage.calls("/bulk/v1/leads.json")) == 1


async def test_an_import_that_never_began_is_for_a_person(stage: Stage) -> None:
    """Where no row turns up for half an hour, nothing is claimed."""
    stage.spoil("lose_before_apply", "POST /bulk/v1/leads.json")
    session = stage.session(M)
    unit = stage.file_unit(step(M, "lead", "bulk", key="email"), {"email": "a@b.co"}, {"email": "c@b.co"})
    with pytest.raises(InDoubtError):
        await session.commit(unit, "")
    began = stage.clock.monotonic()
    found = (await session.look_up(unit, "")).records
    assert [each.verdict for each in found] == [Verdict.UNKNOWN] * 2
    assert stage.clock.monotonic() - began >= 1_800


@pytest.mark.parametrize(
    ("seconds_ago", "arrived", "looks"), [(86_400.0, False, 1), (86_400.0, True, 1), (86_000.0, True, 6)]
)
async def test_a_search_that_was_cut_short_does_not_begin_anew(
    stage: Stage, seconds_ago: float, *, arrived: bool, looks: int
) -> None:
    """An import of the day before moves no more, so one look tells, and the day's quota is enough for it."""
    session = stage.session(M)
    unit = stage.file_unit(step(M, "lead", "bulk", key="email"), {"email": "a@b.co"}, {"email": "c@b.co"})
    if arrived:
        await session.commit(unit, "")
        await stage.clock.sleep(60)
    before = len(stage.calls("leads.json"))
    found = (await session.look_up(unit, "", seconds_ago)).records
    assert {each.verdict for each in found} == {Verdict.APPLIED if arrived else Verdict.UNKNOWN}
    assert len(stage.calls("leads.json")) - before == looks + arrived


async def test_a_marked_import_that_never_began_is_known_not_to_have(stage: Stage) -> None:
    """Rows that others wrote, with the very values that were sent, are no sign of it: they bear no mark."""
    session = stage.session(M)
    await session.commit(stage.unit(LEADS, {"email": "a@b.co"}, {"email": "c@b.co", "syncerRun": "older"}), "")
    stage.spoil("lose_before_apply", "POST /bulk/v1/leads.json")
    made = step(M, "lead", "bulk", key="email", run_marker="syncerRun")
    unit = stage.file_unit(made, {"syncerRun": "run/1", "email": "a@b.co"}, {"syncerRun": "run/1", "email": "c@b.co"})
    with pytest.raises(InDoubtError):
        await session.commit(unit, "")
    began = stage.clock.monotonic()
    assert await session.look_up(unit, "") == LookedUp(job=Verdict.ABSENT)
    assert stage.clock.monotonic() - began >= 1_800


async def test_one_marked_row_proves_an_import(stage: Stage) -> None:
    """Also a row that no sample would have shown: before it is called lost, every row is read."""
    session = stage.session(M)
    await session.commit(stage.unit(LEADS, {"email": "p1@b.co", "syncerRun": "run/1"}), "")
    made = step(M, "lead", "bulk", key="email", run_marker="syncerRun")
    unit = stage.file_unit(made, *({"syncerRun": "run/1", "email": f"p{n}@b.co"} for n in range(300)))
    found = (await session.look_up(unit, "")).records
    assert [each.position for each in found if each.verdict is Verdict.APPLIED] == [1]
    assert {each.verdict for each in found} == {Verdict.APPLIED, Verdict.ABSENT}


async def test_a_mark_tells_whose_record_it_is(stage: Stage) -> None:
    """A duplicate beside an older record; a lead that others changed after this run wrote it; one that it never met."""
    session = stage.session(M)
    held = [
        {"email": "a@b.co", "firstName": "Old"},
        {"email": "a@b.co", "firstName": "Ada", "syncerRun": "run/1"},
        {"email": "b@b.co", "firstName": "Changed", "syncerRun": "run/1"},
        {"email": "c@b.co", "firstName": "Cyd"},
        {"email": "d@b.co", "syncerRun": "run/0"},
        {"email": "d@b.co"},
    ]
    await session.commit(stage.unit(step(M, "lead", "sync", Action.DUPLICATE, "email"), *held), "")
    rows = [{"email": f"{name}@b.co", "firstName": "Ada", "syncerRun": "run/1"} for name in "abcde"]
    verdicts = {}
    for action in (Action.DUPLICATE, Action.UPSERT):
        unit = stage.unit(step(M, "lead", "sync", action, "email", run_marker="syncerRun"), *rows)
        verdicts[action] = [each.verdict for each in (await session.look_up(unit, "")).records]
    done, absent = Verdict.APPLIED, Verdict.ABSENT
    assert verdicts[Action.DUPLICATE] == [done, done, absent, absent, absent]
    assert verdicts[Action.UPSERT] == [done, done, Verdict.DIFFERS, Verdict.AMBIGUOUS, absent]


async def test_a_membership_bears_the_mark_of_its_import(stage: Stage) -> None:
    """One that was there with the same status, and bears none, was not written by the import; nor by call."""
    session = stage.session(M)
    answer = await session.commit(stage.unit(LEADS, {"email": "a@b.co"}, {"email": "b@b.co"}), "")
    assert isinstance(answer, Answered)
    ids = [{"leadId": int(each.target_id)} for each in answer.results]
    options = {"program": "1044", "status": "Invited", "run_marker": "seatPreference"}
    await session.commit(
        stage.unit(
            step(M, "program_member", "status", Action.STATUS, "leadId", program="1044", status="Invited"), *ids
        ),
        "",
    )
    data = step(M, "program_member", "data", Action.UPDATE, "leadId", program="1044", run_marker="seatPreference")
    sent = stage.unit(data, *({**each, "seatPreference": "run/1", "registrationCode": "x"} for each in ids))
    await session.commit(stage.unit(data, {**ids[1], "seatPreference": "run/1", "registrationCode": "y"}), "")
    by_call = (await session.look_up(sent, "")).records
    made = step(M, "program_member", "bulk", Action.STATUS, "email", **options)
    unit = stage.file_unit(made, *({"seatPreference": "run/1", "email": f"{name}@b.co"} for name in "abc"))
    imported = (await session.look_up(unit, "")).records
    assert [each.verdict for each in by_call] == [Verdict.DIFFERS, Verdict.APPLIED]
    assert [each.verdict for each in imported] == [Verdict.ABSENT, Verdict.APPLIED, Verdict.ABSENT]


async def test_the_rest_of_an_import_is_sent_by_calls(stage: Stage) -> None:
    """Rows that a read-back finds missing or different are remedied by Sync Leads."""
    session = stage.session(M)
    await session.commit(stage.unit(LEADS, {"email": "a@b.co", "firstName": "Old"}), "")
    rows = [{"email": "a@b.co", "firstName": "New"}, {"email": "c@b.co", "firstName": "New"}]
    unit = stage.file_unit(step(M, "lead", "bulk", key="email"), *rows)
    found = (await session.look_up(unit, "12345")).records
    assert [each.verdict for each in found] == [Verdict.DIFFERS, Verdict.ABSENT]
    assert _outcomes(await session.remedy(unit, found[:1], Remedy.UPDATE_BY_ID)) == [Outcome.UPDATED]
    assert _outcomes(await session.remedy(unit, found[1:], Remedy.CREATE_ONLY)) == [Outcome.CREATED]


async def test_a_full_queue_is_waited_for_and_then_parks(stage: Stage) -> None:
    """1016 for two hours ends as a parked run; nothing was carried out."""
    stage.spoil("vendor_error", "POST /bulk/v1/leads.json", code="1016", count=None)
    session = stage.session(M)
    unit = stage.file_unit(step(M, "lead", "bulk", key="email"), {"email": "a@b.co"})
    with pytest.raises(QuotaSpentError) as caught:
        await session.commit(unit, "")
    assert caught.value.code == "R309"
    assert 100 < len(stage.calls("/bulk/v1/leads.json")) < 200


@pytest.mark.parametrize("code", ["604", "611", "713"])
async def test_a_word_for_outcome_unknown_is_a_doubt(stage: Stage, code: str) -> None:
    """These answers come before or after the write, so it is not repeated."""
    stage.spoil("vendor_error", "POST /rest/v1/leads.json", code=code)
    with pytest.raises(InDoubtError):
        await stage.session(M).commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert len(stage.calls("leads.json")) == 1


@pytest.mark.parametrize("code", ["601", "602", "606", "608", "615"])
async def test_a_word_for_not_executed_is_tried_again(stage: Stage, code: str) -> None:
    """These answers say that nothing was done, so the write is sent once more."""
    stage.spoil("vendor_error", "POST /rest/v1/leads.json", code=code)
    answer = await stage.session(M).commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert _outcomes(answer) == [Outcome.CREATED]
    assert len(stage.calls("leads.json")) == 2


@pytest.mark.parametrize(
    "fault", ["truncate_body", "garbage_body", "empty_body", "apply_then_lose", "lose_before_apply"]
)
async def test_an_unusable_answer_is_a_doubt(stage: Stage, fault: str) -> None:
    """Cut, empty and foreign answers are doubts, whatever their status."""
    stage.spoil(fault, "POST /rest/v1/leads.json")
    with pytest.raises(InDoubtError):
        await stage.session(M).commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert len(stage.calls("leads.json")) == 1


async def test_a_slow_answer_is_a_doubt_at_the_deadline(stage: Stage) -> None:
    """One hard limit covers connecting, sending and reading."""
    stage.spoil("delay", "POST /rest/v1/leads.json", seconds=1_000.0)
    began = stage.clock.monotonic()
    with pytest.raises(InDoubtError):
        await stage.session(M).commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert stage.clock.monotonic() - began <= 130


async def test_a_token_that_stays_refused_stops_the_run(stage: Stage) -> None:
    """One renewal, then an end: no loop."""
    stage.spoil("vendor_error", "POST /rest/v1/leads.json", code="601", count=None)
    with pytest.raises(RefusedError) as caught:
        await stage.session(M).commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert caught.value.is_about_caller
    assert len(stage.calls("leads.json")) == 2


async def test_a_spent_day_parks_until_midnight_in_chicago(stage: Stage) -> None:
    """607 names the moment when the quota is given back."""
    stage.spoil("vendor_error", "POST /rest/v1/leads.json", code="607")
    with pytest.raises(QuotaSpentError) as caught:
        await stage.session(M).commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert caught.value.resets_at == 1_772_517_600.0  # 2026-03-03 06:00 UTC


async def test_a_key_with_a_comma_is_never_called_absent(stage: Stage) -> None:
    """`filterValues` cannot escape a comma, so such a key is unknown where it is not found."""
    by_text = step(M, "lead", "sync", key="externalKey")
    session = stage.session(M)
    await session.commit(stage.unit(by_text, {"externalKey": "k"}), "")
    verdicts = await _verdicts(stage, session, by_text, {"externalKey": "k"}, {"externalKey": "a,k"})
    assert verdicts == [Verdict.APPLIED, Verdict.UNKNOWN]


class TestSmallInstance:
    """Limits as an instance with neighbours shows them."""

    @pytest.fixture
    def options(self) -> SandboxOptions:
        """A small day."""
        return SandboxOptions(latency_seconds=0.2, marketo=MarketoOptions(daily_calls=60))

    async def test_a_budget_is_never_exceeded(self, stage: Stage) -> None:
        """The gate parks the run at its share of the day, before the vendor says anything."""
        session = stage.session(M, endpoint=stage.endpoint(M, budget=5))
        for number in range(5):
            await session.commit(stage.unit(LEADS, {"email": f"p{number}@b.co"}), "")
        with pytest.raises(QuotaSpentError) as caught:
            await session.commit(stage.unit(LEADS, {"email": "more@b.co"}), "")
        assert caught.value.code == "R316"
        assert len(stage.calls("leads.json")) == 5
