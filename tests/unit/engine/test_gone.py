"""Keys that left a source: who is deleted, who stays, and what the ledger forgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from syncer.engine.gone import GoneRows, keys_of
from syncer.engine.ledger import Naming
from syncer.engine.protocol import Learnt
from syncer.engine.stage import stage
from syncer.engine.staged import reopen
from syncer.facts import GoneFacts
from syncer.manifest.models import ColumnType
from syncer.sources.given import GivenRows
from syncer.sources.protocol import SourceColumn
from syncer.state.ledger import fold
from tests.fakes.pipelines import SYNC, pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from syncer.engine.staged import StagedOperation

COLUMNS = (SourceColumn("email", ColumnType.TEXT, "VARCHAR"), SourceColumn("n", ColumnType.TEXT, "VARCHAR"))
ID = SourceColumn("id", ColumnType.TEXT, "VARCHAR")


class Shop:
    """Stages an operation's rows, pretends that they were written, and keeps its ledger."""

    def __init__(self, folder: Path, naming: Naming = Naming.LEARNT) -> None:
        """Begin without a ledger."""
        self.folder = folder
        self.naming = naming
        self.ledger: Path | None = None
        self.opened: list[StagedOperation] = []

    def stage(self, rows: Mapping[str, str | None], *, key: str = "email") -> StagedOperation:
        """Stage rows, given as e-mail address and value."""
        given = [{"email": None if email.startswith("-") else email, "n": n} for email, n in rows.items()]
        place = self.folder / f"stage{len(self.opened)}"
        made = pipeline("email", "n", key=(key,))
        source = GivenRows("contacts", COLUMNS, given)
        found = stage(made, source, self.ledger, {"sync": SYNC}, place, threads=1, naming=self.naming, keeps_gone=True)
        self.opened.append(found)
        return found

    def write(self, rows: Mapping[str, str | None], ids: Mapping[str, str]) -> None:
        """Write what `rows` change; the target gives `ids`, by address."""
        staged = self.stage(rows)
        emails = list(rows)
        sent = [row for (row,) in staged.connection.execute('SELECT "row" FROM outgoing').fetchall()]
        notes = self.folder / f"notes{len(self.opened)}"
        known = [(row, ids[emails[row - 1]]) for row in sent if emails[row - 1] in ids]
        staged.learn(Learnt([row for row, _ in known], [each for _, each in known]), notes)
        staged.confirm(sent, "c" * len(sent), notes)
        self.merge(staged)

    def merge(self, staged: StagedOperation) -> None:
        """Fold what is confirmed into the ledger."""
        path = self.folder / f"confirmed{len(self.opened)}.parquet"
        staged.confirmed(path)
        whole = self.folder / f"ledger{len(self.opened)}-{path.stat().st_size}.parquet"
        fold([*([self.ledger] if self.ledger else []), path], whole)
        self.ledger = whole

    def clear_up(
        self, staged: StagedOperation, others: Mapping[str, pa.RecordBatchReader] | None = None
    ) -> tuple[GoneFacts, list[str]]:
        """Return what becomes of the keys that left, and the ids to delete."""
        path = self.folder / f"left{len(self.opened)}.parquet"
        staged.clear_up(others or {}, (), path)
        assert staged.facts.cleared is not None
        with duckdb.connect() as connection:
            query = f"SELECT DISTINCT \"row\", name FROM '{path}' ORDER BY 1"
            return staged.facts.cleared, [name for _, name in connection.execute(query).fetchall()]

    def delete(self, letters: str) -> StagedOperation:
        """Delete what left, with these outcomes, and let the ledger forget."""
        place = self.folder / f"gone{len(self.opened)}"
        path = self.folder / f"left{len(self.opened)}.parquet"
        made = pipeline("id", key=("id",))
        rows = GoneRows("contacts", ID, path, "digest of contacts")
        deletions = stage(made, rows, None, {"sync": SYNC}, place, threads=1)
        deletions.delete_for(path)
        self.opened.append(deletions)
        deletions.confirm(range(1, len(letters) + 1), letters, self.folder / f"notes{len(self.opened)}")
        self.merge(deletions)
        return deletions

    def names(self) -> dict[int, str | None]:
        """Return how many keys of the ledger have which name."""
        with duckdb.connect() as connection:
            rows = connection.execute(f"SELECT name FROM '{self.ledger}' ORDER BY name").fetchall()
        return dict(enumerate(name for (name,) in rows))


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    for each in shop.opened:
        each.close()


def test_who_left_is_deleted_by_id(shop: Shop) -> None:
    """The state learnt the ids when the records were written."""
    shop.write({"a@x": "1", "b@x": "1", "c@x": "1"}, {"a@x": "11", "b@x": "12", "c@x": "13"})
    facts, ids = shop.clear_up(shop.stage({"b@x": "1"}))
    assert (facts, ids) == (GoneFacts(deleted=2), ["11", "13"])


def test_what_is_deleted_or_was_gone_already_is_forgotten(shop: Shop) -> None:
    """A refused or doubtful deletion is tried again; a done one is not, and its key may come back as a new one."""
    shop.write(dict.fromkeys("abcde", "1"), {each: f"1{each}" for each in "abcde"})
    staged = shop.stage({"e": "1"})
    shop.clear_up(staged)
    shop.delete("usx?")
    assert list(shop.names().values()) == ["1c", "1d", "1e"]
    back = shop.stage({"a": "1", "e": "1"})
    assert (back.facts.outgoing, back.facts.unchanged, back.facts.known_keys) == (1, 1, 0)


def test_who_came_back_does_not_have_the_name_it_had(shop: Shop) -> None:
    """The old record is gone: the name of the new one is learnt, or there is none."""
    shop.write({"a": "1", "b": "1"}, {"a": "11", "b": "12"})
    staged = shop.stage({"b": "1"})
    shop.clear_up(staged)
    shop.delete("u")
    shop.write({"a": "1", "b": "1"}, {})
    assert sorted(map(str, shop.names().values())) == ["12", "None"]


def test_a_name_outlives_a_write_that_told_none(shop: Shop) -> None:
    """A person's word that a request was taken tells no id, and the record is the same."""
    shop.write({"a": "1"}, {"a": "11"})
    shop.write({"a": "2"}, {})
    assert shop.clear_up(shop.stage({"b": "1"})) == (GoneFacts(deleted=1), ["11"])


def test_a_record_that_has_no_name_stays(shop: Shop) -> None:
    """It was written before anybody asked for ids."""
    shop.naming = Naming.NONE
    shop.write({"a": "1", "b": "1"}, {})
    shop.naming = Naming.LEARNT
    facts, ids = shop.clear_up(shop.stage({"b": "1"}))
    assert (facts, ids) == (GoneFacts(unnamed=1), [])


@pytest.mark.parametrize(("naming", "sent"), [(Naming.LEARNT, 2), (Naming.ONCE, 0)])
def test_a_record_without_a_name_is_written_once_more_to_learn_it(shop: Shop, naming: Naming, sent: int) -> None:
    """Unless that would create a second record."""
    shop.naming = Naming.NONE
    shop.write({"a": "1", "b": "1"}, {})
    shop.naming = naming
    assert shop.stage({"a": "1", "b": "1"}).facts.outgoing == sent
    shop.write({"a": "1", "b": "1"}, {"a": "11", "b": "12"})
    assert shop.stage({"a": "1", "b": "1"}).facts.outgoing == 0


def test_a_key_that_is_the_id_names_its_record(shop: Shop) -> None:
    """A member of a list is told by the lead's id, which nobody has to learn."""
    shop.naming = Naming.KEY
    shop.write({"41": "1", "42": "1"}, {})
    assert shop.clear_up(shop.stage({"41": "1"})) == (GoneFacts(deleted=1), ["42"])


def test_a_row_that_cannot_be_read_may_be_anybody(shop: Shop) -> None:
    """As long as one key is not known, nobody is known to have left."""
    shop.write({"a": "1", "b": "1"}, {"a": "11", "b": "12"})
    facts, ids = shop.clear_up(shop.stage({"a": "1", "-": "1"}))
    assert (facts, ids) == (GoneFacts(unsure=1, unreadable=1), [])


def test_a_refused_row_has_not_left(shop: Shop) -> None:
    """Its key stands in the source, whatever is wrong with its other cells."""
    shop.write({"a": "1", "b": "1"}, {"a": "11", "b": "12"})
    staged = shop.stage({"a": "1", "b": "x" * 2_000_000})
    assert staged.facts.rejected == 1
    assert shop.clear_up(staged) == (GoneFacts(), [])


def test_a_record_under_another_key_of_the_source_stays(shop: Shop) -> None:
    """Somebody changed an address in the target and in the source: one person, two keys, one record."""
    shop.write({"old": "1", "new": "1"}, {"old": "11", "new": "11"})
    assert shop.clear_up(shop.stage({"new": "1"})) == (GoneFacts(shared=1), [])


def test_what_another_operation_still_sends_stays(shop: Shop) -> None:
    """And so does every other key of the same record."""
    shop.write({"a": "1", "a2": "1", "b": "1", "c": "1"}, {"a": "11", "a2": "11", "b": "12", "c": "13"})
    other = Shop(shop.folder / "other")
    sending = other.stage({"a": "9"})
    facts, ids = shop.clear_up(shop.stage({"c": "1"}), {"events": sending.sends(None)})
    sending.close()
    assert (facts, ids) == (GoneFacts(deleted=1, shared=1, held=(("events", 1),)), ["12"])


def test_what_another_operation_has_sent_and_still_holds_stays(shop: Shop) -> None:
    """Its row is unchanged, so it is sent no more; what left its source too does not keep a record."""
    shop.write({"a": "1", "b": "1", "c": "1"}, {"a": "11", "b": "12", "c": "13"})
    sending = shop.stage({"a": "1", "c": "1"})
    facts, ids = shop.clear_up(shop.stage({"c": "1"}), {"events": sending.sends(shop.ledger)})
    assert (facts, ids) == (GoneFacts(deleted=1, held=(("events", 1),)), ["12"])


def test_the_keys_of_a_ledger_are_read_in_pieces(shop: Shop) -> None:
    """An operation that is not chosen holds what it has sent."""
    shop.write({"a": "1", "b": "1"}, {"a": "11", "b": "12"})
    assert shop.ledger is not None
    facts, ids = shop.clear_up(shop.stage({"b": "1"}))
    assert (facts.deleted, ids) == (1, ["11"])
    staged = shop.opened[-1]
    path = shop.folder / "held.parquet"
    staged.clear_up({"other": keys_of(shop.ledger)}, (), path)
    assert staged.facts.cleared == GoneFacts(held=(("other", 1),))


def test_one_record_of_two_keys_is_deleted_once_and_both_are_forgotten(shop: Shop) -> None:
    """Two rows that the target had made one."""
    shop.write({"a": "1", "b": "1", "c": "1"}, {"a": "11", "b": "11", "c": "12"})
    staged = shop.stage({"c": "1"})
    assert shop.clear_up(staged) == (GoneFacts(deleted=1), ["11"])
    shop.delete("u")
    assert list(shop.names().values()) == ["12"]


def test_a_record_that_was_written_under_another_key_is_noticed(shop: Shop) -> None:
    """Its id was learnt in this very run."""
    shop.write({"a": "1", "b": "1"}, {"a": "11", "b": "12"})
    staged = shop.stage({"b": "1"})
    shop.clear_up(staged)
    deletions = shop.delete("")
    notes = shop.folder / "later"
    staged.learn(Learnt([7], ["12"]), notes)
    assert deletions.written_again(notes) == 0
    staged.learn(Learnt([8], ["11"]), notes)
    assert deletions.written_again(notes) == 1
    assert deletions.written_again(shop.folder / "nothing") == 0


def test_half_an_id_is_no_id(shop: Shop) -> None:
    """A process that died while it wrote leaves the beginning of another record's id."""
    staged = shop.stage({"a": "1", "b": "1"})
    notes = shop.folder / "cut"
    staged.learn(Learnt([1], ["11"]), notes)
    with (notes / "ids.csv").open("ab") as file:
        file.write(b"2,1")
    staged.confirm([1, 2], "cc", notes)
    shop.merge(staged)
    assert sorted(map(str, shop.names().values())) == ["11", "None"]
    staged.learn(Learnt([2], ["123"]), notes)
    shop.merge(staged)
    assert list(shop.names().values()) == ["11", "123"]


def test_what_is_no_id_is_never_believed(shop: Shop) -> None:
    """A vendor's answer is read, not trusted."""
    shop.write({"a": "1", "b": "1"}, {"a": 'x"y,', "b": ""})
    assert set(shop.names().values()) == {None}


def test_reopened_rows_still_know_what_they_delete(shop: Shop) -> None:
    """A run that is taken up forgets the same keys."""
    shop.write({"a": "1", "b": "1"}, {"a": "11", "b": "12"})
    staged = shop.stage({"b": "1"})
    shop.clear_up(staged)
    deletions = shop.delete("")
    again = reopen(deletions.files.folder)
    again.confirm([1], "u", shop.folder / "again")
    shop.merge(again)
    again.close()
    assert list(shop.names().values()) == ["12"]
