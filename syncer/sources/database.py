"""Reads the rows of one query from a database through ADBC, as Arrow, without a row loop.

Hands on rows in the order of the query. Only a query can be written here: a statement that changes anything is
refused before a connection is made, and the connection itself can only read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from syncer.errors import SourceError
from syncer.sources import affinity, header, spool
from syncer.sources.column import name, source_column, work_file
from syncer.sources.driver import DRIVERS, SQLITE_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    import pyarrow as pa

    from syncer.manifest.models import Column
    from syncer.sources.driver import Driver
    from syncer.sources.protocol import Relation, SourceColumn

_NUMBERS = ("SMALLINT", "INTEGER", "BIGINT")
_ORDERED = (*_NUMBERS, "DATE", "TIMESTAMP")
_FIRST_DAY, _LAST_DAY = "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00"


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """One query to one database; `url` may hold a credential and is never shown."""

    name: str
    url: str
    sql: str
    declared: Mapping[str, Column]
    cursor: str = ""
    """The column of an incremental read, and the value to begin at; "" to read all."""
    since: str = ""

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the columns that the query gives; asks for rows only where nothing else tells types."""
        import duckdb

        some = f"LIMIT {SQLITE_ROWS}" if self._driver().rows_tell_types else "WHERE 1 = 0"
        with duckdb.connect(":memory:") as connection, self._connected() as database, database.cursor() as cursor:
            connection.register("asked", self._ask(cursor, f"SELECT * FROM ({self._query()}) AS asked {some}"))
            rows = connection.execute("DESCRIBE asked").fetchall()
        return tuple(source_column(row[0], self.declared, row[1]) for row in rows)

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Run the query, write its rows down and return their scan; raises `SourceError`."""
        import duckdb

        path = work_file(connection, f"{self.name}.parquet")
        with self._connected() as database, database.cursor() as cursor:
            connection.register("asked", self._ask(cursor, self._exact(database, self._narrowed())))
            try:
                spool.write(connection, "SELECT * FROM asked", path)
            except duckdb.Error as problem:
                # A query can fail at any row, and the words of that quote the row.
                raise self._explain(problem) from None
            finally:
                connection.unregister("asked")
        found = spool.columns(connection, path, self.declared, self.name)
        relation = spool.relation(connection, path, found, self._explain)
        self._refuse_endless_days(connection, relation)
        return relation

    def _driver(self) -> Driver:
        try:
            scheme = urlsplit(self.url).scheme
        except ValueError:
            # The reason quotes the address, and the address may hold a password.
            raise SourceError("S121", f'The address of source "{self.name}" is no URL.') from None
        if scheme not in DRIVERS:
            known = ", ".join(f'"{each}:"' for each in DRIVERS)
            raise SourceError("S121", f'There is no driver for "{scheme}".', f"An address begins with one of {known}.")
        return DRIVERS[scheme]

    def _query(self) -> str:
        """Return the query as it was written, once it is known to be one and nothing else."""
        try:
            statements = sqlglot.parse(self.sql, dialect=self._driver().dialect)
        except SqlglotError as problem:
            raise SourceError("S120", f'The SQL of source "{self.name}" cannot be parsed.') from problem
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise SourceError("S120", f'The SQL of source "{self.name}" is not one query.', "Write one SELECT.")
        if any(statements[0].find_all(exp.Insert, exp.Update, exp.Delete, exp.Into, exp.Command)):
            raise SourceError("S120", f'The SQL of source "{self.name}" changes data.', "Write one SELECT.")
        # The drivers write around it, and it may end in a comment.
        return self.sql.strip().rstrip(";") + "\n"

    def _narrowed(self) -> str:
        """Return the query, with the rows before the cursor left out where the database itself has the column's type.

        Where it does not, as SQLite has no moments, all rows come; whoever scans them applies the cursor in any case.
        """
        kind = {each.name: each.raw for each in self.columns()}.get(self.cursor, "") if self.since else ""
        is_number = kind.startswith(_NUMBERS)
        if not kind.startswith(_ORDERED) or is_number is not self.since.lstrip("-").isdecimal():
            return self._query()
        column = exp.to_identifier(self.cursor, quoted=True).sql(self._driver().dialect)
        value = self.since if is_number else f"'{self.since}{'+00' if kind.startswith('TIMESTAMP') else ''}'"
        return f"SELECT * FROM ({self._query()}) AS asked WHERE {column} >= {value} OR {column} IS NULL"

    def _exact(self, database: Any, query: str) -> str:
        """Return the query so that no value loses digits on the way; SQLite alone needs that."""
        if not self._driver().rows_tell_types:
            return query
        # A cursor of its own: one that has begun to read goes on in the middle of its rows when it is asked again.
        with database.cursor() as cursor, self._ask(cursor, query) as reader:
            schema = reader.schema
        with database.cursor() as cursor:
            try:
                affinity.refuse_lost_digits(cursor, query, schema, self.name)
            except SourceError:
                raise
            except Exception as problem:  # noqa: BLE001 - drivers share no class of errors
                raise self._failed("query", problem) from None
        return affinity.with_digits(query, schema)

    def _connected(self) -> Any:
        """Return a connection of the driver that the URL's scheme names."""
        driver = self._driver()
        try:
            return driver.connect(self.url)
        except ImportError:
            detail = f'The driver "{driver.package}" of source "{self.name}" is not installed.'
            raise SourceError("S121", detail, "Install it:", f"pip install {driver.package}") from None
        except Exception as problem:  # noqa: BLE001 - drivers share no class of errors
            raise self._failed("connect", problem) from None

    def _ask(self, cursor: Any, query: str) -> pa.RecordBatchReader:
        try:
            driver = self._driver()
            cursor.adbc_statement.set_options(**driver.options)
            if driver.begin:
                cursor.execute(driver.begin)
            cursor.execute(query)
            reader: pa.RecordBatchReader = cursor.fetch_record_batch()
        except Exception as problem:  # noqa: BLE001 - drivers share no class of errors
            raise self._failed("query", problem) from None
        if not reader.schema.names:
            raise SourceError("S120", f'The SQL of source "{self.name}" gives no columns.', "Write one SELECT.")
        header.check_names(reader.schema.names, self.name)
        for field in reader.schema:
            if _is_binary(field.type):
                detail = f'The column "{field.name}" of source "{self.name}" comes as bytes without a meaning.'
                raise SourceError("S123", detail, "Convert it in the query, for example CAST(... AS text).")
        return reader

    def _refuse_endless_days(self, connection: duckdb.DuckDBPyConnection, relation: Relation) -> None:
        """Raise for a day outside the years 1 to 9999: PostgreSQL's infinity comes as such a day."""
        for column in relation.columns:
            if not column.raw.startswith(("DATE", "TIMESTAMP")):
                continue
            outside = f"{name(column.name)} NOT BETWEEN CAST('{_FIRST_DAY}' AS {column.raw}) AND '{_LAST_DAY}'"
            [(found,)] = connection.execute(f"SELECT count(*) FROM ({relation.sql}) WHERE {outside}").fetchall()
            if found:
                detail = (
                    f'{found:,} rows of source "{self.name}" have no day of the years 1 to 9999 in "{column.name}".'
                )
                raise SourceError("S123", detail, "Make it null in the query, for example by CASE.")

    def _failed(self, verb: str, problem: Exception) -> SourceError:
        """Return an error without the driver's own words, which may quote the URL."""
        return SourceError("S122", f'The database of source "{self.name}" could not {verb} ({type(problem).__name__}).')

    def _explain(self, problem: duckdb.Error) -> SourceError:
        return self._failed("be read", problem)


def _is_binary(kind: pa.DataType) -> bool:
    """Return whether values are bytes: the driver hands on a type that it does not know as the server's own bytes."""
    import pyarrow as pa

    if isinstance(kind, pa.UuidType):
        return False
    if isinstance(kind, pa.BaseExtensionType):
        return _is_binary(kind.storage_type)
    if pa.types.is_list(kind):
        return _is_binary(kind.value_type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))
