"""One operation of a checked manifest becomes a `Pipeline`, or all the diagnostics of its templates at once.

Templates are read and checked here without a word of SQL; `assemble` writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncer.diagnostics import Diagnostic, Place, in_order
from syncer.facts import Action, FieldSchema, FieldType, ObjectSchema
from syncer.manifest.models import Column as DeclaredColumn
from syncer.manifest.models import ColumnType, FieldMapping, Manifest, Operation
from syncer.mapping.dialect.entry import Type
from syncer.mapping.fit import misfit
from syncer.mapping.parse import Parsed, Problem, parse
from syncer.mapping.resolve import printed
from syncer.mapping.scope import LookupUse, Scope
from syncer.mapping.tree import Constant, Node, has_sql

if TYPE_CHECKING:
    from syncer.mapping.pipeline import Pipeline

Places = Callable[[tuple[str, ...], int], Place]
"""The place of an offset inside the text of a member, by the member's path."""

TYPES = {
    ColumnType.TEXT: Type.TEXT,
    ColumnType.INTEGER: Type.INTEGER,
    ColumnType.DECIMAL: Type.DECIMAL,
    ColumnType.FLOAT: Type.FLOAT,
    ColumnType.BOOLEAN: Type.BOOLEAN,
    ColumnType.DATE: Type.DATE,
    ColumnType.DATETIME: Type.DATETIME,
    ColumnType.MOMENT: Type.INSTANT,
}
_SCALARS = {bool: Type.BOOLEAN, int: Type.INTEGER, float: Type.FLOAT}


@dataclass(frozen=True, slots=True)
class Compiled:
    """Either the pipeline, or why there is none; neither where it was only checked and nothing found."""

    pipeline: Pipeline | None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One mapped field, read: where it stands, what it means, where it goes."""

    path: tuple[str, ...]
    mapping: FieldMapping
    schema: FieldSchema
    tree: Node
    lookups: tuple[LookupUse, ...]
    problems: tuple[Problem, ...]
    """What is wrong with it; where there is something, the tree means nothing."""


Readings = dict[tuple[object, ...], Sequence[Field]]
"""What is read of one manifest already: operations that share a mapping, columns and an object share its fields."""


def compile_operation(  # noqa: PLR0913, PLR0917 - everything a pipeline is made of
    manifest: Manifest,
    name: str,
    columns: Sequence[tuple[str, ColumnType]],
    schema: ObjectSchema,
    folded_types: frozenset[str],
    place: Places,
    *,
    writes: bool = True,
    readings: Readings | None = None,
) -> Compiled:
    """Compile operation `name`: its source has these columns, its target object is described by `schema`.

    Without `writes` it is only checked: every finding is made, no SQL is. `readings` are of the same manifest.
    """
    operation = manifest.operations[name]
    keys = manifest.targets[operation.target].key_fields if operation.action is Action.DELETE else None
    same = (operation.mapping, tuple(columns), schema.system, schema.name, schema.digest, keys)
    known = {} if readings is None else readings
    if same not in known:
        known[same] = _fields(manifest, operation, columns, schema)
    fields = known[same]
    found = [
        Diagnostic(each.code, each.detail, place(field.path, each.offset), each.advice)
        for field in fields
        for each in field.problems
    ]
    if found or not writes:
        return Compiled(None, in_order(found))
    from syncer.mapping.assemble import assemble

    return Compiled(assemble(manifest, name, columns, schema, folded_types, fields))


def _fields(
    manifest: Manifest, operation: Operation, columns: Sequence[tuple[str, ColumnType]], schema: ObjectSchema
) -> list[Field]:
    scope = Scope(
        {column: TYPES[kind] for column, kind in columns},
        manifest.vars,
        {source: _declared(each.columns) for source, each in manifest.sources.items()},
    )
    return [_read(path, field, mapping, scope) for path, field, mapping in _mapped(manifest, operation, schema)]


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
    return {name: TYPES[each if isinstance(each, ColumnType) else each.type] for name, each in declared.items()}


def _read(path: tuple[str, ...], field: FieldSchema, mapping: FieldMapping, scope: Scope) -> Field:
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
        elif any(not has_sql(each.value) for each in parsed.lookups):
            problems = (Problem("M311", "The value that a lookup matches must have an SQL form.", 0),)
    return Field(path, mapping, field, tree, parsed.lookups, problems)
