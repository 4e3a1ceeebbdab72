"""The verbs about what outlives a process: `runs`, `unlock`, `resolve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from syncer.cli.options import Project, State, Work, again

RUNS = """\
Examples:

\b
  syncer runs                   the runs of this project, newest last
  syncer runs manifests
"""
UNLOCK = """\
Examples:

\b
  syncer unlock --epoch 7       break the lock that the message named
"""
RESOLVE = """\
Examples:

\b
  syncer resolve 20260301-101500-3f9c1b --as sent      the doubted writes did happen
  syncer resolve 20260301-101500-3f9c1b --as unsent    they did not; send them again with `syncer resume`
"""


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command(epilog=RUNS, short_help="List the runs of a project and how each stands")(runs)
    app.command(epilog=UNLOCK, short_help="Break the lock of a run that is certainly gone")(unlock)
    app.command(epilog=RESOLVE, short_help="Decide a write of which nobody knows the end")(resolve)


def runs(project: Project = Path(), work: Work = None, state: State = None) -> None:
    """List the runs of a project: when, which plan, how they ended."""
    from syncer.cli.views import reports
    from syncer.workflow import applying, load, planning

    reports.show_runs(applying.list_runs(load.read(project), planning.Settings(work=work, state=state)))


def unlock(
    epoch: Annotated[int, typer.Option("--epoch", metavar="N", help="The lock's epoch, from the message.")],
    project: Annotated[Path, typer.Option("--project", metavar="PROJECT", help="The project's manifests.")] = Path(),
    work: Work = None,
    state: State = None,
) -> None:
    """Break a lock whose holder is gone. Be sure that it is: two writers at once make duplicate people."""
    from syncer.workflow import applying, load, planning

    applying.unlock(load.read(project), planning.Settings(work=work, state=state), epoch)
    typer.echo(f"Lock {epoch} is broken. The next run waits until nothing of the old one can still arrive.", err=True)


def resolve(
    verdict: Annotated[str, typer.Option("--as", metavar="sent|unsent", help="What you found in the target.")],
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="The run's id; the only unfinished one unless said.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", metavar="UNIT", help="Only this request or job; all held ones unless said.")
    ] = None,
    project: Annotated[Path, typer.Option("--project", metavar="PROJECT", help="The run's manifests.")] = Path(),
    work: Work = None,
    state: State = None,
) -> None:
    """Say what became of writes that syncer could not decide; then `syncer resume` goes on."""
    from syncer.errors import UserError
    from syncer.plan.words import count
    from syncer.workflow import applying, load, planning

    if verdict not in ("sent", "unsent"):
        raise UserError("R901", f'"{verdict}" is no verdict.', "Say --as sent or --as unsent.")
    word: Literal["sent", "unsent"] = "sent" if verdict == "sent" else "unsent"
    run, ruled = applying.resolve(load.read(project), planning.Settings(work=work, state=state), run, word, unit)
    rest = again(project, work=work, state=state)
    typer.echo(f"Noted for {count(len(ruled), 'unit')}. Go on with:\n    syncer resume {run}{rest}", err=True)
