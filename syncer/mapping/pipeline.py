"""One operation, compiled: what the engine needs to turn source rows into staged records, as SQL trees.

The mapping room builds a `Pipeline`; the engine runs it and decides nothing. Expressions are sqlglot trees in DuckDB's
dialect, never text glued together. Three layers of columns, each built on the one before, so that no expression is
repeated: source columns (their own names) → `"m:<field>"` (the template's value) and, where it can fail, `"u:<field>"`
(a conversion could not read its value) → `"f:<field>"` (the conformed value, in the type that the payload writes:
VARCHAR, BIGINT, DECIMAL, DOUBLE, BOOLEAN; dates are VARCHAR in the vendor's form).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from sqlglot import expressions as exp

    from syncer.facts import Action
    from syncer.manifest.models import ColumnType, Duplicates, WhenNull


def mapped(field: str) -> str:
    """Return the column name of the template's value."""
    return f"m:{field}"


def unread(field: str) -> str:
    """Return the column name of whether a conversion of the template failed."""
    return f"u:{field}"


def conformed(field: str) -> str:
    """Return the column name of the conformed value."""
    return f"f:{field}"


@dataclass(frozen=True, slots=True)
class Check:
    """Rejects a row at `field` where `is_bad` (over `m:`, `u:` and `f:` columns) is true. `reason` holds no value."""

    code: str
    field: str
    is_bad: exp.Expression
    reason: str


@dataclass(frozen=True, slots=True)
class PipelineField:
    """One target field: its template over source columns, its conformed form over `m:` columns, and what null does."""

    name: str
    value: exp.Expression
    conform: exp.Expression
    when_null: WhenNull
    unread: exp.Expression | None = None
    """Over source columns: whether a conversion of the template failed; None where it has none."""


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One field of the key; `canonical` is a VARCHAR over `f:` columns, null or empty when the key is blank."""

    field: str
    canonical: exp.Expression
    is_folded: bool


@dataclass(frozen=True, slots=True)
class ArrowFunction:
    """A template outside the compiled list: called by SQL as `name(columns…)` over Arrow arrays of equal length."""

    name: str
    field: str
    parameters: tuple[ColumnType, ...]
    returns: str
    """A DuckDB type name."""
    call: Callable[..., pa.Array]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A left join: rows of `source` whose `match` column equals `value` give `columns["lookup:<alias>"]`."""

    alias: str
    source: str
    match: str
    take: str
    value: exp.Expression


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything `stage` needs of one operation. `columns` are the source columns it reads, with declared types."""

    operation: str
    source: str
    action: Action
    columns: tuple[tuple[str, ColumnType], ...]
    fields: tuple[PipelineField, ...]
    checks: tuple[Check, ...]
    key: tuple[KeyPart, ...]
    key_space: str
    """Salt of the key hashes: instance, object and lookup field."""
    duplicates: Duplicates
    only_changed: bool
    setup: tuple[str, ...] = ()
    """SQL statements (macros) that the expressions call."""
    functions: tuple[ArrowFunction, ...] = ()
    lookups: tuple[Lookup, ...] = ()
