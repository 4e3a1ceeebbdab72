"""`syncer explain`: cause and cure of a code."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = """\
Examples:

\b
  syncer explain M203        one code
  syncer explain 8           an exit code
  syncer explain             all codes, a line each
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Say what a code means and what to do about it")(explain)


def explain(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="A code such as M203, or an exit code.")] = None,
) -> None:
    """Say what a code means and what to do about it."""
    from syncer import catalogue
    from syncer.cli.exits import MEANING, Exit
    from syncer.errors import UserError

    entries = catalogue.entries()
    if code is None:
        for each in sorted(entries.values(), key=lambda entry: entry.code):
            typer.echo(f"{each.code}  {each.title}")
        for number, meaning in MEANING.items():
            typer.echo(f"{number.value:>4}  Exit code: {meaning}")
        return
    if code.isdecimal() and int(code) in {each.value for each in Exit}:
        cause, cure = catalogue.exits()[int(code)]
        typer.echo(f"Exit code {int(code)}: {MEANING[Exit(int(code))]}.\n\nCause: {cause}\n\nCure: {cure}")
        return
    entry = entries.get(code.upper())
    if entry is None:
        import difflib

        near = difflib.get_close_matches(code.upper(), entries, n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`syncer explain` lists all codes."
        raise UserError("R902", f'There is no code "{code}".', hint)
    typer.echo(f"{entry.code}: {entry.title}\n\nCause: {entry.cause}\n\nCure: {entry.cure}")
