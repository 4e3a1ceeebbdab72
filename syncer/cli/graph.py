"""`syncer graph`: the steps of a plan, and which waits for which."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import one_of

EXAMPLES = """\
Examples:

\b
  syncer graph changes.plan                        for a page that reads Mermaid
  syncer graph changes.plan --format dot | dot -Tpng > plan.png
  syncer graph changes.plan --format svg > plan.svg
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Draw the steps of a plan, and what waits for what")(graph)


def graph(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan file.")],
    output: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="mermaid|dot|svg",
            help="How the graph is written.",
            callback=one_of("graph format", "mermaid", "dot", "svg"),
        ),
    ] = "mermaid",
) -> None:
    """Print the graph of a plan file: its steps, and the lines that no chain of others implies."""
    from syncer.errors import UserError
    from syncer.plan import chart
    from syncer.plan.drawing import MAX_STEPS
    from syncer.workflow import planning

    plan = planning.read_plan(file)
    text = {"mermaid": chart.mermaid, "dot": chart.dot, "svg": chart.svg}[output](plan)
    if not text:
        detail = f"The plan has {len(plan.nodes):,} steps, and a picture of more than {MAX_STEPS} shows nothing."
        raise UserError("R901", detail, "Use --format dot, or plan fewer operations with --select.")
    typer.echo(text, nl=False)
