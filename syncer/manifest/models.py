"""The manifest as typed values: what people may write, and nothing else.

`read` gives positions, `check` gives meaning across files; this room only says the shape. The JSON Schema is generated
from here, descriptions included. Every model is frozen and forbids members it does not know. Nothing is coerced: a
quoted number is text, and text is never a number.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, model_validator

from syncer.facts import Action
from syncer.mark import RUN_MARKER

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
FieldName = Annotated[str, Field(min_length=1, max_length=255)]
Template = Annotated[str, Field(max_length=65_536)]
Percent = Annotated[str, Field(pattern=r"^(100|[0-9]{1,2}(\.[0-9]{1,2})?)%$", examples=["1%", "12.5%"])]
Limit = Annotated[StrictInt, Field(ge=0)] | Percent
"""A count of records, or a share of the rows read."""


def _exactly_an_integer(value: object) -> object:
    """Keep `true` and `1.0`, which Python calls equal to 1, from passing as a version."""
    if isinstance(value, bool | float):
        message = "must be the number 1"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns ValueError into a finding
    return value


class Model(BaseModel):
    """Frozen, and an unknown member is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe each member by the text under it."""
        from syncer.manifest.described import texts

        reference = handler(core)
        members = handler.resolve_ref_schema(reference)["properties"]
        for name, text in texts(sys.modules[__name__])[cls.__name__].items():
            members[name]["description"] = text
        return reference


class Budget(Model):
    """What this project may use of a connection that others share."""

    calls_per_day: Annotated[StrictInt, Field(ge=1, examples=[20_000])] | None = None
    """API calls a day for this project; without it, the vendor's quota is the limit."""
    reserve: Percent = "0%"
    """Share of the vendor's daily quota that is left to everybody else."""
    concurrency: Annotated[StrictInt, Field(ge=1, le=50)] = 5
    """API calls under way at once."""


class MarketoConnection(Model):
    """A Marketo instance."""

    system: Literal["marketo"]
    """The vendor's API family."""
    base_url: Annotated[Template, Field(examples=["{{ env.MARKETO_BASE_URL }}"])]
    """REST address of the instance, such as `https://123-ABC-456.mktorest.com`."""
    client_id: Annotated[Template, Field(examples=["{{ env.MARKETO_CLIENT_ID }}"])]
    """Client id of the custom service in LaunchPoint."""
    client_secret: Annotated[Template, Field(examples=["{{ secret.MARKETO_CLIENT_SECRET }}"])]
    """Where the client secret is found, never the secret itself."""
    blank_cells: Literal["unknown", "keep", "clear"] = "unknown"
    """What an empty cell of an import file does on this instance, if somebody has checked it."""
    company_fields: Literal["unknown", "written"] = "unknown"
    """Whether Sync Leads writes company fields on this instance, if somebody has checked it; imports do."""
    budget: Budget = Budget()
    """Limits on the use of this connection."""


class SalesforceConnection(Model):
    """A Salesforce org, Marketing Cloud Growth included."""

    system: Literal["salesforce"]
    """The vendor's API family."""
    base_url: Annotated[Template, Field(examples=["{{ env.SALESFORCE_BASE_URL }}"])]
    """My Domain address of the org, such as `https://acme.my.salesforce.com`."""
    client_id: Annotated[Template, Field(examples=["{{ env.SALESFORCE_CLIENT_ID }}"])]
    """Consumer key of the connected app."""
    client_secret: Annotated[Template, Field(examples=["{{ secret.SALESFORCE_CLIENT_SECRET }}"])]
    """Where the consumer secret is found, never the secret itself."""
    api_version: Annotated[str, Field(pattern=r"^[0-9]{2}\.0$", examples=["61.0"])] = "61.0"
    """Version of the API, in quotes."""
    budget: Budget = Budget()
    """Limits on the use of this connection."""


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
    """A time on a clock, without a zone."""
    MOMENT = "moment"
    """A date and time with its zone."""


class Column(Model):
    """A declared source column with its contract."""

    type: ColumnType = ColumnType.TEXT
    """What the column's text is read as."""
    format: Annotated[str, Field(examples=["%d.%m.%Y"])] | None = None
    """strptime pattern for date, datetime and moment columns that are not ISO 8601."""
    required: StrictBool = False
    """A row without a value in this column is rejected."""
    unique: StrictBool = False
    """A second row with the same value in this column is rejected."""


class Source(Model):
    """Rows: exactly one of `file`, `database`, `sql` over other sources, or a read of a `connection`."""

    file: Annotated[Template, Field(examples=["data/contacts.csv", "data/*.parquet"])] | None = None
    """Path or glob, relative to the project's folder."""
    format: Literal["csv", "tsv", "ssv", "jsonl", "parquet"] | None = None
    """Format of the files, where their names do not tell."""
    delimiter: str | None = None
    """The character between cells, where the format does not tell."""
    quote: str | None = None
    """The character around cells that hold a delimiter: a quotation mark, or an apostrophe where all of the header has
    it."""
    encoding: str | None = None
    """Encoding of text files, where it is neither UTF-8 nor told by a mark in their first bytes."""
    null_values: tuple[str, ...] = ("",)
    """Cell texts that mean null."""
    database: Annotated[Template, Field(examples=["{{ secret.WAREHOUSE_URL }}"])] | None = None
    """Address of a database, `sqlite:///` or `postgresql://`, and once its driver is installed `snowflake://`,
    `bigquery://` or, for Flight SQL, `grpc+tls://`; needs `sql`."""
    sql: str | None = None
    """A query: in the database, or over other sources by their names."""
    connection: Name | None = None
    """A connection whose `object` is read."""
    object: str | None = None
    """The object that is read from `connection`."""
    where: str | None = None
    """Which records of `object` are read."""
    columns: dict[str, ColumnType | Column] = {}
    """Types of the columns that are not text: a type's name, or a mapping with its contract."""
    cursor: str | None = None
    """Column of an incremental read: only rows at or after the last confirmed value. It grows with every change of a
    row, and is declared as integer, date, datetime or moment."""
    moves: Literal["exact", "within", "pinned"] | None = None
    """How apply treats a source that changed since the plan; exact for files, within for databases."""


class Target(Model):
    """An object in a connection, with its key."""

    connection: Name
    """Name of the connection."""
    object: Annotated[str, Field(min_length=1, examples=["lead", "Contact"])]
    """The object, spelled as the vendor spells it."""
    key: str | Annotated[tuple[str, ...], Field(min_length=1)]
    """The field on which the target finds records, or several fields."""

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The key as a tuple, compound or not."""
        return (self.key,) if isinstance(self.key, str) else self.key


class WhenNull(StrEnum):
    """What a null does to the target's field: `omit` leaves it alone, `clear` empties it."""

    OMIT = "omit"
    CLEAR = "clear"


class FieldMapping(Model):
    """What one target field gets: a template or constant, or a mapping with `value` and `when_null`."""

    value: Template | StrictInt | StrictFloat | StrictBool
    """A template over the row's columns, or a constant."""
    when_null: WhenNull = WhenNull.OMIT
    """Whether a null leaves the target's field alone (`omit`) or empties it (`clear`)."""

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, data: Any) -> Any:
        """Read `email: "{{ email }}"` as `email: { value: "{{ email }}" }`."""
        return data if isinstance(data, dict | FieldMapping) else {"value": data}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the short and the long form."""
        reference = super().__get_pydantic_json_schema__(core, handler)
        definition = handler.resolve_ref_schema(reference)
        long = {name: part for name, part in definition.items() if name not in {"title", "description"}}
        short = long["properties"]["value"]["anyOf"]
        for part in long:
            del definition[part]
        definition["anyOf"] = [*short, long]
        return reference


class Mapping(Model):
    """Row → fields: each member is a target field with its template; `extends` names mappings that come first."""

    extends: tuple[Name, ...] = ()
    """Mappings whose fields come first; a field written again here replaces theirs."""
    fields: dict[FieldName, FieldMapping]

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, data: Any) -> Any:
        """Gather the fields, which people write beside `extends`, under `fields`."""
        if not isinstance(data, dict):
            return data
        fields = data.get("fields")
        if isinstance(fields, dict) and all(isinstance(each, FieldMapping) for each in fields.values()):
            return data
        beside = {name: value for name, value in data.items() if name != "extends"}
        return {name: value for name, value in data.items() if name == "extends"} | {"fields": beside}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe what people write: the fields directly under the mapping's name."""
        reference = super().__get_pydantic_json_schema__(core, handler)
        definition = handler.resolve_ref_schema(reference)
        fields = definition["properties"].pop("fields")
        definition["additionalProperties"] = fields["additionalProperties"]
        definition["propertyNames"] = fields["propertyNames"]
        del definition["required"]
        return reference


class Duplicates(StrEnum):
    """What to do when a source holds one key more than once."""

    SERIALIZE = "serialize"
    LAST = "last"
    FIRST = "first"
    MERGE = "merge"
    REJECT = "reject"


class Guards(Model):
    """Limits that stop a plan or a run before harm is done: counts, or shares of the rows read."""

    max_rejected: Limit | None = None
    """Rejected rows, at plan time and during the run."""
    max_creates: Limit | None = None
    """Records that would be created."""
    max_changes: Limit | None = None
    """Records that would be created or changed."""
    max_deletes: Limit | None = None
    """Records that would be deleted, or taken out of a list."""
    min_rows: Annotated[StrictInt, Field(ge=0)] | None = None
    """Rows that the source must have at least."""


class Deletes(StrEnum):
    """What to do with keys that left the source."""

    IGNORE = "ignore"
    DELETE = "delete"
    REMOVE = "remove"


class Operation(Model):
    """A source through a mapping into a target by an action: the unit people name, select and review."""

    source: Name
    """Name of the source."""
    mapping: Name
    """Name of the mapping."""
    target: Name
    """Name of the target."""
    action: Action = Action.UPSERT
    """What is done with each row."""
    duplicates: Duplicates = Duplicates.SERIALIZE
    """A key more than once in the source: `serialize` sends one after the other, in source order; `merge` overlays."""
    only: Literal["changed", "all"] = "changed"
    """`changed` sends what differs from the last confirmed state; `all` sends every row."""
    path: str = "auto"
    """`auto`, or an API path by name, with `because`."""
    because: str | None = None
    """Why a path is fixed by hand; required when `path` is not `auto`."""
    guards: Guards = Guards()
    """Limits that stop this operation before harm is done."""
    after: tuple[Name, ...] = ()
    """Operations that must be settled first, beside what the planner finds."""
    tags: tuple[Name, ...] = ()
    """Words to select operations by."""
    activity: Literal["none", "allowed", "required"] = "none"
    """Whether a Push Lead activity may or must be written; needs `program`."""
    program: str | None = None
    """Marketo program, by name."""
    list: str | None = None
    """Marketo static list, by name."""
    partition: str | None = None
    """Marketo lead partition, by name."""
    status: str | None = None
    """Status in the program."""
    deletes: Deletes = Deletes.IGNORE
    """What happens to records whose keys left the source: `ignore`, `delete`, or `remove` from the list. The state then
    keeps the vendor's id of each record that was written; needs `guards.max_deletes`."""
    on_unknown: Literal["hold", "resend"] = "hold"
    """What to do with a write whose answer was lost and that cannot be looked up."""
    run_marker: FieldName | None = None
    """A text field kept for this: records get the run that wrote them there, so that no lost answer leaves a doubt."""
    spread: StrictBool = False
    """Whether its calls may take several days: a run parks when a day is spent, and resumes on the next one."""

    @property
    def options(self) -> dict[str, str]:
        """The options a path must be able to carry, by name, where they are set."""
        named = {
            "program": self.program,
            "list": self.list,
            "partition": self.partition,
            "status": self.status,
            RUN_MARKER: self.run_marker,
        }
        return {name: value for name, value in named.items() if value is not None}


Scalar = str | StrictInt | StrictFloat | StrictBool | None


class UnitTest(Model):
    """Given rows, expect records: run by `syncer test`, offline."""

    operation: Name
    """The operation under test."""
    given: tuple[dict[str, Scalar], ...]
    """Source rows: column and value."""
    lookups: dict[Name, tuple[dict[str, Scalar], ...]] = {}
    """Rows of sources that are looked up in; a file that is not named here is read, a database is not."""
    expect: tuple[dict[str, Scalar], ...] = ()
    """Records that would be sent: field and value, in source order."""
    rejects: tuple[dict[str, Scalar], ...] = ()
    """Rows that would be refused."""


class Manifest(Model):
    """One project: all manifest files of a folder together."""

    version: Annotated[Literal[1], BeforeValidator(_exactly_an_integer)]
    """Version of the manifest format."""
    vars: dict[Name, str | StrictInt | StrictFloat | StrictBool] = {}
    """Constants, in templates as `var.name`."""
    connections: dict[Name, Connection] = {}
    """Marketo instances and Salesforce orgs."""
    sources: dict[Name, Source] = {}
    """Where rows come from."""
    targets: dict[Name, Target] = {}
    """Where records go."""
    mappings: dict[Name, Mapping] = {}
    """How a row becomes fields."""
    operations: dict[Name, Operation] = {}
    """What is done: a source through a mapping into a target by an action."""
    tests: dict[Name, UnitTest] = {}
    """Examples that `syncer test` runs offline."""
