"""The names that a row template may use: columns, `row.x`, `var.x`, and columns of other sources by `lookup`.

Nothing else exists here: no environment, no secret, no function, no attribute of a value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from syncer.mapping.dialect.entry import Type, Value
from syncer.mapping.resolve import Misfit, nearest, printed
from syncer.mapping.tree import NULL, Column, Constant, Node, walk

SECRETS = ("env", "secret")


@dataclass(frozen=True, slots=True)
class LookupUse:
    """A column that another source gives: `take` of the row whose `match` equals the value."""

    alias: str
    source: str
    match: str
    take: str
    value: Node


@dataclass(frozen=True, slots=True)
class Scope:
    """The source's columns, the project's `var`, and the sources that `lookup` may read with their declared columns."""

    columns: Mapping[str, Type]
    variables: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Type]] = dataclasses.field(default_factory=dict)
    field: str = ""
    """The field that the template is for: lookups are named after it."""

    def column(self, name: str) -> Column:
        """Return a column of the row."""
        if name in self.columns:
            return Column(name, self.columns[name])
        if name in SECRETS:
            raise Misfit(
                "M307", f'"{name}" is for connections and sources; a mapping sees columns and "var".', word=name
            )
        raise Misfit("M302", f'The source has no column "{name}".', nearest(name, tuple(self.columns)), name)

    def variable(self, name: str) -> Constant:
        """Return a project variable as a constant."""
        if name not in self.variables:
            raise Misfit("M310", f'"vars" has no "{name}".', nearest(name, tuple(self.variables)), name)
        return literal(self.variables[name])

    def member(self, space: str, name: str) -> Node | None:
        """Return `row.x` or `var.x`, refuse `env.x`; None where `space` is a column, whose value has no members."""
        if space in self.columns:
            return None
        if space == "row":
            return self.column(name)
        return self.variable(name) if space == "var" else self.column(space)

    def lookup(self, number: int, subject: Node, words: tuple[str, str, str]) -> LookupUse:
        """Return what is looked up: source, column to match, column to take."""
        source, match, take = words
        if source not in self.sources:
            detail = f'The filter "lookup" reads source "{source}", which does not exist.'
            raise Misfit("M311", detail, nearest(source, tuple(self.sources)), source)
        if any(isinstance(each, Column) and each.name.startswith("lookup:") for each in walk(subject)):
            raise Misfit("M311", "A lookup cannot match what another lookup gave.", word="lookup")
        if self.sources[source].get(match, Type.TEXT) is not subject.type:
            subject = printed(subject)
        return LookupUse(f"{self.field}.{number}", source, match, take, subject)

    def taken(self, use: LookupUse) -> Column:
        """Return the column that the lookup brings."""
        return Column(f"lookup:{use.alias}", self.sources[use.source].get(use.take, Type.TEXT), use.value)


def literal(value: object) -> Constant:
    """Return a constant; text must be sendable, a whole number must have 64 bits."""
    match value:
        case None:
            return NULL
        case bool():
            return Constant(value, Type.BOOLEAN)
        case int() if -(2**63) <= value < 2**63:
            return Constant(value, Type.INTEGER)
        case float() if value - value == 0:
            return Constant(value, Type.FLOAT)
        case str() if all(map(_is_sendable, value)):
            return Constant(value, Type.TEXT)
        case str():
            raise Misfit("M305", "A text of the template holds NUL or half of a surrogate pair.")
    raise Misfit("M305", "A number of the template is too large.")


def _is_sendable(character: str) -> bool:
    return character != "\0" and not "\ud800" <= character <= "\udfff"
