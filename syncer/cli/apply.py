"""`syncer apply`: perform a reviewed plan, or plan, ask and perform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import Base, Exclude, Full, LogFormat, Loopback, Memory, Select, State, Work, again

EXAMPLES = """\
Examples:

\b
  syncer apply changes.plan                  perform exactly this plan, or refuse
  syncer apply manifests                     plan the folder, show it, ask, perform
  syncer apply manifests --yes               the same without asking, for CI
  syncer apply changes.plan --approved sha256:3f9c...
                                             refuse any plan but the one that was approved

Exit codes: 0 done, 3 manifest invalid, 5 refused by guard or budget, 6 stale or spent plan, 7 applied with
rejects, 8 parked (resume later), 9 in doubt (needs a person), 10 locked.
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Perform a plan: just what was reviewed, or nothing")(apply)


def apply(
    what: Annotated[
        Path, typer.Argument(metavar="PLAN|PROJECT", help="A plan file, or a folder of manifests.")
    ] = Path(),
    project: Annotated[
        Path, typer.Option("--project", metavar="PROJECT", help="The manifests that a plan file was made of.")
    ] = Path(),
    approved: Annotated[
        str | None, typer.Option("--approved", metavar="DIGEST", help="Perform only the plan with this digest.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    select: Select = None,
    exclude: Exclude = None,
    base: Base = None,
    full: Full = False,
    work: Work = None,
    state: State = None,
    sandbox: Loopback = False,
    memory: Memory = "1GB",
    log_format: LogFormat = "auto",
) -> None:
    """Perform a plan. What was reviewed is what runs: any difference in its inputs refuses the plan (exit 6).

    Every request is journalled before and after. A run that was cut goes on with `syncer resume`.
    """
    from syncer.cli import telemetry
    from syncer.cli.views import changed, plans, progress, reports, trouble
    from syncer.errors import UserError
    from syncer.workflow import applying, load, pinning, planning, remaking

    settings = planning.Settings(work=work, state=state, offline=False, full=full, sandbox=sandbox, memory_limit=memory)
    if what.is_file() and what.suffix not in (".yaml", ".yml"):
        reviewed = planning.read_plan(what)
        planning.check_approved(reviewed, approved)
        kept = pinning.pinned(reviewed)
        loaded = load.load(
            project,
            only=tuple(each.name for each in reviewed.operations if each.name not in kept),
            unread=tuple(each.source for each in reviewed.operations if each.name in kept),
        )
    else:
        if not what.exists() and what.suffix not in (".yaml", ".yml"):
            raise UserError(
                "R904",
                f'There is no plan file and no folder "{what}".',
                "Write a plan with `syncer plan --out`, or name the folder of the manifests.",
            )
        if not yes:
            progress.check_terminal()
        reviewed = None
        loaded = load.load(what, select=tuple(select or ()), exclude=tuple(exclude or ()), base=base)
    trouble.show_diagnostics(loaded.warnings, "text")
    changed.note_changes(loaded.since)
    with applying.new_run(loaded, settings) as new:
        compared: tuple[str, ...] = ()
        with progress.staging() as listener:
            if reviewed is None:
                planned = planning.make_plan(loaded, settings, new.folder, listener)
            else:
                planned, compared = remaking.make_again(loaded, reviewed, what, settings, new.folder, listener)
        for each in compared:
            progress.note(f"Compared: {each}")
        if reviewed is None:
            planning.check_approved(planned.plan, approved)
            plans.show(planned.plan, "text")
            if planned.plan.nodes and not yes and not progress.ask("Perform this plan?"):
                progress.note("Nothing was sent.")
                return
        if not planned.plan.nodes:
            progress.note("Nothing to send: no row is new or changed.")
        with (
            progress.running(planned.plan, log_format) as shown,
            telemetry.observed(planned.plan, new.run, shown) as events,
        ):
            applied = applying.apply_plan(planned, new, settings, events)
    reports.show(applied, again(what if reviewed is None else project, work=work, state=state, sandbox=sandbox))
    raise typer.Exit(applied.result.exit_code)
