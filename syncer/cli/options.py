"""The options that several verbs share, with one wording each, and the checks of words before anything is done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable


def one_of(what: str, *known: str) -> Callable[[str], str]:
    """Return a check that refuses any word but the known ones."""

    def check(value: str) -> str:
        from syncer.errors import UserError

        if value not in known:
            raise UserError("R901", f'The {what} "{value}" is not known.', f"Use one of: {', '.join(known)}.")
        return value

    return check


def _check_size(value: str) -> str:
    from syncer.errors import UserError

    if not re.fullmatch(r"\d+(\.\d+)? ?([KMGT]i?B|%)", value, re.IGNORECASE):
        raise UserError("R901", f'The size "{value}" is not known.', "Write it like 800MB, 2GB or 4GiB.")
    return value


Project = Annotated[
    Path,
    typer.Argument(
        help="A folder of manifests, or one manifest file.", metavar="PROJECT", show_default="the current folder"
    ),
]
Work = Annotated[
    Path | None,
    typer.Option(
        "--work", metavar="FOLDER", help="Where runs, staged rows and state live.", show_default="PROJECT/.syncer"
    ),
]
State = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="PLACE",
        envvar="SYNCER_STATE",
        help="Where state lives: a folder, or s3://, gs:// or az://BUCKET/PREFIX.",
        show_default="WORK/state",
    ),
]
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select",
        metavar="WORD",
        help="Only these operations: a name, tag:NAME, connection:NAME or state:modified; * for any text, "
        "a comma between words that must all hold, and several times for more.",
    ),
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="WORD", help="All operations but these, in the same words.")
]
Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="REF",
        envvar="SYNCER_BASE",
        help="What state:modified compares with: a branch, tag or commit of git.",
        show_default="the target of a pull or merge request",
    ),
]
Full = Annotated[
    bool, typer.Option("--full", help="Read sources with a cursor from the start, not from where the last run ended.")
]
Loopback = Annotated[
    bool,
    typer.Option("--sandbox", help="Allow plain HTTP to this machine, for `syncer sandbox`. Never set in a manifest."),
]
Memory = Annotated[
    str,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="Memory limit of the engine; it spills to disk beyond.",
        callback=_check_size,
    ),
]
LogFormat = Annotated[
    str,
    typer.Option(
        "--log-format",
        metavar="auto|text|json",
        help="Progress bars, lines, or JSON lines.",
        callback=one_of("log format", "auto", "text", "json"),
    ),
]
PLAN_FORMATS = ("text", "json", "markdown", "html", "github")
PlanFormat = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="|".join(PLAN_FORMATS),
        help="How the plan is printed.",
        callback=one_of("output format", *PLAN_FORMATS),
    ),
]

Reveal = Annotated[
    bool,
    typer.Option("--reveal", help="Show sample rows too. They are personal data; a plan file never holds them."),
]


def check_reveal(output: str) -> None:
    """Refuse rows of people in a form that a workflow publishes; raises `UserError`."""
    from syncer.errors import UserError

    if output == "github":
        detail = "The log and the summary of a workflow are read by more people than the records."
        raise UserError("R909", detail, 'Say "--format html" or "--format markdown" to reveal rows.')


def again(project: Path, *, work: Path | None, state: str | None = None, sandbox: bool = False) -> str:
    """Return the options that a command to copy needs so that it finds the same project."""
    words = ["" if project == Path() else f" --project {project}", f" --work {work}" if work else ""]
    words.append(f" --state {state}" if state else "")
    return "".join([*words, " --sandbox" if sandbox else ""])
