"""From a folder to compiled operations: manifests, source headers, object snapshots, mappings, checked all at once."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from syncer.diagnostics import Diagnostic, Severity, in_order
from syncer.errors import ManifestError, SourceError, UserError
from syncer.facts import FieldType, System
from syncer.manifest import check
from syncer.manifest.files import locate_sources
from syncer.manifest.gone import cleared_by, with_gone
from syncer.manifest.models import ColumnType
from syncer.manifest.read import Project, read_project
from syncer.manifest.template import resolve_sources
from syncer.mapping.compile import Compiled, Readings, compile_operation
from syncer.sources.protocol import SourceColumn
from syncer.sources.registry import source as open_source
from syncer.targets import describe, registry
from syncer.workflow import selecting
from syncer.workflow.endpoints import declared_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncer.capability import Capabilities
    from syncer.facts import ObjectSchema
    from syncer.manifest.models import Manifest
    from syncer.mapping.pipeline import Pipeline
    from syncer.sources.protocol import Source
    from syncer.workflow.modified import Changes

SNAPSHOTS = "schemas/objects"
"""Where object snapshots live, in the project's folder or the nearest folder above it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project that has no errors, compiled. `pipelines` holds only the chosen operations."""

    root: Path
    project: Project
    manifest: Manifest
    """The project's manifest, with an operation more for each that deletes what leaves its source."""
    schemas: Mapping[tuple[str, str], ObjectSchema]
    sources: Mapping[str, Source]
    pipelines: Mapping[str, Pipeline]
    warnings: tuple[Diagnostic, ...]
    since: Changes | None = None
    """What was modified, where that was asked."""


def read(folder: Path) -> Loaded:
    """Read the manifests and nothing else: enough to find connections and state."""
    project = read_project(folder)
    return Loaded(project.root, project, _expanded(project.manifest), {}, {}, {}, ())


def load(
    folder: Path,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    base: str | None = None,
    only: Sequence[str] | None = None,
    reaches: bool = True,
    compiles: bool = True,
    unread: Sequence[str] = (),
) -> Loaded:
    """Read, check and compile a project; raises `ManifestError` with every finding. Sources in `unread` are left alone.

    Without `reaches` no database is asked, and the templates of an operation that needs one are not compiled.
    Without `compiles` the templates are checked all the same, and there are no pipelines.
    """
    project = read_project(folder)
    manifest = _expanded(project.manifest)
    found: list[Diagnostic] = []
    since = changes_since(project, base) if selecting.asks_for_changes(*select, *exclude) else None
    chosen = only if only is not None else _together(manifest, select, exclude, since)
    schemas = _schemas(project)
    able = capabilities(manifest)
    sources, columns = _sources(project, found, unread, reaches=reaches)
    found += check.check(
        project, schemas, {name: [each.name for each in known] for name, known in columns.items()}, able
    )
    loaded = Loaded(project.root, project, manifest, schemas, sources, {}, ())
    pipelines: dict[str, Pipeline] = {}
    readings: Readings = {}
    for name in chosen:
        source = manifest.operations[name].source if name in manifest.operations else ""
        if source not in columns:
            continue
        read = id_columns(loaded, name) if cleared_by(name) else columns[source]
        if not read:
            continue
        compiled = compiled_operation(loaded, name, read, writes=compiles, readings=readings)
        # One finding a place: what `check` says of a template's names, compiling would say again.
        said = {each.place for each in found}
        found += [each for each in compiled.diagnostics if each.place not in said]
        if compiled.pipeline is not None:
            pipelines[name] = compiled.pipeline
    if any(each.severity is Severity.ERROR for each in found):
        raise ManifestError(in_order(found))
    return replace(loaded, pipelines=pipelines, warnings=in_order(found), since=since)


def changes_since(project: Project, base: str | None) -> Changes:
    """Compare the project with a commit: the named one, or the one a forge names; raises `UserError` without any."""
    from syncer.workflow import git, modified

    ref = base or git.default_base(os.environ)
    if ref is None:
        detail = f'"{selecting.MODIFIED}" needs something to compare with.'
        raise UserError(git.UNKNOWN, detail, "Say --base with a branch, tag or commit, such as --base origin/main.")
    return modified.changes(project, ref, _expanded, _snapshot_of, SNAPSHOTS)


def _snapshot_of(manifest: Manifest, operation: str) -> str:
    connection, name = _target_of(manifest, operation)
    known = manifest.connections.get(connection)
    return str(snapshot(Path(), System(known.system), name)) if known else ""


def compiled_operation(
    loaded: Loaded,
    name: str,
    columns: Sequence[SourceColumn],
    *,
    writes: bool = True,
    readings: Readings | None = None,
) -> Compiled:
    """Compile one operation over a source of these columns; nothing comes of it where its target is not known."""
    manifest = loaded.manifest
    at = _target_of(manifest, name)
    if at not in loaded.schemas or at[0] not in manifest.connections:
        return Compiled(None)
    typed = [(each.name, each.type) for each in columns]
    able = registry.capabilities(at[1], declared_endpoint(manifest, at[0]))
    schema, folded = loaded.schemas[at], able.folded_types
    place = loaded.project.positions.inside
    return compile_operation(manifest, name, typed, schema, folded, place, writes=writes, readings=readings)


def _expanded(manifest: Manifest) -> Manifest:
    """Return the manifest with an operation more for each that deletes what leaves its source."""
    return with_gone(manifest, {at: each.id_field for at, each in capabilities(manifest).items()})


def id_columns(loaded: Loaded, name: str) -> tuple[SourceColumn, ...]:
    """Return the one column of what left a source: the vendor's ids. `name` is the operation that clears up."""
    target = loaded.manifest.targets[name]
    schema = loaded.schemas.get((target.connection, target.object))
    described = schema.field(target.key_fields[0]) if schema else None
    if described is None:
        return ()
    kind = ColumnType.INTEGER if described.type is FieldType.INTEGER else ColumnType.TEXT
    return (SourceColumn(described.name, kind, "VARCHAR"),)


def capabilities(manifest: Manifest) -> dict[tuple[str, str], Capabilities]:
    """Return what the paths of every object that is written to can carry, by connection and object."""
    wanted = {(target.connection, target.object) for target in manifest.targets.values()}
    return {
        at: registry.capabilities(at[1], declared_endpoint(manifest, at[0]))
        for at in sorted(wanted)
        if at[0] in manifest.connections
    }


def snapshots(root: Path) -> Path:
    """Return the folder of object snapshots: the nearest one, or the project's own where there is none yet."""
    for place in (root.resolve(), *root.resolve().parents):
        if (place / SNAPSHOTS).is_dir():
            return place / SNAPSHOTS
    return root / SNAPSHOTS


def snapshot(folder: Path, system: System, name: str) -> Path:
    """Return the file of one object's snapshot; an object's name never leads to another folder."""
    return folder / system / f"{name.replace('/', '_').lstrip('.')}.schema.json"


def _schemas(project: Project) -> dict[tuple[str, str], ObjectSchema]:
    """Load the snapshot of every object that is written to; a missing one is for `check` to report."""
    manifest = project.manifest
    folder = snapshots(project.root)
    found = {}
    for target in manifest.targets.values():
        connection = manifest.connections.get(target.connection)
        if connection is None:
            continue
        path = snapshot(folder, System(connection.system), target.object)
        if path.is_file():
            found[(target.connection, target.object)] = describe.load(path)
    return found


def _sources(
    project: Project, found: list[Diagnostic], unread: Sequence[str] = (), *, reaches: bool
) -> tuple[dict[str, Source], dict[str, tuple[SourceColumn, ...]]]:
    """Open every source as far as its columns; findings are added to `found`.

    Without `reaches` no database is asked, and a warning says what is therefore not checked.
    """
    manifest = project.manifest
    databases = [name for name, each in manifest.sources.items() if each.database is not None and not reaches]
    known = [name for name in manifest.sources if name not in databases and not _reads(manifest, name, databases)]
    found += _not_reached(project, [name for name in manifest.sources if name not in known])
    known = [name for name in known if name not in unread]
    try:
        resolved, warnings = resolve_sources(manifest, project.positions, known, os.environ)
    except ManifestError as error:
        found += error.diagnostics
        return {}, {}
    found += warnings
    patterns = {name: each.file for name, each in resolved.items() if each.file is not None}
    files, troubles = locate_sources(patterns, project.root, project.positions)
    found += troubles
    opened: dict[str, Source] = {}
    columns: dict[str, tuple[SourceColumn, ...]] = {}
    for name in _readers_last(manifest, known):
        if manifest.sources[name].connection is not None or (name in patterns and name not in files):
            continue
        database = resolved[name].database
        address = _in_project(database.reveal(), project.root) if database else None
        declared = manifest.sources[name].model_copy(update={"database": address})
        try:
            opened[name] = open_source(name, declared, tuple(files.get(name, ())), opened)
            columns[name] = opened[name].columns()
        except SourceError as error:
            place = project.positions.at("sources", name)
            found.append(Diagnostic(error.code, error.detail, place, error.advice, error.command))
    return opened, columns


def _in_project(address: str, root: Path) -> str:
    """Return the address; a relative path of SQLite starts, like every path of a manifest, in the project's folder."""
    path = address.removeprefix("sqlite:///")
    return address if path in (address, "") or path.startswith("/") else f"sqlite:///{root.resolve() / path}"


def _not_reached(project: Project, names: Sequence[str]) -> Iterator[Diagnostic]:
    for name in names:
        yield Diagnostic(
            "M240",
            f'Source "{name}" needs a database, so templates that read it are not checked by this command.',
            project.positions.at("sources", name),
            "`syncer plan` asks the database and checks them.",
            severity=Severity.WARNING,
        )


def _readers_last(manifest: Manifest, names: Sequence[str]) -> list[str]:
    """Return the names so that a source that reads others by SQL comes after them."""
    order: list[str] = []
    waiting = list(names)
    while waiting:
        ready = [name for name in waiting if not _reads(manifest, name, waiting)] or waiting[:1]
        order += ready
        waiting = [name for name in waiting if name not in ready]
    return order


def _reads(manifest: Manifest, name: str, others: Sequence[str]) -> bool:
    declared = manifest.sources[name]
    if declared.sql is None or declared.database is not None:
        return False
    words = set(re.findall(r"[A-Za-z_][A-Za-z0-9_-]*", declared.sql))
    return any(other in words for other in others if other != name)


def _together(
    manifest: Manifest, select: Sequence[str], exclude: Sequence[str], since: Changes | None
) -> tuple[str, ...]:
    """Return the chosen operations; an operation and the one that deletes what leaves its source go together."""
    wanted = set(selecting.choose(manifest, select, (), since))
    # What left a source is told while the source is read, so both go together, or the deletions stay away alone.
    wanted |= {each for each in manifest.operations if cleared_by(each) in wanted}
    wanted |= {cleared_by(each) for each in wanted}
    unwanted = set(selecting.choose(manifest, exclude, (), since)) if exclude else set()
    chosen = tuple(name for name in manifest.operations if name in wanted and not {name, cleared_by(name)} & unwanted)
    if wanted and not chosen and not selecting.asks_for_changes(*select, *exclude):
        detail = "No operation is left: all that are chosen are excluded."
        raise UserError("R903", detail, "Exclude fewer of them.")
    return chosen


def _target_of(manifest: Manifest, operation: str) -> tuple[str, str]:
    known = manifest.operations.get(operation)
    target = manifest.targets.get(known.target) if known else None
    return (target.connection, target.object) if target else ("", "")
