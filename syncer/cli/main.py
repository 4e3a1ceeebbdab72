"""The command line's one way in: the verbs, and how every error ends.

Data goes to stdout, everything else to stderr. A verb imports what it needs when it runs, so that `--help` stays quick.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from syncer import __version__
from syncer.cli import apply, describe, explain, graph, plan, resume, sandbox, show, state, test, validate, verify
from syncer.cli.verbs import Root, Verbs

EXAMPLES = """\
Examples:

\b
  syncer validate manifests                check first: no network, no secrets
  syncer plan manifests -o changes.plan    what would happen, written down
  syncer apply changes.plan                perform just that
  syncer VERB --help                       a verb's options, with examples
"""

registered = typer.Typer()
for verb in (validate, test, plan, show, graph, apply, resume, state, verify, describe, explain, sandbox):
    verb.register(registered)


class Syncer(Root):
    """The command line with its verbs."""

    verbs = Verbs(registered)


app = typer.Typer(
    name="syncer",
    cls=Syncer,
    help="Plan and apply for customer data: manifests in git, reviewed plans, safe writes.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"syncer {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Plan and apply for customer data: manifests in git, reviewed plans, safe writes."""


def run() -> None:
    """Run the command line; turn every expected error into its message and exit code."""
    try:
        app(prog_name="syncer")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last resort: a traceback could show a record's values
        sys.exit(_end(error))


def _end(error: BaseException) -> int:
    """Say what ended the command, and return its exit code."""
    from syncer.cli.exits import Exit, exit_for
    from syncer.errors import SyncerError

    if isinstance(error, KeyboardInterrupt):
        return Exit.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # The reader of our output left; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ERROR
    from syncer.cli.views.trouble import show_bug, show_error

    if isinstance(error, SyncerError):
        show_error(error)
        return exit_for(error)
    show_bug(error)
    return Exit.ERROR
