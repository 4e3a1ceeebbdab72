"""The fields of one operation, read and without findings, become its `Pipeline`: all SQL of a mapping begins here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from syncer.manifest.models import ColumnType, Manifest
from syncer.mapping import pipeline, python, sql
from syncer.mapping.compile import TYPES, Field
from syncer.mapping.conform import conform
from syncer.mapping.dialect.entry import constant
from syncer.mapping.failure import FALSE, failure, reason
from syncer.mapping.key import key_part, key_space
from syncer.mapping.pipeline import ArrowFunction, Check, Lookup, Pipeline, PipelineField
from syncer.mapping.tree import Node, columns

if TYPE_CHECKING:
    from syncer.facts import ObjectSchema

_COLUMN_TYPES = {kind: declared for declared, kind in TYPES.items()}


def assemble(  # noqa: PLR0913, PLR0917 - everything a pipeline is made of
    manifest: Manifest,
    name: str,
    source_columns: Sequence[tuple[str, ColumnType]],
    schema: ObjectSchema,
    folded_types: frozenset[str],
    fields: Sequence[Field],
) -> Pipeline:
    """Return the pipeline of operation `name` over these columns; `fields` are its mapping's, in their order."""
    operation = manifest.operations[name]
    target = manifest.targets[operation.target]
    written: list[PipelineField] = []
    checks: list[Check] = []
    functions: list[ArrowFunction] = []
    for number, each in enumerate(fields):
        called = f"syncer_{number}_{re.sub('[^A-Za-z0-9]', '_', name)}"
        value = _value(each.tree, each.schema.name, called, functions)
        form = conform(schema.system, each.schema, each.tree.type, operation.action, each.mapping.when_null)
        unread = None
        if (question := failure(each.tree)) is not FALSE:
            unread = _value(question, each.schema.name, f"{called}_unread", functions)
            checks.append(
                Check("V116", each.schema.name, sql.column(pipeline.unread(each.schema.name)), reason(each.tree))
            )
        written.append(PipelineField(each.schema.name, value, form.expression, each.mapping.when_null, unread))
        checks += form.checks
    lookups = tuple(
        Lookup(use.alias, use.source, use.match, use.take, sql.write(use.value))
        for each in fields
        for use in each.lookups
    )
    key = tuple(
        key_part(schema.system, field, folded_types) for field in filter(None, map(schema.field, target.key_fields))
    )
    read = {
        column.name
        for each in fields
        for tree in (each.tree, *(use.value for use in each.lookups))
        for column in columns(tree)
    }
    trees = [*(each.value for each in written), *(each.value for each in lookups)]
    trees += [each.unread for each in written if each.unread]
    return Pipeline(
        operation=name,
        source=operation.source,
        action=operation.action,
        columns=tuple(each for each in source_columns if each[0] in read),
        fields=tuple(written),
        checks=tuple(checks),
        key=key,
        key_space=key_space(schema, target.key_fields),
        duplicates=operation.duplicates,
        only_changed=operation.only == "changed",
        setup=sql.macros(trees),
        functions=tuple(functions),
        lookups=lookups,
    )


def _value(tree: Node, field: str, function_name: str, functions: list[ArrowFunction]) -> exp.Expression:
    """Return the tree as SQL; one with a part that has no SQL form becomes the call of a new function."""
    if sql.has_sql(tree):
        return sql.write(tree)
    read = columns(tree)
    if not read:
        return constant(python.compiled(tree)(), tree.type)
    functions.append(
        ArrowFunction(
            function_name,
            field,
            tuple(_COLUMN_TYPES[each.type] for each in read),
            python.sql_type(tree.type),
            python.over_arrow(tree),
        )
    )
    return exp.Anonymous(this=function_name, expressions=[sql.write(each) for each in read])
