"""What a session does when the vendor is unwell: the same promises for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from syncer.errors import InDoubtError, PlanRefusedError, QuotaSpentError, RefusedError, RetryableError
from syncer.facts import System
from syncer.outcome import Outcome
from syncer.targets.protocol import Accepted, Answered, Verdict
from syncer.targets.registry import open_session
from tests.contract.conftest import ORIGIN, step

if TYPE_CHECKING:
    from tests.contract.conftest import Stage

pytestmark = pytest.mark.anyio
M, S = System.MARKETO, System.SALESFORCE
LEADS = step(M, "lead", "sync", key="email")
LEAD_FILE = step(M, "lead", "bulk", key="email")
CONTACTS = step(S, "Contact", "collections", key="Crm_Key__c")
CONTACT_FILE = step(S, "Contact", "bulk2", key="Crm_Key__c")
CONTACT = {"attributes": {"type": "Contact"}, "Crm_Key__c": "K-1", "LastName": "Okafor"}
ROW = {"Crm_Key__c": "K-1", "LastName": "Okafor"}


class Broken(httpx.AsyncBaseTransport):
    """A way to the sandbox that fails or answers by itself for some requests."""

    def __init__(self, inner: httpx.AsyncBaseTransport, part: str, *answers: Exception | httpx.Response) -> None:
        """Give the answers in turn to requests whose path holds `part`, then let them through."""
        self.inner, self.part, self.answers = inner, part, list(answers)
        self.seen = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, fail, or hand on."""
        if self.part in request.url.path:
            self.seen += 1
            if self.answers:
                answer = self.answers.pop(0)
                if isinstance(answer, Exception):
                    raise answer
                await request.aread()
                return answer
        return await self.inner.handle_async_request(request)


def _session(stage: Stage, system: System, part: str, *answers: Exception | httpx.Response) -> tuple[Any, Broken]:
    transport = Broken(stage.transport, part, *answers)
    return open_session(stage.endpoint(system), stage.clock, transport, sandbox=True), transport


async def test_what_was_not_sent_is_sent_again(stage: Stage) -> None:
    """A refused connection is tried again with growing waits, and costs no quota."""
    session, wire = _session(stage, M, "leads.json", *[httpx.ConnectError("no")] * 3)
    answer = await session.commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert isinstance(answer, Answered)
    assert wire.seen == 4
    assert stage.clock.monotonic() >= 5


async def test_a_target_that_stays_away_ends_retryable(stage: Stage) -> None:
    """After eight tries the run stops, and nothing was carried out."""
    session, wire = _session(stage, M, "leads.json", *[httpx.ConnectError("no")] * 20)
    with pytest.raises(RetryableError) as caught:
        await session.commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert caught.value.code == "R307"
    assert wire.seen == 8


async def test_a_read_is_tried_again_and_then_given_up(stage: Stage) -> None:
    """Reads may be repeated whatever happened to them."""
    session, wire = _session(stage, M, "describe2", *[httpx.Response(502, html="<html>")] * 2)
    assert (await session.describe("lead")).name == "lead"
    assert wire.seen == 3
    session, _ = _session(stage, M, "describe2", *[httpx.Response(502, html="<html>")] * 9)
    with pytest.raises(RetryableError) as caught:
        await session.describe("lead")
    assert caught.value.code == "R313"


@pytest.mark.parametrize(
    ("system", "part"), [(M, "leads.json"), (S, "composite"), (M, "oauth/token"), (S, "oauth2/token")]
)
async def test_a_redirect_stops_the_run(stage: Stage, system: System, part: str) -> None:
    """It is never followed, and the token goes nowhere."""
    answer = httpx.Response(307, headers={"Location": "https://evil.example/"})
    session, wire = _session(stage, system, part, answer)
    unit = stage.unit(LEADS, {"email": "a@b.co"}) if system is M else stage.unit(CONTACTS, CONTACT)
    with pytest.raises(PlanRefusedError) as caught:
        await session.commit(unit, "")
    assert caught.value.code == "R305"
    assert wire.seen == 1


async def test_a_denied_call_is_about_the_caller(stage: Stage) -> None:
    """603 is never looped on."""
    stage.spoil("vendor_error", "POST /rest/v1/leads.json", code="603", count=None)
    with pytest.raises(RefusedError) as caught:
        await stage.session(M).commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert (caught.value.code, caught.value.is_about_caller) == ("R303", True)
    assert len(stage.calls("leads.json")) == 1


async def test_a_request_that_is_too_large_is_for_the_executor_to_cut(stage: Stage) -> None:
    """413 says that a smaller request may pass."""
    session, _ = _session(stage, M, "leads.json", httpx.Response(413, html="<html>"))
    with pytest.raises(RefusedError) as caught:
        await session.commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert (caught.value.code, caught.value.is_about_caller) == ("R310", False)


async def test_a_sign_in_that_cannot_be_reached_is_tried_again(stage: Stage) -> None:
    """Connections are tried after seconds, a silent token endpoint after a minute."""
    session, wire = _session(
        stage, M, "oauth/token", httpx.ConnectError("no"), httpx.Response(503), httpx.ReadError("cut")
    )
    await session.commit(stage.unit(LEADS, {"email": "a@b.co"}), "")
    assert wire.seen == 4
    assert stage.clock.monotonic() >= 60
    session, _ = _session(stage, M, "oauth/token", *[httpx.ConnectError("no")] * 20)
    with pytest.raises(RetryableError):
        await session.commit(stage.unit(LEADS, {"email": "a@b.co"}), "")


async def test_a_token_for_another_host_is_refused(stage: Stage) -> None:
    """`instance_url` is believed only where a credential may go."""
    answer = httpx.Response(200, json={"access_token": "00D!x", "instance_url": "https://evil.example"})
    session, _ = _session(stage, S, "oauth2/token", answer)
    with pytest.raises(PlanRefusedError) as caught:
        await session.commit(stage.unit(CONTACTS, CONTACT), "")
    assert caught.value.code == "R304"


async def test_a_sandbox_address_needs_the_flag(stage: Stage) -> None:
    """Loopback is refused where nobody asked for a sandbox."""
    with pytest.raises(PlanRefusedError):
        open_session(stage.endpoint(M), stage.clock, stage.transport)


async def test_an_import_that_never_ends_parks(stage: Stage) -> None:
    """After half a day of polling the run parks; the job goes on."""
    stage.spoil("stall_job", count=None)
    session = stage.session(M)
    unit = stage.file_unit(LEAD_FILE, {"email": "a@b.co"}, {"email": "c@b.co"})
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    with pytest.raises(QuotaSpentError) as caught:
        await session.settle(unit, accepted.reference, stage.folder)
    assert caught.value.code == "R311"


async def test_an_import_that_is_forgotten_is_a_doubt(stage: Stage) -> None:
    """A batch id lives for seven days; what became of its rows must be read."""
    session = stage.session(M)
    unit = stage.file_unit(LEAD_FILE, {"email": "a@b.co"})
    with pytest.raises(InDoubtError):
        await session.settle(unit, "999999", stage.folder)


async def test_a_failed_import_proves_nothing(stage: Stage) -> None:
    """`Failed` says that it stopped, not where."""
    stage.spoil("fail_job")
    session = stage.session(M)
    unit = stage.file_unit(LEAD_FILE, {"email": "a@b.co"}, {"email": "c@b.co"})
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    assert (await session.settle(unit, accepted.reference, stage.folder)).succeeded == "?"


async def test_a_missing_failures_file_proves_nothing(stage: Stage) -> None:
    """Where the failed rows cannot be named, all rows are to be read back."""
    stage.spoil("missing_failure_file")
    session = stage.session(M)
    step_ = step(M, "order_c", "bulk", key="orderNumber")
    unit = stage.file_unit(step_, {"orderNumber": "O-1", "quantity": "1"}, {"orderNumber": "O-2", "quantity": "many"})
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    settled = await session.settle(unit, accepted.reference, stage.folder)
    assert (settled.failed, settled.files, settled.succeeded) == (1, (), "?")


async def test_warnings_are_kept_beside_the_results(stage: Stage) -> None:
    """A row that was imported with a remark is imported; the remark is on disk."""
    session = stage.session(M)
    unit = stage.file_unit(LEAD_FILE, {"email": "not an address"}, {"email": "a@b.co"})
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    settled = await session.settle(unit, accepted.reference, stage.folder)
    assert settled.failed == 0
    assert [path.name for path in stage.folder.glob("*warnings.csv")] == [f"{accepted.reference}-warnings.csv"]


async def test_a_job_that_never_ends_parks(stage: Stage) -> None:
    """A day of polling is enough."""
    stage.spoil("stall_job", count=None)
    session = stage.session(S)
    unit = stage.file_unit(CONTACT_FILE, ROW)
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    with pytest.raises(QuotaSpentError) as caught:
        await session.settle(unit, accepted.reference, stage.folder)
    assert caught.value.code == "R311"


@pytest.mark.parametrize("state", ["Open", "Pondering"])
async def test_a_job_in_a_strange_state_is_a_doubt(stage: Stage, state: str) -> None:
    """An unknown word, or a job that should be under way and is not."""
    session, _ = _session(stage, S, "/jobs/ingest/750A", httpx.Response(200, json={"id": "750A", "state": state}))
    with pytest.raises(InDoubtError):
        await session.settle(stage.file_unit(CONTACT_FILE, ROW), "750A", stage.folder)


async def test_a_job_that_is_gone_is_a_doubt(stage: Stage) -> None:
    """Jobs go after seven days."""
    with pytest.raises(InDoubtError):
        await stage.session(S).settle(stage.file_unit(CONTACT_FILE, ROW), "7505g00000Kp3XbAAJ", stage.folder)


async def test_an_abort_that_came_too_late_lets_the_job_go_on(stage: Stage) -> None:
    """A close that was lost may have arrived between the look and the abort."""
    session = stage.session(S)
    unit = stage.file_unit(CONTACT_FILE, ROW)
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    await session.settle(unit, accepted.reference, stage.folder)
    fresh = httpx.Response(200, json={"id": accepted.reference, "state": "Open"})
    session, _ = _session(stage, S, f"/jobs/ingest/{accepted.reference}", fresh)
    looked = await session.look_up(unit, accepted.reference)
    assert (looked.job, looked.reference) == (Verdict.RUNNING, accepted.reference)


async def test_a_job_that_does_not_close_is_a_doubt(stage: Stage) -> None:
    """The state stays Open however often it is closed."""
    stage.spoil("lose_before_apply", "PATCH */jobs/ingest/*", count=None)
    session = stage.session(S)
    unit = stage.file_unit(CONTACT_FILE, ROW)
    reference = await session.prepare(unit)
    with pytest.raises(InDoubtError):
        await session.commit(unit, reference)


async def test_a_new_job_that_is_not_open_is_not_used(stage: Stage) -> None:
    """A creation must answer with an Open job."""
    session, _ = _session(stage, S, "/jobs/ingest", httpx.Response(200, json={"id": "750A", "state": "Failed"}))
    with pytest.raises(RetryableError):
        await session.prepare(stage.file_unit(CONTACT_FILE, ROW))


async def test_rows_without_a_key_cannot_be_looked_up(stage: Stage) -> None:
    """A blank key, or a key that is no field, is unknown and nothing is asked."""
    session = stage.session(S)
    unit = stage.unit(CONTACTS, {"attributes": {"type": "Contact"}, "LastName": "Okafor"})
    assert [each.verdict for each in (await session.look_up(unit, "")).records] == [Verdict.UNKNOWN]
    unit = stage.unit(step(S, "Contact", "collections", key="Nope__c"), CONTACT)
    assert [each.verdict for each in (await session.look_up(unit, "")).records] == [Verdict.UNKNOWN]


async def test_many_keys_are_asked_in_addresses_that_fit(stage: Stage) -> None:
    """Long keys make more queries, never a longer address."""
    session = stage.session(S)
    keys = [f"K-{number:03}-{'ü' * 50}" for number in range(150)]
    await session.commit(stage.unit(CONTACTS, *(CONTACT | {"Crm_Key__c": key} for key in keys[:75])), "")
    found = (await session.look_up(stage.unit(CONTACTS, *(CONTACT | {"Crm_Key__c": key} for key in keys)), "")).records
    verdicts = [each.verdict for each in found]
    assert verdicts == [Verdict.APPLIED] * 75 + [Verdict.ABSENT] * 75
    assert len(stage.calls("query")) > 1


async def test_more_matches_than_a_page_allows_are_halved(stage: Stage) -> None:
    """Over 1,000 matching leads are an error at Marketo, so the values are asked in halves."""
    session, wire = _session(
        stage,
        M,
        "leads.json",
        httpx.Response(
            200,
            json={"success": False, "errors": [{"code": "1003", "message": "Too many results match the filter"}]},
        ),
    )
    unit = stage.unit(LEADS, *({"email": f"p{number}@b.co"} for number in range(4)))
    assert {each.verdict for each in (await session.look_up(unit, "")).records} == {Verdict.ABSENT}
    assert wire.seen == 3


async def test_a_record_with_two_writers_is_sent_again_and_settles(stage: Stage) -> None:
    """Locks that do not ease end as rejects, not as an endless loop."""
    stage.spoil("lock_rows", first=1, count=None)
    answer = await stage.session(S).commit(stage.unit(CONTACTS, CONTACT), "")
    assert isinstance(answer, Answered)
    assert (answer.results[0].outcome, answer.results[0].code) == (Outcome.REJECTED, "V509")
    assert len(stage.calls("composite")) == 5


def test_the_origin_of_these_tests_is_loopback() -> None:
    """Nothing here leaves the machine."""
    assert ORIGIN.startswith("http://127.0.0.1")


@pytest.mark.parametrize("trouble", ["the fence falls", "the state cannot be read"])
async def test_a_job_whose_close_was_lost_once_is_never_called_unsent(stage: Stage, trouble: str) -> None:
    """The first word may still close it, late: whatever keeps the second one from leaving, it is a doubt."""
    sent = 0

    def fence() -> None:
        nonlocal sent
        sent += 1
        if sent > 3 and trouble == "the fence falls":  # The upload, its job, and the first word have left.
            raise RetryableError("R111", "The run was asked to stop.")

    stage.spoil("lose_before_apply", "PATCH */jobs/ingest/*")
    if trouble == "the state cannot be read":
        stage.spoil("status", "GET */jobs/ingest/*", count=None, status=503)
    session = stage.session(S, fence=fence)
    unit = stage.file_unit(CONTACT_FILE, ROW)
    reference = await session.prepare(unit)
    with pytest.raises(InDoubtError):
        await session.commit(unit, reference)
