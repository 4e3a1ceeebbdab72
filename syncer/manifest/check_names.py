"""Rules about names: every reference leads somewhere, nothing waits for itself, nothing lies about unused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncer.manifest.known import cycles
from syncer.manifest.nearest import did_you_mean
from syncer.manifest.positions import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncer.diagnostics import Diagnostic
    from syncer.manifest.known import Known
    from syncer.manifest.models import Scalar
    from syncer.manifest.positions import Path

Reference = tuple["Path", str, str, str]


def unknown_names(known: Known) -> Iterator[Diagnostic]:
    """M201: a name that is not declared."""
    for path, section, kind, name in _references(known):
        declared: Mapping[str, object] = getattr(known.manifest, section)
        if name not in declared:
            detail = f'"{written(path)}" names the {kind} "{name}", which is not declared.'
            yield known.finding("M201", path, detail, known.hint(name, section, declared, kind))


def _references(known: Known) -> Iterator[Reference]:
    """Yield every reference: its path, the section and kind it points into, and the name."""
    manifest = known.manifest
    for name, source in manifest.sources.items():
        if source.connection is not None:
            yield ("sources", name, "connection"), "connections", "connection", source.connection
    for name, target in manifest.targets.items():
        yield ("targets", name, "connection"), "connections", "connection", target.connection
    for name, mapping in manifest.mappings.items():
        for index, base in enumerate(mapping.extends):
            yield ("mappings", name, "extends", index), "mappings", "mapping", base
    for name, operation in manifest.operations.items():
        yield ("operations", name, "source"), "sources", "source", operation.source
        yield ("operations", name, "mapping"), "mappings", "mapping", operation.mapping
        yield ("operations", name, "target"), "targets", "target", operation.target
        for index, other in enumerate(operation.after):
            yield ("operations", name, "after", index), "operations", "operation", other
    for name, test in manifest.tests.items():
        yield ("tests", name, "operation"), "operations", "operation", test.operation
        for looked_up in test.lookups:
            yield ("tests", name, "lookups", looked_up), "sources", "source", looked_up


def waiting_in_a_circle(known: Known) -> Iterator[Diagnostic]:
    """M202: operations that wait for each other."""
    after = {name: operation.after for name, operation in known.manifest.operations.items()}
    for cycle in cycles(after):
        path = ("operations", cycle[0], "after", after[cycle[0]].index(cycle[1]))
        detail = f"These operations wait for each other, so none can start: {' → '.join(cycle)}."
        yield known.finding("M202", path, detail, 'Remove one of the names from "after".')


def extending_in_a_circle(known: Known) -> Iterator[Diagnostic]:
    """M217: mappings that extend each other."""
    extends = {name: mapping.extends for name, mapping in known.manifest.mappings.items()}
    for cycle in cycles(extends):
        path = ("mappings", cycle[0], "extends", extends[cycle[0]].index(cycle[1]))
        detail = f"These mappings extend each other: {' → '.join(cycle)}."
        yield known.finding("M217", path, detail, 'Remove one of the names from "extends".')


def unused_definitions(known: Known) -> Iterator[Diagnostic]:
    """M216: something declared that nothing uses; a warning."""
    used = {(section, name) for path, section, _, name in _references(known) if path[0] != "tests"}
    texts = _texts(known)
    kinds = {"connections": "connection", "sources": "source", "targets": "target", "mappings": "mapping"}
    for section, kind in kinds.items():
        for name in getattr(known.manifest, section):
            is_mentioned = section == "sources" and re.search(rf"\b{re.escape(name)}\b", texts)
            if (section, name) not in used and not is_mentioned:
                detail = f'Nothing uses the {kind} "{name}".'
                yield known.warning("M216", (section, name), detail, "Remove it, or name it where it is meant.")
    for name in known.manifest.vars:
        if not re.search(rf"\bvar\b[\s.\[\"']*{re.escape(name)}\b", texts):
            detail = f'Nothing uses the variable "{name}".'
            yield known.warning("M216", ("vars", name), detail, "Remove it, or name it where it is meant.")


def _texts(known: Known) -> str:
    """Return all templates and queries in one text: sources and variables can be named in them."""
    texts: list[str] = []
    for source in known.manifest.sources.values():
        texts += [each for each in (source.file, source.database, source.sql) if each]
    for connection in known.manifest.connections.values():
        texts += [connection.base_url, connection.client_id, connection.client_secret]
    for mapping in known.manifest.mappings.values():
        texts += [field.value for field in mapping.fields.values() if isinstance(field.value, str)]
    return "\n".join(texts)


def tests_of_nothing(known: Known) -> Iterator[Diagnostic]:
    """M219: a test that gives a column the source lacks, or expects a field the mapping does not write."""
    for name, test in known.manifest.tests.items():
        operation = known.manifest.operations.get(test.operation)
        if operation is None:
            continue
        fields = known.fields(operation.mapping)
        for index, row in enumerate(test.expect if operation.mapping in known.manifest.mappings else ()):
            for field in row:
                if field not in fields:
                    path = ("tests", name, "expect", index, field)
                    detail = f'The mapping "{operation.mapping}" does not write the field "{field}".'
                    yield known.named("M219", path, detail, did_you_mean(field, fields, "field"))
        given: dict[Path, tuple[str, Sequence[Mapping[str, Scalar]]]] = {("given",): (operation.source, test.given)}
        given |= {("lookups", source): (source, rows) for source, rows in test.lookups.items()}
        for place, (source, rows) in given.items():
            columns = known.columns.get(source)
            for index, column in _cells(rows) if columns is not None else ():
                if column not in (columns or ()):
                    cell: Path = ("tests", name, *place, index, column)
                    detail = f'The source "{source}" has no column "{column}".'
                    yield known.named("M219", cell, detail, did_you_mean(column, columns or (), "column"))


def _cells(rows: Sequence[Mapping[str, Scalar]]) -> Iterator[tuple[int, str]]:
    return ((index, column) for index, row in enumerate(rows) for column in row)
