"""Rules of "Bulk Import", "Bulk Lead Import", "Bulk Program Member Import" and "Bulk Custom Object Import"."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from syncer.sandbox.faults import Action, FaultRule, When

pytestmark = pytest.mark.anyio
STATUS = "/bulk/v1/leads/batch/{}.json"


async def _status(instance: Any, batch_id: int, path: str = STATUS) -> dict[str, Any]:
    answer = await instance.get(path.format(batch_id))
    return answer["result"][0]


async def _file(instance: Any, batch_id: int, kind: str) -> str:
    return (await instance.client.get(f"/bulk/v1/leads/batch/{batch_id}/{kind}.json")).text


async def test_a_job_goes_from_queued_over_importing_to_complete(instance: Any) -> None:
    """It gets on by the clock alone, polled or not."""
    made = await instance.upload("email,firstName\na@example.com,A\n")
    assert made["result"] == [{"batchId": 1001, "importId": "1001", "status": "Queued"}]
    await instance.wait(3)
    assert (await _status(instance, 1001))["status"] == "Importing"
    await instance.wait(30)
    assert await _status(instance, 1001) == {
        "batchId": 1001,
        "importId": "1001",
        "status": "Complete",
        "numOfLeadsProcessed": 1,
        "numOfRowsFailed": 0,
        "numOfRowsWithWarning": 0,
        "message": "Import succeeded, 1 records imported (1 members)",
    }


async def test_failed_rows_leave_the_job_complete(instance: Any) -> None:
    """`processed` counts what was imported; a bad e-mail is a warning, a bad number a failure."""
    rows = "email,firstName,integer_field\na@example.com,A,1\nb@example.com,B,many\nabcds,C,3\n"
    await instance.upload(rows)
    await instance.wait(30)
    status = await _status(instance, 1001)
    assert (status["numOfLeadsProcessed"], status["numOfRowsFailed"], status["numOfRowsWithWarning"]) == (2, 1, 1)
    assert status["message"] == "Import completed with errors, 2 records imported (2 members), 1 failed"
    assert await _file(instance, 1001, "failures") == (
        "email,firstName,integer_field,Import Failure Reason\n"
        "b@example.com,B,many,Invalid data type in field integer_field\n"
    )
    assert await _file(instance, 1001, "warnings") == (
        "email,firstName,integer_field,Import Warning Reason\nabcds,C,3,Invalid email address\n"
    )


async def test_columns_that_are_empty_in_all_failed_rows_are_left_out(instance: Any) -> None:
    """A row that fails for want of an e-mail comes back without the e-mail column."""
    await instance.upload("firstName;email\nAda;\nBob;b@example.com\n", format="ssv")
    await instance.wait(30)
    assert await _file(instance, 1001, "failures") == (
        "firstName;Import Failure Reason\nAda;Value for lookup field 'email' not found\n"
    )
    assert await _file(instance, 1001, "warnings") == ""


async def test_ten_jobs_wait_or_work_and_two_of_them_work(instance: Any) -> None:
    """The eleventh is 1016; there is room again when one has ended."""
    for number in range(10):
        assert (await instance.upload(f"email\nn{number}@example.com\n"))["success"]
    answer = await instance.upload("email\nlate@example.com\n")
    message = "There are 10 imports currently being processed. Please try again later"
    assert answer["errors"] == [{"code": "1016", "message": message}]
    await instance.wait(2)
    states = [(await _status(instance, 1001 + number))["status"] for number in range(10)]
    assert states == ["Importing"] * 2 + ["Queued"] * 8
    await instance.wait(6)
    assert (await instance.upload("email\nlate@example.com\n"))["success"]


async def test_an_import_and_a_sync_of_one_key_make_two_leads(instance: Any) -> None:
    """The job looked the key up before the call wrote it ("Leads": duplicates of parallel upserts)."""
    await instance.upload("email\nfirst@example.com\na@example.com\n")
    await instance.wait(2)
    assert (await instance.sync({"email": "a@example.com"}))[0]["status"] == "created"
    await instance.wait(30)
    emails = [lead["email"] for lead in instance.world.state()["leads"]]
    assert emails == ["a@example.com", "a@example.com", "first@example.com"]


async def test_two_jobs_with_one_key_make_two_leads(instance: Any) -> None:
    """Two jobs work at once, and neither sees the other."""
    async with anyio.create_task_group() as uploads:
        for _ in range(2):
            uploads.start_soon(instance.upload, "email\na@example.com\n")
    await instance.wait(30)
    assert len(instance.world.state()["leads"]) == 2


async def test_the_same_key_twice_in_a_file_is_one_lead(instance: Any) -> None:
    """The later row wins."""
    await instance.upload("email,firstName\na@example.com,A\nA@example.com,B\n")
    await instance.wait(30)
    assert instance.world.state()["leads"] == [{"email": "A@example.com", "firstName": "B"}]


async def test_a_list_takes_one_import_at_a_time(instance: Any) -> None:
    """1019 while a job imports into the list, for imports and for calls; then its leads are members."""
    await instance.upload("email\na@example.com\n", listId=1001)
    second = await instance.upload("email\nb@example.com\n", listId=1001)
    call = await instance.post("/rest/v1/lists/1001/leads.json", {"input": [{"id": 1}]})
    assert [answer["errors"][0]["code"] for answer in (second, call)] == ["1019", "1019"]
    await instance.wait(30)
    assert instance.world.state()["lists"]["Newsletter"] == ["a@example.com"]


async def test_a_batch_id_is_forgotten_after_seven_days(instance: Any) -> None:
    """Later the job is as unknown as one that never was."""
    await instance.upload("email\na@example.com\n")
    await instance.wait(7 * 86_400 + 1)
    await instance.login()
    answers = [await instance.get(STATUS.format(number)) for number in (1001, 4711)]
    assert [answer["errors"][0]["code"] for answer in answers] == ["1013", "1013"]


@pytest.mark.parametrize(
    ("text", "params", "code"),
    [
        ("", {}, "1003"),
        (" email\na@example.com\n", {}, "1006"),
        ("email\na@example.com\n", {"lookupField": "firstName"}, "1011"),
        ("email\na@example.com\n", {"format": "xlsx"}, "1003"),
        ("email\na@example.com\n", {"listId": 7}, "1013"),
    ],
)
async def test_files_that_make_no_sense_are_refused(
    instance: Any, text: str, params: dict[str, Any], code: str
) -> None:
    """Empty file, wrong header, lookup field, format, list: no job comes of them."""
    answer = await instance.upload(text, **params)
    assert answer["errors"][0]["code"] == code
    assert instance.world.imports.jobs == {}


async def test_uploads_have_a_size_and_a_form(instance: Any) -> None:
    """10 MB is the limit of the whole request; broken multipart is 613, another content type 612."""
    big = await instance.client.post("/bulk/v1/leads.json", files={"file": ("a.csv", "x" * 10 * 1024 * 1024)})
    broken = await instance.client.post(
        "/bulk/v1/leads.json", content=b"email", headers={"content-type": "multipart/form-data; boundary=b"}
    )
    plain = await instance.client.post("/bulk/v1/leads.json", json={})
    assert big.status_code == 413
    assert [answer.json()["errors"][0]["code"] for answer in (broken, plain)] == ["613", "612"]


async def test_an_import_by_id_only_updates(instance: Any) -> None:
    """`lookupField=id` creates nothing."""
    await instance.sync({"email": "a@example.com"})
    await instance.upload("id,firstName\n1,A\n2,B\n", lookupField="id")
    await instance.wait(30)
    assert instance.world.state()["leads"] == [{"email": "a@example.com", "firstName": "A"}]
    assert await _file(instance, 1001, "failures") == "id,firstName,Import Failure Reason\n2,B,Lead not found\n"


async def test_program_members_are_imported_with_a_status(instance: Any) -> None:
    """Leads are made by e-mail, memberships with the status; the status path has no program in it."""
    made = await instance.upload(
        "email,firstName,seatPreference\na@example.com,A,front\n",
        "/bulk/v1/program/1044/members/import.json",
        programMemberStatus="Registered",
    )
    await instance.wait(30)
    batch_id = made["result"][0]["batchId"]
    status = await _status(instance, batch_id, "/bulk/v1/program/members/import/{}/status.json")
    assert status["numOfLeadsProcessed"] == 1
    assert instance.world.state()["programs"]["Spring Webinar"] == [
        {"lead": "a@example.com", "status": "Registered", "seatPreference": "front"}
    ]


async def test_custom_objects_are_imported_with_counters_of_their_own(instance: Any) -> None:
    """A missing key and a missing lead fail their rows; without failures the file is HTTP 404."""
    await instance.sync({"email": "a@example.com"})
    path = "/bulk/v1/customobjects/order_c/import"
    await instance.upload("orderNumber,email\nO-1,a@example.com\nO-2,b@example.com\n,a@example.com\n", f"{path}.json")
    await instance.wait(30)
    status = await _status(instance, 1001, path + "/{}/status.json")
    assert (status["objectApiName"], status["operation"]) == ("order_c", "import")
    assert (status["numOfObjectsProcessed"], status["numOfRowsFailed"]) == (1, 2)
    assert status["importTime"] == "5 second(s)"
    failures = (await instance.client.get(f"{path}/1001/failures.json")).text.splitlines()
    assert failures[2] == ",a@example.com,missing.dedupe.fields"
    assert (await instance.client.get(f"{path}/1001/warnings.json")).status_code == 404


@pytest.mark.parametrize(
    ("rule", "after_a_minute", "leads"),
    [
        (FaultRule(Action.SLOW_JOB, seconds=3600), "Importing", 0),
        (FaultRule(Action.STALL_JOB, seconds=7200), "Queued", 0),
        (FaultRule(Action.STALL_JOB, when=When.AFTER, first=1), "Importing", 1),
        (FaultRule(Action.FAIL_JOB, first=1, message="Database error"), "Failed", 1),
        (FaultRule(Action.FAIL_JOB), "Failed", 0),
        (FaultRule(Action.WRONG_COUNTS), "Complete", 2),
    ],
)
async def test_jobs_can_be_made_to_go_wrong(instance: Any, rule: FaultRule, after_a_minute: str, leads: int) -> None:
    """Slow, stuck before or in the middle, failed at once or after a few rows, counted wrongly."""
    instance.sandbox.faults.add(rule)
    await instance.upload("email\na@example.com\nb@example.com\n")
    await instance.wait(60)
    status = await _status(instance, 1001)
    assert status["status"] == after_a_minute
    assert len(instance.world.state()["leads"]) == leads
    if rule.action is Action.WRONG_COUNTS:
        assert status["numOfLeadsProcessed"] == 3


async def test_a_job_that_was_stuck_goes_on(instance: Any) -> None:
    """After its time in the middle of the file it imports the rest."""
    instance.sandbox.faults.add(FaultRule(Action.STALL_JOB, when=When.AFTER, first=1, seconds=600))
    await instance.upload("email\na@example.com\nb@example.com\n")
    await instance.wait(700)
    assert (await _status(instance, 1001))["numOfLeadsProcessed"] == 2


async def test_a_failure_file_may_be_missing_or_out_of_order(instance: Any) -> None:
    """Both happen to clients: HTTP 404, and rows in another order than they were sent."""
    rows = "email,score\n" + "".join(f"n{number}@example.com,x\n" for number in range(20))
    instance.sandbox.faults.add(FaultRule(Action.MISSING_FAILURE_FILE), FaultRule(Action.SHUFFLE_RESULTS, nth=2))
    for _ in range(2):
        await instance.upload(rows)
    await instance.wait(60)
    assert (await instance.client.get("/bulk/v1/leads/batch/1001/failures.json")).status_code == 404
    lines = (await _file(instance, 1002, "failures")).splitlines()[1:]
    senders = [line.split(",")[0] for line in lines]
    assert sorted(senders) == sorted(f"n{number}@example.com" for number in range(20))
    assert senders != [f"n{number}@example.com" for number in range(20)]
