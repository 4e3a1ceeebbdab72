"""Other databases are read as soon as their driver is installed: here by packages that stand in for the real ones.

They note what they are given, and answer from SQLite, whose rows come through the same interface.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import adbc_driver_sqlite.dbapi
import duckdb
import pytest

from syncer.errors import SourceError
from syncer.sources.database import DatabaseSource
from syncer.sources.driver import DRIVERS

if TYPE_CHECKING:
    from pathlib import Path

KEY_FILE = {"adbc.bigquery.sql.auth_type": "adbc.bigquery.sql.auth_type.json_credential_file"}
PLACES = {
    "snowflake://ada:s3cret@account/shop/public?warehouse=small": {
        "uri": "ada:s3cret@account/shop/public?warehouse=small"
    },
    "bigquery://project": {"db_kwargs": {"adbc.bigquery.sql.project_id": "project"}},
    "bigquery://project/sales?credentials=%2Fkeys%2Fs3cret.json": {
        "db_kwargs": {
            "adbc.bigquery.sql.project_id": "project",
            "adbc.bigquery.sql.dataset_id": "sales",
            "adbc.bigquery.sql.auth_credentials": "/keys/s3cret.json",
            **KEY_FILE,
        }
    },
    "grpc+tls://ada:s3cret%2F@warehouse:443": {
        "uri": "grpc+tls://warehouse:443",
        "db_kwargs": {"username": "ada", "password": "s3cret/"},
    },
    "grpc+tls://warehouse:443": {"uri": "grpc+tls://warehouse:443", "db_kwargs": {}},
}


class StandIn(ModuleType):
    """A driver's `dbapi`, before the file that it answers from is filled."""

    def __init__(self, package: str, file: Path) -> None:
        """Answer from this file, in place of this package."""
        super().__init__(f"{package}.dbapi")
        self.file = file
        self.given: list[dict[str, Any]] = []

    def connect(self, **given: Any) -> Any:
        """Note what was given and open the file."""
        self.given.append(given)
        return adbc_driver_sqlite.dbapi.connect(f"file:{self.file}?mode=ro")


def installed(url: str, tmp_path: Path, patch: pytest.MonkeyPatch) -> StandIn:
    """Install a package in place of the driver that the address asks for."""
    file = tmp_path / "people.db"
    with adbc_driver_sqlite.dbapi.connect(str(file)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE people AS SELECT 1 AS id, 'ada@example.com' AS email")
        connection.commit()
    package = DRIVERS[url.partition(":")[0]].package.replace("-", "_")
    made = StandIn(package, file)
    patch.setitem(sys.modules, package, ModuleType(package))
    patch.setitem(sys.modules, made.__name__, made)
    return made


@pytest.mark.parametrize("url", PLACES)
def test_rows_come_as_soon_as_the_driver_is_there(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver gets the address in the form of its own documentation, and is asked to read outside a transaction."""
    made = installed(url, tmp_path, monkeypatch)
    with duckdb.connect(config={"temp_directory": str(tmp_path / "spill")}) as connection:
        relation = DatabaseSource("people", url, "SELECT id, email FROM people", {}).open(connection)
        assert connection.execute(relation.sql).fetchall() == [(1, "ada@example.com")]
    assert made.given == [{**PLACES[url], "autocommit": True}]


@pytest.mark.parametrize("url", PLACES)
def test_a_driver_that_is_not_there_is_named_with_its_package(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is a command, and the address stays out of the words."""
    package = DRIVERS[url.partition(":")[0]].package
    monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)
    with pytest.raises(SourceError) as caught:
        DatabaseSource("people", url, "SELECT 1 AS id", {}).columns()
    assert caught.value.code == "S121"
    assert caught.value.command == f"pip install {package}"
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgress://owner:s3cret@host/db", "grpc+tcp://owner:s3cret@host:80"])
def test_an_address_of_no_known_kind_names_those_that_there_are(url: str) -> None:
    """A slip in the scheme, or one without encryption, is answered with the list."""
    with pytest.raises(SourceError) as caught:
        DatabaseSource("people", url, "SELECT 1 AS id", {}).columns()
    assert caught.value.code == "S121"
    assert '"postgresql:"' in caught.value.advice
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "query", "code"),
    [
        ("bigquery://project", "SELECT id FROM `project.sales.people` LIMIT 5", ""),
        ("bigquery://project", "DELETE FROM `project.sales.people` WHERE true", "S120"),
        ("snowflake://account/shop", "SELECT $1 FROM @stage QUALIFY row_number() OVER (ORDER BY 1) = 1", ""),
        ("snowflake://account/shop", "CREATE TABLE t AS SELECT 1", "S120"),
        ("snowflake://account/shop", "CALL tidy_up()", "S120"),
    ],
)
def test_only_a_query_of_the_databases_own_sql_is_let_through(url: str, query: str, code: str) -> None:
    """What is written is judged in the database's own words before a connection is made."""
    made = DatabaseSource("people", url, query, {})
    if not code:
        assert made._query().strip() == query
        return
    with pytest.raises(SourceError) as caught:
        made._query()
    assert caught.value.code == code
