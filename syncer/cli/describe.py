"""`syncer describe`: the targets' objects, as snapshots in git."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import Loopback, Project

EXAMPLES = """\
Examples:

\b
  syncer describe pull                         every object that the manifests write to
  syncer describe pull --schemas schemas       into another folder
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    group = typer.Typer(help="The targets' objects, as snapshots in git.", no_args_is_help=True)
    group.command(epilog=EXAMPLES)(pull)
    group.callback()(_only_a_group)
    app.add_typer(group, name="describe", short_help="Pull the targets' objects, as snapshots in git", epilog=EXAMPLES)


def _only_a_group() -> None:
    """The targets' objects, as snapshots in git."""


def pull(
    project: Project = Path(),
    schemas: Annotated[
        Path | None, typer.Option("--schemas", metavar="FOLDER", help="Where snapshots are kept.")
    ] = None,
    sandbox: Loopback = False,
) -> None:
    """Read each object's fields from its target and write the snapshot that plans are checked against."""
    from syncer.workflow import describing, load

    for change in describing.pull(load.read(project), schemas, sandbox=sandbox):
        typer.echo(change)
