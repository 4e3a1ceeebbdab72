"""`syncer show`: a plan file, readable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import PlanFormat

EXAMPLES = """\
Examples:

\b
  syncer show changes.plan                       as text
  syncer show changes.plan --format html > plan.html
  syncer show changes.plan --format markdown     for a pull request
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Print a plan file: text, Markdown, HTML or JSON")(show)


def show(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan file.")],
    output: PlanFormat = "text",
) -> None:
    """Print a plan file after checking that it is whole and unedited."""
    from syncer.cli.views import plans
    from syncer.workflow import planning

    plans.show(planning.read_plan(file), output)
