"""`syncer verify`: judge a run by what it left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import State, Work, one_of

EXAMPLES = """\
Examples:

\b
  syncer verify                              judge the newest run
  syncer verify 20260301-101500-3f9c1b       judge this one
  syncer verify --format json                for a program

Exit codes: 0 nothing is broken, 1 a promise is broken.
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Judge a run by what it left behind")(verify)


def verify(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="The run's id; the newest unless said.")] = None,
    project: Annotated[Path, typer.Option("--project", metavar="PROJECT", help="The run's manifests.")] = Path(),
    work: Work = None,
    state: State = None,
    form: Annotated[
        str,
        typer.Option(
            "--format", metavar="text|json", help="A table, or JSON.", callback=one_of("format", "text", "json")
        ),
    ] = "text",
) -> None:
    """Judge from journal, plan, ledger, rejects and report whether a run kept its promises. Sends nothing.

    The judge shares no code with what carries runs out. What can no longer be told is named, never guessed: a finished
    run has deleted its rows, and with them the exact keys of each request.
    """
    from syncer.cli.exits import Exit
    from syncer.cli.views import verdicts
    from syncer.workflow import load, planning, verifying

    name, findings = verifying.verify(load.read(project), planning.Settings(work=work, state=state), run)
    verdicts.show(name, findings, form)
    raise typer.Exit(Exit.ERROR if verdicts.is_broken(findings) else Exit.DONE)
