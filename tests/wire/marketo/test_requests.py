"""Marketo's requests, to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncer.engine.protocol import Payload
from syncer.facts import Action
from syncer.secret import Secret
from syncer.targets.endpoint import Endpoint
from syncer.targets.exchange import Request, Upload
from syncer.targets.marketo import request
from syncer.targets.marketo.token import token_request
from syncer.targets.protocol import Step

RECORDS = b'[{"email":"a@b.co","firstName":null}]'
IDS = b'[{"id":1,"email":"a@b.co"},{"id":2}]'


def _step(path: str, action: Action = Action.UPSERT, key: str = "email", name: str = "lead", **options: str) -> Step:
    return Step("op", "marketo", name, path, action, tuple(key.split()), tuple(options.items()))


def _line(built: Request) -> str:
    assert isinstance(built.body, bytes)
    return f"{built.method} {built.target} {built.body.decode()}"


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (
            _step("sync"),
            'POST /rest/v1/leads.json {"action":"createOrUpdate","lookupField":"email","input":%s}',
        ),
        (
            _step("sync", Action.CREATE, partition='EM"EA'),
            (
                'POST /rest/v1/leads.json {"action":"createOnly","lookupField":"email",'
                '"partitionName":"EM\\"EA","input":%s}'
            ),
        ),
        (
            _step("sync", Action.UPDATE, "id", partition="EMEA"),
            'POST /rest/v1/leads.json {"action":"updateOnly","lookupField":"id","input":%s}',
        ),
        (_step("sync", Action.DUPLICATE), 'POST /rest/v1/leads.json {"action":"createDuplicate","input":%s}'),
        (
            _step("push", program="Webinar", status="Sent"),
            (
                'POST /rest/v1/leads/push.json {"lookupField":"email","programName":"Webinar",'
                '"programStatus":"Sent","input":%s}'
            ),
        ),
        (
            _step("sync", key="vin", name="car_c"),
            'POST /rest/v1/customobjects/car_c.json {"action":"createOrUpdate","dedupeBy":"dedupeFields","input":%s}',
        ),
        (
            _step("sync", Action.UPDATE, "marketoGUID", "car_c"),
            'POST /rest/v1/customobjects/car_c.json {"action":"updateOnly","dedupeBy":"idField","input":%s}',
        ),
        (
            _step("data", Action.UPDATE, "leadId", "program_member", program="7"),
            'POST /rest/v1/programs/7/members.json {"input":%s}',
        ),
    ],
)
def test_records_stand_in_the_envelope_untouched(step: Step, line: str) -> None:
    """The engine's bytes are framed, not read."""
    built = request.write(step, RECORDS, {"program": "7"})
    assert _line(built) == line % RECORDS.decode()
    assert built.is_write
    assert dict(built.headers) == {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (_step("delete", Action.DELETE, "id"), 'POST /rest/v1/leads/delete.json {"input":[{"id":1},{"id":2}]}'),
        (
            _step("delete", Action.DELETE, "email", "car_c"),
            'POST /rest/v1/customobjects/car_c/delete.json {"deleteBy":"dedupeFields","input":[{"email":"a@b.co"},{}]}',
        ),
        (_step("list", Action.ADD, "id", list="9"), 'POST /rest/v1/lists/9/leads.json {"input":[{"id":1},{"id":2}]}'),
        (_step("list", Action.REMOVE, "id", list="9"), "DELETE /rest/v1/lists/9/leads.json?id=1,2 "),
    ],
)
def test_keys_alone_are_sent_where_nothing_else_may_be(step: Step, line: str) -> None:
    """Deletes and lists carry the key; any other member would be refused."""
    built = request.write(step, IDS, {"list": "9"})
    assert _line(built) == line
    assert built.is_write


def test_members_are_told_apart_by_path() -> None:
    """Status and removal have addresses of their own."""
    records = b'[{"leadId":5,"x":1}]'
    status = _step("status", Action.STATUS, "leadId", "program_member", program="7", status="Sent")
    delete = _step("delete", Action.DELETE, "leadId", "program_member", program="7")
    assert _line(request.write(status, records, {"program": "7"})) == (
        'POST /rest/v1/programs/7/members/status.json {"statusName":"Sent","input":[{"leadId":5}]}'
    )
    assert _line(request.write(delete, records, {"program": "7"})) == (
        'POST /rest/v1/programs/7/members/delete.json {"input":[{"leadId":5}]}'
    )


def test_a_write_waits_longer_than_the_server() -> None:
    """Sync Leads gives up after 90 s at the vendor's; the client's deadline is later, and under 130 s."""
    assert 90 < request.write(_step("sync"), RECORDS, {}).seconds <= 130


def _payload(path: Path) -> Payload:
    return Payload(0, 1, [0], [0], ("email",), path, 13, "ab" * 32)


@pytest.mark.parametrize(
    ("step", "target"),
    [
        (
            _step("bulk", list="x", partition="E&A"),
            "/bulk/v1/leads.json?format=csv&lookupField=email&listId=9&partitionName=E%26A",
        ),
        (_step("bulk", name="car_c"), "/bulk/v1/customobjects/car_c/import.json?format=csv"),
        (
            _step("bulk", Action.STATUS, name="program_member", program="7", status="No Show"),
            "/bulk/v1/program/7/members/import.json?format=csv&programMemberStatus=No%20Show",
        ),
    ],
)
def test_imports_frame_the_file(step: Step, target: str) -> None:
    """One file part named `file`, streamed; the boundary is the file's digest, so a resume sends equal bytes."""
    ids = {"program": "7"} | ({"list": "9"} if "list" in dict(step.options) else {})
    built = request.import_file(step, _payload(Path("x.csv")), Path("x.csv"), ids)
    assert (built.method, built.target) == ("POST", target)
    assert isinstance(built.body, Upload)
    boundary = f"syncer-{'ab' * 20}"
    assert dict(built.headers) == {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert (
        built.body.before
        == (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="records.csv"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        ).encode()
    )
    assert built.body.after == f"\r\n--{boundary}--\r\n".encode()
    assert len(built.body.before) + len(built.body.after) < 1_024
    assert built.length == 13 + len(built.body.before) + len(built.body.after)


@pytest.mark.parametrize(
    ("name", "status", "failures"),
    [
        ("lead", "/bulk/v1/leads/batch/5.json", "/bulk/v1/leads/batch/5/failures.json"),
        (
            "program_member",
            "/bulk/v1/program/members/import/5/status.json",
            "/bulk/v1/program/members/import/5/failures.json",
        ),
        (
            "car_c",
            "/bulk/v1/customobjects/car_c/import/5/status.json",
            "/bulk/v1/customobjects/car_c/import/5/failures.json",
        ),
    ],
)
def test_polls_and_files_have_the_vendors_addresses(name: str, status: str, failures: str) -> None:
    """Program members drop the program from the path."""
    assert request.import_status(name, "5").target == status
    assert request.import_results(name, "5", "failures").target == failures
    assert not request.import_status(name, "5").is_write


def test_reads_go_in_a_form_body() -> None:
    """Three hundred values do not fit an address, so `_method=GET` is used; values are percent-encoded."""
    built = request.find("/rest/v1/leads.json", "email", ["a+b@c.co", "ü"], ["id", "email"], "")
    assert _line(built) == (
        "POST /rest/v1/leads.json?_method=GET "
        "filterType=email&filterValues=a%2Bb%40c.co%2C%C3%BC&fields=id%2Cemail&batchSize=300"
    )
    assert not built.is_write
    assert request.find("/x", "id", ["1"], ["id"], "TOKEN==").body.endswith(b"&nextPageToken=TOKEN%3D%3D")  # type: ignore[union-attr]


def test_compound_keys_go_in_a_json_body() -> None:
    """Each element carries every key field."""
    built = request.find_compound("seat_c", [{"a": "1", "b": 2}], ["label"], "T")
    assert _line(built) == (
        "POST /rest/v1/customobjects/seat_c.json?_method=GET "
        '{"filterType":"dedupeFields","fields":["label"],"input":[{"a":"1","b":2}],"batchSize":300,"nextPageToken":"T"}'
    )


def test_names_are_quoted_into_addresses() -> None:
    """A name cannot leave its place in the path or the query."""
    assert request.describe("a/../b_c").target == "/rest/v1/customobjects/a%2F..%2Fb_c/describe.json"
    assert request.list_by_name("a&b=c").target == "/rest/v1/lists.json?name=a%26b%3Dc"
    assert request.list_members("1/2", ["3", "4"]).target == "/rest/v1/lists/1%2F2/leads/ismember.json?id=3,4"


def test_credentials_travel_in_the_body() -> None:
    """Never in the address, and never in a repr."""
    values: dict[str, Any] = {"name": "m", "system": "marketo", "base_url": "", "client_id": "id"}
    built = token_request(Endpoint(**values, client_secret=Secret("p%&=w")))
    assert _line(built) == (
        "POST /identity/oauth/token grant_type=client_credentials&client_id=id&client_secret=p%25%26%3Dw"
    )
    assert "p%25" not in repr(built)
