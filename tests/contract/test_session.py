"""What every session promises, whatever the vendor: one suite, run against both sandboxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from syncer.errors import InDoubtError, RefusedError
from syncer.facts import Action, System
from syncer.outcome import Outcome
from syncer.targets.protocol import Accepted, Answered, Found, Remedy, Verdict
from tests.contract.conftest import step

if TYPE_CHECKING:
    from syncer.targets.protocol import Step
    from tests.contract.conftest import Record, Stage

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Case:
    """One vendor's words for the same thing."""

    system: System
    name: str
    key: str
    text: str
    write: str
    read: str
    calls: str
    job: str
    token: str
    extra: tuple[tuple[str, str], ...] = ()

    def step(self, action: Action = Action.UPSERT, path: str = "", key: str = "") -> Step:
        """Return a step of this vendor's small path."""
        return step(self.system, self.name, path or self.calls, action, key or self.key)

    def record(self, key: str, text: str = "One") -> Record:
        """Return a record as a request carries it."""
        attributes = {"attributes": {"type": self.name}} if self.system is System.SALESFORCE else {}
        return {**attributes, self.key: key, self.text: text, **dict(self.extra)}

    def row(self, key: str, text: str = "One") -> Record:
        """Return a record as a file carries it."""
        return {self.key: key, self.text: text, **dict(self.extra)}


MARKETO = Case(
    System.MARKETO,
    "lead",
    "email",
    "firstName",
    "POST /rest/v1/leads.json",
    "POST /rest/v1/leads.json",
    "sync",
    "bulk",
    "/identity/oauth/token",
)
SALESFORCE = Case(
    System.SALESFORCE,
    "Contact",
    "Crm_Key__c",
    "FirstName",
    "PATCH */composite/sobjects/*",
    "GET */query",
    "collections",
    "bulk2",
    "/services/oauth2/token",
    (("LastName", "Okafor"),),
)


@pytest.fixture(params=[MARKETO, SALESFORCE], ids=["marketo", "salesforce"])
def case(request: pytest.FixtureRequest) -> Case:
    """Each vendor in turn."""
    found: Case = request.param
    return found


async def _held(stage: Stage, case: Case, *keys: str) -> list[Any]:
    """Return the read-back of these keys as `One`."""
    unit = stage.unit(case.step(), *(case.record(key) for key in keys))
    found = await stage.session(case.system).look_up(unit, "")
    return [each.verdict for each in found.records]


async def test_an_upsert_creates_then_updates(stage: Stage, case: Case) -> None:
    """The answer tells created from updated, record by record, and names the target's id."""
    session = stage.session(case.system)
    first = await session.commit(stage.unit(case.step(), case.record("a@b.co")), "")
    second = await session.commit(stage.unit(case.step(), case.record("c@d.co"), case.record("a@b.co", "Two")), "")
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert [each.outcome for each in first.results] == [Outcome.CREATED]
    assert [each.outcome for each in second.results] == [Outcome.CREATED, Outcome.UPDATED]
    assert second.results[1].target_id == first.results[0].target_id != ""
    assert [each.position for each in second.results] == [0, 1]


async def test_a_bad_record_leaves_its_neighbours_alone(stage: Stage, case: Case) -> None:
    """A refused record is a result with a code, and its value is not in the message."""
    bad = case.record("x@y.co") | ({"score_field": "s3cret"} if case is MARKETO else {"Birthdate": "s3cret"})
    if case is MARKETO:
        bad = case.record("x@y.co") | {"leadScore": "s3cret"}
    answer = await stage.session(case.system).commit(stage.unit(case.step(), case.record("a@b.co"), bad), "")
    assert isinstance(answer, Answered)
    assert [each.outcome for each in answer.results] == [Outcome.CREATED, Outcome.REJECTED]
    assert answer.results[1].code.startswith("V5")
    assert "s3cret" not in answer.results[1].message


async def test_a_lost_answer_is_a_doubt(stage: Stage, case: Case) -> None:
    """The write is sent once; the session raises instead of sending it again."""
    stage.spoil("apply_then_lose", case.write)
    session = stage.session(case.system)
    unit = stage.unit(case.step(), case.record("a@b.co"))
    with pytest.raises(InDoubtError):
        await session.commit(unit, "")
    assert len(stage.calls("leads.json" if case is MARKETO else "composite")) == 1
    found = await session.look_up(unit, "")
    assert [each.verdict for each in found.records] == [Verdict.APPLIED]


async def test_look_up_tells_absent_from_different(stage: Stage, case: Case) -> None:
    """The read-back compares what is held with what was sent."""
    session = stage.session(case.system)
    await session.commit(stage.unit(case.step(), case.record("a@b.co", "Old"), case.record("c@d.co")), "")
    unit = stage.unit(case.step(), *(case.record(key) for key in ("a@b.co", "c@d.co", "new@d.co")))
    found = (await session.look_up(unit, "")).records
    assert [each.verdict for each in found] == [Verdict.DIFFERS, Verdict.APPLIED, Verdict.ABSENT]
    assert [len(each.target_ids) for each in found] == [1, 1, 0]


async def test_a_remedy_writes_what_is_missing(stage: Stage, case: Case) -> None:
    """Absent records are created only, different ones updated by id; positions are those of the unit."""
    session = stage.session(case.system)
    await session.commit(stage.unit(case.step(), case.record("a@b.co", "Old"), case.record("c@d.co")), "")
    unit = stage.unit(case.step(), *(case.record(key) for key in ("a@b.co", "c@d.co", "new@d.co")))
    found = (await session.look_up(unit, "")).records
    updated = await session.remedy(unit, [found[0]], Remedy.UPDATE_BY_ID)
    created = await session.remedy(unit, [found[2]], Remedy.CREATE_ONLY)
    assert [(each.position, each.outcome) for each in updated.results] == [(0, Outcome.UPDATED)]
    assert [(each.position, each.outcome) for each in created.results] == [(2, Outcome.CREATED)]
    assert await _held(stage, case, "a@b.co", "c@d.co", "new@d.co") == [Verdict.APPLIED] * 3


async def test_a_late_first_write_does_not_double_a_remedy(stage: Stage, case: Case) -> None:
    """A record that appeared after it was found absent is updated, not created once more."""
    session = stage.session(case.system)
    unit = stage.unit(case.step(), case.record("a@b.co"))
    absent = Found(0, Verdict.ABSENT)
    await session.commit(stage.unit(case.step(), case.record("a@b.co", "Old")), "")
    answer = await session.remedy(unit, [absent], Remedy.CREATE_ONLY)
    assert [each.outcome for each in answer.results if each.outcome is Outcome.REJECTED] == []
    assert await _held(stage, case, "a@b.co") == [Verdict.APPLIED]


async def test_a_job_runs_to_its_end(stage: Stage, case: Case) -> None:
    """Prepare, commit, settle; the counts are the vendor's and the files are on disk."""
    session = stage.session(case.system)
    unit = stage.file_unit(case.step(path=case.job), *(case.row(f"p{n}@b.co") for n in range(40)))
    reference = await session.prepare(unit)
    accepted = await session.commit(unit, reference)
    assert isinstance(accepted, Accepted)
    settled = await session.settle(unit, accepted.reference, stage.folder)
    assert (settled.processed, settled.failed) == (40, 0)
    assert all(each.path.is_file() for each in settled.files)
    assert await _held(stage, case, "p0@b.co", "p39@b.co") == [Verdict.APPLIED] * 2


async def test_settling_twice_gives_the_same(stage: Stage, case: Case) -> None:
    """A resumed run settles a job again and finds what the first one found."""
    session = stage.session(case.system)
    unit = stage.file_unit(case.step(path=case.job), case.row("a@b.co"))
    accepted = await session.commit(unit, await session.prepare(unit))
    assert isinstance(accepted, Accepted)
    first = await session.settle(unit, accepted.reference, stage.folder)
    assert await stage.session(case.system).settle(unit, accepted.reference, stage.folder) == first
    again = await session.look_up(unit, accepted.reference)
    assert again.job is Verdict.RUNNING


async def test_a_token_that_expires_is_renewed_once(stage: Stage, case: Case) -> None:
    """An expired token costs one sign-in and no record."""
    session = stage.session(case.system)
    await session.commit(stage.unit(case.step(), case.record("a@b.co")), "")
    await stage.clock.sleep(4 * 3_600.0)
    answer = await session.commit(stage.unit(case.step(), case.record("a@b.co", "Two")), "")
    assert isinstance(answer, Answered)
    assert [each.outcome for each in answer.results] == [Outcome.UPDATED]
    assert len(stage.calls(case.token)) == 2


async def test_a_wrong_secret_stops_at_once(stage: Stage, case: Case) -> None:
    """The refusal is about the caller, is not tried again, and does not show the secret."""
    from syncer.secret import Secret

    endpoint = stage.endpoint(case.system, client_secret=Secret("wr0ng-secret"))
    session = stage.session(case.system, endpoint=endpoint)
    with pytest.raises(RefusedError) as caught:
        await session.commit(stage.unit(case.step(), case.record("a@b.co")), "")
    assert caught.value.is_about_caller
    assert "wr0ng" not in f"{caught.value} {caught.value!r}"
    assert len(stage.calls(case.token)) == 1


async def test_usage_counts_calls(stage: Stage, case: Case) -> None:
    """Used calls and the quota are numbers."""
    session = stage.session(case.system)
    usage = await session.usage()
    assert usage.calls_used is not None
    assert usage.calls_quota is not None
    assert 0 <= usage.calls_used < usage.calls_quota


async def test_describe_knows_key_and_text_field(stage: Stage, case: Case) -> None:
    """The key is a key and the text field can be written."""
    schema = await stage.session(case.system).describe(case.name)
    key, text = schema.field(case.key), schema.field(case.text)
    assert key is not None
    assert key.is_key
    assert text is not None
    assert text.is_creatable
    assert text.is_updatable


async def test_a_lost_lease_stops_the_write(stage: Stage, case: Case) -> None:
    """The fence is asked right before the write leaves, so nothing is sent after it has fallen."""

    class FenceError(Exception):
        pass

    def fence() -> None:
        raise FenceError

    session = stage.session(case.system, fence=fence)
    with pytest.raises(FenceError):
        await session.commit(stage.unit(case.step(), case.record("a@b.co")), "")
    assert stage.calls("leads.json" if case is MARKETO else "composite") == []
