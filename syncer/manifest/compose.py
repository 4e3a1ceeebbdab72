"""One file's text → a tree of located nodes, with every finding of the YAML itself.

Built on the parser's events, not on its constructor: nothing is executed, nothing is expanded, depth and size are
counted as they come, and duplicate members are seen with both places. After a syntax error the rest of the file is
unknown, so the tree is None.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
)

from syncer.diagnostics import Diagnostic, Place
from syncer.manifest.positions import MappingNode, Members, Node, ScalarNode, SequenceNode
from syncer.manifest.scalar import Refusal, parse_plain

if TYPE_CHECKING:
    from ruamel.yaml.error import StreamMark
    from ruamel.yaml.events import Event

MAX_DEPTH = 50
MAX_ALIASES = 100
MAX_NODES = 100_000

_BREAK = re.compile(r"\r\n|\r|\n")
_UNREADABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)
"""Control characters, and the invisible ones that reorder text, so that a reviewer sees what is read."""
_UNSENDABLE = re.compile("[\x00\x02-\x08\x0b\x0c\x0e-\x1e\x7f\ud800-\udfff]")
"""In values, by way of an escape. Tab, line ends and the two control characters that serve as delimiters pass."""
_BEYOND_UNICODE = re.compile(r"\\U(?!000|0010)")
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_SHOWN = 40
_PRIVATE = re.compile(r"secret|password|token", re.IGNORECASE)


class _StopError(Exception):
    """The rest of the file is not read."""


@dataclass(slots=True)
class _Frame:
    """An open collection. `key` is the member being written, `is_lost` that its value goes nowhere."""

    node: MappingNode | SequenceNode
    anchor: str | None
    key_place: Place
    key: str | None = None
    is_lost: bool = False


@dataclass(slots=True)
class _Composer:
    text: str
    file: str
    allows_aliases: bool
    found: list[Diagnostic] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    documents: int = 0
    aliases: int = 0
    nodes: int = 0
    root: Node | None = None
    starts: list[int] = field(default_factory=list)

    def place(self, index: int) -> Place:
        """Return line and column as an editor counts them."""
        line = bisect_right(self.starts, index)
        return Place(self.file, line, index - self.starts[line - 1] + 1)

    def report(self, code: str, mark: StreamMark | Place | int, detail: str, advice: str = "") -> None:
        place = mark if isinstance(mark, Place) else self.place(mark if isinstance(mark, int) else mark.index)
        self.found.append(Diagnostic(code, detail, place, advice))

    def run(self) -> None:
        self.starts = [0, *(each.end() for each in _BREAK.finditer(self.text))]
        odd = list(_UNREADABLE.finditer(self.text))
        for each in odd[:10]:
            self.report(
                "M105",
                each.start(),
                f"The character U+{ord(each.group()):04X} is invisible or not allowed in YAML.",
                "Remove it, or write it as an escape inside double quotes.",
            )
        if odd:
            return
        try:
            for event in YAML(typ="safe", pure=True).parse(self.text):
                self.take(event)
        except _StopError:
            self.root = None
        except (YAMLError, ValueError, OverflowError) as error:
            self.root = None
            self.report_syntax(error)
        except AssertionError:
            # The parser asserts that a directive names a version of YAML that it knows.
            self.root = None
            directive = _DIRECTIVE.search(self.text)
            self.report_directive(directive.start() if directive else 0)

    def report_directive(self, mark: StreamMark | int) -> None:
        self.report("M117", mark, "The document opens with a directive.", 'Remove the line that starts with "%".')

    def report_syntax(self, error: Exception) -> None:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "an escape names no character"
        escape = _BEYOND_UNICODE.search(self.text)
        index = min(mark.index, len(self.text)) if mark else escape.start() if escape else 0
        if self.text[index : index + 1] == "\t":
            detail, advice = "A tab stands where YAML wants spaces.", "Indent with spaces."
        else:
            detail = f"YAML cannot be read from here on: {problem}."
            advice = "Look at quotes, brackets, colons and indentation here and just above."
        self.report("M106", index, detail, advice)

    def take(self, event: Event) -> None:
        if isinstance(event, DocumentStartEvent):
            self.start_document(event)
        elif isinstance(event, CollectionEndEvent):
            self.close()
        elif isinstance(event, AliasEvent):
            self.add(self.resolve(event), event.start_mark.index)
        elif isinstance(event, ScalarEvent | CollectionStartEvent):
            self.take_node(event)

    def start_document(self, event: DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self.report("M108", event.start_mark, "A second document starts here.", "Move it into its own file.")
            raise _StopError
        if event.version or event.tags:
            self.report_directive(event.start_mark)

    def take_node(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.tag is not None:
            advice = "Remove it: a manifest holds text, numbers, true and false."
            self.report("M110", event.start_mark, "A tag stands here.", advice)
        self.count(1, event.start_mark)
        place = self.place(event.start_mark.index)
        if isinstance(event, ScalarEvent):
            self.add_scalar(event, place)
            return
        node = MappingNode(place) if isinstance(event, MappingStartEvent) else SequenceNode(place)
        if len(self.stack) >= MAX_DEPTH:
            self.report("M112", place, f"Lists and mappings are nested deeper than {MAX_DEPTH} here.")
            raise _StopError
        self.stack.append(_Frame(node, event.anchor, place))

    def count(self, size: int, mark: StreamMark) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            self.report("M111", mark, f"The file holds more than {MAX_NODES:,} values, aliases written out.")
            raise _StopError

    def resolve(self, event: AliasEvent) -> Node:
        """Return the node an alias names, or stop: what it stands for decides everything below it."""
        self.aliases += 1
        node = self.anchors.get(event.anchor)
        if not self.allows_aliases:
            detail = "Aliases are not read from files that nobody has reviewed."
        elif self.aliases > MAX_ALIASES:
            detail = f"The file holds more than {MAX_ALIASES} aliases."
        elif any(frame.anchor == event.anchor for frame in self.stack):
            detail = f'The alias "{event.anchor}" stands inside what it names.'
        elif node is None:
            detail = f'The alias "{event.anchor}" names nothing above it.'
        elif len(self.stack) + node.height > MAX_DEPTH:
            self.report("M112", event.start_mark, f"Lists and mappings are nested deeper than {MAX_DEPTH} here.")
            raise _StopError
        else:
            self.count(node.size, event.start_mark)
            return node
        self.report("M111", event.start_mark, detail, "Write the value out.")
        raise _StopError

    def add_scalar(self, event: ScalarEvent, place: Place) -> None:
        style = event.style or ""
        raw = "" if event.anchor or event.tag else self.text[event.start_mark.index : event.end_mark.index]
        odd = _UNSENDABLE.search(event.value)
        node = ScalarNode(place, event.value, raw, style)
        if odd:
            self.report(
                "M105",
                node.inside(odd.start()),
                f"The text holds the character U+{ord(odd.group()):04X}, which no target takes.",
                "Remove it; characters beyond U+FFFF are written as themselves.",
            )
            node.value = event.value = _UNSENDABLE.sub("", event.value)
        if not style and event.tag is None:
            self.settle_plain(node, event.value)
        if event.anchor:
            self.anchors[event.anchor] = node
        self.add(node, event.start_mark.index)

    def settle_plain(self, node: ScalarNode, text: str) -> None:
        value = parse_plain(text)
        if not isinstance(value, Refusal):
            node.value = value
            return
        frame = self.stack[-1] if self.stack else None
        is_private = frame is not None and frame.key is not None and _PRIVATE.search(frame.key)
        if is_private:
            self.report(value.code, node.place, "The value is not plain text.", "Write it in quotes.")
        else:
            shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
            self.report(value.code, node.place, f'"{shown}" {value.sentence}', value.advice)

    def close(self) -> None:
        frame = self.stack.pop()
        node = frame.node
        below = node.items if isinstance(node, SequenceNode) else [value for _, value in node.members.values()]
        node.size += sum(each.size for each in below)
        node.height += max((each.height for each in below), default=0)
        if frame.anchor:
            self.anchors[frame.anchor] = node
        self.add(node, None)

    def add(self, node: Node, index: int | None) -> None:
        """Hang a finished node into the open collection; `index` is where it is written, if not its own place."""
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        if isinstance(frame.node, SequenceNode):
            frame.node.items.append(node)
        elif frame.is_lost:
            frame.is_lost = False
        elif frame.key is not None:
            if isinstance(node, ScalarNode) and node.value is None and not node.raw:
                node.place = frame.key_place
            frame.node.members[frame.key] = (frame.key_place, node)
            frame.key = None
        else:
            self.open_member(frame, frame.node.members, node, node.place if index is None else self.place(index))

    def open_member(self, frame: _Frame, members: Members, node: Node, place: Place) -> None:
        """Take a node as a member's name; a name that cannot be used loses its value."""
        frame.is_lost = True
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            self.report("M116", place, "A member's name is no text here.", "Write it in quotes.")
        elif node.value == "<<" and not node.style:
            self.report(
                "M115",
                place,
                'The merge key "<<" overrides members without a trace.',
                'Write the members out; mappings can use "extends".',
            )
        elif node.value in members:
            first = members[node.value][0]
            self.report(
                "M109",
                place,
                f'"{node.value}" is already written at line {first.line}, column {first.column}.',
                "Keep one of the two.",
            )
        else:
            frame.key, frame.key_place, frame.is_lost = node.value, place, False


def compose(text: str, file: str, *, allows_aliases: bool = True) -> tuple[Node | None, list[Diagnostic]]:
    """Return the tree of one file's text, None where it cannot be known, and the findings."""
    composer = _Composer(text, file, allows_aliases)
    composer.run()
    return composer.root, composer.found
