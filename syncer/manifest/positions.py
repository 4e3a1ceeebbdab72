"""Where each member of a manifest stands: a tree of nodes with places, asked by path.

A path is what people write: member names and list indexes from the top, such as `("operations", "news", "after", 0)`.
The tree keeps the raw text of scalars so that an offset inside a template can be told as line and column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.diagnostics import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.manifest.scalar import Value

Step = str | int
Path = tuple[Step, ...]
_IMPLIED = ("fields", "value")
_UNITS = {
    "": re.compile(r".", re.DOTALL),
    "'": re.compile(r"''|.", re.DOTALL),
    '"': re.compile(r"\\(?:x..|u.{4}|U.{8}|.)|.", re.DOTALL),
}
"""One match a character of the value, by quoting style."""


@dataclass(slots=True)
class ScalarNode:
    """A scalar. `raw` is its text in the file, quotes or block header included; "" where it cannot be followed."""

    place: Place
    value: Value
    raw: str = ""
    style: str = ""
    size: int = 1
    height: int = 0

    def inside(self, offset: int) -> Place:
        """Return the place of a character of the value, exact for one line and for literal blocks, else the start."""
        if self.style == "|":
            return self._inside_block(offset)
        if not self.raw or "\n" in self.raw or "\r" in self.raw or self.style == ">":
            return self.place
        quote = len(self.style)
        body = self.raw[quote : len(self.raw) - quote]
        starts = [unit.start() for unit in _UNITS[self.style].finditer(body)] + [len(body)]
        column = self.place.column + quote + starts[min(offset, len(starts) - 1)]
        return Place(self.place.file, self.place.line, column)

    def _inside_block(self, offset: int) -> Place:
        before = str(self.value)[:offset]
        index = before.count("\n")
        lines = self.raw.splitlines()[1:]
        written = str(self.value).split("\n")[index]
        if index >= len(lines):
            return self.place
        indent = len(lines[index]) - len(written)
        column = 1 + max(indent, 0) + len(before) - (before.rfind("\n") + 1)
        return Place(self.place.file, self.place.line + 1 + index, column)


@dataclass(slots=True)
class SequenceNode:
    """A list of nodes."""

    place: Place
    items: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class MappingNode:
    """Members by name, each with the place of its name."""

    place: Place
    members: Members = field(default_factory=dict)
    size: int = 1
    height: int = 1


Node = ScalarNode | SequenceNode | MappingNode
Members = dict[str, tuple[Place, Node]]


def plain_data(node: Node) -> object:
    """Return the node as dicts, lists and scalars."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [plain_data(item) for item in node.items]
    return {name: plain_data(value) for name, (_, value) in node.members.items()}


def child(node: Node, step: Step) -> Node | None:
    """Return what stands under `step`, if anything does."""
    if isinstance(node, MappingNode) and isinstance(step, str):
        return node.members[step][1] if step in node.members else None
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return node.items[step] if 0 <= step < len(node.items) else None
    return None


def scalars(node: Node, path: Path = ()) -> Iterator[tuple[Path, ScalarNode]]:
    """Yield every scalar with its path, in the order of the file."""
    if isinstance(node, ScalarNode):
        yield path, node
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            yield from scalars(item, (*path, index))
    else:
        for name, (_, value) in node.members.items():
            yield from scalars(value, (*path, name))


def written(path: Path) -> str:
    """Return a path as people say it: `operations.newsletter.after[0]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


@dataclass(frozen=True, slots=True)
class Positions:
    """Places in a project's files. What is not written is placed at the nearest thing around it that is.

    The members `fields` and `value`, which short forms leave out, may stand in a path or not.
    """

    root: MappingNode

    def at(self, *path: Step) -> Place:
        """Return the place of a member's value."""
        return self._walk(path, accepts_normalised=True)[0].place

    def name(self, *path: Step) -> Place:
        """Return the place of a member's name, or of the item for a list."""
        node, rest = self._walk(path[:-1])
        if not rest and isinstance(node, MappingNode) and path[-1] in node.members:
            return node.members[str(path[-1])][0]
        return self.at(*path)

    def inside(self, path: Path, offset: int) -> Place:
        """Return the place of the character at `offset` of the text at `path`, as near as the quoting allows."""
        node, rest = self._walk(path, accepts_normalised=True)
        if not rest and isinstance(node, MappingNode):
            node = child(node, "value") or node
        return node.inside(offset) if not rest and isinstance(node, ScalarNode) else node.place

    def data(self, *path: Step) -> object:
        """Return what is written at `path` as plain data, None where nothing is."""
        node, rest = self._walk(path)
        return None if rest else plain_data(node)

    def has(self, *path: Step) -> bool:
        """Say whether somebody wrote this member."""
        return not self._walk(path)[1]

    def scalars(self) -> Iterator[tuple[Path, ScalarNode]]:
        """Yield every scalar of the project with its path."""
        return scalars(self.root)

    def _walk(self, path: Path, *, accepts_normalised: bool = False) -> tuple[Node, Path]:
        """Follow `path` as far as it is written; return the last node and the steps that are left."""
        node: Node = self.root
        for index, step in enumerate(path):
            below = child(node, step)
            if below is None and accepts_normalised and step in _IMPLIED:
                continue
            if below is None:
                return node, path[index:]
            node = below
        return node, ()
