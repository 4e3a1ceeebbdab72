"""Which operations mean something else than they did at a commit: what `state:modified` chooses.

An operation is what it says, its mapping with all that it extends, its sources, target and connection, the variables
that these name, and the committed data files and object snapshot. Comments, layout and other operations do not matter.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncer.errors import ManifestError
from syncer.manifest.files import locate_sources
from syncer.manifest.read import read_project
from syncer.manifest.template import resolve_sources
from syncer.workflow.git import repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from syncer.manifest.models import Manifest
    from syncer.manifest.read import Project
    from syncer.workflow.git import Repository

    Snapshot = Callable[[Manifest, str], str]
    """From a manifest and an operation to the path of its object's snapshot below `SNAPSHOTS`."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from `commit`: operations that are new or mean something else, and those that are gone."""

    commit: str
    modified: frozenset[str]
    gone: tuple[str, ...]
    is_readable: bool = True
    """Whether the manifests of the commit could be read; where not, every operation counts as modified."""


@dataclass(frozen=True, slots=True)
class _State:
    """A project at one time: what it says, and the names of its files' contents by path from the project's folder."""

    project: Project
    manifest: Manifest
    files: Mapping[str, str]
    snapshots: Mapping[str, str]


def changes(project: Project, ref: str, expand: Callable[[Manifest], Manifest], at: Snapshot, folder: str) -> Changes:
    """Return what differs between `ref` and the files as they are; raises `UserError` where git cannot tell.

    `expand` adds the operations that a manifest implies; `folder` holds object snapshots, here or further up.
    """
    git = repository(project.root.resolve())
    commit = git.commit(ref)
    manifest = expand(project.manifest)
    with tempfile.TemporaryDirectory(prefix="syncer-base-") as place:
        try:
            before = _at(git, commit, project, Path(place), expand, folder)
        except ManifestError:
            return Changes(commit, frozenset(manifest.operations), (), is_readable=False)
        here = _here(git, project, manifest, folder)
        old = {} if before is None else {name: _meaning(before, name, at) for name in before.manifest.operations}
    new = {name: _meaning(here, name, at) for name in manifest.operations}
    modified = frozenset(name for name, meaning in new.items() if old.get(name) != meaning)
    return Changes(commit, modified, tuple(sorted(old.keys() - new.keys())))


def _here(git: Repository, project: Project, manifest: Manifest, folder: str) -> _State:
    top, root = git.top, project.root.resolve()
    data = {str(each.resolve().relative_to(top)) for found in _located(project).values() for each in found}
    files = {str((top / path).relative_to(root)): name for path, name in git.present(data).items()}
    kept = next((each / folder for each in (root, *root.parents) if (each / folder).is_dir()), root / folder)
    found = [str(each.relative_to(top)) for each in kept.rglob("*.json")] if kept.is_relative_to(top) else []
    snapshots = {str((top / path).relative_to(kept)): name for path, name in git.present(found).items()}
    return _State(project, manifest, files, snapshots)


def _at(
    git: Repository,
    commit: str,
    project: Project,
    place: Path,
    expand: Callable[[Manifest], Manifest],
    folder: str,
) -> _State | None:
    """Return the project at a commit, None where there was none: manifests in full, of every other file its name."""
    root = project.root.resolve().relative_to(git.top)
    inside = "" if root == Path() else f"{root}/"
    files = {path.removeprefix(inside): name for path, name in git.files(commit, str(root)).items()}
    top_level = {path: name for path, name in files.items() if "/" not in path and path.endswith((".yaml", ".yml"))}
    if not top_level:
        return None
    for path, name in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(git.content(name) if path in top_level else b"")
    read = read_project(place / Path(project.files[0].path).name if _is_one_file(project) else place)
    kept = next((below for each in (root, *root.parents) if (below := git.files(commit, str(each / folder)))), {})
    snapshots = {path.rpartition(f"{folder}/")[2]: name for path, name in kept.items()}
    return _State(read, expand(read.manifest), files, snapshots)


def _is_one_file(project: Project) -> bool:
    """Say whether the project was named by a file, so that the others of its folder are no part of it."""
    suffixes = (".yaml", ".yml")
    return len(project.files) < sum(each.suffix in suffixes and each.name[0] != "." for each in project.root.iterdir())


def _located(project: Project) -> dict[str, list[Path]]:
    """Return each source's files, with the environment as it is now; what cannot be resolved has none."""
    try:
        resolved, _ = resolve_sources(project.manifest, project.positions, project.manifest.sources, os.environ)
    except ManifestError:
        return {}
    patterns = {name: each.file for name, each in resolved.items() if each.file is not None}
    return locate_sources(patterns, project.root, project.positions)[0]


def _meaning(state: _State, name: str, at: Snapshot) -> str:
    """Return all that decides what an operation does, as one text that can be compared."""
    manifest = state.manifest
    operation = manifest.operations[name]
    target = manifest.targets.get(operation.target)
    connection = manifest.connections.get(target.connection) if target else None
    mappings = [_said(manifest.mappings[each]) for each in _extended(manifest, operation.mapping)]
    parts: list[Any] = [_said(operation), target and _said(target), connection and _said(connection), mappings]
    sources = _sources(manifest, operation.source, mappings)
    parts.append({each: _said(manifest.sources[each]) for each in sources})
    words = set(_WORD.findall(json.dumps(parts)))
    parts.append({each: value for each, value in sorted(manifest.vars.items()) if each in words})
    root, located = state.project.root.resolve(), _located(state.project)
    data = sorted({str(file.resolve().relative_to(root)) for each in sources for file in located.get(each, ())})
    parts.append([(path, state.files[path]) for path in data if path in state.files])
    parts.append(state.snapshots.get(at(manifest, name)))
    return json.dumps(parts, sort_keys=False)


def _said(model: Any) -> dict[str, Any]:
    said: dict[str, Any] = model.model_dump(mode="json", exclude_defaults=True)
    return said


def _extended(manifest: Manifest, mapping: str, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield a mapping after all that it extends; a name that is missing or comes again is for `check` to report."""
    if mapping in manifest.mappings and mapping not in seen:
        for each in manifest.mappings[mapping].extends:
            yield from _extended(manifest, each, (*seen, mapping))
        yield mapping


def _sources(manifest: Manifest, source: str, mappings: object) -> list[str]:
    """Return the source with those that its query reads, and those that a template may look up, by their names."""
    text = json.dumps(mappings)
    waiting = [source, *(set(_WORD.findall(text)) if "lookup" in text else ())]
    found: list[str] = []
    while waiting:
        name = waiting.pop()
        if name in manifest.sources and name not in found:
            found.append(name)
            waiting += _WORD.findall(manifest.sources[name].sql or "")
    return sorted(found)
