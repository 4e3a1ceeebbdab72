"""Reads a story file and plays it: commands with what they print, then the files that they need.

A command line of syncer runs in this process, with streams and an environment of its own; `sandbox …` asks the
served sandbox; everything else, and what pipes or redirects, is run by the shell.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pytest

_SECTION = re.compile(r"^-- (?P<name>\S+)(?: = (?P<common>\S+))?(?: \((?P<encoding>[\w-]+)\))? --$")
_VARIES = (
    (re.compile(r"\b\d{8}-\d{6}-[0-9a-f]{6}\b"), "<run>"),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b"), "<digest>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<url>"),
    (re.compile(r"\S+@\S+ \(process \d+\)"), "<holder>"),
)
_ANYTHING = "[...]"


@dataclass(slots=True)
class Command:
    """One command line, what it prints (lines of stderr begin with `! `), and its exit code."""

    line: str
    before: list[str]
    """Prose and blank lines above it."""
    printed: list[str] = field(default_factory=list)
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """A file: commands, and the text from the first section on."""

    commands: list[Command]
    sections: str

    def files(self, common: Path) -> Iterator[tuple[str, bytes]]:
        """Yield each file of the sections: its own lines, or a copy of a common file."""
        name, encoding, lines = "", "utf-8", list[str]()
        for line in [*self.sections.splitlines(), "-- end --"]:
            found = _SECTION.match(line)
            if found is None:
                lines.append(line)
                continue
            if name:
                yield name, "".join(f"{each}\n" for each in lines).encode(encoding)
            name, encoding, lines = found["name"], found["encoding"] or "utf-8", []
            if found["common"]:
                yield name, (common / found["common"]).read_bytes()
                name = ""


def read(text: str) -> Story:
    """Return a story from its text."""
    script, mark, sections = text.partition("\n-- ")
    commands: list[Command] = []
    before: list[str] = []
    is_output = False
    for line in script.splitlines():
        if line.startswith("$ "):
            commands.append(Command(line[2:], before))
            before, is_output = [], True
        elif not is_output or not line or line.startswith("# "):
            before.append(line)
            is_output = is_output and not line.startswith("# ")
        elif found := re.fullmatch(r"exit (\d+)", line):
            commands[-1].exit_code = int(found[1])
            is_output = False
        else:
            # A blank line belongs to the output when more of it follows.
            commands[-1].printed += [*before, line]
            before = []
    return Story(commands, f"{mark[1:]}{sections}")


def written(story: Story) -> str:
    """Return the text of a story."""
    lines: list[str] = []
    for each in story.commands:
        lines += [*each.before, f"$ {each.line}", *each.printed]
        if each.exit_code:
            lines.append(f"exit {each.exit_code}")
    return "\n".join(lines) + f"\n\n{story.sections.rstrip()}\n"


def agrees(expected: list[str], printed: list[str]) -> bool:
    """Say whether lines are as expected; `[...]` stands for any text in a line and, alone, for any lines."""
    pattern = "".join(
        r"(?:.*\n)*" if line.removeprefix("! ") == _ANYTHING else re.escape(line).replace(r"\[\.\.\.\]", ".*") + r"\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


class _Half(io.TextIOBase):
    """One of the two output streams; both write into one list, so that their order is kept."""

    def __init__(self, mark: str, pieces: list[tuple[str, str]]) -> None:
        self._mark = mark
        self._pieces = pieces

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            message = "a stream of text"
            raise TypeError(message)
        self._pieces.append((self._mark, text))
        return len(text)


@dataclass(frozen=True, slots=True)
class Player:
    """Plays commands in a folder. `sandbox` answers the words after `sandbox`."""

    folder: Path
    environment: Mapping[str, str]
    sandbox: Callable[[list[str]], str]
    patch: pytest.MonkeyPatch

    def play(self, line: str) -> tuple[list[str], int]:
        """Run one command line; return what it printed and its exit code."""
        if re.search(r"[|<>;&]", re.sub(r"'[^']*'", "", line)):
            return self._by_shell(line)
        words = shlex.split(line)
        environment = dict(self.environment)
        if words[0] == "env":
            words.pop(0)
        while words[0] == "-u" or "=" in words[0]:
            if words[0] == "-u":
                environment.pop(words[1], None)
                words = words[2:]
            else:
                name, _, value = words.pop(0).partition("=")
                environment[name] = value
        if words[0] == "sandbox":
            return self.sandbox(words[1:]).splitlines(), 0
        if words[0] == "syncer":
            return self._in_process(words[1:], environment)
        return self._by_shell(line)

    def _in_process(self, words: list[str], environment: dict[str, str]) -> tuple[list[str], int]:
        pieces: list[tuple[str, str]] = []
        with self._world(pieces, words, environment):
            try:
                main.run()
                code: object = 0
            except SystemExit as ended:
                code = ended.code
        return self._lines(pieces), code if isinstance(code, int) else 0

    @contextmanager
    def _world(self, pieces: list[tuple[str, str]], words: list[str], environment: dict[str, str]) -> Iterator[None]:
        with self.patch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["syncer", *words])
            patch.setattr(sys, "stdin", io.StringIO())
            patch.setattr(sys, "stdout", _Half("", pieces))
            patch.setattr(sys, "stderr", _Half("! ", pieces))
            for name in set(os.environ) - set(environment):
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            yield

    def _by_shell(self, line: str) -> tuple[list[str], int]:
        done = subprocess.run(  # noqa: S602 - a story's line, written for a shell
            line, shell=True, cwd=self.folder, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        return self._lines([("", done.stdout), ("! ", done.stderr)]), done.returncode

    def _lines(self, pieces: list[tuple[str, str]]) -> list[str]:
        """Return whole lines in order, with what varies from run to run replaced by its name."""
        lines: list[str] = []
        held = {"": "", "! ": ""}
        for mark, text in [*pieces, ("", "\n"), ("! ", "\n")]:
            *whole, rest = (held[mark] + text).split("\n")
            held[mark] = rest
            lines += [f"{mark}{line}".rstrip() for line in whole]
        for mark in ("!", ""):
            if lines and lines[-1] == mark:
                lines.pop()
        return [self._named(line) for line in lines]

    def _named(self, line: str) -> str:
        line = line.replace(str(self.folder.parent), "<folder>")
        for pattern, name in _VARIES:
            line = pattern.sub(name, line)
        return line
