"""Rows that are as they were last confirmed are left out before they are mapped, and nothing else differs by it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from dataclasses import field as member
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.capability import PayloadFormat
from syncer.engine.cursor import Since
from syncer.engine.ledger import Naming
from syncer.engine.protocol import Cut, Learnt
from syncer.engine.scan import Scan, Scanned
from syncer.engine.stage import stage
from syncer.engine.staged import StagedOperation, reopen
from syncer.errors import SourceError
from syncer.manifest.models import Column, ColumnType, Duplicates, WhenNull
from syncer.mapping.pipeline import ArrowFunction, Check, Lookup, Pipeline
from syncer.sources import spool
from syncer.sources.parquet import ParquetSource
from syncer.sources.protocol import Relation, Source, SourceColumn
from syncer.state.ledger import fold
from tests.fakes.pipelines import FILE, SYNC, field, pipeline, tree

Rows = Sequence[Mapping[str, object]]
FORMATS: Mapping[str, PayloadFormat] = {"sync": SYNC, "bulk": FILE}
TEXT = pa.schema([("email", pa.string()), ("n", pa.string()), ("m", pa.string())])
COUNTRY = pa.schema([("code", pa.string()), ("name", pa.string())])
THREE: Rows = [{"email": f"{each}@x", "n": "1", "m": each} for each in "abc"]


@dataclass
class Home:
    """A folder with one operation's source and ledger, which is planned again and again."""

    folder: Path
    ledger: Path | None = None
    opened: list[StagedOperation] = member(default_factory=list)

    def plan(
        self,
        made: Pipeline,
        rows: Rows,
        *,
        schema: pa.Schema = TEXT,
        ledger: Path | None = None,
        formats: Mapping[str, PayloadFormat] = FORMATS,
        naming: Naming = Naming.NONE,
        keeps_unchanged: bool = False,
        unique: bool = False,
        files: int = 1,
        countries: Rows = (),
        since: Since | None = None,
    ) -> StagedOperation:
        """Stage the rows, spread over some files, against the ledger."""
        home = self.folder / f"plan{len(self.opened)}"
        home.mkdir()
        table = pa.Table.from_pylist(list(rows), schema)
        size = -(-len(rows) // files) or 1
        paths = [home / f"{number}.parquet" for number in range(files)]
        for number, path in enumerate(paths):
            pq.write_table(table.slice(number * size, size), path, row_group_size=2)
        declared = {name: Column(type=kind, unique=unique and name == "m") for name, kind in made.columns}
        source = ParquetSource("contacts", tuple(paths), declared)
        other = home / "countries.parquet"
        pq.write_table(pa.Table.from_pylist(list(countries), COUNTRY), other)
        staged = stage(
            made,
            source,
            ledger or self.ledger,
            formats,
            home / "staged",
            threads=1,
            naming=naming,
            keeps_unchanged=keeps_unchanged,
            keeps_gone=True,
            lookups={"countries": ParquetSource("countries", (other,), {})},
            since=since,
        )
        self.opened.append(staged)
        return staged

    def confirm(self, staged: StagedOperation, letters: str = "u") -> None:
        """Give the outgoing rows the letters in turns, and merge what that confirms."""
        number = len(list(self.folder.glob("merged*")))
        numbers = [each[0] for each in staged.connection.execute('SELECT "row" FROM outgoing ORDER BY 1').fetchall()]
        told = (letters * len(numbers))[: len(numbers)]
        staged.confirm(numbers, told, self.folder / f"notes{number}")
        if staged.form.naming in {Naming.LEARNT, Naming.ONCE}:
            held = [row for row, letter in zip(numbers, told, strict=True) if letter == "u"]
            staged.learn(Learnt(held, [f"id-{number}-{row}" for row in held]), self.folder / f"notes{number}")
        staged.confirmed(self.folder / f"merged{number}.parquet")
        layers = [*([self.ledger] if self.ledger else []), self.folder / f"merged{number}.parquet"]
        self.ledger = self.folder / f"ledger{number}.parquet"
        fold(layers, self.ledger)

    def close(self) -> None:
        """Release every plan."""
        for each in self.opened:
            each.close()


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> Iterator[Home]:
    with closing(Home(tmp_path)) as made:
        yield made


SCANNED: dict[Path, Scanned] = {}


@pytest.fixture(autouse=True)
def _watch(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Scan.run

    def watched(scan: Scan, source: Source, lookups: Mapping[str, Source]) -> Scanned:
        found = run(scan, source, lookups)
        SCANNED[scan.files.folder] = found
        return found

    monkeypatch.setattr(Scan, "run", watched)


def mapped(staged: StagedOperation) -> int:
    """Return how many rows went through the mapping."""
    return SCANNED[staged.files.folder].mapped


def planned(staged: StagedOperation) -> tuple[object, ...]:
    """Return all that a plan tells and sends."""
    bodies = [
        (wave.wave, name, each.body if isinstance(each.body, bytes) else each.body.read_bytes(), each.rows, each.lanes)
        for wave in staged.facts.waves
        for name, form in FORMATS.items()
        for each in staged.payloads(Cut(wave.wave, None, form), staged.files.folder / f"out-{name}-{wave.wave}")
    ]
    gone = content(staged.files.gone) if staged.files.gone.exists() else None
    return staged.facts, bodies, list(staged.rejects()), gone


def content(ledger: Path | None, columns: str = "* EXCLUDE (sh)") -> list[tuple[object, ...]]:
    """Return what a file of keys holds, but for the hashes of source rows."""
    chosen = columns if has_hashes(ledger) or "sh" not in columns else "*"
    return duckdb.execute(f"SELECT {chosen} FROM '{ledger}' ORDER BY ALL").fetchall()


def has_hashes(ledger: Path | None) -> bool:
    """Return whether a file of keys tells of source rows."""
    return "sh" in pq.read_schema(ledger).names


def without_hashes(ledger: Path | None) -> Path | None:
    """Return the ledger as a version wrote it that knew of no source hashes."""
    if ledger is None:
        return None
    path = ledger.with_suffix(".old.parquet")
    table = pq.read_table(ledger)
    pq.write_table(table.drop_columns([each for each in table.column_names if each == "sh"]), path)
    return path


def made(**changed: object) -> Pipeline:
    """Return a mapping in which one field does not follow one to one from a column, and one check refuses rows."""
    check = Check("V113", "n", tree("\"f:n\" = 'bad'"), "It is bad.")
    return pipeline("email", field("n", "left(n, 3)"), "m", checks=[check], **changed)  # type: ignore[arg-type]


def test_rows_that_are_the_same_are_not_mapped(home: Home) -> None:
    """Only what may have changed goes through the mapping, and all are told as unchanged."""
    home.confirm(home.plan(made(), THREE))
    again = home.plan(made(), [*THREE[:2], {**THREE[2], "n": "2"}])
    assert (again.facts.unchanged, again.facts.outgoing, mapped(again)) == (2, 1, 1)
    assert [list(each.rows) for each in again.payloads(Cut(1, None, SYNC), home.folder)] == [[3]]


def test_a_row_in_another_place_is_the_same(home: Home) -> None:
    """What a row is does not depend on where it stands, or in which of several files."""
    home.confirm(home.plan(made(), THREE))
    rows = [{"email": "new@x", "n": "1", "m": ""}, THREE[2], {**THREE[0], "n": "7"}, THREE[1]]
    again = home.plan(made(), rows, files=3)
    assert (again.facts.unchanged, mapped(again)) == (2, 2)
    assert [list(each.rows) for each in again.payloads(Cut(1, None, SYNC), home.folder)] == [[1, 3]]


def _other_mapping() -> Pipeline:
    return pipeline("email", field("n", "left(n, 4)"), "m")


def _other_check() -> Pipeline:
    return pipeline("email", field("n", "left(n, 3)"), "m", checks=[Check("V113", "m", tree("\"f:m\" = 'a'"), "No.")])


def _other_null() -> Pipeline:
    return pipeline("email", field("n", "left(n, 3)"), field("m", when_null=WhenNull.CLEAR))


def _other_space() -> Pipeline:
    return made(key_space="marketo/other/email")


def _other_macro() -> Pipeline:
    return replace(made(), setup=("CREATE OR REPLACE MACRO unused(a) AS a",))


@pytest.mark.parametrize("other", [_other_mapping, _other_check, _other_null, _other_space, _other_macro])
def test_what_decides_beside_the_cells_is_in_the_hash(home: Home, other: Callable[[], Pipeline]) -> None:
    """A row is mapped anew when anything else changed that what becomes of it depends on."""
    home.confirm(home.plan(made(), THREE))
    assert mapped(home.plan(other(), THREE)) == 3


@pytest.mark.parametrize("formats", [{"sync": SYNC}, {"sync": SYNC, "bulk": replace(FILE, max_bytes=9_000_000)}])
def test_what_paths_can_carry_is_in_the_hash(home: Home, formats: Mapping[str, PayloadFormat]) -> None:
    """A record that fitted its paths may be too large for others."""
    home.confirm(home.plan(made(), THREE))
    assert mapped(home.plan(made(), THREE, formats=formats)) == 3


def test_another_engine_maps_all(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What functions give, hashes among them, may differ between versions of the engine."""
    home.confirm(home.plan(made(), THREE))
    monkeypatch.setattr(duckdb, "__version__", "99.0.0")
    assert mapped(home.plan(made(), THREE)) == 3


def test_the_type_in_the_source_is_in_the_hash(home: Home) -> None:
    """The same digits as another type are another row: how they are read may differ."""
    numbers = [{**each, "n": 1} for each in THREE]
    narrow, wide = (TEXT.set(1, pa.field("n", kind)) for kind in (pa.int16(), pa.int64()))
    home.confirm(home.plan(made(), numbers, schema=narrow))
    assert mapped(home.plan(made(), numbers, schema=wide)) == 3
    assert mapped(home.plan(made(), numbers, schema=narrow)) == 0


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_minus_zero_is_another_cell(home: Home, kind: pa.DataType) -> None:
    """Two numbers that are equal and print otherwise are two."""
    schema = TEXT.set(1, pa.field("n", kind))
    plain = pipeline("email", "n", "m", types={"n": ColumnType.FLOAT})
    home.confirm(home.plan(plain, [{**THREE[0], "n": 0.0}], schema=schema))
    assert home.plan(plain, [{**THREE[0], "n": -0.0}], schema=schema).facts.outgoing == 1
    assert mapped(home.plan(plain, [{**THREE[0], "n": 0.0}], schema=schema)) == 0


def test_a_type_whose_hash_may_lie_is_always_mapped(home: Home) -> None:
    """A list, an interval or the like is never taken for the same unread."""
    schema = TEXT.set(1, pa.field("n", pa.list_(pa.int64())))
    rows = [{**THREE[0], "n": [1, 2]}]
    home.confirm(home.plan(pipeline("email", field("n", "CAST(n AS VARCHAR)"), "m"), rows, schema=schema))
    assert not has_hashes(home.ledger)


def test_a_column_that_is_not_read_changes_nothing(home: Home) -> None:
    """A time of change that no field takes maps no row again."""
    small = pipeline("email", "n")
    home.confirm(home.plan(small, THREE))
    assert mapped(home.plan(small, [{**each, "m": "later"} for each in THREE])) == 0


def test_a_new_row_of_the_key_takes_the_old_one_along(home: Home) -> None:
    """A key that stands twice goes the whole way, however well one of its rows is known."""
    home.confirm(home.plan(made(), THREE))
    again = home.plan(made(), [*THREE, {**THREE[0], "n": "2"}])
    assert [each.records for each in again.facts.waves] == [1, 1]
    assert (again.facts.unchanged, mapped(again)) == (2, 2)


def test_a_refused_row_of_the_key_changes_nothing(home: Home) -> None:
    """A key that stands twice of which one row is refused is what it is without the shortcut."""
    home.confirm(home.plan(made(), THREE))
    facts = home.plan(made(), [*THREE, {**THREE[0], "n": "bad"}]).facts
    assert (facts.unchanged, facts.rejected, facts.outgoing) == (3, 1, 0)


def test_the_same_row_twice_is_no_single_row(home: Home) -> None:
    """Two equal rows of a key are a sequence of two, which was never sent."""
    home.confirm(home.plan(made(), THREE))
    again = home.plan(made(), [*THREE, THREE[0]])
    assert (again.facts.outgoing, again.facts.unchanged) == (2, 2)


def test_a_merged_record_has_no_source_row(home: Home) -> None:
    """The record of several rows is not taken for the last one of them."""
    rule = made(duplicates=Duplicates.MERGE)
    rows = [THREE[0], {"email": "a@x", "n": None, "m": "late"}]
    home.confirm(home.plan(rule, rows))
    assert content(home.ledger, "sh") == [(None,)]
    assert home.plan(rule, rows[1:]).facts.outgoing == 1


def test_a_sequence_has_no_source_row(home: Home) -> None:
    """A row that was one of several of its key is sent again when it is alone."""
    rows = [THREE[0], {**THREE[0], "n": "2"}]
    home.confirm(home.plan(made(), rows))
    assert content(home.ledger, "sh") == [(None,)]
    assert home.plan(made(), rows[:1]).facts.outgoing == 1


@pytest.mark.parametrize("letter", ["?", "x", "."])
def test_what_was_not_confirmed_is_not_known(home: Home, letter: str) -> None:
    """A row in doubt, refused or never sent goes out again."""
    home.confirm(home.plan(made(), THREE))
    changed = [{**each, "n": "2"} for each in THREE]
    home.confirm(home.plan(made(), changed), letter)
    assert home.plan(made(), changed).facts.outgoing == 3
    assert home.plan(made(), THREE).facts.outgoing == (3 if letter == "?" else 0)


def test_a_record_without_its_name_is_mapped(home: Home) -> None:
    """A row whose record could not be deleted one day is sent again to learn its id."""
    home.confirm(home.plan(made(), THREE))
    again = home.plan(made(), THREE, naming=Naming.LEARNT)
    assert (again.facts.outgoing, mapped(again)) == (3, 3)
    home.confirm(again)
    assert mapped(home.plan(made(), THREE, naming=Naming.LEARNT)) == 0


def test_all_rows_are_mapped_where_all_are_wanted(home: Home) -> None:
    """`only: all` sends every row, and a look at the target needs every record."""
    home.confirm(home.plan(made(), THREE))
    assert home.plan(made(only_changed=False), THREE).facts.outgoing == 3
    kept = home.plan(made(), THREE, keeps_unchanged=True)
    assert (kept.facts.unchanged, mapped(kept)) == (3, 3)


def test_unique_columns_are_looked_at_whole(home: Home) -> None:
    """Whether a cell repeats cannot be told of some rows only."""
    home.confirm(home.plan(made(), THREE, unique=True))
    facts = home.plan(made(), [*THREE, {**THREE[0], "email": "d@x"}], unique=True).facts
    assert (facts.rejected, facts.unchanged) == (2, 2)


def test_a_row_that_looks_elsewhere_is_always_mapped(home: Home) -> None:
    """What stands in another source may have changed though the row has not."""
    looks = replace(
        pipeline("email", field("n", '"lookup:name"'), columns=("email", "m")),
        columns=(("email", ColumnType.TEXT), ("m", ColumnType.TEXT)),
        lookups=(Lookup("name", "countries", "code", "name", tree('"m"')),),
    )
    home.confirm(home.plan(looks, THREE, countries=[{"code": "a", "name": "Andorra"}]))
    assert not has_hashes(home.ledger)
    assert home.plan(looks, THREE, countries=[{"code": "a", "name": "Albania"}]).facts.outgoing == 1


def test_what_a_function_gives_is_always_asked(home: Home) -> None:
    """The text of a statement does not tell what a function outside of it does."""

    def outside(kind: str) -> Pipeline:
        def gives(cells: pa.Array) -> pa.Array:
            return pa.array([kind] * len(cells), pa.string())

        call = ArrowFunction("outside", "n", (ColumnType.TEXT,), "VARCHAR", gives)
        return replace(pipeline("email", field("n", "outside(m)"), columns=("email", "m")), functions=(call,))

    home.confirm(home.plan(outside("1"), THREE))
    assert not has_hashes(home.ledger)
    assert home.plan(outside("2"), THREE).facts.outgoing == 3


def test_a_read_from_a_cursor_is_whole(home: Home) -> None:
    """The cursor goes by all rows at it and after it."""
    home.confirm(home.plan(made(), THREE))
    assert has_hashes(home.ledger)
    facts = home.plan(made(), THREE, since=Since("m", ColumnType.TEXT)).facts
    assert facts.cursor
    assert (facts.unchanged, facts.cursor.until) == (3, "c")


@pytest.mark.parametrize("name", ["file_row_number", "File_Row_Number", "file_index"])
def test_a_column_named_as_the_engines_own_is_no_number(home: Home, name: str) -> None:
    """Where a column hides the engine's count of rows, all rows are mapped."""
    schema = pa.schema([("email", pa.string()), (name, pa.string())])
    rows = [{"email": "a@x", name: "1"}, {"email": "b@x", name: "1"}]
    plain = pipeline("email", field("n", f'"{name}"'))
    home.confirm(home.plan(plain, rows, schema=schema, files=2))
    again = home.plan(plain, [rows[0], {**rows[1], name: "0"}], schema=schema, files=2)
    assert (again.facts.unchanged, again.facts.outgoing) == (1, 1)


def test_an_old_ledger_is_read_and_learns(home: Home) -> None:
    """A ledger without hashes maps every row once; the next merge tells it those of rows that stayed at home."""
    home.confirm(home.plan(made(), THREE))
    home.ledger = without_hashes(home.ledger)
    changed = [*THREE[:2], {**THREE[2], "n": "2"}]
    again = home.plan(made(), changed)
    assert (again.facts.unchanged, again.facts.outgoing) == (2, 1)
    assert not SCANNED[again.files.folder].has_told_gone
    before = content(home.ledger)
    home.confirm(again)
    assert len(set(before) & set(content(home.ledger))) == 2
    assert mapped(home.plan(made(), changed)) == 0


def test_a_row_that_changed_without_its_record_is_known_anew(home: Home) -> None:
    """A cell that the mapping cuts off is mapped once, and then known as it is now."""
    home.confirm(home.plan(made(), [{**each, "n": "1234"} for each in THREE]))
    rows = [*({**each, "n": "1235"} for each in THREE[:2]), {**THREE[2], "n": "5"}]
    again = home.plan(made(), rows)
    assert (again.facts.unchanged, again.facts.outgoing) == (2, 1)
    home.confirm(again)
    assert mapped(home.plan(made(), rows)) == 0


def test_a_mapping_of_constants_reads_no_cell(home: Home) -> None:
    """Where no column is read there is nothing to know a row by."""
    fixed = pipeline(field("email", "'a@x'"))
    home.confirm(home.plan(fixed, THREE[:1]))
    assert home.plan(fixed, THREE[:1]).facts.unchanged == 1


def test_rows_that_were_written_down_are_known_too(tmp_path: Path) -> None:
    """What a query gave is known again by its cells, in whatever order it comes."""

    @dataclass
    class Query:
        text: str
        name: str = "contacts"

        def columns(self) -> tuple[SourceColumn, ...]:
            return tuple(SourceColumn(each, ColumnType.TEXT, "VARCHAR") for each in TEXT.names)

        def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
            path = tmp_path / "spool.parquet"
            spool.write(connection, self.text, path)
            return spool.relation(connection, path, self.columns(), lambda _problem: SourceError("S113", "No."))

    cells = "VALUES ('a@x', '1', 'a'), ('b@x', '1', 'b'), ('c@x', {}, 'c')"
    with closing(Home(tmp_path)) as home:
        for number, expected in (("'1'", 3), ("'2'", 1)):
            query = Query(f"SELECT * FROM ({cells.format(number)}) AS t(email, n, m) ORDER BY email DESC")
            folder = tmp_path / f"staged-{expected}"
            staged = stage(made(), query, home.ledger, FORMATS, folder, threads=1)
            home.opened.append(staged)
            assert (mapped(staged), staged.facts.outgoing) == (expected, expected)
            home.confirm(staged)
        assert [each.rows[0] for each in staged.payloads(Cut(1, None, SYNC), tmp_path)] == [1]


def test_a_sequence_that_stays_is_not_retold(home: Home) -> None:
    """The rows of a key that stands twice stay one sequence, whatever else is confirmed."""
    rows = [THREE[0], {**THREE[0], "n": "2"}, THREE[1]]
    home.confirm(home.plan(made(), rows))
    changed = [*rows[:2], {**THREE[1], "n": "2"}]
    home.confirm(home.plan(made(), changed))
    assert home.plan(made(), changed).facts.unchanged == 3


@pytest.mark.parametrize("rule", [Duplicates.SERIALIZE, Duplicates.MERGE])
def test_what_is_known_is_not_told_again(home: Home, rule: Duplicates) -> None:
    """The ledger does not grow by keys that it knows as they are."""
    rows = [*THREE, {**THREE[0], "n": "2"}]
    home.confirm(home.plan(made(duplicates=rule), rows))
    again = home.plan(made(duplicates=rule), rows, keeps_unchanged=True)
    assert again.facts.outgoing == 0
    assert not again.files.retold.exists()


def test_a_plan_that_is_opened_again_tells_the_same(home: Home) -> None:
    """What a run confirms is the same in the process that resumes it."""
    staged = home.plan(made(), THREE)
    staged.close()
    with closing(reopen(staged.files.folder)) as again:
        home.confirm(again)
    assert mapped(home.plan(made(), THREE)) == 0


ROW = st.fixed_dictionaries(
    {
        "email": st.sampled_from(["a@x", "A@x ", "b@x", "c@x", "d@x", "e@x", "f@x", "", None]),
        "n": st.sampled_from(["1", "1234", "1235", "bad", "#N/A", "", None]),
        "m": st.sampled_from(["a", 'q"', "two\nlines", "x,y", None]),
    }
)


@settings(max_examples=25, deadline=None)
@given(
    versions=st.lists(st.lists(ROW, max_size=9), min_size=2, max_size=4),
    kept=st.lists(st.booleans(), min_size=9, max_size=9),
    rule=st.sampled_from(list(Duplicates)),
    letters=st.lists(st.sampled_from("uuuu?x."), min_size=1, max_size=5).map("".join),
    naming=st.sampled_from([Naming.NONE, Naming.LEARNT, Naming.ONCE]),
    files=st.integers(1, 3),
)
def test_nothing_differs_by_it(  # noqa: PLR0917 - all that is drawn
    versions: list[Rows], kept: list[bool], rule: Duplicates, letters: str, naming: Naming, files: int
) -> None:
    """Whatever becomes of a source between runs, facts, payloads, refusals, leavings and ledger are as without it."""
    pipe = made(duplicates=rule)
    with tempfile.TemporaryDirectory() as place, closing(Home(Path(place))) as home:
        rows: Rows = []
        for version in versions:
            rows = [each for each, stays in zip(rows, kept, strict=False) if stays] + list(version)
            quick = home.plan(pipe, rows, naming=naming, files=files)
            whole = home.plan(pipe, rows, naming=naming, files=files, ledger=without_hashes(home.ledger))
            assert planned(quick) == planned(whole)
            base = home.ledger
            home.confirm(whole, letters)
            expected, home.ledger = content(home.ledger), base
            home.confirm(quick, letters)
            if naming is Naming.NONE:
                assert content(home.ledger) == expected
