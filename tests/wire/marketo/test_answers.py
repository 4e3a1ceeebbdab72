"""Marketo's answers: text in; outcomes, imports and problems out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncer.facts import Action, FieldType
from syncer.outcome import Outcome
from syncer.targets.exchange import Problem, Response, Trouble
from syncer.targets.marketo.codes import CALL_CODES, RECORD_CODES
from syncer.targets.marketo.describe import read_schema
from syncer.targets.marketo.token import read_token
from syncer.targets.marketo.wire import (
    Envelope,
    ImportStatus,
    clean,
    read_envelope,
    read_file,
    read_import,
    read_poll,
    read_results,
)
from syncer.targets.protocol import Answered, Step
from syncer.targets.sign_in import Token


def _answer(text: str | bytes, status: int = 200) -> Response:
    return Response(status, {}, text.encode() if isinstance(text, str) else text)


def _result(*entries: Any) -> Response:
    return _answer(json.dumps({"requestId": "e42b#19a3f0c2d4e", "result": list(entries), "success": True}))


def _step(action: Action = Action.UPSERT, path: str = "sync") -> Step:
    return Step("op", "marketo", "lead", path, action, ("email",))


def _errors(*pairs: tuple[str, str]) -> Response:
    errors = [{"code": code, "message": message} for code, message in pairs]
    return _answer(json.dumps({"requestId": "r", "success": False, "errors": errors}))


def test_each_record_has_its_own_end() -> None:
    """Created, updated, and skipped with a reason whose value is withheld."""
    reason = {"code": "1003", "message": "Invalid value for field 'score_field' and value 'abc'"}
    answered = read_results(
        _result(
            {"id": 50, "status": "created"}, {"id": 51, "status": "updated"}, {"status": "skipped", "reasons": [reason]}
        ),
        _step(),
        3,
    )
    assert isinstance(answered, Answered)
    assert answered.request_id == "e42b#19a3f0c2d4e"
    assert [(each.outcome, each.target_id) for each in answered.results] == [
        (Outcome.CREATED, "50"),
        (Outcome.UPDATED, "51"),
        (Outcome.REJECTED, ""),
    ]
    assert answered.results[2].code == "V501"
    assert answered.results[2].message == "Marketo 1003: Invalid value for field 'score_field'"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_counts_that_differ_put_all_in_doubt(count: int) -> None:
    """Results are matched by position only where every record has one."""
    problem = read_results(_result({"id": 1, "status": "updated"}, {"id": 2, "status": "updated"}), _step(), count)
    assert isinstance(problem, Problem)
    assert problem.trouble is Trouble.BROKEN


def test_an_unknown_word_is_in_doubt_for_its_row() -> None:
    """The neighbours keep their outcome; the word is told."""
    answered = read_results(_result({"id": 1, "status": "merged"}, {"id": 2, "status": "updated"}), _step(), 2)
    assert isinstance(answered, Answered)
    assert [each.outcome for each in answered.results] == [Outcome.IN_DOUBT, Outcome.UPDATED]
    assert '"merged"' in answered.results[0].message


@pytest.mark.parametrize("status", [None, 7, "<script>", {"a": 1}])
def test_a_status_that_is_no_word_is_in_doubt(status: object) -> None:
    """And is not repeated in the message."""
    answered = read_results(_result({"id": 1, "status": status}), _step(), 1)
    assert isinstance(answered, Answered)
    assert (answered.results[0].outcome, answered.results[0].code) == (Outcome.IN_DOUBT, "V512")
    assert "script" not in answered.results[0].message


def test_words_belong_to_their_call() -> None:
    """`deleted` in the answer to an upsert is as unknown as any other word."""
    answered = read_results(_result({"id": 1, "status": "deleted"}), _step(), 1)
    assert isinstance(answered, Answered)
    assert answered.results[0].outcome is Outcome.IN_DOUBT


def test_a_push_failure_without_a_status_is_a_failure() -> None:
    """A vendor example has an id and reasons, and no status."""
    entry = {"id": 7, "reasons": [{"code": "1004", "message": "Lead not found"}]}
    answered = read_results(_result(entry), _step(path="push"), 1)
    assert isinstance(answered, Answered)
    assert (answered.results[0].outcome, answered.results[0].code) == (Outcome.REJECTED, "V502")


def test_seq_places_a_result() -> None:
    """Objects but leads say which input they answer."""
    answered = read_results(
        _result(
            {"seq": 1, "status": "created", "marketoGUID": "g1"}, {"seq": 0, "status": "updated", "marketoGUID": "g0"}
        ),
        _step(),
        2,
    )
    assert isinstance(answered, Answered)
    assert [each.target_id for each in answered.results] == ["g0", "g1"]


@pytest.mark.parametrize("seqs", [(0, 0), (0, 5), (0, None)])
def test_seqs_that_do_not_fit_put_all_in_doubt(seqs: tuple[int | None, int | None]) -> None:
    """A number twice, out of range or missing tells nothing."""
    entries = [{"status": "updated"} | ({} if seq is None else {"seq": seq}) for seq in seqs]
    assert isinstance(read_results(_result(*entries), _step(), 2), Problem)


@pytest.mark.parametrize(
    ("action", "code"),
    [(Action.DELETE, "1004"), (Action.DELETE, "1013"), (Action.REMOVE, "1015"), (Action.STATUS, "1037")],
)
def test_nothing_to_do_is_no_fault(action: Action, code: str) -> None:
    """Gone is gone, out is out, at the status is at the status."""
    entry = {"id": 1, "status": "skipped", "reasons": [{"code": code, "message": ""}]}
    answered = read_results(_result(entry), _step(action), 1)
    assert isinstance(answered, Answered)
    assert (answered.results[0].outcome, answered.results[0].code) == (Outcome.SKIPPED, "V510")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "<html>Welcome to the hotel</html>",
        '{"requestId":"r","result":[{"id":1,"status":"updated"}]}',
        '{"success":"true","result":[{"id":1,"status":"updated"}]}',
        '{"success":true,"success":true,"result":[{"id":1,"status":"updated"}]}',
        '{"success":true,"result":[{"id":NaN,"status":"updated"}]}',
        '{"success":true,"result":{"id":1}}',
        '{"success":true,"result":[7]}',
        '{"success":false}',
        '{"success":false,"errors":[]}',
        '{"success":false,"errors":[7]}',
        '\ufeff{"success":true,"result":[{"id":1,"status":"updated"}]}',
        "[" * 100_000,
    ],
)
def test_anything_but_a_clear_yes_is_a_doubt(text: str) -> None:
    """Empty, cut, foreign, ambiguous, or without a word of success."""
    problem = read_results(_answer(text), _step(), 1)
    assert isinstance(problem, Problem)
    assert problem.trouble is Trouble.BROKEN


def test_bytes_that_are_no_text_are_a_doubt() -> None:
    """UTF-8 or nothing."""
    assert isinstance(read_results(_answer(b'{"success":true,"result":["\xff"]}'), _step(), 1), Problem)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (301, Trouble.MOVED),
        (307, Trouble.MOVED),
        (400, Trouble.REFUSED),
        (401, Trouble.DENIED),
        (404, Trouble.REFUSED),
        (408, Trouble.BROKEN),
        (413, Trouble.TOO_LARGE),
        (414, Trouble.TOO_LARGE),
        (429, Trouble.BUSY),
        (500, Trouble.BROKEN),
        (502, Trouble.BROKEN),
        (204, Trouble.BROKEN),
        (999, Trouble.BROKEN),
    ],
)
def test_any_other_status_is_read_by_itself(status: int, trouble: Trouble) -> None:
    """A page behind it is not looked at."""
    problem = read_envelope(_answer("<html>", status))
    assert isinstance(problem, Problem)
    assert problem.trouble is trouble


NOT_EXECUTED = [
    "601",
    "602",
    "603",
    "606",
    "607",
    "608",
    "609",
    "610",
    "612",
    "613",
    "615",
    "616",
    "701",
    "702",
    "703",
    "704",
    "709",
    "1016",
]


@pytest.mark.parametrize("code", NOT_EXECUTED)
def test_codes_of_what_was_not_executed_are_no_doubt(code: str) -> None:
    """A write under them may be sent again, or is refused."""
    problem = read_envelope(_errors((code, "x")))
    assert isinstance(problem, Problem)
    assert problem.trouble is not Trouble.BROKEN


@pytest.mark.parametrize("code", ["500", "502", "604", "611", "614", "713", "719", "699", "555", "", "abc"])
def test_codes_that_leave_it_open_are_doubts(code: str) -> None:
    """So are unknown codes of the fifth and sixth hundred, and no code at all."""
    problem = read_envelope(_errors((code, "x")))
    assert isinstance(problem, Problem)
    assert problem.trouble is Trouble.BROKEN


@pytest.mark.parametrize("code", ["799", "1999", "1050"])
def test_unknown_codes_of_the_seventh_hundred_and_thousands_refuse(code: str) -> None:
    """By their class they are about the request."""
    problem = read_envelope(_errors((code, "x")))
    assert isinstance(problem, Problem)
    assert problem.trouble is Trouble.REFUSED


@pytest.mark.parametrize("code", ["601", "602", "604", "605", "608", "611"])
def test_starred_codes_cost_no_quota(code: str) -> None:
    """The page marks them; every other answer is counted."""
    problem = read_envelope(_errors((code, "")))
    assert isinstance(problem, Problem)
    assert not problem.is_counted
    counted = read_envelope(_errors(("606", "")))
    assert isinstance(counted, Problem)
    assert counted.is_counted


def test_codes_may_be_numbers() -> None:
    """The page has texts; some answers have integers."""
    problem = read_envelope(_answer('{"success":false,"errors":[{"code":601,"message":"Access token invalid"}]}'))
    assert isinstance(problem, Problem)
    assert problem.trouble is Trouble.TOKEN


def test_of_several_errors_the_least_certain_counts() -> None:
    """One "system error" among refusals makes the whole call a doubt."""
    problem = read_envelope(_errors(("1003", "x"), ("611", "System error")))
    assert isinstance(problem, Problem)
    assert (problem.trouble, problem.code) == (Trouble.BROKEN, "611")


@pytest.mark.parametrize(
    ("code", "message", "is_about_caller"),
    [
        ("1006", "Lookup field 'userId' not found", True),
        ("1006", "Field 'nope' not found", False),
        ("1003", "Invalid dedupeBy 'yoyoto' value", True),
        ("1003", "Invalid value for field 'a' and value 'b'", False),
        ("610", "Requested resource not found", True),
    ],
)
def test_the_frame_and_the_records_are_told_apart(code: str, message: str, is_about_caller: bool) -> None:  # noqa: FBT001 - the expected value
    """Where the frame is wrong, no smaller request will do."""
    problem = read_envelope(_errors((code, message)))
    assert isinstance(problem, Problem)
    assert problem.is_about_caller is is_about_caller


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Invalid value for field 'email' and value 'ada@b.co'", "Invalid value for field 'email'"),
        ("Invalid value for field 'a' and value 'x'y\nz'", "Invalid value for field 'a'"),
        ("Invalid value 'ada'. Required of type 'integer'", "Required of type 'integer'"),
        ("Field 'x' not found", "Field 'x' not found"),
        ("Lead already exists", "Lead already exists"),
        ("ada@b.co is not welcome", "otherwise"),
        ("", "otherwise"),
    ],
)
def test_messages_pass_only_in_known_forms(message: str, shown: str) -> None:
    """Names of fields stay, values go, and a new form is not trusted."""
    assert clean(message, "otherwise") == shown


def test_pages_go_on_while_something_comes() -> None:
    """A token without `moreResult` counts; an empty page or `moreResult: false` ends it."""
    page = {"success": True, "result": [1], "nextPageToken": "T=="}
    seen = [
        page,
        page | {"moreResult": True},
        page | {"moreResult": False},
        page | {"result": []},
        page | {"nextPageToken": ""},
    ]
    envelopes = [read_envelope(_answer(json.dumps(each))) for each in seen]
    assert [each.next_page for each in envelopes if isinstance(each, Envelope)] == ["T==", "T==", "", "", ""]


def test_imports_of_all_kinds_read_alike() -> None:
    """Custom objects count objects, ids come as text or number, counters may be missing."""
    lead = {"batchId": 1022, "importId": "1022", "status": "Complete", "numOfLeadsProcessed": 2, "numOfRowsFailed": 1}
    custom = {"batchId": 5, "status": "Importing", "numOfObjectsProcessed": 3, "numOfRowsWithWarning": 1}
    assert read_import(_result(lead)) == ImportStatus("1022", "Complete", 2, 1, None)
    assert read_import(_result(custom)) == ImportStatus("5", "Importing", 3, None, 1)
    first, second = read_import(_result(lead)), read_import(_result(custom))
    assert isinstance(first, ImportStatus)
    assert isinstance(second, ImportStatus)
    assert (first.is_over, second.is_over) == (True, False)


@pytest.mark.parametrize("entries", [(), ({},), ({"batchId": True, "status": "Queued"},), ({"batchId": 1},), (7,)])
def test_an_import_without_a_name_is_a_doubt(entries: tuple[Any, ...]) -> None:
    """The job may run, and nobody knows under which number."""
    problem = read_import(_result(*entries))
    assert isinstance(problem, Problem)
    assert problem.trouble is Trouble.BROKEN


def test_a_poll_of_a_forgotten_import_is_told_from_a_broken_one() -> None:
    """An empty result is "no such import"; a refusal stays one."""
    empty, refused = read_poll(_result()), read_poll(_errors(("1013", "Object not found")))
    assert isinstance(empty, Problem)
    assert isinstance(refused, Problem)
    assert (empty.trouble, refused.trouble) == (Trouble.REFUSED, Trouble.REFUSED)
    assert isinstance(read_poll(_result({"batchId": 1, "status": "Queued"})), ImportStatus)


def test_a_missing_failures_file_is_no_error() -> None:
    """404 says that nothing failed; any other status is one."""
    assert read_file(_answer("", 404)) is False
    assert read_file(_answer("")) is True
    assert isinstance(read_file(_answer("", 502)), Problem)


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        (3599, 3599),
        ("3599", 3599),
        (0, 0),
        (-5, 0),
        (10**9, 3600),
        ("soon", 3600),
        (None, 3600),
        ("nan", 3600),
        ("inf", 3600),
    ],
)
def test_any_life_of_a_token_is_taken(life: object, seconds: float) -> None:
    """Text, nothing, negative, too long: the token is used all the same."""
    token = read_token(_answer(json.dumps({"access_token": "t:int", "expires_in": life})), "https://a")
    assert isinstance(token, Token)
    assert (token.text, token.origin, token.life_seconds) == ("t:int", "https://a", seconds)


@pytest.mark.parametrize(
    ("status", "text", "trouble"),
    [
        (401, '{"error":"invalid_client","error_description":"Bad client credentials"}', Trouble.DENIED),
        (400, "<html>", Trouble.DENIED),
        (302, "", Trouble.MOVED),
        (200, "", Trouble.BROKEN),
        (200, '{"access_token":""}', Trouble.BROKEN),
        (200, '{"access_token":"a\\nb"}', Trouble.BROKEN),
        (200, "[]", Trouble.BROKEN),
        (502, '{"access_token":"t"}', Trouble.BROKEN),
    ],
)
def test_a_sign_in_without_a_token_is_a_problem(status: int, text: str, trouble: Trouble) -> None:
    """A 4xx is final; silence may be asked again."""
    problem = read_token(_answer(text, status), "https://a")
    assert isinstance(problem, Problem)
    assert problem.trouble is trouble


def test_what_a_sign_in_says_is_not_repeated() -> None:
    """Descriptions may echo the client id, so only known words pass."""
    shown = read_token(_answer('{"error":"id-12345 unknown"}', 401), "https://a")
    known = read_token(_answer('{"error":"invalid_client"}', 401), "https://a")
    assert isinstance(shown, Problem)
    assert isinstance(known, Problem)
    assert (shown.message, known.message) == ("HTTP 401", "invalid_client")


def test_describe_reads_types_keys_and_parents() -> None:
    """Searchable and dedupe fields are keys; link fields name their parent; system fields cannot be written."""
    entry = {
        "name": "car_c",
        "dedupeFields": ["vin"],
        "searchableFields": [["vin"], ["marketoGUID"]],
        "relationships": [
            {"field": "leadId", "type": "child", "relatedTo": {"name": "Lead", "field": "id"}},
            {"field": "x"},
        ],
        "fields": [
            {"name": "vin", "displayName": "VIN", "dataType": "string", "length": 255, "updateable": True},
            {"name": "leadId", "displayName": "Lead", "dataType": "integer", "updateable": True},
            {"name": "notes", "displayName": "Notes", "dataType": "text", "updateable": True},
            {"name": "price", "displayName": "Price", "dataType": "currency", "updateable": True},
            {"name": "createdAt", "displayName": "Created", "dataType": "datetime", "updateable": False},
            {"displayName": "nameless"},
        ],
    }
    schema = read_schema(_result(entry), "car_c")
    assert not isinstance(schema, Problem)
    vin, lead, notes, price, created = (schema.field(name) for name in ("vin", "leadId", "notes", "price", "createdAt"))
    assert vin is not None
    assert lead is not None
    assert notes is not None
    assert price is not None
    assert created is not None
    assert (vin.is_key, vin.is_required, vin.is_unique, vin.max_length) == (True, True, True, 255)
    assert (lead.type, lead.reference_to, lead.is_key) == (FieldType.INTEGER, ("lead",), False)
    assert (notes.max_length, price.type, created.is_read_only) == (2_000, FieldType.FLOAT, True)


@pytest.mark.parametrize("answer", [_result(), _result({}), _result(7), _errors(("603", "Access denied"))])
def test_an_object_without_fields_is_a_problem(answer: Response) -> None:
    """Unknown objects and refusals give no schema."""
    assert isinstance(read_schema(answer, "car_c"), Problem)


def test_every_code_has_words() -> None:
    """The tables leave nobody without an explanation."""
    assert all(each.words for each in CALL_CODES.values())
    assert all(each.words and each.code.startswith("V5") for each in RECORD_CODES.values())
