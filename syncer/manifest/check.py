"""What the parts of a manifest mean together: one function a rule, one code each, all findings at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncer.diagnostics import Diagnostic
    from syncer.facts import ObjectSchema
    from syncer.manifest.read import Project


def check(
    project: Project,
    schemas: Mapping[tuple[str, str], ObjectSchema],
    columns: Mapping[str, Sequence[str]],
) -> tuple[Diagnostic, ...]:
    """Return every finding about a project, given the described objects and the sources' headers that are known."""
    del project, schemas, columns
    return ()
