"""Pipelines, sources and formats small enough to read in a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sqlglot import exp, parse_one

from syncer.capability import CsvFormat, JsonFormat, PayloadFormat
from syncer.engine.staged import StagedOperation
from syncer.facts import Action
from syncer.manifest.models import ColumnType, Duplicates, WhenNull
from syncer.mapping.pipeline import Check, KeyPart, Pipeline, PipelineField

SYNC = JsonFormat(max_records=300, max_bytes=1_000_000)
FILE = CsvFormat(max_records=None, max_bytes=10_000_000, clear_text="#N/A")
UNIFORM = CsvFormat(max_records=None, max_bytes=10_000_000, needs_uniform_shape=True)


def tree(text: str) -> exp.Expression:
    """Return the expression that the SQL text means."""
    return parse_one(text, dialect="duckdb")


def field(name: str, value: str = "", conform: str = "", when_null: WhenNull = WhenNull.OMIT) -> PipelineField:
    """Return a field that takes the column of its name, unless said."""
    return PipelineField(name, tree(value or f'"{name}"'), tree(conform or f'"m:{name}"'), when_null)


def pipeline(
    *fields: PipelineField | str,
    key: str | Sequence[str] = "email",
    types: Mapping[str, ColumnType] | None = None,
    duplicates: Duplicates = Duplicates.SERIALIZE,
    checks: Sequence[Check] = (),
    only_changed: bool = True,
    key_space: str = "marketo/lead/email",
    columns: Sequence[str] = (),
) -> Pipeline:
    """Return a pipeline over text columns named as its fields; the key is trimmed and case folded."""
    made = tuple(each if isinstance(each, PipelineField) else field(each) for each in fields)
    names = dict.fromkeys((*columns, *(c.name for f in made for c in f.value.find_all(exp.Column))))
    parts = (key,) if isinstance(key, str) else key
    return Pipeline(
        operation="newsletter",
        source="contacts",
        action=Action.UPSERT,
        columns=tuple((each, (types or {}).get(each, ColumnType.TEXT)) for each in names),
        fields=made,
        checks=tuple(checks),
        key=tuple(KeyPart(each, tree(f'lower(trim(CAST("f:{each}" AS VARCHAR)))'), is_folded=True) for each in parts),
        key_space=key_space,
        duplicates=duplicates,
        only_changed=only_changed,
    )


class Stage(Protocol):
    """Stages CSV text; every call has a folder of its own."""

    def __call__(
        self,
        made: Pipeline,
        rows: str | bytes,
        formats: Mapping[str, PayloadFormat] | None = None,
        *,
        ledger: Path | None = None,
        threads: int | None = 1,
        null_values: tuple[str, ...] = ("",),
    ) -> StagedOperation:
        """Return the staged rows."""
        ...
