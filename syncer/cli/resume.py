"""`syncer resume`: go on with a run that was cut, parked or interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import LogFormat, Loopback, State, Work, again

EXAMPLES = """\
Examples:

\b
  syncer resume 20260301-101500-3f9c1b       go on with this run
  syncer resume                              go on with the only unfinished run
  syncer runs                                list the runs of a project
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Go on with a run that was cut or parked")(resume)


def resume(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="The run's id.")] = None,
    project: Annotated[Path, typer.Option("--project", metavar="PROJECT", help="The run's manifests.")] = Path(),
    work: Work = None,
    state: State = None,
    sandbox: Loopback = False,
    log_format: LogFormat = "auto",
) -> None:
    """Finish a run: settle what is in doubt first, adopt jobs that live, then send what was never sent.

    The payloads are the same bytes as before; a source that changed since does not matter.
    """
    from syncer.cli import telemetry
    from syncer.cli.views import progress, reports
    from syncer.workflow import applying, load, planning

    settings = planning.Settings(work=work, state=state, offline=False, sandbox=sandbox)
    loaded = load.read(project)
    unfinished = applying.find_run(loaded, settings, run)
    with (
        progress.running(unfinished.plan, log_format) as shown,
        telemetry.observed(unfinished.plan, unfinished.run, shown) as events,
    ):
        applied = applying.resume_run(loaded, unfinished, settings, events)
    reports.show(applied, again(project, work=work, state=state, sandbox=sandbox))
    raise typer.Exit(applied.result.exit_code)
