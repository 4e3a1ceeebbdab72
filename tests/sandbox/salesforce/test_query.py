"""SOQL by REST and by query jobs."""

from __future__ import annotations

from typing import Any

import pytest

from syncer.sandbox.salesforce.options import SalesforceOptions

pytestmark = pytest.mark.anyio

QUERY = "/services/data/v61.0/query"
JOBS = "/services/data/v61.0/jobs/query"


@pytest.fixture
async def people(org: Any) -> Any:
    """Three contacts, one with an account."""
    account = await org.make("Account", Name="One", Crm_Key__c="A-1")
    await org.make("Contact", LastName="Ng", Crm_Key__c="K-2", Score__c=5, Email="n@example.org")
    org.advance(3600)
    await org.make("Contact", LastName="Okafor", Crm_Key__c="K-1", Score__c=10, AccountId=account, Is_Vip__c=True)
    await org.make("Contact", LastName="Roe", Description="it's")
    return org


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Crm_Key__c = 'k-1'", ["Okafor"]),
        ("Crm_Key__c IN ('k-1', 'K-2', 'x')", ["Ng", "Okafor"]),
        ("Crm_Key__c NOT IN ('K-1')", ["Ng", "Roe"]),
        ("Crm_Key__c != null AND Score__c > 5", ["Okafor"]),
        ("Crm_Key__c = null OR Score__c <= 5", ["Ng", "Roe"]),
        ("NOT (Score__c < 7 OR Score__c = null)", ["Okafor"]),
        ("LastName LIKE 'o%'", ["Okafor"]),
        ("Description = 'it\\'s'", ["Roe"]),
        ("Is_Vip__c = true", ["Okafor"]),
        ("Account.Crm_Key__c = 'A-1'", ["Okafor"]),
        ("Contact.LastName <> 'Roe'", ["Ng", "Okafor"]),
        ("LastModifiedDate > 2026-03-02T08:30:00Z", ["Okafor", "Roe"]),
        ("CreatedDate < 2026-03-02T10:30:00+02:00", ["Ng"]),
        ("Id = '0035g0000000001'", ["Ng"]),
        ("AccountId = '0015g0000000001AAA' AND (LastName = 'x' OR LastName = 'OKAFOR')", ["Okafor"]),
        ("Crm_Key__c = 'K-1' OR LastName = 'Roe'", ["Okafor", "Roe"]),
    ],
)
async def test_conditions(people: Any, where: str, names: list[str]) -> None:
    """*SOQL*, WHERE: text ignores case, null compares as a value, parents are reached by a dot."""
    found = await people.query(f"SELECT LastName FROM Contact WHERE {where} ORDER BY LastName")
    assert [record["LastName"] for record in found] == names


async def test_order_limit_and_count(people: Any) -> None:
    """*SOQL*: nulls come first unless told otherwise; COUNT() answers a number and no records."""
    nulls_first = await people.query("SELECT LastName FROM Contact ORDER BY Score__c, LastName DESC LIMIT 2")
    assert [record["LastName"] for record in nulls_first] == ["Roe", "Ng"]
    last = await people.query("SELECT LastName FROM Contact ORDER BY Score__c NULLS LAST OFFSET 1")
    assert [record["LastName"] for record in last] == ["Okafor", "Roe"]
    first = await people.query("SELECT LastName FROM Contact ORDER BY Score__c DESC NULLS FIRST")
    assert [record["LastName"] for record in first] == ["Roe", "Okafor", "Ng"]
    counted = (await people.client.get(QUERY, params={"q": "SELECT COUNT() FROM Contact"})).json()
    assert counted == {"totalSize": 3, "done": True, "records": []}


async def test_records_carry_attributes(people: Any) -> None:
    """*Query*: attributes first, then the fields as selected; a parent has attributes of its own."""
    answer = await people.client.get(
        QUERY, params={"q": "SELECT Id, Account.Name, LastName FROM Contact WHERE LastName != 'Ng'"}
    )
    body = answer.json()
    assert (body["totalSize"], body["done"]) == (2, True)
    assert [list(record) for record in body["records"]] == [["attributes", "Id", "Account", "LastName"]] * 2
    assert body["records"][0]["Account"]["attributes"]["type"] == "Account"
    assert body["records"][1]["Account"] is None


async def test_pages_are_reached_by_their_url(open_org: Any) -> None:
    """*Query*: nextRecordsUrl with a 01g cursor; the header asks for smaller pages, down to 200."""
    async with open_org() as org:
        await org.load("LastName\n" + "".join(f"N{number}\n" for number in range(450)))
        headers = {"Sforce-Query-Options": "batchSize=10"}
        page = (await org.client.get(QUERY, params={"q": "SELECT Id FROM Contact"}, headers=headers)).json()
        sizes = [len(page["records"])]
        while not page["done"]:
            assert page["nextRecordsUrl"].startswith(f"{QUERY}/01g")
            page = (await org.client.get(page["nextRecordsUrl"])).json()
            sizes.append(len(page["records"]))
        assert sizes == [200, 200, 50]
        assert page["totalSize"] == 450


async def test_deleted_records_are_in_query_all(people: Any) -> None:
    """*QueryAll*: deleted records too."""
    await people.client.delete("/services/data/v61.0/sobjects/Contact/0035g0000000001AAA")
    assert len(await people.query("SELECT Id FROM Contact")) == 2
    answer = await people.client.get(f"{QUERY}All", params={"q": "SELECT Id FROM Contact WHERE IsDeleted = true"})
    assert answer.json()["totalSize"] == 1


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("SELEKT Name FROM Account", "MALFORMED_QUERY", "unexpected token: SELEKT"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: <EOF>"),
        ("SELECT Id FROM Account LIMIT x", "MALFORMED_QUERY", "unexpected token: x"),
        ("SELECT Id FROM Account GROUP BY Id", "MALFORMED_QUERY", "unexpected token: GROUP"),
        ("SELECT Id FROM Account WHERE Name ~ 'x'", "MALFORMED_QUERY", "unexpected token: ~"),
        ("SELECT 5 FROM Account", "MALFORMED_QUERY", "unexpected token: 5"),
        ("SELECT Id FROM Account WHERE Name ( 'x'", "MALFORMED_QUERY", "unexpected token: ("),
        ("SELECT Id FROM Account WHERE 5 = 5", "MALFORMED_QUERY", "unexpected token: 5"),
        (
            "SELECT Bacon__c FROM Account LIMIT 2",
            "INVALID_FIELD",
            (
                "\nSELECT Bacon__c FROM Account LIMIT 2\n       ^\nERROR at Row:1:Column:8\n"
                "No such column 'Bacon__c' on entity 'Account'. If you are attempting to use a custom "
                "field, be sure to "
                "append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
                "appropriate names."
            ),
        ),
        (
            "SELECT Id FROM Accout",
            "INVALID_TYPE",
            (
                "\nSELECT Id FROM Accout\n               ^\nERROR at Row:1:Column:16\n"
                "sObject type 'Accout' is not supported. If you are attempting to use a custom "
                "object, be sure to append "
                "the '__c' after the entity name. Please reference your WSDL or the describe call for "
                "the appropriate names."
            ),
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate = '2026-01-01'",
            "INVALID_FIELD",
            (
                "value of filter criterion for field 'CreatedDate' must be of type datetime and "
                "should not be enclosed in quotes"
            ),
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate = 2026-01-01",
            "INVALID_FIELD",
            (
                "value of filter criterion for field 'CreatedDate' must be of type datetime and "
                "should be enclosed in quotes"
            ),
        ),
    ],
)
async def test_queries_that_are_refused(org: Any, text: str, code: str, message: str) -> None:
    """*Query*, errors: the vendor's caret under the column that it does not know."""
    answer = await org.client.get(QUERY, params={"q": text})
    assert answer.status_code == 400
    assert answer.json() == [{"message": message, "errorCode": code}]


async def test_paths_without_a_query_or_a_cursor(org: Any) -> None:
    """*Query*: a missing parameter, a cursor that nobody opened."""
    assert (await org.client.get(QUERY)).json()[0]["errorCode"] == "MALFORMED_QUERY"
    for cursor in ("x", "01g5g0000000009AAA-2000"):
        assert (await org.client.get(f"{QUERY}/{cursor}")).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


async def test_a_query_job_runs(people: Any) -> None:
    """*Query Jobs*: UploadComplete at once, jobType only when looked at, quoted CSV in pages that end with `null`."""
    body = {"operation": "query", "query": "SELECT LastName, Account.Name, Score__c, Is_Vip__c, Birthdate FROM Contact"}
    job = (await people.client.post(JOBS, json=body)).json()
    assert (job["state"], job["object"], "jobType" in job, "contentUrl" in job) == (
        "UploadComplete",
        "Contact",
        False,
        False,
    )
    path = f"{JOBS}/{job['id']}"
    early = await people.client.get(f"{path}/results")
    assert early.status_code == 400
    people.advance(1.5)
    assert (await people.client.get(path)).json()["state"] == "InProgress"
    people.advance(60)
    shown = (await people.client.get(path)).json()
    assert (shown["state"], shown["jobType"], shown["numberRecordsProcessed"]) == ("JobComplete", "V2Query", 3)
    assert list(shown)[-6:] == [
        "jobType",
        "lineEnding",
        "columnDelimiter",
        "numberRecordsProcessed",
        "retries",
        "totalProcessingTime",
    ]
    page = await people.client.get(f"{path}/results/?maxRecords=2")
    assert page.text.splitlines()[:2] == [
        '"LastName","Account.Name","Score__c","Is_Vip__c","Birthdate"',
        '"Ng","","5.0","false",""',
    ]
    assert (page.headers["Sforce-NumberOfRecords"], page.headers["Sforce-Locator"]) == ("2", "Mg")
    last = await people.client.get(f"{path}/results?maxRecords=2&locator={page.headers['Sforce-Locator']}")
    assert (last.headers["Sforce-NumberOfRecords"], last.headers["Sforce-Locator"]) == ("1", "null")
    assert len(last.text.splitlines()) == 2
    pages = (await people.client.get(f"{path}/resultPages")).json()
    assert (pages["done"], len(pages["resultPages"])) == (True, 1)
    assert (await people.client.get(pages["resultPages"][0]["resultUrl"])).status_code == 200
    other = await people.client.get(f"/services/data/v60.0/jobs/query/{job['id']}/results")
    assert other.status_code == 409
    assert (await people.client.get(f"{path}/results?locator=%25%25")).status_code == 400
    assert len((await people.client.get(JOBS)).json()["records"]) == 1
    assert (await people.client.delete(path)).status_code == 204
    assert (await people.client.get(path)).status_code == 404


async def test_query_jobs_end_early(org: Any) -> None:
    """*Query Jobs*: abort while running, delete afterwards; an unfinished job is not deleted."""
    body = {"operation": "queryAll", "query": "SELECT Id, CreatedDate FROM Contact"}
    path = f"{JOBS}/{(await org.client.post(JOBS, json=body)).json()['id']}"
    refused = await org.client.delete(path)
    assert refused.json()[0]["message"] == "Error encountered when deleting the job because the job is not terminated"
    assert (await org.client.patch(path, json={"state": "Closed"})).status_code == 400
    org.advance(1.1)
    await org.client.get(path)
    assert (await org.client.patch(path, json={"state": "Aborted"})).json()["state"] == "Aborted"
    assert (await org.client.patch(path, json={"state": "Aborted"})).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    org.advance(60)
    assert (await org.client.get(path)).json()["state"] == "Aborted"


async def test_result_pages_come_five_at_a_time(open_org: Any) -> None:
    """*Get Parallel Results for a Query Job*: five addresses, and where the next five are."""
    async with open_org(SalesforceOptions(query_job_page=2)) as org:
        await org.load("LastName\n" + "x\n" * 12)
        body = {"operation": "query", "query": "SELECT CreatedDate FROM Contact", "lineEnding": "CRLF"}
        path = f"{JOBS}/{(await org.client.post(JOBS, json=body)).json()['id']}"
        assert (await org.client.get(f"{path}/resultPages")).status_code == 400
        org.advance(60)
        first = (await org.client.get(f"{path}/resultPages")).json()
        assert (len(first["resultPages"]), first["done"]) == (5, False)
        second = (await org.client.get(first["nextRecordsUrl"])).json()
        assert (len(second["resultPages"]), second["done"]) == (1, True)
        text = (await org.client.get(second["resultPages"][0]["resultUrl"])).text
        assert text.endswith('Z"\r\n')


async def test_query_jobs_are_limited(open_org: Any) -> None:
    """*Query Jobs*: no aggregates, known words only, and so many a day."""
    async with open_org(SalesforceOptions(daily_query_jobs=1)) as org:
        for body, message in (
            (
                {"operation": "query", "query": "SELECT COUNT() FROM Contact"},
                "Aggregate Relationships not supported in Bulk Query",
            ),
            (
                {"operation": "read", "query": "SELECT Id FROM Contact"},
                "Invalid value: 'read' supplied for property: 'operation'",
            ),
            ({"operation": "query", "query": "SELECT Id FROM Contact"}, None),
            (
                {"operation": "query", "query": "SELECT Id FROM Contact"},
                "Max bulk v2 query jobs (1) per 24 hrs has been reached",
            ),
        ):
            answer = await org.client.post(JOBS, json=body)
            assert (answer.status_code, message is None) in {(400, False), (200, True)}
            if message is not None:
                assert answer.json()[0]["message"] == message
