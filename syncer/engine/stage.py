"""Stages one operation: source rows go through the compiled pipeline once, out of core, onto disk, and are measured.

Hands on a `StagedOperation`. Decides nothing about paths, sends nothing, and never walks rows in Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import duckdb

from syncer.engine import chain, columns, digest, duplicates, gone, interpret, layout, ledger, shape, sql
from syncer.engine.connection import connect, count, private, write_parquet
from syncer.engine.ledger import Naming
from syncer.engine.staged import Form, StagedOperation
from syncer.engine.wire import Wire, WireField
from syncer.errors import BugError, SourceError, StateError
from syncer.facts import CsvFormat, GoneFacts, JsonFormat, OperationFacts, PayloadFormat, RejectFacts
from syncer.manifest.models import Duplicates, WhenNull
from syncer.mapping.pipeline import conformed
from syncer.sources.protocol import ReadAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from syncer.engine.columns import Flaw
    from syncer.mapping.pipeline import Lookup, Pipeline
    from syncer.sources.protocol import Relation, Source, SourceColumn

T = TypeVar("T")
SHARE_OF_BROKEN_ROWS = 0.10
"""More rows than this that do not fit their header mean that the file is not what it was declared to be."""
FIRST_ROWS = 5
_ON_THE_WAY = ("source.parquet", "interpreted.parquet", "repeated.parquet")
_MAKE_ROOM = "Free disk space below the project's .syncer folder, or raise the memory limit."


def stage(  # noqa: PLR0913 - what a stage depends on is said, not hidden in a bag
    pipeline: Pipeline,
    source: Source,
    ledger_parquet: Path | None,
    formats: Mapping[str, PayloadFormat],
    folder: Path,
    *,
    lookups: Mapping[str, Source] | None = None,
    memory_limit: str = "1GB",
    threads: int | None = None,
    keeps_unchanged: bool = False,
    naming: Naming = Naming.NONE,
    keeps_gone: bool = False,
    progress: Callable[[str, int], None] = lambda _step, _rows: None,
) -> StagedOperation:
    """Run the pipeline over the source into `folder`; raises `SourceError`. `formats` are the paths' by name.

    `keeps_unchanged` keeps also the rows that stay at home because they were confirmed as they are, to be looked up.
    `naming` is what the state calls the records, where those that leave are to be deleted; `keeps_gone` writes down the
    keys that left.
    """
    files = layout.Layout(private(folder))
    for stale in folder.glob("*.parquet"):
        stale.unlink()
    files.summary.unlink(missing_ok=True)
    connection = connect(folder, memory_limit=memory_limit, threads=threads)
    try:
        return _Stage(pipeline, formats, files, connection, progress, keeps_unchanged, naming, keeps_gone).run(
            source, ledger_parquet, dict(lookups or {})
        )
    except BaseException:
        connection.close()
        raise


@dataclass(frozen=True, slots=True)
class _Stage:
    pipeline: Pipeline
    formats: Mapping[str, PayloadFormat]
    files: layout.Layout
    connection: duckdb.DuckDBPyConnection
    progress: Callable[[str, int], None]
    keeps_unchanged: bool
    naming: Naming
    keeps_gone: bool

    def run(self, source: Source, ledger_parquet: Path | None, lookups: Mapping[str, Source]) -> StagedOperation:
        relation = self._open(source, lookups)
        wire, flaws, read = self._map(relation)
        try:
            source_digest = relation.finish(read)
        except ReadAgain as exact:
            relation = exact.relation
            wire, flaws, read = self._map(relation)
            source_digest = relation.finish(read)
        self.progress("mapped", read)
        broken = self._split(relation, read)
        accepted = self._judge(relation, wire)
        again = duplicates.find(self.connection)
        folded = self._look_at_repeated(wire) if again else 0
        keys = accepted - again
        if again and self.pipeline.duplicates is not Duplicates.REJECT:
            keys += count(self.connection, "SELECT count(*) FROM again WHERE turn = 1")
        skipped = self._settle_duplicates(wire) if again else 0
        known = ledger.compare(
            self.connection, ledger_parquet, only_changed=self.pipeline.only_changed, naming=self.naming
        )
        if known and self.keeps_gone:
            gone.keep(self.connection, self.files)
        unreadable = gone.unreadable(self.connection) if self.naming else 0
        self.progress("compared", accepted)
        skipped += count(self.connection, "SELECT count(*) FROM skipped")
        unchanged = count(self.connection, "SELECT count(*) FROM unchanged")
        refused = self._write_rejects(relation, flaws)
        self._separate()
        self.files.open(self.connection)
        self.files.prepare(self.connection)
        shapes = shape.number(self.connection, wire)
        waves, slices = shape.facts(self.connection, wire, shapes, self.formats)
        outgoing = sum(each.records for each in waves)
        if outgoing + unchanged + skipped + refused != read + broken:
            detail = f"{outgoing} + {unchanged} + {skipped} + {refused} rows were staged of {read + broken} read."
            raise BugError("S190", detail)
        facts = OperationFacts(
            operation=self.pipeline.operation,
            source=source.name,
            source_digest=source_digest,
            rows_digest=digest.rows_digest(self.connection),
            read=read + broken,
            outgoing=outgoing,
            unchanged=unchanged,
            skipped=skipped,
            rejected=refused,
            folded=folded,
            keys=keys,
            known_keys=ledger.known_keys(self.connection) if known else None,
            gone=known.gone if known else 0,
            waves=waves,
            slices=slices,
            rejects=self._reject_facts(),
            interpreted=tuple(dict.fromkeys(each.field for each in self.pipeline.functions)),
            cleared=GoneFacts(unreadable=unreadable) if self.naming else None,
        )
        self.progress("measured", outgoing)
        staged = StagedOperation(
            facts,
            Form(wire.fields, shapes, chain.key(self.pipeline, wire), self.pipeline.setup, self.naming),
            self.files,
            self.connection,
        )
        staged.save()
        self._clear()
        return staged

    def _clear(self) -> None:
        """Remove what was written down on the way: unpacked sources and the like hold rows of people."""
        for each in (*(self.files.folder / "spill").glob("*.*"), *map(self.files.folder.joinpath, _ON_THE_WAY)):
            if each.suffix in {".csv", ".jsonl", ".parquet"}:
                each.unlink(missing_ok=True)

    def _open(self, source: Source, lookups: Mapping[str, Source]) -> Relation:
        """Register macros, lookup tables and the source."""
        for statement in self.pipeline.setup:
            self.connection.execute(statement)
        for lookup in self.pipeline.lookups:
            relation = lookups[lookup.source].open(self.connection)
            try:
                self._look_up_in(lookup, relation)
            except ReadAgain as again:
                self._look_up_in(lookup, again.relation)
        return source.open(self.connection)

    def _look_up_in(self, lookup: Lookup, relation: Relation) -> None:
        """Read the two columns of a lookup source; a match that stands in several rows gives nothing."""
        match, take, table = sql.name(lookup.match), sql.name(lookup.take), sql.name(_lookup_table(lookup.alias))
        try:
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE found AS SELECT {match} AS match, {take} AS take FROM ({relation.sql})"
            )
        except duckdb.Error as problem:
            raise relation.explain(problem) from None
        relation.finish(count(self.connection, "SELECT count(*) FROM found"))
        self.connection.execute(
            f"""
            CREATE OR REPLACE TABLE {table} AS SELECT match, any_value(take) AS take, count(*) AS rows FROM found
            WHERE match IS NOT NULL GROUP BY match
            """
        )
        self.connection.execute("DROP TABLE found")

    def _map(self, relation: Relation) -> tuple[Wire, tuple[Flaw, ...], int]:
        """Run the pipeline's one statement into the base file."""
        wanted = dict(self.pipeline.columns)
        used = self._used(relation)
        missing = sorted(wanted.keys() - {each.name for each in used})
        if missing:
            named = ", ".join(f'"{each}"' for each in missing)
            raise SourceError("S110", f"The source has no column {named}.")
        typed, flaws = columns.select(f"({relation.sql})", used, may_hold_nul=relation.may_hold_nul)
        once = list(columns.unique(used))
        if self.pipeline.lookups:
            typed = self._looked_up(typed)
        carried = ", ".join(once + ["position"] * bool(self.pipeline.lookups))
        mapped_rows = chain.conform(interpret.named(self.pipeline), self._interpreted(relation, typed), carried)
        types = {
            row[0]: row[1] for row in self.connection.execute(f"DESCRIBE SELECT * FROM ({mapped_rows})").fetchall()
        }
        wire = Wire(
            tuple(
                WireField(each.name, str(types[conformed(each.name)]), clears=each.when_null is WhenNull.CLEAR)
                for each in self.pipeline.fields
            )
        )
        drawn = chain.draw(self.pipeline, wire, mapped_rows)
        judged, flaws = chain.judge(self.pipeline, wire, drawn, self._clear_texts(), flaws)
        rows = chain.measure(self.pipeline, wire, judged, with_json=self._has_json(), carried=carried)
        if self.pipeline.lookups:
            rows = f"SELECT * EXCLUDE (position) FROM ({rows}) ORDER BY position"
        return wire, flaws, self._run(relation, rows)

    def _interpreted(self, relation: Relation, typed: str) -> str:
        """Compute what has no SQL form, and go on from the rows written down with it."""
        if not self.pipeline.functions:
            return typed
        path = self.files.folder / "interpreted.parquet"
        self._told(relation, lambda: interpret.write(self.connection, self.pipeline, typed, path))
        return f"SELECT * FROM {sql.parquet(path)}"

    def _run(self, relation: Relation, rows: str) -> int:
        """Write the base file."""
        return self._told(relation, lambda: write_parquet(self.connection, rows, self.files.base))

    def _told(self, relation: Relation, work: Callable[[], T]) -> T:
        """Do what reads the source; the engine's own words on a failed scan quote cells, so they end here."""
        try:
            return work()
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            raise StateError("S195", f'There is no room to stage "{self.pipeline.operation}".', _MAKE_ROOM) from None
        except duckdb.Error as problem:
            raise relation.explain(problem) from None

    def _used(self, relation: Relation) -> list[SourceColumn]:
        """Return the columns that a mapping reads or a contract speaks of."""
        wanted = dict(self.pipeline.columns)
        return [each for each in relation.columns if each.name in wanted or each.is_required or each.is_unique]

    def _looked_up(self, typed: str) -> str:
        """Join the lookup tables; the join loses the order, so the rows are written down and numbered first."""
        path = self.files.folder / "source.parquet"
        write_parquet(self.connection, typed, path)
        joins, takes = "", ""
        for lookup in self.pipeline.lookups:
            table = sql.name(_lookup_table(lookup.alias))
            value = sql.tree(lookup.value)
            joins += f" LEFT JOIN {table} ON CAST(({value}) AS VARCHAR) = CAST({table}.match AS VARCHAR)"
            takes += f", CASE WHEN {table}.rows = 1 THEN {table}.take END AS {sql.name('lookup:' + lookup.alias)}"
        numbered = (
            f"SELECT * EXCLUDE (file_row_number), file_row_number AS position FROM {sql.parquet(path, numbered=True)}"
        )
        return f"SELECT numbered.*{takes} FROM ({numbered}) AS numbered{joins}"

    def _has_json(self) -> bool:
        return any(isinstance(each, JsonFormat) for each in self.formats.values())

    def _clear_texts(self) -> frozenset[str]:
        """The cell texts that some candidate path would take as an order to empty the field."""
        found = (each.clear_text for each in self.formats.values() if isinstance(each, CsvFormat))
        return frozenset(each for each in found if each is not None)

    def _split(self, relation: Relation, read: int) -> int:
        """Give rows behind a broken one their true numbers; return how many were broken."""
        split = relation.structural_rejects or (
            "SELECT NULL::BIGINT AS row, NULL::BIGINT AS line, '' AS code, '' AS reason WHERE false"
        )
        self.connection.execute(f"CREATE TEMP TABLE broken AS {split}")
        broken = count(self.connection, "SELECT count(*) FROM broken")
        if not broken:
            return 0
        if broken > SHARE_OF_BROKEN_ROWS * (read + broken):
            [(line, reason)] = self.connection.execute(
                'SELECT line, reason FROM broken ORDER BY "row" LIMIT 1'
            ).fetchall()
            where = f"the first stands in line {line}: {reason}"
            rows = f'{broken:,} of {read + broken:,} rows of source "{self.pipeline.source}"'
            detail = f"{rows} do not fit the header; {where}"
            raise SourceError("S115", detail, 'Check "delimiter" and "quote" of the source, or correct the file.')
        write_parquet(
            self.connection,
            f"""
            WITH numbered AS (SELECT "row", row_number() OVER (ORDER BY "row") AS shift FROM broken),
                 gaps AS (SELECT "row" - shift AS start, max(shift) AS shift FROM numbered GROUP BY start)
            SELECT position, "row" + coalesce(shift, 0) AS "row", rows.* EXCLUDE (position, "row")
            FROM ({self.files.rows()}) AS rows ASOF LEFT JOIN gaps ON position >= gaps.start ORDER BY position
            """,
            self.files.folder / "gaps.parquet",
        )
        self._replace_rows(self.files.folder / "gaps.parquet")
        return broken

    def _replace_rows(self, path: Path) -> None:
        path.replace(self.files.numbered)
        self.files.base.unlink(missing_ok=True)

    def _judge(self, relation: Relation, wire: Wire) -> int:
        """Make the views and tables that tell rows apart; refuse records that no path can carry."""
        self._view_rows()
        for table in ("refused (position BIGINT, row BIGINT, flaw INTEGER, other BIGINT)", "skipped (position BIGINT)"):
            self.connection.execute(f"CREATE TEMP TABLE {table}")
        names = [each.name for each in wire.fields]
        fits = [
            f"{shape.record_bytes(wire, form)} <= {shape.limits(form, names)[0].max_bytes}"
            for form in self.formats.values()
        ]
        if fits:
            self.connection.execute(
                f"""
                INSERT INTO refused SELECT position, "row", {duplicates.OVERSIZE_FLAW}, NULL FROM rows
                WHERE flaw = 0 AND NOT ({sql.either(fits)})
                """
            )
        for place, column in enumerate(columns.unique(self._used(relation))):
            duplicates.refuse_repeated(self.connection, column, duplicates.UNIQUE_FLAW - place)
        has_refused = count(self.connection, "SELECT count(*) FROM refused")
        rest = "AND position NOT IN (SELECT position FROM refused)" if has_refused else ""
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW accepted AS SELECT * FROM rows WHERE flaw = 0 {rest}")
        return count(self.connection, "SELECT count(*) FROM accepted")

    def _view_rows(self) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW rows AS {self.files.rows()}")

    def _look_at_repeated(self, wire: Wire) -> int:
        """Put the rows of repeated keys aside, which are few and looked at again; return how many are folded."""
        path = self.files.folder / "repeated.parquet"
        write_parquet(self.connection, "SELECT * FROM accepted SEMI JOIN again USING (position)", path)
        self.connection.execute(f"CREATE TEMP VIEW repeated AS SELECT * FROM {sql.parquet(path)}")
        return duplicates.folded(self.connection, self.pipeline, wire)

    def _settle_duplicates(self, wire: Wire) -> int:
        """Apply the rule; return how many rows a merge left out."""
        duplicates.settle(self.connection, self.pipeline.duplicates)
        if self.pipeline.duplicates is not Duplicates.MERGE:
            return 0
        path = self.files.folder / "merged.parquet"
        merged = duplicates.merged(self.pipeline, wire, with_json=self._has_json())
        whole = f"""
            SELECT * FROM (SELECT * FROM rows WHERE position NOT IN (SELECT position FROM again)
                           UNION ALL BY NAME {merged}) ORDER BY position
            """
        before = count(self.connection, "SELECT count(*) FROM rows")
        after = write_parquet(self.connection, whole, path)
        self._replace_rows(path)
        self._view_rows()
        self.connection.execute("DELETE FROM again")
        return before - after

    def _write_rejects(self, relation: Relation, flaws: tuple[Flaw, ...]) -> int:
        """Write down every refused row with its first flaw; return their number."""
        self.connection.execute("CREATE TEMP TABLE flaws (flaw INTEGER, code VARCHAR, field VARCHAR, reason VARCHAR)")
        known = [(number, each.code, each.field, each.reason) for number, each in enumerate(flaws, 1)]
        keys = ", ".join(each.field for each in self.pipeline.key)
        known += [
            (duplicates.REFUSED_FLAW, "V211", keys, "The key of this row stands also in row "),
            (duplicates.OVERSIZE_FLAW, "V212", "", "The record is larger than any path can carry."),
        ]
        for place, column in enumerate(columns.unique(self._used(relation)).values()):
            known.append((duplicates.UNIQUE_FLAW - place, "V206", column.name, "The cell stands also in row "))
        self.connection.executemany("INSERT INTO flaws VALUES (?, ?, ?, ?)", known)
        return write_parquet(
            self.connection,
            """
            SELECT * FROM (
                SELECT "row", code, field, reason FROM rows JOIN flaws USING (flaw) WHERE rows.flaw > 0
                UNION ALL
                SELECT "row", code, field, reason || coalesce(other || '.', '') FROM refused JOIN flaws USING (flaw)
                UNION ALL
                SELECT "row", code, '', reason FROM broken) ORDER BY "row"
            """,
            self.files.rejects,
        )

    def _reject_facts(self) -> tuple[RejectFacts, ...]:
        rows = self.connection.execute(
            f"""
            SELECT code, field, count(*), list("row" ORDER BY "row")[:{FIRST_ROWS}] FROM rejected
            GROUP BY code, field ORDER BY code, field
            """
        ).fetchall()
        return tuple(RejectFacts(code, field, records, tuple(first)) for code, field, records, first in rows)

    def _separate(self) -> None:
        """Write later waves apart and note which rows stay at home; keep only those that go where they are few."""
        going = "again ANTI JOIN unchanged USING (position)"
        if count(self.connection, f"SELECT count(*) FROM {going} WHERE turn > 1"):
            write_parquet(
                self.connection,
                f"""
                SELECT repeated.*, turn AS wave FROM repeated
                JOIN (SELECT position, turn FROM {going} WHERE turn > 1) USING (position) ORDER BY turn, position
                """,
                self.files.later,
            )
        dropped = """
            SELECT position FROM rows WHERE flaw > 0 UNION ALL SELECT position FROM refused
            UNION ALL SELECT position FROM skipped UNION ALL SELECT position FROM unchanged
            UNION ALL SELECT position FROM again ANTI JOIN unchanged USING (position) WHERE turn > 1
            """
        stays = write_parquet(self.connection, dropped, self.files.dropped)
        if not stays:
            self.files.dropped.unlink()
        elif self.keeps_unchanged:
            write_parquet(self.connection, "SELECT position FROM unchanged", self.files.unchanged)
        elif stays > count(self.connection, "SELECT count(*) FROM rows") / 2:
            self.files.prepare(self.connection)
            path = self.files.folder / "kept.parquet"
            mask = "get_bit(getvariable('dropped'), CAST(position AS INTEGER)) = 0"
            write_parquet(self.connection, f"SELECT * FROM rows WHERE {mask}", path)
            self._replace_rows(path)
            self.files.dropped.unlink()


def _lookup_table(alias: str) -> str:
    return f"lookup of {alias}"
