"""`syncer plan`: what would happen, by which path, at what cost; nothing is written to any target."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import (
    Base,
    Exclude,
    Full,
    Loopback,
    Memory,
    PlanFormat,
    Project,
    Reveal,
    Select,
    State,
    Work,
    again,
    check_reveal,
)

EXAMPLES = """\
Examples:

\b
  syncer plan                              plan the manifests of this folder
  syncer plan manifests -o changes.plan    write the plan down, for review and `syncer apply changes.plan`
  syncer plan --select newsletter          one operation; also 'news*', tag:NAME, connection:NAME
  syncer plan --select state:modified --base origin/main
                                           what a proposal changes: manifests, data files, snapshots
  syncer plan --offline                    no network at all: today's usage stays unknown
  syncer plan --refresh                    look the keys up: new, changed field by field, drift
  syncer plan --refresh --reveal           with a few rows, and what they change; personal data
  syncer plan --full                       read sources with a cursor from the start
  syncer plan --format markdown            for a pull request; also json, html, github
  syncer plan --detailed-exitcode          exit 4 when there are changes, 0 when there are none
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Show what would happen, by which path, at what cost")(plan)


def plan(
    project: Project = Path(),
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the plan file that `syncer apply` takes.")
    ] = None,
    output: PlanFormat = "text",
    select: Select = None,
    exclude: Exclude = None,
    base: Base = None,
    offline: Annotated[bool, typer.Option("--offline", help="Open no connection; needs no secrets.")] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Look every key up in the target first; costs calls and says how many.")
    ] = False,
    reveal: Reveal = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 4 when the plan has changes.")
    ] = False,
    full: Full = False,
    work: Work = None,
    state: State = None,
    sandbox: Loopback = False,
    memory: Memory = "1GB",
) -> None:
    """Show what apply would do: records told apart, paths and why, calls against today's budget.

    Reads manifests, sources, the ledger and (unless --offline) today's usage. Writes nothing to any target.
    """
    from syncer.cli.exits import Exit
    from syncer.cli.views import changed, github, plans, progress, trouble
    from syncer.errors import UserError
    from syncer.workflow import load, planning

    if refresh and offline:
        raise UserError("R909", "A look at the target needs a connection.", 'Say either "--refresh" or "--offline".')
    if reveal:
        check_reveal(output)
    if out is not None:
        planning.check_writable(out)
    settings = planning.Settings(
        work=work,
        state=state,
        offline=offline,
        refresh=refresh,
        reveal=reveal,
        full=full,
        sandbox=sandbox,
        memory_limit=memory,
    )
    with github.explaining(is_wanted=output == "github") as places:
        loaded = load.load(project, select=tuple(select or ()), exclude=tuple(exclude or ()), base=base)
        places.update({name: loaded.project.positions.name("operations", name) for name in loaded.manifest.operations})
        trouble.show_diagnostics(loaded.warnings, "text")
        changed.note_changes(loaded.since)
        with planning.workspace(loaded, settings) as folder:
            with progress.staging() as listener:
                planned = planning.make_plan(loaded, settings, folder, listener)
            planned.close()
            made = planned.plan
            kept = None
            if out is not None:
                from syncer.workflow import pinning

                kept = pinning.keep(made, folder / "staged", out)
    plans.show(made, output, places, planned.samples)
    if out is not None:
        planning.write_plan(made, out)
        if kept is not None:
            progress.note(f"Rows of pinned sources sealed in {kept}. Keep the two files together.")
        progress.note(
            f"Plan written to {out}. To perform exactly this plan:\n"
            f"    syncer apply {out}{again(project, work=work, state=state, sandbox=sandbox)}"
        )
    if detailed_exitcode and made.nodes:
        raise typer.Exit(Exit.CHANGES)
