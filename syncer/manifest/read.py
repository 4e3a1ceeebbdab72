"""A folder of YAML files → a `Project`: typed values, positions, digests. The one way in.

All findings of all files are raised at once, as one `ManifestError`. What a file says is known here; what the parts
mean together is for `check`. Nothing is resolved: templates stay templates, and no environment variable is read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncer.diagnostics import Diagnostic, Place, in_order
from syncer.errors import ManifestError
from syncer.manifest.compose import compose
from syncer.manifest.files import manifest_files, read_bytes
from syncer.manifest.models import Manifest
from syncer.manifest.positions import MappingNode, Positions, ScalarNode
from syncer.manifest.shape import shape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECTIONS = ("vars", "connections", "sources", "targets", "mappings", "operations", "tests")
_ONE = {
    "vars": "variable",
    "connections": "connection",
    "sources": "source",
    "targets": "target",
    "mappings": "mapping",
    "operations": "operation",
    "tests": "test",
}


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of a project and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Project:
    """All manifests of a folder together. Paths of sources are relative to `root`.

    `digest` covers what the manifest says: neither comments nor layout, nor how it is spread over files.
    """

    root: Path
    manifest: Manifest
    positions: Positions
    files: tuple[ManifestFile, ...]
    digest: str


def read_project(folder: Path, *, allows_aliases: bool = True) -> Project:
    """Read all `*.yaml` and `*.yml` files of a folder, or one file, as one project; raises `ManifestError`."""
    paths = manifest_files(folder)
    root = folder if folder.is_dir() else folder.parent
    found: list[Diagnostic] = []
    files: list[ManifestFile] = []
    trees: list[MappingNode] = []
    parts: list[Manifest] = []
    for path in paths:
        try:
            data = read_bytes(path, root)
        except ManifestError as error:
            found += error.diagnostics
            continue
        files.append(ManifestFile(str(path), hashlib.sha256(data).hexdigest()))
        tree, manifest, problems = read_file(data, str(path), allows_aliases=allows_aliases)
        found += problems
        trees += [tree] if tree else []
        parts += [manifest] if manifest else []
    found += _repeated_names(trees)
    if found:
        raise ManifestError(in_order(found))
    manifest = _joined(parts)
    return Project(root, manifest, Positions(_joined_tree(trees)), tuple(files), digest(manifest))


def read_file(
    data: bytes, name: str, *, allows_aliases: bool = True
) -> tuple[MappingNode | None, Manifest | None, list[Diagnostic]]:
    """Return the tree and the manifest of one file's bytes, each None where it cannot be known, and all findings."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        detail = f"The file is not UTF-8: the byte at offset {error.start} does not fit."
        line = data[: error.start].count(b"\n") + 1
        return None, None, [Diagnostic("M104", detail, Place(name, line, 1), "Save the file as UTF-8.")]
    tree, found = compose(text, name, allows_aliases=allows_aliases)
    if tree is None or (isinstance(tree, ScalarNode) and tree.value is None):
        if not found:
            found = [
                Diagnostic(
                    "M107", "The file says nothing.", Place(name), 'Start with "version: 1", or remove the file.'
                )
            ]
        return None, None, found
    if not isinstance(tree, MappingNode):
        detail = "A manifest is a mapping of sections, and this is not."
        return None, None, [*found, Diagnostic("M122", detail, tree.place, 'Start with "version: 1".')]
    manifest, problems = shape(tree)
    known = {each.place for each in found}
    found += [each for each in problems if each.place not in known]
    return tree, (None if found else manifest), found


def digest(manifest: Manifest) -> str:
    """Return the SHA-256 of what a manifest says: sections by name, the fields of a mapping in their order."""
    data: dict[str, Any] = manifest.model_dump(mode="json", exclude_defaults=True)
    for section in SECTIONS:
        data[section] = dict(sorted(data.get(section, {}).items()))
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _repeated_names(trees: Sequence[MappingNode]) -> list[Diagnostic]:
    """Find names that stand in two files, and names that a reader would take for one another."""
    found: list[Diagnostic] = []
    for section in SECTIONS:
        seen: dict[str, tuple[str, Place]] = {}
        for tree in trees:
            node = tree.members.get(section, (tree.place, tree))[1]
            if node is tree or not isinstance(node, MappingNode):
                continue
            for name, (place, _) in node.members.items():
                other, first = seen.setdefault(name.casefold(), (name, place))
                if place != first:
                    found.append(_repeated(_ONE[section], name, place, other, first))
    return found


def _repeated(kind: str, name: str, place: Place, other: str, first: Place) -> Diagnostic:
    if name == other:
        detail = f'The {kind} "{name}" is already declared at {first}.'
        return Diagnostic("M124", detail, place, "Rename one of the two: all files of a folder are one project.")
    detail = f'The {kind} "{name}" differs only in upper and lower case from "{other}", declared at {first}.'
    return Diagnostic("M125", detail, place, "Rename one of the two.")


def _joined(parts: Sequence[Manifest]) -> Manifest:
    """Return one manifest of all files; names are known to be unique."""
    sections: dict[str, Any] = {
        section: {name: value for part in parts for name, value in getattr(part, section).items()}
        for section in SECTIONS
    }
    return parts[0].model_copy(update=sections)


def _joined_tree(trees: Sequence[MappingNode]) -> MappingNode:
    joined = MappingNode(trees[0].place)
    for tree in trees:
        for name, (place, node) in tree.members.items():
            _, present = joined.members.setdefault(name, (place, node))
            if isinstance(present, MappingNode) and isinstance(node, MappingNode):
                present.members.update(node.members)
    return joined
