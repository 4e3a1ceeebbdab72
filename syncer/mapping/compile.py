"""One operation of a checked manifest becomes a `Pipeline`, or all the diagnostics of its templates at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from syncer.diagnostics import Diagnostic, Place, in_order
from syncer.facts import Action, FieldSchema, FieldType, ObjectSchema
from syncer.manifest.models import Column as DeclaredColumn
from syncer.manifest.models import ColumnType, FieldMapping, Manifest, Operation
from syncer.mapping import pipeline, python, sql
from syncer.mapping.conform import conform, misfit
from syncer.mapping.dialect.entry import Type, constant
from syncer.mapping.failure import FALSE, failure, reason
from syncer.mapping.key import key_part, key_space
from syncer.mapping.parse import Parsed, Problem, parse
from syncer.mapping.pipeline import ArrowFunction, Check, Lookup, Pipeline, PipelineField
from syncer.mapping.resolve import printed
from syncer.mapping.scope import LookupUse, Scope
from syncer.mapping.tree import Constant, Node, columns

Places = Callable[[tuple[str, ...], int], Place]
"""The place of an offset inside the text of a member, by the member's path."""

_TYPES = {
    ColumnType.TEXT: Type.TEXT,
    ColumnType.INTEGER: Type.INTEGER,
    ColumnType.DECIMAL: Type.DECIMAL,
    ColumnType.FLOAT: Type.FLOAT,
    ColumnType.BOOLEAN: Type.BOOLEAN,
    ColumnType.DATE: Type.DATE,
    ColumnType.DATETIME: Type.DATETIME,
    ColumnType.MOMENT: Type.INSTANT,
}
_COLUMN_TYPES = {kind: declared for declared, kind in _TYPES.items()}
_SCALARS = {bool: Type.BOOLEAN, int: Type.INTEGER, float: Type.FLOAT}


@dataclass(frozen=True, slots=True)
class Compiled:
    """Either the pipeline, or why there is none; neither where it was only checked and nothing found."""

    pipeline: Pipeline | None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class _Field:
    """One mapped field, read: where it stands, what it means, where it goes."""

    path: tuple[str, ...]
    mapping: FieldMapping
    schema: FieldSchema
    tree: Node
    lookups: tuple[LookupUse, ...]


def compile_operation(  # noqa: PLR0913, PLR0917 - everything a pipeline is made of
    manifest: Manifest,
    name: str,
    columns: Sequence[tuple[str, ColumnType]],
    schema: ObjectSchema,
    folded_types: frozenset[str],
    place: Places,
    *,
    writes: bool = True,
) -> Compiled:
    """Compile operation `name`: its source has these columns, its target object is described by `schema`.

    Without `writes` it is only checked: every finding is made, no SQL is.
    """
    operation = manifest.operations[name]
    scope = Scope(
        {column: _TYPES[kind] for column, kind in columns},
        manifest.vars,
        {source: _declared(each.columns) for source, each in manifest.sources.items()},
    )
    fields: list[_Field] = []
    found: list[Diagnostic] = []
    for path, field, mapping in _mapped(manifest, operation, schema):
        read, problems = _read(path, field, mapping, scope)
        found += (Diagnostic(each.code, each.detail, place(path, each.offset), each.advice) for each in problems)
        fields.append(read)
    if found or not writes:
        return Compiled(None, in_order(found))
    return Compiled(_pipeline(manifest, name, columns, schema, folded_types, fields))


def effective_fields(manifest: Manifest, mapping: str) -> Mapping[str, tuple[str, FieldMapping]]:
    """Return a mapping's fields and those it extends, by name, with the mapping that gives each. Later ones win."""
    found: dict[str, tuple[str, FieldMapping]] = {}
    for extended in manifest.mappings[mapping].extends:
        found |= effective_fields(manifest, extended)
    return found | {name: (mapping, each) for name, each in manifest.mappings[mapping].fields.items()}


def _mapped(
    manifest: Manifest, operation: Operation, schema: ObjectSchema
) -> Iterator[tuple[tuple[str, ...], FieldSchema, FieldMapping]]:
    """Yield the fields that the operation writes; a deletion is told by its key alone (Bulk API 2.0, CSV rules)."""
    keys = manifest.targets[operation.target].key_fields
    for name, (owner, each) in effective_fields(manifest, operation.mapping).items():
        field = schema.written(name)
        if field is not None and (operation.action is not Action.DELETE or name in keys):
            yield ("mappings", owner, name), field, each


def _declared(declared: Mapping[str, ColumnType | DeclaredColumn]) -> dict[str, Type]:
    return {name: _TYPES[each if isinstance(each, ColumnType) else each.type] for name, each in declared.items()}


def _read(
    path: tuple[str, ...], field: FieldSchema, mapping: FieldMapping, scope: Scope
) -> tuple[_Field, tuple[Problem, ...]]:
    """Read a field's template; the tree fits the field's type unless there are problems."""
    value = mapping.value
    parsed = (
        parse(value, replace(scope, field=field.name))
        if isinstance(value, str)
        else Parsed(Constant(value, _SCALARS[type(value)]))
    )
    tree, problems = parsed.tree, parsed.problems
    if not problems:
        if field.type is FieldType.TEXT and tree.type not in (Type.TEXT, Type.LIST):
            tree = printed(tree)
        if found := misfit(field, tree.type):
            problems = (Problem("M320", found[0], 0, found[1]),)
        elif any(not sql.has_sql(each.value) for each in parsed.lookups):
            problems = (Problem("M311", "The value that a lookup matches must have an SQL form.", 0),)
    return _Field(path, mapping, field, tree, parsed.lookups), problems


def _pipeline(  # noqa: PLR0913, PLR0917 - as above
    manifest: Manifest,
    name: str,
    source_columns: Sequence[tuple[str, ColumnType]],
    schema: ObjectSchema,
    folded_types: frozenset[str],
    fields: Sequence[_Field],
) -> Pipeline:
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
