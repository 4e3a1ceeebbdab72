"""Which operations a person means: by name, tag, connection, or because their meaning changed since a commit."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from syncer.errors import UserError
from syncer.manifest.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from syncer.manifest.models import Manifest
    from syncer.workflow.modified import Changes

MODIFIED = "state:modified"
_KINDS = ("tag", "connection", "state")


def asks_for_changes(*words: str) -> bool:
    """Say whether any of the words can only be answered by a comparison with a commit."""
    return any(MODIFIED in word.split(",") for word in words)


def choose(
    manifest: Manifest, select: Sequence[str], exclude: Sequence[str], changes: Changes | None
) -> tuple[str, ...]:
    """Return the chosen operations in the manifest's order: what any of `select` means and none of `exclude`.

    Parts of a word with commas between them must all hold. A word that means nothing is an error, since it is most
    likely misspelt, except where nothing was modified.
    """
    names = tuple(manifest.operations)
    found = {word: _meant(word, manifest, changes) for word in (*select, *exclude)}
    for word, meant in found.items():
        if not meant and not asks_for_changes(word):
            raise UserError("R903", f'No operation is chosen by "{word}".', _advice(word, manifest, changes))
    wanted = {name for word in select for name in found[word]} if select else set(names)
    unwanted = {name for word in exclude for name in found[word]}
    return tuple(name for name in names if name in wanted - unwanted)


def _advice(word: str, manifest: Manifest, changes: Changes | None) -> str:
    """Return the nearest of what there is, for the first part of a word that means nothing by itself."""
    parts = [part.strip() for part in word.split(",")]
    lost = next((part for part in parts if not _meant(part, manifest, changes)), None)
    if lost is None or lost == MODIFIED:
        return "Words with a comma between them must all hold. For any of them, say the option once for each."
    kind, colon, value = lost.partition(":")
    if not colon:
        return did_you_mean(lost, manifest.operations, "operation")
    known = {tag for each in manifest.operations.values() for tag in each.tags}
    return did_you_mean(value, known if kind == "tag" else manifest.connections, kind)


def _meant(word: str, manifest: Manifest, changes: Changes | None) -> set[str]:
    """Return the operations that all parts of a word mean."""
    tests = [_test(part.strip(), manifest, changes) for part in word.split(",")]
    return {name for name in manifest.operations if all(test(name) for test in tests)}


def _test(part: str, manifest: Manifest, changes: Changes | None) -> Callable[[str], bool]:
    kind, colon, value = part.partition(":")
    if part == MODIFIED:
        modified = changes.modified if changes else frozenset()
        return modified.__contains__
    if colon and (kind not in _KINDS or kind == "state"):
        detail = f'"{part}" is no way to choose operations.'
        raise UserError("R903", detail, f"Say a name, tag:NAME, connection:NAME or {MODIFIED}; names may hold *.")

    def matches(name: str) -> bool:
        operation = manifest.operations[name]
        if kind == "tag" and colon:
            return any(fnmatch.fnmatchcase(tag, value) for tag in operation.tags)
        if kind == "connection" and colon:
            target = manifest.targets.get(operation.target)
            return target is not None and fnmatch.fnmatchcase(target.connection, value)
        return fnmatch.fnmatchcase(name, part)

    return matches
