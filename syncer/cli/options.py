"""The options that several verbs share, with one wording each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Project = Annotated[
    Path,
    typer.Argument(
        help="A folder of manifests, or one manifest file.", metavar="PROJECT", show_default="the current folder"
    ),
]
Work = Annotated[
    Path | None,
    typer.Option(
        "--work", metavar="FOLDER", help="Where state, runs and staged rows live.", show_default="PROJECT/.syncer"
    ),
]
Select = Annotated[
    list[str] | None,
    typer.Option("--select", metavar="NAME", help="Only these operations: a name, tag:NAME or connection:NAME."),
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="NAME", help="All operations but these, in the same words.")
]
Loopback = Annotated[
    bool,
    typer.Option("--sandbox", help="Allow plain HTTP to this machine, for `syncer sandbox`. Never set in a manifest."),
]
Memory = Annotated[
    str, typer.Option("--memory", metavar="SIZE", help="Memory limit of the engine; it spills to disk beyond.")
]
