"""Joins and filters other sources with one query, in an engine that can reach nothing else.

The sources are written down first; the query runs where no file, network or setting is in reach but those rows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from syncer.errors import SourceError
from syncer.sources import spool
from syncer.sources.column import name, source_column, text, work_file
from syncer.sources.protocol import ReadAgain, Relation, SourceColumn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from syncer.manifest.models import Column
    from syncer.sources.protocol import Source


@dataclass(frozen=True, slots=True)
class SqlSource:
    """One query over other sources, each a table under its name with its cells as they stand there."""

    name: str
    sql: str
    others: Mapping[str, Source]
    declared: Mapping[str, Column]

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the columns that the query gives, from the columns of its sources; raises `SourceError`."""
        query, used = self._query()
        with duckdb.connect(":memory:") as sealed:
            for each in used:
                columns = ", ".join(f"{name(c.name)} {c.raw}" for c in self.others[each].columns())
                sealed.execute(f"CREATE TABLE {name(each)} ({columns})")
            _seal(sealed)
            try:
                rows = sealed.execute(f"DESCRIBE {query}").fetchall()
            except duckdb.Error as problem:
                raise self._explain(problem) from None
        return tuple(source_column(row[0], self.declared, row[1]) for row in rows)

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Read the sources, run the query and return the scan of its rows; raises `SourceError`."""
        query, used = self._query()
        result = work_file(connection, f"{self.name}.parquet")
        inputs = {each: work_file(connection, f"{self.name}-{each}.parquet") for each in used}
        prints = [_write_down(connection, self.others[each], path) for each, path in inputs.items()]
        [(limit,)] = connection.execute("SELECT current_setting('memory_limit')").fetchall()
        with duckdb.connect(":memory:", config={"memory_limit": str(limit)}) as sealed:
            sealed.execute(f"SET temp_directory = {text(str(result.parent / 'sealed'))}")
            for each, path in inputs.items():
                sealed.execute(f"CREATE VIEW {name(each)} AS SELECT * FROM read_parquet({text(str(path))})")
            _seal(sealed, *inputs.values(), result)
            try:
                spool.write(sealed, query, result)
            except duckdb.Error as problem:
                raise self._explain(problem) from None
        found = spool.columns(connection, result, self.declared, self.name)
        whole = spool.relation(connection, result, found, self._explain)
        digest = hashlib.sha256("\n".join((self.sql, *prints)).encode()).hexdigest()
        return replace(whole, finish=lambda _rows: digest)

    def _query(self) -> tuple[str, list[str]]:
        """Return the query, in an order that is the same at every run, and the sources it reads."""
        try:
            statements = sqlglot.parse(self.sql, dialect="duckdb")
        except SqlglotError as problem:
            raise SourceError("S120", f'The SQL of source "{self.name}" cannot be parsed.') from problem
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise SourceError("S120", f'The SQL of source "{self.name}" is not one query.', "Write one SELECT.")
        query = statements[0]
        tables = {each.name for each in query.find_all(exp.Table)} - {each.alias for each in query.find_all(exp.CTE)}
        unknown = sorted(tables - self.others.keys())
        if unknown:
            named = ", ".join(f'"{each}"' for each in unknown)
            raise SourceError("S120", f'The SQL of source "{self.name}" reads {named}, which is no source.')
        ordered = self.sql.strip().rstrip(";")
        if not query.args.get("order"):
            ordered = f"SELECT * FROM (\n{ordered}\n) ORDER BY ALL"
        return ordered, sorted(tables)

    def _explain(self, problem: duckdb.Error) -> SourceError:
        """Return an error with the kind of failure; the engine's own words could quote values."""
        return SourceError("S120", f'The SQL of source "{self.name}" failed ({type(problem).__name__}).')


def _write_down(connection: duckdb.DuckDBPyConnection, source: Source, path: Path) -> str:
    """Write a source's rows to a file and return its fingerprint."""
    relation = source.open(connection)
    for _ in range(2):
        try:
            rows = spool.write(connection, relation.sql, path)
            digest = relation.finish(rows)
            break
        except ReadAgain as exact:
            relation = exact.relation
        except duckdb.Error as problem:
            raise relation.explain(problem) from None
    else:
        raise SourceError("S109", f'Source "{source.name}" cannot be read exactly.')
    if relation.structural_rejects:
        [(broken,)] = connection.execute(f"SELECT count(*) FROM ({relation.structural_rejects})").fetchall()
        if broken:
            detail = f'{broken:,} rows of source "{source.name}" do not fit their header.'
            raise SourceError("S115", detail, "A source that others read has to be whole: correct the rows.")
    return digest


def _seal(connection: duckdb.DuckDBPyConnection, *paths: Path) -> None:
    """Take everything out of the query's reach but these files."""
    files = ", ".join(text(str(each)) for each in paths)
    connection.execute(f"SET allowed_paths = [{files}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
