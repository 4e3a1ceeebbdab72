"""Reads the rows of one query from a database through ADBC, as Arrow, without a row loop.

Hands on rows in the order of the query. Only a query can be written here: a statement that changes anything is
refused before a connection is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from syncer.errors import SourceError
from syncer.sources import spool
from syncer.sources.column import work_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from syncer.manifest.models import Column
    from syncer.sources.protocol import Relation, SourceColumn

_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgres", "postgres": "postgres"}


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """One query to one database; `url` may hold a credential and is never shown."""

    name: str
    url: str
    sql: str
    declared: Mapping[str, Column]

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the columns that the query gives; asks the database for no row. Raises `SourceError`."""
        import duckdb

        with duckdb.connect(":memory:") as connection, self._connected() as database, database.cursor() as cursor:
            nothing = self._ask(cursor, f"SELECT * FROM ({self._query()}) AS asked WHERE 1 = 0")
            connection.register("asked", nothing)
            rows = connection.execute("DESCRIBE asked").fetchall()
        from syncer.sources.column import source_column

        return tuple(source_column(row[0], self.declared, row[1]) for row in rows)

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Run the query, write its rows down and return their scan; raises `SourceError`."""
        path = work_file(connection, f"{self.name}.parquet")
        with self._connected() as database, database.cursor() as cursor:
            connection.register("asked", self._ask(cursor, self._query()))
            try:
                spool.write(connection, "SELECT * FROM asked", path)
            finally:
                connection.unregister("asked")
        found = spool.columns(connection, path, self.declared, self.name)
        return spool.relation(connection, path, found, self._explain)

    def _query(self) -> str:
        """Return the query as it was written, once it is known to be one and nothing else."""
        try:
            statements = sqlglot.parse(self.sql, dialect=_DIALECTS.get(urlsplit(self.url).scheme))
        except SqlglotError as problem:
            raise SourceError("S120", f'The SQL of source "{self.name}" cannot be parsed.') from problem
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise SourceError("S120", f'The SQL of source "{self.name}" is not one query.', "Write one SELECT.")
        if any(statements[0].find_all(exp.Insert, exp.Update, exp.Delete, exp.Command)):
            raise SourceError("S120", f'The SQL of source "{self.name}" changes data.', "Write one SELECT.")
        return self.sql.strip().rstrip(";")

    def _connected(self) -> Any:
        """Return a connection of the driver that the URL's scheme names."""
        parts = urlsplit(self.url)
        try:
            if parts.scheme == "sqlite":
                from adbc_driver_sqlite import dbapi as sqlite

                return sqlite.connect(f"file:{parts.path.removeprefix('/')}?mode=ro")
            if parts.scheme in {"postgresql", "postgres"}:
                from adbc_driver_postgresql import dbapi as postgres

                return postgres.connect(self.url)
        except ImportError as problem:
            advice = 'Install it with "syncer[databases]".'
            raise SourceError("S121", f'The driver for "{parts.scheme}" is not installed.', advice) from problem
        except Exception as problem:  # noqa: BLE001 - drivers share no class of errors
            raise self._failed("connect", problem) from None
        raise SourceError("S121", f'There is no driver for "{parts.scheme}".', 'Write "sqlite:" or "postgresql:".')

    def _ask(self, cursor: Any, query: str) -> Any:
        try:
            cursor.execute(query)
            return cursor.fetch_record_batch()
        except Exception as problem:  # noqa: BLE001 - drivers share no class of errors
            raise self._failed("query", problem) from None

    def _failed(self, verb: str, problem: Exception) -> SourceError:
        """Return an error without the driver's own words, which may quote the URL."""
        return SourceError("S122", f'The database of source "{self.name}" could not {verb} ({type(problem).__name__}).')

    def _explain(self, problem: duckdb.Error) -> SourceError:
        return self._failed("be read", problem)
