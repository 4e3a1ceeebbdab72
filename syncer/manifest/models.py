"""The manifest as typed values: what people may write, and nothing else.

`read` gives positions, `check` gives meaning across files; this room only says the shape. `schemas/manifest.schema.json`
is generated from here. Every model is frozen and forbids members it does not know.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from syncer.facts import Action

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
Template = Annotated[str, Field(max_length=65_536)]
Percent = Annotated[str, Field(pattern=r"^(100|\d{1,2}(\.\d{1,2})?)%$")]
Limit = int | Percent
"""A count of records, or a share of the rows read."""


class Model(BaseModel):
    """Frozen, and an unknown member is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Budget(Model):
    """What this project may use of a connection that others share."""

    calls_per_day: Annotated[int, Field(ge=1)] | None = None
    reserve: Percent = "0%"
    """Share of the vendor's daily quota that is left to everybody else."""
    concurrency: Annotated[int, Field(ge=1, le=50)] = 5


class MarketoConnection(Model):
    """A Marketo instance."""

    system: Literal["marketo"]
    base_url: Template
    client_id: Template
    client_secret: Template
    blank_cells: Literal["unknown", "keep", "clear"] = "unknown"
    """What an empty cell of an import file does on this instance, if somebody has checked it."""
    budget: Budget = Budget()


class SalesforceConnection(Model):
    """A Salesforce org, Marketing Cloud Growth included."""

    system: Literal["salesforce"]
    base_url: Template
    client_id: Template
    client_secret: Template
    api_version: Annotated[str, Field(pattern=r"^\d{2}\.0$")] = "61.0"
    budget: Budget = Budget()


Connection = Annotated[MarketoConnection | SalesforceConnection, Field(discriminator="system")]


class ColumnType(StrEnum):
    """Declared type of a source column; text unless said, nothing is guessed."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


class Column(Model):
    """A declared source column with its contract."""

    type: ColumnType = ColumnType.TEXT
    format: str | None = None
    """strptime pattern for date and datetime columns that are not ISO 8601."""
    required: bool = False
    unique: bool = False


class Source(Model):
    """Rows: exactly one of `file`, `database`, `sql` over other sources, or a read of a `connection`."""

    file: Template | None = None
    format: Literal["csv", "tsv", "ssv", "jsonl", "parquet"] | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    null_values: tuple[str, ...] = ("",)
    database: Template | None = None
    sql: str | None = None
    connection: Name | None = None
    object: str | None = None
    where: str | None = None
    columns: dict[str, ColumnType | Column] = {}
    cursor: str | None = None
    """Column of an incremental read; advances only after success."""
    moves: Literal["exact", "within", "pinned"] | None = None
    """How apply treats a source that changed since the plan; exact for files, within for databases."""


class Target(Model):
    """An object in a connection, with its key."""

    connection: Name
    object: Annotated[str, Field(min_length=1)]
    key: str | tuple[str, ...]

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The key as a tuple, compound or not."""
        return (self.key,) if isinstance(self.key, str) else self.key


class WhenNull(StrEnum):
    """What a null does to the target's field."""

    OMIT = "omit"
    CLEAR = "clear"


class FieldMapping(Model):
    """One target field in long form."""

    value: Template | int | float | bool
    when_null: WhenNull = WhenNull.OMIT


class Mapping(Model):
    """Row → fields; `extends` names mappings whose fields come first."""

    extends: tuple[Name, ...] = ()
    fields: dict[str, FieldMapping]


class Duplicates(StrEnum):
    """What to do when a source holds one key more than once."""

    SERIALIZE = "serialize"
    LAST = "last"
    FIRST = "first"
    MERGE = "merge"
    REJECT = "reject"


class Guards(Model):
    """Limits that stop a plan or a run before harm is done."""

    max_rejected: Limit | None = None
    max_creates: Limit | None = None
    max_changes: Limit | None = None
    max_deletes: Limit | None = None
    min_rows: int | None = None


class Deletes(StrEnum):
    """What to do with keys that left the source."""

    IGNORE = "ignore"
    DELETE = "delete"
    REMOVE = "remove"


class Operation(Model):
    """A source through a mapping into a target by an action: the unit people name, select and review."""

    source: Name
    mapping: Name
    target: Name
    action: Action = Action.UPSERT
    duplicates: Duplicates = Duplicates.SERIALIZE
    only: Literal["changed", "all"] = "changed"
    path: str = "auto"
    because: str | None = None
    """Why a path is fixed by hand; required when `path` is not `auto`."""
    guards: Guards = Guards()
    after: tuple[Name, ...] = ()
    tags: tuple[Name, ...] = ()
    activity: Literal["none", "allowed", "required"] = "none"
    program: str | None = None
    list: str | None = None
    partition: str | None = None
    status: str | None = None
    deletes: Deletes = Deletes.IGNORE
    on_unknown: Literal["hold", "resend"] = "hold"
    spread: bool = False

    @property
    def options(self) -> dict[str, str]:
        """The options a path must be able to carry, by name, where they are set."""
        named = {
            "program": self.program,
            "list": self.list,
            "partition": self.partition,
            "status": self.status,
        }
        return {name: value for name, value in named.items() if value is not None}


Scalar = str | int | float | bool | None


class UnitTest(Model):
    """Given rows, expect records: run by `syncer test`, offline."""

    operation: Name
    given: tuple[dict[str, Scalar], ...]
    expect: tuple[dict[str, Scalar], ...] = ()
    rejects: tuple[dict[str, Scalar], ...] = ()


class Manifest(Model):
    """One project: all manifest files of a folder together."""

    version: Literal[1]
    vars: dict[str, str | int | float | bool] = {}
    connections: dict[Name, Connection] = {}
    sources: dict[Name, Source] = {}
    targets: dict[Name, Target] = {}
    mappings: dict[Name, Mapping] = {}
    operations: dict[Name, Operation] = {}
    tests: dict[Name, UnitTest] = {}
