"""`syncer validate`: everything that can be known without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import Project

EXAMPLES = """\
Examples:

\b
  syncer validate                     the manifests of this folder
  syncer validate manifests/demo      another folder
  syncer validate --format json .     diagnostics as JSON, for an editor
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES)(validate)


def validate(
    project: Project = Path(),
    output: Annotated[
        str, typer.Option("--format", metavar="text|json|github|sarif", help="How diagnostics are printed.")
    ] = "text",
) -> None:
    """Check manifests, sources' headers, mappings and object schemas. Needs no network and no secrets.

    All findings are printed at once, with file, line and column. Exit code 3 when there are errors.
    """
    from syncer.cli.views import trouble
    from syncer.errors import ManifestError
    from syncer.workflow import load

    trouble.check_format(output)
    try:
        loaded = load.load(project)
    except ManifestError as error:
        trouble.show_diagnostics(error.diagnostics, output)
        raise typer.Exit(3) from None
    trouble.show_diagnostics(loaded.warnings, output)
    if output == "text":
        counts = f"{len(loaded.manifest.operations)} operations, {len(loaded.manifest.mappings)} mappings"
        typer.echo(f"Valid: {counts}, {len(loaded.project.files)} files.")
