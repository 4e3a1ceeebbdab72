"""`syncer show`: a plan file, readable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import PlanFormat, Reveal, check_reveal

EXAMPLES = """\
Examples:

\b
  syncer show changes.plan                       as text
  syncer show changes.plan --format html > plan.html
  syncer show changes.plan --format markdown     for a pull request
  syncer show changes.plan --reveal              with rows, where they travel sealed beside the plan
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Print a plan file: text, Markdown, HTML or JSON")(show)


def show(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan file.")],
    output: PlanFormat = "text",
    reveal: Reveal = False,
) -> None:
    """Print a plan file after checking that it is whole and unedited."""
    from syncer.cli.views import plans
    from syncer.workflow import planning, revealing

    if reveal:
        check_reveal(output)
    plan = planning.read_plan(file)
    plans.show(plan, output, samples=revealing.beside(plan, file) if reveal else ())
