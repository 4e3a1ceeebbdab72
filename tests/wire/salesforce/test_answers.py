"""Salesforce's answers: text in; outcomes, jobs and problems out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncer.errors import PlanRefusedError
from syncer.facts import Action, FieldType
from syncer.outcome import Outcome
from syncer.targets.exchange import Problem, Response, Trouble
from syncer.targets.protocol import Answered, Step
from syncer.targets.salesforce.codes import RECORD_CODES
from syncer.targets.salesforce.describe import read_schema
from syncer.targets.salesforce.token import read_token
from syncer.targets.salesforce.wire import (
    Job,
    clean,
    read_job,
    read_jobs,
    read_limits,
    read_nothing,
    read_query,
    read_results,
    usage_of,
)
from syncer.targets.sign_in import Token


def _answer(body: object, status: int = 200, **headers: str) -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(status, headers, text.encode())


def _step(action: Action = Action.UPSERT) -> Step:
    return Step("op", "sf", "Contact", "collections", action, ("Crm_Key__c",))


def _refusal(code: str, message: str = "", *fields: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": list(fields)}]}


def _one(entry: object, action: Action = Action.UPSERT) -> Any:
    answered = read_results(_answer([entry]), _step(action), 1)
    assert isinstance(answered, Answered)
    return answered.results[0]


def test_each_record_has_its_own_end() -> None:
    """Created, updated, and refused with the field that is to blame."""
    entries = [
        {"id": "003A", "success": True, "errors": [], "created": True},
        {"id": "003B", "success": True, "errors": [], "created": False},
        _refusal("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", "LastName"),
    ]
    answered = read_results(_answer(entries), _step(), 3)
    assert isinstance(answered, Answered)
    assert [(each.outcome, each.target_id) for each in answered.results] == [
        (Outcome.CREATED, "003A"),
        (Outcome.UPDATED, "003B"),
        (Outcome.REJECTED, ""),
    ]
    assert answered.results[2].code == "V506"
    assert answered.results[2].message == ("REQUIRED_FIELD_MISSING: Required fields are missing: [LastName] [LastName]")


@pytest.mark.parametrize(
    ("action", "outcome"),
    [(Action.CREATE, Outcome.CREATED), (Action.UPDATE, Outcome.UPDATED), (Action.DELETE, Outcome.UPDATED)],
)
def test_success_means_what_the_action_does(action: Action, outcome: Outcome) -> None:
    """`created` stands on the upsert path only."""
    assert _one({"id": "003A", "success": True, "errors": []}, action).outcome is outcome


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"success": "true"},
        {"success": False},
        {"success": False, "errors": []},
        {"success": True, "errors": [{"statusCode": "X"}]},
    ],
)
def test_neither_yes_nor_no_is_in_doubt(entry: dict[str, Any]) -> None:
    """A record needs a clear word."""
    result = _one(entry)
    assert result.code in {"V512", "V511"}
    assert result.outcome in {Outcome.IN_DOUBT, Outcome.REJECTED}
    assert result.outcome is Outcome.IN_DOUBT or entry.get("success") is False


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", "null", "[7, 7]", "[[], []]", "<html>", '[{"success":true,"success":true}]']
)
def test_an_answer_without_a_result_for_each_record_is_a_doubt(body: str) -> None:
    """Counts that differ, foreign pages, cut texts."""
    problem = read_results(_answer(body), _step(), 2)
    assert isinstance(problem, Problem)
    assert problem.trouble is Trouble.BROKEN


def test_nothing_to_do_is_no_fault() -> None:
    """What is deleted is deleted, and a member is a member."""
    gone = _one(_refusal("ENTITY_IS_DELETED", "entity is deleted"), Action.DELETE)
    member = _one(_refusal("DUPLICATE_VALUE", "Already a campaign member."), Action.CREATE)
    again = _one(_refusal("ENTITY_IS_DELETED", "entity is deleted"), Action.UPDATE)
    assert [each.outcome for each in (gone, member, again)] == [Outcome.SKIPPED, Outcome.SKIPPED, Outcome.REJECTED]


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", "V509"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: UNABLE_TO_LOCK_ROW, ...", "V509"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: boom", "V508"),
        ("DUPLICATE_VALUE", "Duplicate external id specified: K-1", "V513"),
        ("DUPLICATE_VALUE", "duplicate value found: K duplicates value on record with id: 0015g00000BbZz1", "V503"),
        ("DUPLICATE_EXTERNAL_ID", "x", "V504"),
        ("BRAND_NEW_CODE", "x", "V511"),
    ],
)
def test_codes_tell_what_to_change(code: str, message: str, expected: str) -> None:
    """A lock may hide in a trigger's text; one code has two meanings."""
    assert _one(_refusal(code, message)).code == expected


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Last Name: data value too large: Wolfeschlegel (max length=80)", "Last Name: too long (max length=80)"),
        ("Email: invalid email address: ada@", "Email: invalid email address"),
        ("Level: bad value for restricted picklist field: Ada", "Level: bad value for a picklist"),
        ("Duplicate external id specified: ada@b.co", "Duplicate external id specified"),
        (
            "Foreign key external ID: a-404 not found for field Crm_Key__c in entity Account",
            "no Account with that Crm_Key__c",
        ),
        ("No such column 'x' on sobject of type Contact", "No such column 'x' on sobject of type Contact"),
        ("entity is deleted", "entity is deleted"),
        ("Use one of these records? Ada Okafor", "otherwise"),
        ("", "otherwise"),
    ],
)
def test_messages_pass_only_in_known_forms(message: str, shown: str) -> None:
    """Labels, fields and ids stay, values go, and a new form is not trusted."""
    assert clean(message, "otherwise") == shown


@pytest.mark.parametrize(
    ("status", "code", "message", "trouble"),
    [
        (401, "INVALID_SESSION_ID", "Session expired or invalid", Trouble.TOKEN),
        (401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", Trouble.DENIED),
        (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", Trouble.QUOTA),
        (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.", Trouble.CONCURRENCY),
        (403, "API_DISABLED_FOR_ORG", "", Trouble.DENIED),
        (400, "UNABLE_TO_LOCK_ROW", "", Trouble.BUSY),
        (400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed", Trouble.REFUSED),
        (400, "EXCEEDEDQUOTA", "", Trouble.QUOTA),
        (400, "EXCEEDED_ID_LIMIT", "", Trouble.TOO_LARGE),
        (404, "NOT_FOUND", "The requested resource does not exist", Trouble.REFUSED),
        (500, "UNKNOWN_EXCEPTION", "", Trouble.BROKEN),
        (503, "SERVER_UNAVAILABLE", "", Trouble.BROKEN),
        (503, "UNABLE_TO_LOCK_ROW", "", Trouble.BROKEN),
    ],
)
def test_error_lists_are_read_with_their_status(status: int, code: str, message: str, trouble: Trouble) -> None:
    """The code refines a 4xx; a 5xx leaves it open whatever it says."""
    problem = read_nothing(_answer([{"message": message, "errorCode": code}], status))
    assert isinstance(problem, Problem)
    assert (problem.trouble, problem.code) == (trouble, code)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (302, Trouble.MOVED),
        (300, Trouble.MOVED),
        (400, Trouble.REFUSED),
        (408, Trouble.BROKEN),
        (413, Trouble.TOO_LARGE),
        (420, Trouble.BUSY),
        (429, Trouble.BUSY),
        (431, Trouble.TOO_LARGE),
        (502, Trouble.BROKEN),
        (504, Trouble.BROKEN),
    ],
)
@pytest.mark.parametrize("body", ["", "<html>", "[]", "[7]", "7"])
def test_pages_without_a_code_are_read_by_their_status(status: int, trouble: Trouble, body: str) -> None:
    """Edges and maintenance pages have no error list."""
    problem = read_nothing(_answer(body, status))
    assert isinstance(problem, Problem)
    assert problem.trouble is trouble


def test_a_single_error_object_is_read_too() -> None:
    """Some resources answer an object instead of a list."""
    problem = read_nothing(_answer({"errorCode": "NOT_FOUND", "message": "x"}, 404))
    assert isinstance(problem, Problem)
    assert (problem.code, problem.is_about_caller) == ("NOT_FOUND", True)


def test_a_success_without_a_body_is_a_success() -> None:
    """201 and 204 say all with their status."""
    assert read_nothing(_answer("", 201)) is True
    assert read_nothing(_answer("", 204)) is True


JOB = {"id": "750A", "state": "JobComplete", "object": "Contact", "createdById": "005A"}


def test_a_job_is_its_state_and_counts() -> None:
    """Counts are absent before the upload; only the state ends polling."""
    done = read_job(
        _answer(JOB | {"numberRecordsProcessed": 3, "numberRecordsFailed": 1, "apiActiveProcessingTime": 7})
    )
    fresh = read_job(_answer(JOB | {"state": "Open"}))
    assert done == Job("750A", "JobComplete", 3, 1, 7, "", "Contact", "005A")
    assert isinstance(fresh, Job)
    assert (fresh.processed, fresh.is_over, fresh.is_under_way) == (None, False, False)


@pytest.mark.parametrize(
    ("job", "did_nothing"),
    [
        (Job("7", "Aborted"), True),
        (Job("7", "Aborted", 0, 0), True),
        (Job("7", "Aborted", 0, 0, 12), False),
        (Job("7", "Aborted", 5, 0), False),
        (Job("7", "Failed", 0, 0), False),
        (Job("7", "Open"), False),
    ],
)
def test_only_an_aborted_job_that_never_worked_did_nothing(job: Job, did_nothing: bool) -> None:  # noqa: FBT001 - the expected value
    """Aborting does not roll back."""
    assert job.did_nothing is did_nothing


@pytest.mark.parametrize(
    "body", [[JOB], {}, {"id": "750A"}, {"id": 7, "state": "Open"}, 7, "", {"done": True, "records": []}]
)
def test_an_answer_that_is_no_job_is_a_doubt(body: object) -> None:
    """A redirected creation answers with the list of jobs, and a 200."""
    problem = read_job(_answer(body))
    assert isinstance(problem, Problem)
    assert problem.trouble is Trouble.BROKEN


def test_lists_come_in_pages() -> None:
    """Jobs and records, with the link to the next page; foreign entries are left out."""
    page = {"done": False, "records": [JOB, 7], "nextRecordsUrl": "/services/data/v61.0/jobs/ingest?queryLocator=1"}
    jobs = read_jobs(_answer(page))
    assert jobs == ((Job("750A", "JobComplete", object="Contact", created_by="005A"),), page["nextRecordsUrl"])
    assert read_jobs(_answer({"records": [], "nextRecordsUrl": None})) == ((), "")
    record = {"attributes": {"type": "Contact"}, "Id": "003A"}
    assert read_query(_answer({"done": True, "records": [record], "nextRecordsUrl": "/x"})) == ([{"Id": "003A"}], "")
    assert read_query(_answer({"done": False, "records": [record], "nextRecordsUrl": "/x"})) == ([{"Id": "003A"}], "/x")
    for read in (read_jobs, read_query):
        for body in ([], {"records": 7}, "<html>"):
            assert isinstance(read(_answer(body)), Problem)


def test_limits_and_the_header_tell_the_days_calls() -> None:
    """Both give what is used and what is allowed."""
    assert read_limits(_answer({"DailyApiRequests": {"Max": 15000, "Remaining": 14982}})) == (18, 15000)
    assert isinstance(read_limits(_answer({"DailyApiRequests": {"Max": "many"}})), Problem)
    assert isinstance(read_limits(_answer([])), Problem)
    assert isinstance(read_limits(_answer("", 500)), Problem)
    shown = {"sforce-limit-info": "api-usage=10018/100000; per-app-api-usage=17/250(appName=x)"}
    assert usage_of(_answer("", **shown)) == (10018, 100000)
    assert usage_of(_answer("")) is None
    assert usage_of(_answer("", **{"sforce-limit-info": "per-app-api-usage=17/250(appName=x)"})) is None


ORIGIN = "https://acme.my.salesforce.com"
TOKEN = {"access_token": "00D!x", "instance_url": ORIGIN, "id": f"{ORIGIN}/id/00D/005A", "issued_at": "1"}


def _token(body: object, status: int = 200) -> Token | Problem:
    return read_token(_answer(body, status), ORIGIN, sandbox=False, allowed_hosts=frozenset())


def test_a_token_names_its_host_and_user() -> None:
    """The answer's host is used when it is the vendor's."""
    token = _token(TOKEN)
    assert isinstance(token, Token)
    assert (token.text, token.origin, token.user) == ("00D!x", ORIGIN, "005A")
    other = _token(TOKEN | {"instance_url": "https://acme--uat.sandbox.my.salesforce.com/"})
    assert isinstance(other, Token)
    assert other.origin == "https://acme--uat.sandbox.my.salesforce.com"


@pytest.mark.parametrize(
    "url", ["https://evil.example", "http://acme.my.salesforce.com", "https://127.0.0.1", "//x", "x"]
)
def test_a_token_for_another_host_is_refused(url: str) -> None:
    """Nothing is ever sent there."""
    with pytest.raises(PlanRefusedError):
        _token(TOKEN | {"instance_url": url})


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (400, {"error": "invalid_grant", "error_description": "request not supported on this domain"}, Trouble.DENIED),
        (400, "<html>", Trouble.DENIED),
        (302, "", Trouble.MOVED),
        (200, "", Trouble.BROKEN),
        (200, {"access_token": "x"}, Trouble.BROKEN),
        (200, {"access_token": "", "instance_url": ORIGIN}, Trouble.BROKEN),
        (503, TOKEN, Trouble.BROKEN),
    ],
)
def test_a_sign_in_without_a_token_is_a_problem(status: int, body: object, trouble: Trouble) -> None:
    """A 4xx is final; silence may be asked again."""
    problem = _token(body, status)
    assert isinstance(problem, Problem)
    assert problem.trouble is trouble


def _field(**members: Any) -> dict[str, Any]:
    usual = {
        "name": "X__c",
        "label": "X",
        "type": "string",
        "length": 80,
        "createable": True,
        "updateable": True,
        "nillable": True,
    }
    return usual | members


def test_describe_reads_keys_requirement_and_picklists() -> None:
    """External ids and lookup fields are keys; required is what has neither null nor default."""
    fields = [
        _field(name="Id", type="id", length=18, createable=False, updateable=False, nillable=False),
        _field(name="Key__c", externalId=True, unique=True, caseSensitive=True),
        _field(name="Email", type="email", idLookup=True),
        _field(name="LastName", nillable=False),
        _field(name="OwnerId", type="reference", nillable=False, defaultedOnCreate=True, referenceTo=["User"]),
        _field(name="Flag__c", type="boolean", nillable=False),
        _field(name="Amount", type="currency", precision=18, scale=2, length=0),
        _field(name="Count__c", type="int", digits=9, length=0, precision=0),
        _field(
            name="Level__c",
            type="picklist",
            restrictedPicklist=True,
            picklistValues=[{"value": "A", "active": True}, {"value": "B", "active": False}],
        ),
        _field(
            name="Tags__c",
            type="multipicklist",
            restrictedPicklist=True,
            picklistValues=[{"value": "A", "active": True}],
        ),
        _field(name="MailingAddress", type="address"),
    ]
    schema = read_schema(_answer({"fields": fields}), "Contact")
    assert not isinstance(schema, Problem)
    assert [field.name for field in schema.fields if field.is_key] == ["Email", "Id", "Key__c"]
    assert [field.name for field in schema.fields if field.is_required] == ["LastName"]
    assert [field.name for field in schema.fields if field.is_read_only] == ["Id"]
    assert [field.name for field in schema.fields if field.is_restricted] == ["Level__c"]
    by_name = {field.name: field for field in schema.fields}
    assert "MailingAddress" not in by_name
    assert by_name["Level__c"].picklist == ("A",)
    assert (by_name["Amount"].type, by_name["Amount"].precision, by_name["Amount"].scale) == (FieldType.DECIMAL, 18, 2)
    assert (by_name["Count__c"].type, by_name["Count__c"].precision) == (FieldType.INTEGER, 9)
    assert by_name["OwnerId"].reference_to == ("User",)
    assert by_name["Key__c"].is_case_sensitive


@pytest.mark.parametrize("answer", [_answer([]), _answer({}), _answer([{"errorCode": "NOT_FOUND"}], 404)])
def test_an_object_without_fields_is_a_problem(answer: Response) -> None:
    """Unknown objects and foreign answers give no schema."""
    assert isinstance(read_schema(answer, "X"), Problem)


def test_every_code_has_words() -> None:
    """The table leaves nobody without an explanation."""
    assert all(each.words and each.code.startswith("V5") for each in RECORD_CODES.values())
