"""`syncer validate`: everything that can be known without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import Project, one_of

EXAMPLES = """\
Examples:

\b
  syncer validate                     the manifests of this folder
  syncer validate manifests/demo      another folder
  syncer validate --format json .     diagnostics as JSON, for an editor
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Check all that can be known without a network")(validate)


def validate(
    project: Project = Path(),
    output: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="text|json|github|sarif",
            help="How diagnostics are printed.",
            callback=one_of("output format", "text", "json", "github", "sarif"),
        ),
    ] = "text",
) -> None:
    """Check manifests, sources' headers, mappings and object schemas. Needs no network and no secrets.

    All findings are printed at once, with file, line and column. Exit code 3 when there are errors.
    """
    from syncer.cli.views import trouble
    from syncer.errors import ManifestError
    from syncer.plan.words import count
    from syncer.workflow import load

    try:
        loaded = load.load(project, reaches=False, compiles=False)
    except ManifestError as error:
        trouble.show_diagnostics(error.diagnostics, output)
        raise typer.Exit(3) from None
    trouble.show_diagnostics(loaded.warnings, output)
    if output == "text":
        manifest, files = loaded.project.manifest, loaded.project.files
        told = (("operation", manifest.operations), ("mapping", manifest.mappings), ("file", files))
        typer.echo(f"Valid: {', '.join(count(len(those), word) for word, those in told)}.")
