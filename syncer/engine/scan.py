"""Runs the one statement of a pipeline over its source, out of core, into the base file of staged rows.

Hands on the fields' types, the flaws by number, and a base whose rows have their true numbers. Judges no row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import duckdb

from syncer.capability import CsvFormat, JsonFormat, PayloadFormat
from syncer.engine import chain, columns, cursor, interpret, same, sql
from syncer.engine.connection import count, write_parquet
from syncer.engine.wire import Wire, WireField
from syncer.errors import SourceError, StateError
from syncer.manifest.models import WhenNull
from syncer.mapping.pipeline import conformed
from syncer.sources.protocol import ReadAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from syncer.engine.columns import Flaw
    from syncer.engine.cursor import Since
    from syncer.engine.layout import Layout
    from syncer.engine.ledger import Ledger
    from syncer.mapping.pipeline import Lookup, Pipeline
    from syncer.sources.protocol import Relation, Source, SourceColumn

T = TypeVar("T")
SHARE_OF_BROKEN_ROWS = 0.10
"""More rows than this that do not fit their header mean that the file is not what it was declared to be."""
_MAKE_ROOM = "Free disk space below the project's .syncer folder, or raise the memory limit."


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was found: how cells are staged, the flaws by number counted from 1, and how many rows of each kind."""

    relation: Relation
    wire: Wire
    flaws: tuple[Flaw, ...]
    scanned: int
    """Rows of the whole source that could be split."""
    mapped: int
    same: int = 0
    """Rows that were not mapped, as they are what they were when they were last confirmed."""
    has_told_gone: bool = False
    """Whether looking for such rows has told which keys left already."""
    has_hashes: bool = False
    """Whether the rows have the hash by which they are known again."""
    digest: str = ""
    broken: int = 0

    @property
    def read(self) -> int:
        """The rows that this run looks at, broken ones besides."""
        return self.mapped + self.same


@dataclass(frozen=True, slots=True)
class Scan:
    """One pipeline over one source."""

    pipeline: Pipeline
    formats: Mapping[str, PayloadFormat]
    files: Layout
    connection: duckdb.DuckDBPyConnection
    since: Since | None = None
    """From where on a source with a cursor is read."""
    known: Ledger | None = None
    """What was last confirmed, where rows that are as they were may be left out."""

    @property
    def has_json(self) -> bool:
        """Whether some path's format is JSON."""
        return any(isinstance(each, JsonFormat) for each in self.formats.values())

    def run(self, source: Source, lookups: Mapping[str, Source]) -> Scanned:
        """Write the base; where a fast scan lost step, once more by a slower one. Raises `SourceError`."""
        relation = self._open(source, lookups)
        found = self._map(relation)
        try:
            digest = relation.finish(found.scanned)
        except ReadAgain as exact:
            relation = exact.relation
            found = self._map(relation)
            digest = relation.finish(found.scanned)
        return replace(found, digest=digest, broken=self._split(relation, found.scanned))

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

    def _map(self, relation: Relation) -> Scanned:
        """Run the pipeline's one statement into the base file; the source's digest and broken rows come after it."""
        wanted = dict(self.pipeline.columns)
        there = used(self.pipeline, relation, self.since.column if self.since else "")
        missing = sorted(wanted.keys() - {each.name for each in there})
        if missing:
            named = ", ".join(f'"{each}"' for each in missing)
            raise SourceError("S110", f"The source has no column {named}.")
        has_hashes = same.can_tell(self.pipeline, relation, there, has_cursor=self.since is not None)
        rows = same.view(self.connection, relation, there) if has_hashes else f"({relation.sql})"
        hashed = same.CARRIED if has_hashes else ()
        typed, flaws = columns.select(rows, there, may_hold_nul=relation.may_hold_nul, carried=hashed)
        once = [*columns.unique(there), *map(sql.name, hashed)]
        scanned = None
        if self.pipeline.lookups or self.since:
            typed, scanned = self._numbered(relation, typed)
            typed = self._looked_up(typed)
            once += ["position", *([cursor.VALUE] if self.since else [])]
        carried = ", ".join(once)
        mapped_rows = chain.conform(interpret.named(self.pipeline), self._interpreted(relation, typed), carried)
        types = {
            row[0]: row[1] for row in self.connection.execute(f"DESCRIBE SELECT * FROM ({mapped_rows})").fetchall()
        }
        wire = Wire(
            tuple(
                WireField(each.name, str(types[conformed(each.name)]), clears=each.when_null is WhenNull.CLEAR)
                for each in self.pipeline.fields
            ),
            has_columns=not any(isinstance(each, CsvFormat) for each in self.formats.values()),
        )
        drawn = chain.draw(self.pipeline, wire, mapped_rows)
        judged, flaws = chain.judge(self.pipeline, wire, drawn, self._clear_texts(), flaws)
        rows = chain.measure(self.pipeline, wire, judged, with_json=self.has_json, carried=carried)
        if scanned is not None:
            number = ', position + 1 AS "row"' if self.since else ""
            rows = f"SELECT * EXCLUDE (position){number} FROM ({rows}) ORDER BY position"
        left = None
        if has_hashes:
            same.bind(self.connection, self.pipeline, there, rows, self.formats)
            left = self._told(relation, lambda: self._same(rows))
            rows = same.named(rows, is_numbered=left is not None)
        mapped = self._told(relation, lambda: write_parquet(self.connection, rows, self.files.base))
        for each in (self._interpreted_path, self._source_path):
            each.unlink(missing_ok=True)
        if self.since:
            self._keep_numbers()
        if left is not None:
            self.files.replace_rows(self.files.base)
        whole = mapped + (left or 0) if scanned is None else scanned
        return Scanned(relation, wire, flaws, whole, mapped, left or 0, left is not None, has_hashes)

    def _same(self, rows: str) -> int | None:
        """Leave out the rows that are as they were when they were last confirmed; return how many, None if unknown."""
        if self.known is None or not self.known.has_hashes:
            return None
        return same.find(self.connection, rows, self.known, self.files.folder / "narrow.parquet")

    def _keep_numbers(self) -> None:
        """Give the rows that are left after a cursor the numbers that they have in the source."""
        path = self.files.folder / "after.parquet"
        numbered = sql.parquet(self.files.base, numbered=True)
        rows = f"SELECT file_row_number AS position, * EXCLUDE (file_row_number) FROM {numbered}"
        write_parquet(self.connection, rows, path)
        self.files.replace_rows(path)

    @property
    def _interpreted_path(self) -> Path:
        return self.files.folder / "interpreted.parquet"

    @property
    def _source_path(self) -> Path:
        return self.files.folder / "source.parquet"

    def _interpreted(self, relation: Relation, typed: str) -> str:
        """Compute what has no SQL form, and go on from the rows written down with it."""
        if not self.pipeline.functions:
            return typed
        path = self._interpreted_path
        self._told(relation, lambda: interpret.write(self.connection, self.pipeline, typed, path))
        return f"SELECT * FROM {sql.parquet(path)}"

    def _told(self, relation: Relation, work: Callable[[], T]) -> T:
        """Do what reads the source; the engine's own words on a failed scan quote cells, so they end here."""
        try:
            return work()
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            raise StateError("S195", f'There is no room to stage "{self.pipeline.operation}".', _MAKE_ROOM) from None
        except duckdb.Error as problem:
            raise relation.explain(problem) from None

    def _numbered(self, relation: Relation, typed: str) -> tuple[str, int]:
        """Write the rows down and number them, for what loses their order or leaves some out; return their count."""
        path = self._source_path
        scanned = self._told(relation, lambda: write_parquet(self.connection, typed, path))
        if self.since:
            return cursor.rest(path, self.since), scanned
        rows = (
            f"SELECT * EXCLUDE (file_row_number), file_row_number AS position FROM {sql.parquet(path, numbered=True)}"
        )
        return rows, scanned

    def _looked_up(self, numbered: str) -> str:
        """Join the lookup tables."""
        joins, takes = "", ""
        for lookup in self.pipeline.lookups:
            table = sql.name(_lookup_table(lookup.alias))
            value = sql.tree(lookup.value)
            joins += f" LEFT JOIN {table} ON CAST(({value}) AS VARCHAR) = CAST({table}.match AS VARCHAR)"
            takes += f", CASE WHEN {table}.rows = 1 THEN {table}.take END AS {sql.name('lookup:' + lookup.alias)}"
        return f"SELECT numbered.*{takes} FROM ({numbered}) AS numbered{joins}"

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
            FROM ({self.files.rows()}) AS rows ASOF LEFT JOIN gaps ON "row" - 1 >= gaps.start ORDER BY position
            """,
            self.files.folder / "gaps.parquet",
        )
        self.files.replace_rows(self.files.folder / "gaps.parquet")
        return broken


def used(pipeline: Pipeline, relation: Relation, cursor_column: str = "") -> list[SourceColumn]:
    """Return the columns that a mapping reads, a contract speaks of, or a cursor goes by."""
    wanted = {name for name, _ in pipeline.columns} | {cursor_column}
    return [each for each in relation.columns if each.name in wanted or each.is_required or each.is_unique]


def _lookup_table(alias: str) -> str:
    return f"lookup of {alias}"
