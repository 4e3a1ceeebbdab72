"""The diff against what was last confirmed, and what a run may confirm."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from syncer.engine.staged import StagedOperation, reopen
from syncer.manifest.models import Duplicates, WhenNull
from tests.fakes.pipelines import Stage, field, pipeline

FIRST = "email,n\na@x,1\nb@x,2\nc@x,3\n"


def confirm_all(rows: StagedOperation, folder: Path, name: str = "ledger.parquet", letter: str = "u") -> Path:
    """Say of every row that it was written, and return the ledger of it."""
    numbers = [each[0] for each in rows.connection.execute('SELECT "row" FROM outgoing').fetchall()]
    rows.confirm(numbers, letter * len(numbers), folder / f"notes-{name}")
    rows.confirmed(folder / name)
    return folder / name


def hashes(path: Path) -> list[bool]:
    """Return, for each key in order, whether it has a row hash."""
    query = f"SELECT rh IS NOT NULL FROM '{path}' ORDER BY kh_high"
    with duckdb.connect() as connection:
        return [each[0] for each in connection.execute(query).fetchall()]


def test_confirmed_rows_stay_at_home(staged: Stage, tmp_path: Path) -> None:
    """Only what differs from the ledger goes out; new, known and gone keys are counted."""
    ledger = confirm_all(staged(pipeline("email", "n"), FIRST), tmp_path)
    facts = staged(
        pipeline("email", "n"), "email,n\nA@X,1\na@x,1\nb@x,9\nd@x,4\n".replace("A@X,1\n", ""), ledger=ledger
    ).facts
    assert (facts.unchanged, facts.outgoing, facts.known_keys, facts.gone) == (1, 2, 1, 1)


def test_all_sends_everything(staged: Stage, tmp_path: Path) -> None:
    """`only: all` takes no row for unchanged, and still knows the keys."""
    ledger = confirm_all(staged(pipeline("email", "n"), FIRST), tmp_path)
    facts = staged(pipeline("email", "n", only_changed=False), FIRST, ledger=ledger).facts
    assert (facts.unchanged, facts.outgoing, facts.known_keys) == (0, 3, 3)


def test_without_a_ledger_nothing_is_known(staged: Stage) -> None:
    """Known keys are None, not zero."""
    facts = staged(pipeline("email", "n"), FIRST).facts
    assert (facts.known_keys, facts.gone) == (None, 0)


def test_a_null_that_clears_is_another_record(staged: Stage, tmp_path: Path) -> None:
    """Leaving alone and emptying are two meanings, so the row is changed."""
    rows = "email,n\na@x,\n"
    ledger = confirm_all(staged(pipeline("email", "n"), rows), tmp_path)
    clearing = pipeline("email", field("n", when_null=WhenNull.CLEAR))
    assert staged(pipeline("email", "n"), rows, ledger=ledger).facts.unchanged == 1
    assert staged(clearing, rows, ledger=ledger).facts.unchanged == 0


def test_the_order_of_a_mapping_changes_no_record(staged: Stage, tmp_path: Path) -> None:
    """Moving a line of a mapping sends nothing again."""
    ledger = confirm_all(staged(pipeline("email", "n"), FIRST), tmp_path)
    assert staged(pipeline("n", "email"), FIRST, ledger=ledger).facts.unchanged == 3


@pytest.mark.parametrize(
    ("again", "unchanged"),
    [
        ("a@x,1\na@x,2\n", 2),
        ("a@x,2\na@x,1\n", 0),
        ("a@x,2\n", 0),
        ("a@x,3\na@x,2\n", 0),
        ("a@x,1\na@x,2\nb@x,1\n", 2),
    ],
)
def test_a_repeated_key_is_unchanged_as_a_whole(staged: Stage, tmp_path: Path, again: str, unchanged: int) -> None:
    """What the target holds is the result of the sequence, so only the same sequence stays at home."""
    ledger = confirm_all(staged(pipeline("email", "n"), "email,n\na@x,1\na@x,2\n"), tmp_path)
    assert staged(pipeline("email", "n"), "email,n\n" + again, ledger=ledger).facts.unchanged == unchanged


@pytest.mark.parametrize("rule", [Duplicates.LAST, Duplicates.FIRST, Duplicates.MERGE])
def test_winners_are_compared(staged: Stage, tmp_path: Path, rule: Duplicates) -> None:
    """Where one row of a key wins, the ledger holds the winner."""
    made, rows = pipeline("email", "n", "m", duplicates=rule), "email,n,m\na@x,1,\na@x,,2\nb@x,1,1\n"
    ledger = confirm_all(staged(made, rows), tmp_path)
    facts = staged(made, rows, ledger=ledger).facts
    assert (facts.unchanged, facts.skipped, facts.outgoing) == (2, 1, 0)


def test_a_rejected_row_keeps_its_key(staged: Stage, tmp_path: Path) -> None:
    """A key whose row is refused at plan time has not left the source."""
    ledger = confirm_all(staged(pipeline("email", "n"), FIRST), tmp_path)
    rows = staged(pipeline("email", "n"), "email,n\na@x,1\nb@x,#N/A\nc@x,3\n", ledger=ledger)
    assert (rows.facts.rejected, rows.facts.gone) == (1, 0)


def test_letters_decide_what_is_confirmed(staged: Stage, tmp_path: Path) -> None:
    """Created and updated are confirmed; in doubt is forgotten; refused and not sent stay as they were."""
    rows = staged(pipeline("email"), "email\n" + "".join(f"{n}@x\n" for n in range(6)))
    rows.confirm([1, 2, 3], "cu?", tmp_path / "notes")
    rows.confirm([4, 5], "x.", tmp_path / "notes")
    assert rows.confirmed(tmp_path / "out.parquet") == 2
    assert sorted(hashes(tmp_path / "out.parquet")) == [False, True, True]


def test_the_newest_word_counts(staged: Stage, tmp_path: Path) -> None:
    """Saying it twice changes nothing; saying otherwise later does."""
    rows = staged(pipeline("email"), "email\na@x\nb@x\n")
    rows.confirm([1, 2], "??", tmp_path / "notes")
    rows.confirm([1], "u", tmp_path / "notes")
    rows.confirm([1], "u", tmp_path / "notes")
    assert rows.confirmed(tmp_path / "out.parquet") == 1
    assert sorted(hashes(tmp_path / "out.parquet")) == [False, True]


def test_notes_of_an_earlier_process_count(staged: Stage, tmp_path: Path) -> None:
    """A resumed run finds what was noted before, a torn last note aside."""
    rows = staged(pipeline("email"), "email\na@x\nb@x\n")
    rows.confirm([1], "u", tmp_path / "notes")
    with (tmp_path / "notes" / "outcomes.words").open("ab") as torn:
        torn.write(b"\1\2\3")
    again = reopen(rows.files.folder)
    again.confirm([2], "c", tmp_path / "notes")
    assert again.confirmed(tmp_path / "out.parquet") == 2
    again.close()


def test_a_half_written_sequence_is_forgotten(staged: Stage, tmp_path: Path) -> None:
    """Of a key that stands twice, one confirmed row proves nothing."""
    rows = staged(pipeline("email", "n"), "email,n\na@x,1\na@x,2\nb@x,1\nb@x,2\nc@x,1\nc@x,2\n")
    rows.confirm([1, 2, 3, 4, 5, 6], "uuuxxx", tmp_path / "notes")
    assert rows.confirmed(tmp_path / "out.parquet") == 1
    assert sorted(hashes(tmp_path / "out.parquet")) == [False, True]


def test_nothing_noted_confirms_nothing(staged: Stage, tmp_path: Path) -> None:
    """A run that sent nothing leaves the ledger alone."""
    rows = staged(pipeline("email"), "email\na@x\n")
    assert rows.confirmed(tmp_path / "out.parquet") == 0
    assert hashes(tmp_path / "out.parquet") == []


def test_shared_keys_are_counted(staged: Stage) -> None:
    """Keys that two operations of one key space both write, by their canonical form."""
    one = staged(pipeline("email"), "email\na@x\nb@x\nb@x\n")
    two = staged(pipeline("email", "n"), "email,n\nB@x,1\nc@x,2\na@X,\n")
    other = staged(pipeline("email", key_space="salesforce/lead/email"), "email\na@x\n")
    assert (one.shared_keys(two), two.shared_keys(one), one.shared_keys(other)) == (2, 2, 0)
