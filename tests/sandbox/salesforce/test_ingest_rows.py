"""Bulk API 2.0: what becomes of the rows of an upload, and how result files say it."""

from __future__ import annotations

from typing import Any

import pytest

from syncer.sandbox.salesforce.options import SalesforceOptions

pytestmark = pytest.mark.anyio

WORKED = """\
Crm_Key__c,LastName,Email,Account.Crm_Key__c,Birthdate
K-1,Okafor,ada@example.org,A-1,1980-02-03
K-2,,x@example.org,A-1,
K-3,Ng,not-an-email,A-1,
K-4,Diaz,d@example.org,A-404,
K-5,Roe,r@example.org,#N/A,1980/02/03
K-6,Poe,p1@example.org,,
K-6,Poe,p2@example.org,,
"""
HEADER = "Crm_Key__c,LastName,Email,Account.Crm_Key__c,Birthdate\n"


async def test_the_worked_example(org: Any) -> None:
    """One good row, six bad ones, each in the vendor's words; both rows of a pair fail, not only the second."""
    account = await org.make("Account", Name="One", Crm_Key__c="A-1")
    contact = await org.make("Contact", LastName="Old", Crm_Key__c="K-1")
    job, shown = await org.load(WORKED, "upsert")
    counts = (shown["state"], shown["numberRecordsProcessed"], shown["numberRecordsFailed"])
    assert counts == ("JobComplete", 7, 6)
    assert await org.text(job, "successfulResults") == (
        f'"sf__Id","sf__Created",{HEADER}"{contact}","false","K-1","Okafor","ada@example.org","A-1","1980-02-03"\n'
    )
    header, *lines = (await org.text(job, "failedResults")).splitlines()
    assert header + "\n" == f'"sf__Id","sf__Error",{HEADER}'
    assert sorted(lines) == sorted(
        [
            (
                '"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",'
                '"K-2","","x@example.org","A-1",""'
            ),
            (
                '"","INVALID_EMAIL_ADDRESS:Email: invalid email address: not-an-email:Email --",'
                '"K-3","Ng","not-an-email","A-1",""'
            ),
            (
                '"","INVALID_FIELD:Foreign key external ID: a-404 not found for field Crm_Key__c in entity Account:--",'
                '"K-4","Diaz","d@example.org","A-404",""'
            ),
            (
                '"","INVALID_FIELD:Failed to deserialize field at col 4. Due to, \'1980/02/03\' is '
                "not a valid value for "
                'the type xsd:date:Birthdate --","K-5","Roe","r@example.org","#N/A","1980/02/03"'
            ),
            (
                '"","DUPLICATE_VALUE:Duplicate external id specified: K-6:Crm_Key__c '
                '--","K-6","Poe","p1@example.org","",""'
            ),
            (
                '"","DUPLICATE_VALUE:Duplicate external id specified: K-6:Crm_Key__c '
                '--","K-6","Poe","p2@example.org","",""'
            ),
        ]
    )
    assert await org.text(job, "unprocessedrecords") == HEADER
    assert (await org.query("SELECT AccountId, LastName FROM Contact")) == [
        {"AccountId": account, "LastName": "Okafor"}
    ]


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("Email", "badone", "INVALID_EMAIL_ADDRESS:Email: invalid email address: badone:Email --"),
        (
            "FirstName",
            "x" * 41,
            f"STRING_TOO_LONG:First Name: data value too large: {'x' * 41} (max length=40):FirstName --",
        ),
        (
            "Tier__c",
            "Tin",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:Tier: bad value for restricted picklist field: Tin:Tier__c --",
        ),
        (
            "Birthdate",
            "2003-04-98765",
            (
                "INVALID_FIELD:Failed to deserialize field at col 1. Due to, '2003-04-98765' is not a "
                "valid value for the "
                "type xsd:date:Birthdate --"
            ),
        ),
        (
            "Renewed_At__c",
            "2026-01-01 10:00:00Z",
            (
                "INVALID_FIELD:Failed to deserialize field at col 1. Due to, '2026-01-01 10:00:00Z' "
                "is not a valid value "
                "for the type xsd:dateTime:Renewed_At__c --"
            ),
        ),
        (
            "Is_Vip__c",
            "yes",
            (
                "INVALID_FIELD:Failed to deserialize field at col 1. Due to, 'yes' is not a valid value for the type "
                "xsd:boolean:Is_Vip__c --"
            ),
        ),
        (
            "Score__c",
            "1,5",
            (
                "INVALID_FIELD:Failed to deserialize field at col 1. Due to, '1,5' is not a valid value for the type "
                "xsd:double:Score__c --"
            ),
        ),
        (
            "Discount__c",
            "1000.5",
            "NUMBER_OUTSIDE_VALID_RANGE:Discount: value outside of valid range on numeric field: 1000.5:Discount__c --",
        ),
        ("AccountId", "xyz", "MALFORMED_ID:Account ID: id value of incorrect type: xyz:AccountId --"),
        (
            "AccountId",
            "0035g0000000001AAA",
            "MALFORMED_ID:Account ID: id value of incorrect type: 0035g0000000001AAA:AccountId --",
        ),
        ("AccountId", "0015g0000000009", "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"),
        (
            "CreatedDate",
            "2026-01-01T00:00:00Z",
            (
                "INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: CreatedDate. Please "
                "check the security "
                "settings of this field and verify that it is read/write for your profile or "
                "permission set.:CreatedDate --"
            ),
        ),
        ("Id", "0035g0000000001", "INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --"),
    ],
)
async def test_a_bad_value_fails_its_row_alone(org: Any, column: str, value: str, expected: Any) -> None:
    """*Bulk API 2.0*, Errors: `CODE:message:Fields --`; columns are counted from 0; the neighbour is written."""
    text = f'LastName,{column}\nGood,\nBad,"{value}"\n'
    assert await org.errors(text) == [expected]
    assert await org.query("SELECT LastName FROM Contact") == [{"LastName": "Good"}]


@pytest.mark.parametrize(
    ("column", "text", "stored"),
    [
        ("Birthdate", "1980-02-03", "1980-02-03"),
        ("Renewed_At__c", "2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00.000+0000"),
        ("Call_Time__c", "09:30:00.5Z", "09:30:00.500Z"),
        ("Is_Vip__c", "1", True),
        ("Score__c", "1.2E3", 1200.0),
        ("Discount__c", "12.345", 12.35),
        ("Interests__c", "Music;Travel", "Music;Travel"),
        ("Salutation", "Baron", "Baron"),
        ("FirstName", "=1+1", "=1+1"),
        ("FirstName", "  Ada ", "  Ada "),
    ],
)
async def test_good_values_are_stored(org: Any, column: str, text: str, stored: Any) -> None:
    """*Prepare CSV Files*: each type's form; blanks and formulas are text, open picklists take anything."""
    await org.load(f"LastName,{column}\nOkafor,{text}\n")
    assert await org.query(f"SELECT {column} FROM Contact") == [{column: stored}]


async def test_empty_leaves_and_na_clears(org: Any) -> None:
    """*Prepare CSV Files*: an empty value is no change, `#N/A` is null; a missing column is untouched."""
    record = await org.make("Contact", LastName="Okafor", FirstName="Ada", Title="Dr", Email="a@example.org")
    await org.load(f"Id,FirstName,Title\n{record},,#N/A\n", "update")
    assert await org.query("SELECT FirstName, Title, Email FROM Contact") == [
        {"FirstName": "Ada", "Title": None, "Email": "a@example.org"}
    ]


async def test_a_required_field_cannot_be_cleared(org: Any) -> None:
    """*Bulk API 2.0*, Errors: clearing a required field is refused, and the failed row carries the record's id."""
    record = await org.make("Contact", LastName="Okafor")
    job, _ = await org.load(f"Id,LastName\n{record},#N/A\n", "update")
    (row,) = await org.rows(job, "failedResults")
    assert row["sf__Id"] == record
    assert row["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"


async def test_headers_match_in_any_case_and_come_back_as_sent(org: Any) -> None:
    """*Prepare CSV Files*: names ignore case; results repeat the upload's own header line."""
    job, shown = await org.load('LASTNAME,"email"\nOkafor,a@example.org\n')
    assert shown["numberRecordsFailed"] == 0
    assert (await org.text(job, "successfulResults")).startswith('"sf__Id","sf__Created",LASTNAME,"email"\n')


@pytest.mark.parametrize(
    ("name", "sign"),
    [("COMMA", ","), ("BACKQUOTE", "`"), ("CARET", "^"), ("PIPE", "|"), ("SEMICOLON", ";"), ("TAB", "\t")],
)
async def test_results_follow_the_jobs_delimiter_and_line_ending(org: Any, name: str, sign: str) -> None:
    """*Create a Job*: six delimiters, two line endings, the same in the results."""
    text = f'LastName{sign}Title\r\n"O{sign}k"{sign}x\r\n'
    job, shown = await org.load(text, columnDelimiter=name, lineEnding="CRLF")
    assert shown["numberRecordsFailed"] == 0
    results = await org.text(job, "successfulResults")
    assert results.startswith(sign.join(['"sf__Id"', '"sf__Created"', "LastName", "Title"]) + "\r\n")
    assert results.endswith(f'"O{sign}k"{sign}"x"\r\n')


async def test_large_numbers_come_back_in_scientific_notation(org: Any) -> None:
    """*Get Job Successful Record Results*: numbers are written anew; join on keys, never on numbers."""
    job, _ = await org.load("LastName,Score__c\nOkafor,912260031\n")
    assert (await org.rows(job, "successfulResults"))[0]["Score__c"] == "9.12260031E8"


async def test_results_are_not_in_the_order_of_the_upload(org: Any) -> None:
    """*Get Job Successful Record Results*: the order of rows is not that of the file."""
    names = [f"N{number}" for number in range(50)]
    job, _ = await org.load("LastName\n" + "\n".join(names) + "\n")
    answered = [row["LastName"] for row in await org.rows(job, "successfulResults")]
    assert answered != names
    assert sorted(answered) == sorted(names)


async def test_upsert_by_id_inserts_where_there_is_none(org: Any) -> None:
    """*Create a Job*, externalIdFieldName Id: a blank Id, or no Id column at all, inserts."""
    record = await org.make("Contact", LastName="Old")
    job, _ = await org.load(f"Id,LastName\n{record},New\n,Fresh\n", "upsert", externalIdFieldName="Id")
    created = {row["LastName"]: row["sf__Created"] for row in await org.rows(job, "successfulResults")}
    assert created == {"New": "false", "Fresh": "true"}
    _, shown = await org.load("LastName\nThird\n", "upsert", externalIdFieldName="Id")
    assert (shown["numberRecordsProcessed"], shown["numberRecordsFailed"]) == (1, 0)


async def test_a_blank_key_fails_its_row(org: Any) -> None:
    """*Upsert*: a row without its key cannot be matched."""
    assert (
        await org.errors("Crm_Key__c,LastName\n,Okafor\n#N/A,Ng\n", "upsert")
        == ["MISSING_ARGUMENT:Crm_Key__c not specified:--"] * 2
    )


async def test_update_and_delete_go_by_id(org: Any) -> None:
    """*Bulk API 2.0*, Errors: missing, malformed, unknown and deleted ids, each in its own words."""
    gone = await org.make("Contact", LastName="Gone")
    assert await org.errors(f"Id\n{gone}\n", "delete") == []
    errors = await org.errors(f"Id,Title\n{gone},x\n,x\nabc,x\n0035g0000000999AAA,x\n0015g0000000001AAA,x\n", "update")
    assert errors == [
        "ENTITY_IS_DELETED:entity is deleted:--",
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
        "MALFORMED_ID:Contact ID: id value of incorrect type: 0015g0000000001AAA:Id --",
        "MALFORMED_ID:Contact ID: id value of incorrect type: abc:Id --",
        "MISSING_ARGUMENT:Id not specified in an update call:--",
    ]
    again = await org.make("Contact", LastName="Again")
    duplicate = f"DUPLICATE_VALUE:Duplicate id specified: {again}:Id --"
    assert await org.errors(f"Id\n{again}\n{again}\n", "delete") == [duplicate] * 2


async def test_hard_delete_forgets_the_record(open_org: Any) -> None:
    """*Create a Job*, hardDelete: with the permission; the record does not even count as deleted."""
    async with open_org(SalesforceOptions(has_hard_delete=True)) as org:
        record = await org.make("Contact", LastName="Gone")
        assert await org.errors(f"Id\n{record}\n", "hardDelete") == []
        errors = await org.errors(f"Id\n{record}\n", "delete")
        assert errors == ["INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"]


async def test_a_unique_field_holds_one_record(org: Any) -> None:
    """*Bulk API 2.0*, Errors: the holder is named by its 15-character id; case-sensitive keys differ by case."""
    holder = await org.make("Contact", LastName="A", Crm_Key__c="K-1", Badge_Code__c="b")
    assert await org.errors("LastName,Crm_Key__c\nB,k-1\n") == [
        f"DUPLICATE_VALUE:duplicate value found: Crm_Key__c duplicates value on record with id: {holder[:15]}:--"
    ]
    assert await org.errors("LastName,Badge_Code__c\nB,B\n") == []


async def test_an_ambiguous_key_is_refused(org: Any) -> None:
    """*Upsert*: idLookup fields such as Email are not unique, and two matches are an error."""
    first = await org.make("Contact", LastName="A", Email="a@example.org")
    second = await org.make("Contact", LastName="B", Email="A@example.org")
    errors = await org.errors("Email,Title\na@example.org,x\n", "upsert", externalIdFieldName="Email")
    assert errors == [
        (
            f"DUPLICATE_EXTERNAL_ID:Email: more than one record found for external id field: "
            f"[{first[:15]}, {second[:15]}]"
            ":Email --"
        )
    ]


async def test_a_person_is_a_member_of_a_campaign_once(org: Any) -> None:
    """*CampaignMember*: campaign and person name one member, and both are fixed once it exists."""
    campaign = await org.make("Campaign", Name="Spring")
    contact = await org.make("Contact", LastName="Okafor")
    text = f"CampaignId,ContactId,Status,Member_Key__c\n{campaign},{contact},Responded,m-1\n"
    assert await org.errors(text, object="CampaignMember") == []
    assert await org.query("SELECT HasResponded FROM CampaignMember") == [{"HasResponded": True}]
    again = f"CampaignId,ContactId\n{campaign},{contact}\n"
    assert await org.errors(again, object="CampaignMember") == ["DUPLICATE_VALUE:Already a campaign member.:--"]
    alone = f"CampaignId\n{campaign}\n"
    assert (await org.errors(alone, object="CampaignMember"))[0].startswith("REQUIRED_FIELD_MISSING:")
    moved = await org.errors(text, "upsert", object="CampaignMember", externalIdFieldName="Member_Key__c")
    assert moved[0].startswith("INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: CampaignId, ContactId.")


async def test_parents_are_named_by_their_keys(org: Any) -> None:
    """*Relationship Fields in a Header Row*: standard, custom and polymorphic lookups; `#N/A` clears, empty leaves."""
    account = await org.make("Account", Name="One", Crm_Key__c="A-1")
    header = "Crm_Key__c,LastName,Sponsor__r.Crm_Key__c,Owner.Username\n"
    text = f"{header}K-1,Okafor,a-1,integration@sandbox.example\n"
    assert await org.errors(text, "upsert") == []
    assert await org.query("SELECT Sponsor__c FROM Contact") == [{"Sponsor__c": account}]
    await org.load(f"{header}K-1,Okafor,,\n", "upsert")
    assert await org.query("SELECT Sponsor__c FROM Contact") == [{"Sponsor__c": account}]
    await org.load(f"{header}K-1,Okafor,#N/A,\n", "upsert")
    assert await org.query("SELECT Sponsor__c FROM Contact") == [{"Sponsor__c": None}]
    lead = "LastName,Company,User:Owner.Username\nRoe,Acme,integration@sandbox.example\n"
    assert await org.errors(lead, object="Lead") == []


@pytest.mark.parametrize(
    ("column", "object_name"),
    [
        ("Account.Name", "Contact"),
        ("Acount.Crm_Key__c", "Contact"),
        ("User:Owner.Username", "Contact"),
        ("Owner.Username", "Lead"),
        ("Contact:Owner.Username", "Lead"),
    ],
)
async def test_a_parent_column_that_names_no_key_fails_the_job(org: Any, column: str, object_name: str) -> None:
    """*Relationship Fields in a Header Row*: a key of the parent, and its object only where the lookup has several."""
    _, shown = await org.load(f"LastName,{column}\nOkafor,x\n", object=object_name)
    assert shown["errorMessage"] == f"InvalidBatch : Field name not found : {column}"


@pytest.mark.parametrize(
    ("text", "operation", "message"),
    [
        ("LastName,Nope\na,b\n", "insert", "InvalidBatch : Field name not found : Nope"),
        ("LastName,MailingAddress\na,b\n", "insert", "InvalidBatch : Field name not found : MailingAddress"),
        ("LastName|Email\na|b\n", "insert", "InvalidBatch : Field name not found : LastName|Email"),
        ("LastName,lastname\na,b\n", "insert", "InvalidBatch : Duplicate field lastname"),
        ("LastName\na\n", "upsert", "InvalidBatch : Field name not found : Crm_Key__c"),
        ("LastName\na\n", "update", "InvalidBatch : Field name not found : Id"),
        ("Id,LastName\na,b\n", "delete", "InvalidBatch : The 'delete' batch must contain only ids"),
        (
            "LastName\r\na\r\n",
            "insert",
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
        (
            'LastName,Title\na,"x\r\ny"\n',
            "insert",
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
        (
            '\ufeff"LastName"\na\n',
            "insert",
            "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote",
        ),
        (
            'LastName\na"b\n',
            "insert",
            "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote",
        ),
        (
            'LastName\n"a\n',
            "insert",
            "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote",
        ),
        (
            'LastName\n"a"b\n',
            "insert",
            "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote",
        ),
    ],
)
async def test_a_bad_file_fails_the_job_and_processes_nothing(
    org: Any, text: str, operation: str, message: str
) -> None:
    """*Bulk API 2.0*, Errors: nothing shows at upload; the job fails, and every row is unprocessed."""
    job, shown = await org.load(text.encode(), operation)
    assert (shown["state"], shown["errorMessage"]) == ("Failed", message)
    assert (shown["numberRecordsProcessed"], shown["numberRecordsFailed"]) == (0, 0)
    assert await org.rows(job, "successfulResults") == []
    assert await org.rows(job, "failedResults") == []
    assert (await org.text(job, "unprocessedrecords")).count("\n") >= 1


async def test_a_bom_before_a_plain_header_is_part_of_the_name(org: Any) -> None:
    """*Prepare CSV Files*: no byte order mark; before an unquoted header it spoils the first name."""
    _, shown = await org.load("\ufeffLastName\na\n".encode())
    assert shown["errorMessage"] == "InvalidBatch : Field name not found : \ufeffLastName"


async def test_rows_that_do_not_fit_fail_alone(org: Any) -> None:
    """*Valid CSV Record Rows*: too many or too few values, or blanks around quotes, fail the row and not the job."""
    job, shown = await org.load('LastName,Title\nGood,x\nLong,x,y\nShort\nBlank, "x"\n"Blank" ,x\n\n')
    counts = (shown["state"], shown["numberRecordsProcessed"], shown["numberRecordsFailed"])
    assert counts == ("JobComplete", 5, 4)
    assert [row["LastName"] for row in await org.rows(job, "successfulResults")] == ["Good"]


async def test_quoted_values_hold_anything(org: Any) -> None:
    """*Valid CSV Record Rows*: delimiters, doubled quotes and newlines inside quotes come back as they were."""
    job, _ = await org.load('LastName,Description\n"O""Neil, Ada","two\nlines"\n')
    assert await org.query("SELECT LastName, Description FROM Contact") == [
        {"LastName": 'O"Neil, Ada', "Description": "two\nlines"}
    ]
    assert (await org.rows(job, "successfulResults"))[0]["Description"] == "two\nlines"


async def test_results_before_the_end(org: Any) -> None:
    """*Get Job Results*: header only while nothing is done; nothing at all before there is an upload."""
    job = await org.create_job()
    assert await org.text(job, "successfulResults") == ""
    await org.upload(job, "LastName\nOkafor\n")
    assert await org.text(job, "failedResults") == '"sf__Id","sf__Error",LastName\n'
    await org.patch(job)
    assert await org.text(job, "unprocessedrecords") == "LastName\n"
