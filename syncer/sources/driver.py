"""The databases that can be read: by the scheme of an address, its ADBC driver and what is peculiar about it.

A driver is a package of its own and is imported when an address asks for it. Adding a database is adding a row here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

SQLITE_ROWS = 100_000
"""SQLite types values, not columns: the driver takes a column's type from so many rows, and refuses a later misfit."""

Arguments = Mapping[str, Any]
"""What a driver's `connect` is called with."""
# Nothing is written, and not every database has transactions.
_ALONE = {"autocommit": True}


@dataclass(frozen=True, slots=True)
class Driver:
    """One kind of database: the package to install, sqlglot's name of its SQL, how an address is given to it."""

    package: str
    dialect: str
    arguments: Callable[[str], Arguments]
    begin: str = ""
    """A statement that makes the server refuse every change; a function can change data from within a SELECT."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of each statement."""
    rows_tell_types: bool = False
    """Whether only rows tell the types of a query's columns."""

    def connect(self, url: str) -> Any:
        """Return a connection; raises `ImportError` without the package, and whatever the driver raises."""
        dbapi = importlib.import_module(f"{self.package.replace('-', '_')}.dbapi")
        return dbapi.connect(**self.arguments(url))


def _file(url: str) -> Arguments:
    return {"uri": f"file:{urlsplit(url).path.removeprefix('/')}?mode=ro"}


def _whole(url: str) -> Arguments:
    return {"uri": url}


def _snowflake(url: str) -> Arguments:
    """`snowflake://user:password@account/database/schema?warehouse=W`, which the driver takes without its scheme.

    arrow.apache.org/adbc, "Snowflake Driver", URI Format.
    """
    return {"uri": url.partition("://")[2], **_ALONE}


def _bigquery(url: str) -> Arguments:
    """`bigquery://project/dataset?credentials=/path/to/key.json`; without a key, the environment's own sign-in.

    arrow.apache.org/adbc, "adbc_driver_bigquery", DatabaseOptions.
    """
    name, parts = "adbc.bigquery.sql", urlsplit(url)
    options = {f"{name}.project_id": parts.netloc}
    if dataset := parts.path.strip("/"):
        options[f"{name}.dataset_id"] = dataset
    if key := dict(parse_qsl(parts.query)).get("credentials"):
        options[f"{name}.auth_type"] = f"{name}.auth_type.json_credential_file"
        options[f"{name}.auth_credentials"] = key
    return {"db_kwargs": options, **_ALONE}


def _flight(url: str) -> Arguments:
    """`grpc+tls://user:password@host:port`; the driver takes user and password beside the address.

    arrow.apache.org/adbc, "Flight SQL Driver", Authentication.
    """
    parts = urlsplit(url)
    given = {"username": parts.username, "password": parts.password}
    options = {name: unquote(value) for name, value in given.items() if value}
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return {"uri": bare, "db_kwargs": options, **_ALONE}


_POSTGRESQL = Driver("adbc-driver-postgresql", "postgres", _whole, begin="SET TRANSACTION READ ONLY")
DRIVERS: Mapping[str, Driver] = {
    "sqlite": Driver(
        "adbc-driver-sqlite",
        "sqlite",
        _file,
        options={"adbc.sqlite.query.batch_rows": str(SQLITE_ROWS)},
        rows_tell_types=True,
    ),
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "snowflake": Driver("adbc-driver-snowflake", "snowflake", _snowflake),
    "bigquery": Driver("adbc-driver-bigquery", "bigquery", _bigquery),
    # Not "grpc+tcp": it would send password and rows in the clear.
    "grpc+tls": Driver("adbc-driver-flightsql", "", _flight),
}
"""By the scheme of the address."""
