"""How it is told what `state:modified` found: what it was compared with, what is gone, what could not be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.cli.views.progress import note
from syncer.plan.words import count

if TYPE_CHECKING:
    from syncer.workflow.modified import Changes

SHORT = 12


def note_changes(since: Changes | None) -> None:
    """Tell on stderr what differs from the commit, where that was asked."""
    if since is None:
        return
    commit = since.commit[:SHORT]
    if not since.is_readable:
        note(f"The manifests of commit {commit} have errors, so every operation counts as modified.")
        return
    note(f"Compared with commit {commit}: {count(len(since.modified), 'operation')} modified or new.")
    if since.gone:
        note(f"Gone since then, and not planned: {', '.join(since.gone)}.")
