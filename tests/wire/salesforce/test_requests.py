"""Salesforce's requests, to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncer.engine.protocol import Payload
from syncer.facts import Action, FieldType
from syncer.secret import Secret
from syncer.targets.endpoint import Endpoint
from syncer.targets.exchange import Request, Upload
from syncer.targets.protocol import Step
from syncer.targets.salesforce.request import Api, literal, soql
from syncer.targets.salesforce.token import token_request

API = Api("61.0")
BASE = "/services/data/v61.0"
RECORDS = b'[{"attributes":{"type":"Contact"},"Id":"003A"},{"Id":"003B"}]'


def _step(action: Action = Action.UPSERT, key: str = "Crm_Key__c", name: str = "Contact") -> Step:
    return Step("op", "sf", name, "collections", action, (key,))


def _line(built: Request) -> str:
    assert isinstance(built.body, bytes)
    return f"{built.method} {built.target} {built.body.decode()}"


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (Action.CREATE, 'POST {0}/composite/sobjects {{"allOrNone":false,"records":{1}}}'),
        (Action.UPDATE, 'PATCH {0}/composite/sobjects {{"allOrNone":false,"records":{1}}}'),
        (Action.UPSERT, 'PATCH {0}/composite/sobjects/Contact/Crm_Key__c {{"allOrNone":false,"records":{1}}}'),
        (Action.DELETE, "DELETE {0}/composite/sobjects?ids=003A,003B&allOrNone=false "),
    ],
)
def test_collections_take_each_record_for_itself(action: Action, line: str) -> None:
    """Records stand in the envelope untouched; deletes carry ids in the address."""
    built = API.collections(_step(action), RECORDS)
    assert _line(built) == line.format(BASE, RECORDS.decode())
    assert built.is_write


@pytest.mark.parametrize(
    ("action", "body"),
    [
        (Action.UPSERT, '"operation":"upsert","externalIdFieldName":"Crm_Key__c",'),
        (Action.CREATE, '"operation":"insert",'),
        (Action.UPDATE, '"operation":"update",'),
        (Action.DELETE, '"operation":"delete",'),
    ],
)
def test_a_job_says_its_operation_and_form(action: Action, body: str) -> None:
    """Line ends and delimiter are told, not assumed; creating is no write, for an empty job holds nothing."""
    built = API.create_job(_step(action))
    assert _line(built) == (
        f'POST {BASE}/jobs/ingest {{"object":"Contact",{body}'
        '"contentType":"CSV","lineEnding":"LF","columnDelimiter":"COMMA"}'
    )
    assert not built.is_write


def _payload(size: int) -> Payload:
    return Payload(0, 1, [0], [0], ("a",), Path("x.csv"), size, "ab" * 32)


def test_the_upload_is_the_file_alone() -> None:
    """Streamed as CSV, with time for a slow line."""
    built = API.upload("750A", _payload(100_000_000), Path("x.csv"))
    assert (built.method, built.target) == ("PUT", f"{BASE}/jobs/ingest/750A/batches")
    assert built.body == Upload(Path("x.csv"), 100_000_000)
    assert built.seconds >= 250
    assert built.is_write


def test_a_small_job_travels_with_its_rows() -> None:
    """Parts `job` and `content`, the second with a file name, as the page has them."""
    built = API.create_job_with_data(_step(), _payload(9), Path("x.csv"))
    boundary = f"syncer-{'ab' * 20}"
    assert isinstance(built.body, Upload)
    assert built.body.before.decode() == (
        f"--{boundary}\r\nContent-Type: application/json\r\n"
        'Content-Disposition: form-data; name="job"\r\n\r\n'
        '{"object":"Contact","operation":"upsert","externalIdFieldName":"Crm_Key__c",'
        '"contentType":"CSV","lineEnding":"LF","columnDelimiter":"COMMA"}\r\n'
        f"--{boundary}\r\nContent-Type: text/csv\r\n"
        'Content-Disposition: form-data; name="content"; filename="content"\r\n\r\n'
    )
    assert built.body.after.decode() == f"\r\n--{boundary}--\r\n"
    assert built.is_write


def test_states_are_spelled_as_the_bulk_guide_spells_them() -> None:
    """Closing starts the job and is a write; aborting says the same twice."""
    assert _line(API.close_job("750A")) == f'PATCH {BASE}/jobs/ingest/750A {{"state":"UploadComplete"}}'
    assert API.close_job("750A").is_write
    assert _line(API.abort_job("750A")) == f'PATCH {BASE}/jobs/ingest/750A {{"state":"Aborted"}}'
    assert not API.abort_job("750A").is_write


def test_reads_have_the_vendors_addresses() -> None:
    """Job, list, results, limits, describe and query."""
    assert API.job("750A").target == f"{BASE}/jobs/ingest/750A"
    assert API.jobs().target == f"{BASE}/jobs/ingest?jobType=V2Ingest"
    assert API.results("750A", "unprocessedrecords").target == f"{BASE}/jobs/ingest/750A/unprocessedrecords"
    assert API.limits().target == f"{BASE}/limits"
    assert API.describe("A/B").target == f"{BASE}/sobjects/A%2FB/describe"
    assert API.query("SELECT Id FROM C WHERE K IN ('a&b')").target == (
        f"{BASE}/query?q=SELECT%20Id%20FROM%20C%20WHERE%20K%20IN%20%28%27a%26b%27%29"
    )


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("K-1", FieldType.TEXT, "'K-1'"),
        ('O\'Neil \\ "x"\n', FieldType.TEXT, "'O\\'Neil \\\\ \\\"x\\\"\\n'"),
        ("' OR ''='", FieldType.TEXT, "'\\' OR \\'\\'=\\''"),
        (7, FieldType.INTEGER, "7"),
        ("7.50", FieldType.DECIMAL, "7.50"),
        ("7) OR (1=1", FieldType.DECIMAL, None),
        ("2026-01-31", FieldType.DATE, "2026-01-31"),
        ("2026-01-31 OR", FieldType.DATE, None),
        (True, FieldType.BOOLEAN, "True"),
    ],
)
def test_values_cannot_leave_their_place(value: object, kind: FieldType, text: str | None) -> None:
    """Text is escaped, and what is written bare must look like what it is."""
    assert literal(value, kind) == text


def test_a_query_names_fields_object_and_values() -> None:
    """One field, many values."""
    assert (
        soql("Contact", ["Id", "K__c"], "K__c", ["'a'", "'b'"])
        == "SELECT Id, K__c FROM Contact WHERE K__c IN ('a', 'b')"
    )


def test_credentials_travel_in_the_body() -> None:
    """Never in the address, and never in a repr."""
    values: dict[str, Any] = {"name": "s", "system": "salesforce", "base_url": "", "client_id": "id"}
    built = token_request(Endpoint(**values, client_secret=Secret("p%&=w")))
    assert _line(built) == (
        "POST /services/oauth2/token grant_type=client_credentials&client_id=id&client_secret=p%25%26%3Dw"
    )
    assert "p%25" not in repr(built)
