"""The verbs, each built when it is used: most of a start would otherwise go to the options of verbs nobody named.

A list of the verbs needs only what each was registered with: its name and its line of help.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group
from typer.models import CommandInfo, TyperInfo


class Verbs(Mapping[str, Any]):
    """Commands by name, in the order in which they were registered, groups last; each is built when it is asked for."""

    def __init__(self, registered: typer.Typer) -> None:
        """Take the verbs from an application that is never run."""
        commands = {
            each.name or each.callback.__name__: each for each in registered.registered_commands if each.callback
        }
        groups = {str(each.name): each for each in registered.registered_groups}
        self._registered: dict[str, CommandInfo | TyperInfo] = {**commands, **groups}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        """Build one verb; nobody asks twice."""
        info = self._registered[name]
        alone = typer.Typer(rich_markup_mode=None)
        if isinstance(info, TyperInfo):
            alone.registered_groups.append(info)
        else:
            alone.registered_commands.append(info)
        built: TyperCommand | TyperGroup = get_group(alone).commands[name]  # type: ignore[assignment]
        return built

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._registered)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._registered)

    def lines(self) -> dict[str, Any]:
        """Return every verb as no more than its line of help."""
        return {
            name: TyperCommand(name, short_help=info.short_help, rich_markup_mode=None)
            for name, info in self._registered.items()
        }


class Root(TyperGroup):
    """The command line. A subclass names its verbs."""

    verbs: Verbs

    def __init__(self, **attributes: Any) -> None:
        """Hold the verbs instead of Typer's finished commands."""
        super().__init__(**attributes)
        self.commands = self.verbs  # type: ignore[assignment]  # nobody adds to it

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's form
        """Return the names without building anything."""
        return list(self.verbs)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the verbs by their lines of help."""
        TyperGroup(commands=self.verbs.lines()).format_commands(ctx, formatter)
