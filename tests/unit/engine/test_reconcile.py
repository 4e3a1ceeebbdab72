"""Result files tell a job's rows apart, whatever the vendor made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from syncer.engine.ledger import Naming
from syncer.engine.protocol import Cut, Payload, ResultFile, RowReject
from syncer.engine.staged import StagedOperation
from tests.fakes.pipelines import FILE, Stage, field, pipeline

SOURCE = "email,name\na@x.com,Ada\nb@x.com,Bob\nc@x.com,Cleo\n"


def sent(rows: StagedOperation, folder: Path) -> Payload:
    """Return the one file of the first wave."""
    (payload,) = rows.payloads(Cut(1, None, FILE), folder)
    return payload


def marketo(folder: Path, text: str) -> ResultFile:
    """Return a Marketo failures file."""
    path = folder / "failures.csv"
    path.write_text(text, encoding="utf-8")
    return ResultFile("failed", path, error_column="Import Failure Reason")


def salesforce(folder: Path, kind: str, text: str) -> ResultFile:
    """Return one of Salesforce's three result files."""
    path = folder / f"{kind}.csv"
    path.write_text(text, encoding="utf-8")
    return ResultFile(kind, path, error_column="sf__Error", id_column="sf__Id", created_column="sf__Created")


def test_marketo_failures_are_found_by_key(staged: Stage, tmp_path: Path) -> None:
    """The rows in the file are refused with the reason, the others have the letter of success."""
    rows = staged(pipeline("email", "name"), SOURCE)
    text = "email,name,Import Failure Reason\nB@x.com ,Bob,Invalid data type in field Score\n"
    result = rows.reconcile(sent(rows, tmp_path), [marketo(tmp_path, text)], "u")
    assert result.letters == "uxu"
    assert result.rejects == (RowReject(2, "V500", "Invalid data type in field Score"),)


def test_salesforce_results_come_in_any_order(staged: Stage, tmp_path: Path) -> None:
    """Created, updated and refused are told by key; upper-case headers too."""
    rows = staged(pipeline("email", "name"), SOURCE)
    files = [
        salesforce(
            tmp_path,
            "succeeded",
            '"sf__Id","sf__Created",EMAIL,NAME\n"2","false",c@x.com,Cleo\n"1","true",a@x.com,Ada\n',
        ),
        salesforce(
            tmp_path, "failed", '"sf__Id","sf__Error",EMAIL,NAME\n"","UNABLE_TO_LOCK_ROW:busy:--",b@x.com,Bob\n'
        ),
    ]
    result = rows.reconcile(sent(rows, tmp_path), files, "?")
    assert result.letters == "cxu"
    assert result.rejects == (RowReject(2, "V500", "UNABLE_TO_LOCK_ROW:busy:--"),)


def test_unprocessed_rows_are_pending(staged: Stage, tmp_path: Path) -> None:
    """A row that the job never came to was not sent."""
    rows = staged(pipeline("email", "name"), SOURCE)
    files = [salesforce(tmp_path, "unprocessed", "email,name\nb@x.com,Bob\nc@x.com,Cleo\n")]
    assert rows.reconcile(sent(rows, tmp_path), files, "?").letters == "?.."


def test_a_key_that_both_failed_and_succeeded_is_in_doubt(staged: Stage, tmp_path: Path) -> None:
    """Files that contradict each other prove nothing."""
    rows = staged(pipeline("email", "name"), SOURCE)
    files = [
        salesforce(tmp_path, "succeeded", "sf__Id,sf__Created,email,name\n1,true,a@x.com,Ada\n"),
        salesforce(tmp_path, "failed", "sf__Id,sf__Error,email,name\n,X,a@x.com,Ada\n,X,a@x.com,Ada\n"),
    ]
    assert rows.reconcile(sent(rows, tmp_path), files, "u").letters == "?uu"


def test_a_key_that_was_created_and_then_updated_was_created(staged: Stage, tmp_path: Path) -> None:
    """A file may tell of a key twice; of a row that was refused twice one reason is enough."""
    rows = staged(pipeline("email", "name"), SOURCE)
    files = [
        salesforce(
            tmp_path,
            "succeeded",
            "sf__Id,sf__Created,email,name\n1,false,a@x.com,Ada\n1,true,a@x.com,Ada\n2,,b@x.com,B\n",
        ),
        salesforce(tmp_path, "failed", "sf__Id,sf__Error,email,name\n,Y,c@x.com,Cleo\n,X,c@x.com,Cleo\n"),
    ]
    result = rows.reconcile(sent(rows, tmp_path), files, "?")
    assert result.letters == "cux"
    assert result.rejects == (RowReject(3, "V500", "X"),)


@pytest.mark.parametrize(
    "text", ["name,Import Failure Reason\nAda,odd\n", "email,Import Failure Reason\nzz@x.com,odd\n"]
)
def test_a_failure_of_nobody_makes_silence_doubtful(staged: Stage, tmp_path: Path, text: str) -> None:
    """A failed row that fits no row that was sent may be any of those which stand in no file."""
    rows = staged(pipeline("email", "name"), SOURCE)
    assert rows.reconcile(sent(rows, tmp_path), [marketo(tmp_path, text)], "u").letters == "???"


@pytest.mark.parametrize("text", ["", "\n", "\ufeffemail,Import Failure Reason\r\n"])
def test_an_empty_file_refuses_nobody(staged: Stage, tmp_path: Path, text: str) -> None:
    """Vendors send nothing, a mark or a bare header."""
    rows = staged(pipeline("email", "name"), SOURCE)
    assert rows.reconcile(sent(rows, tmp_path), [marketo(tmp_path, text)], "u").letters == "uuu"


def test_numbers_are_matched_as_numbers(staged: Stage, tmp_path: Path) -> None:
    """A server may write 1 as 1.0: the key is compared in its own type."""
    rows = staged(pipeline(field("id", 'CAST("id" AS DECIMAL(18, 2))'), key="id"), "id\n1\n2\n")
    text = "id,Import Failure Reason\n2.0,odd\n"
    assert rows.reconcile(sent(rows, tmp_path), [marketo(tmp_path, text)], "u").letters == "ux"


def test_a_reason_holds_no_value_of_the_row(staged: Stage, tmp_path: Path) -> None:
    """Vendors quote what they refuse; the reject does not."""
    rows = staged(pipeline("email", "name"), SOURCE)
    text = "email,name,Import Failure Reason\nb@x.com,Bob,No such person: Bob <b@x.com>\n"
    (reject,) = rows.reconcile(sent(rows, tmp_path), [marketo(tmp_path, text)], "u").rejects
    assert reject.reason == "No such person: … <…>"


def test_compound_keys_are_matched(staged: Stage, tmp_path: Path) -> None:
    """All parts of a key count."""
    rows = staged(pipeline("a", "b", key=("a", "b")), "a,b\nx,1\nx,2\n")
    text = "b,a,Import Failure Reason\n2,x,odd\n"
    assert rows.reconcile(sent(rows, tmp_path), [marketo(tmp_path, text)], "u").letters == "ux"


def test_ids_are_learnt_where_the_state_names_records_by_them(staged: Stage, tmp_path: Path) -> None:
    """Those of written rows, of two the first by the alphabet; a row that was refused has none, nor has silence."""
    rows = staged(pipeline("email", "name"), SOURCE)
    files = [
        salesforce(tmp_path, "succeeded", "sf__Id,sf__Created,email,name\n8,false,b@x.com,Bob\n7,true,b@x.com,Bob\n"),
        salesforce(tmp_path, "failed", "sf__Id,sf__Error,email,name\n9,Y,c@x.com,Cleo\n"),
    ]
    payload = sent(rows, tmp_path)
    assert rows.reconcile(payload, files, "u").learnt is None
    rows.form = replace(rows.form, naming=Naming.LEARNT)
    learnt = rows.reconcile(payload, files, "u").learnt
    assert learnt is not None
    assert (list(map(int, learnt.rows)), list(map(str, learnt.ids))) == ([2], ["7"])
    assert rows.reconcile(payload, files[1:], "u").learnt is None
