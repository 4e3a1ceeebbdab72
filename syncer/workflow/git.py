"""What git knows of a project's files: at a commit, and as they stand now. Reads only; runs the machine's own git.

Files are told apart by the name that git gives their content, so the same bytes are the same file whatever their time
or line ends on disk. Nothing is checked out.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

UNKNOWN = "R910"
_ALL = 'Fetch the whole history first (on GitHub "fetch-depth: 0", on GitLab "GIT_DEPTH: 0").'


@dataclass(frozen=True, slots=True)
class Repository:
    """A working tree, and paths relative to its top."""

    top: Path

    def commit(self, ref: str) -> str:
        """Return the commit where this work left `ref`; raises `UserError` for what git does not know."""
        known = _git(self.top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if known is None:
            raise UserError(UNKNOWN, f'"{ref}" is no commit that this repository has.', _ALL)
        base = _git(self.top, "merge-base", "HEAD", known.decode().strip())
        if base is None:
            raise UserError(UNKNOWN, f'"{ref}" and what is checked out have no commit in common here.', _ALL)
        return base.decode().strip()

    def files(self, commit: str, folder: str) -> dict[str, str]:
        """Return the content's name of each file that a commit has below `folder`, by path."""
        found = {}
        for line in _lines(_sure(self.top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", folder or ".")):
            about, _, path = line.partition("\t")
            found[path] = about.split()[2]
        return found

    def content(self, name: str) -> bytes:
        """Return the bytes of a content's name."""
        return _sure(self.top, "cat-file", "blob", name)

    def present(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the content's name of each of these files as it stands now; what git is told to ignore is left out."""
        wanted = sorted(set(paths))
        if not wanted:
            return {}
        listed = _lines(_sure(self.top, "ls-files", "-z", "-c", "-o", "--exclude-standard", "--", *wanted))
        seen = sorted(each for each in set(listed) & set(wanted) if (self.top / each).is_file())
        if not seen:
            return {}
        names = _sure(self.top, "hash-object", "--stdin-paths", stdin="".join(f"{each}\n" for each in seen))
        return dict(zip(seen, names.decode().split(), strict=True))


def repository(folder: Path) -> Repository:
    """Return the repository that holds `folder`; raises `UserError` where there is none."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise UserError(
            UNKNOWN, f'"{folder}" is in no git repository.', "Choose operations by name, tag: or connection:."
        )
    return Repository(type(folder)(top.decode().removesuffix("\n")).resolve())


def default_base(environment: Mapping[str, str]) -> str | None:
    """Return what a proposal is compared with, where the forge says so.

    GitHub, "Default environment variables": GITHUB_BASE_REF is set for pull requests. GitLab, "Predefined CI/CD
    variables reference": CI_MERGE_REQUEST_DIFF_BASE_SHA is set for merge requests.
    """
    if environment.get("GITHUB_BASE_REF"):
        return f"origin/{environment['GITHUB_BASE_REF']}"
    return environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") or None


def _sure(folder: Path, *words: str, stdin: str = "") -> bytes:
    """Return what git says to a question that it must be able to answer."""
    said = _git(folder, *words, stdin=stdin)
    if said is None:
        raise UserError(UNKNOWN, f'"git {words[0]}" failed.', "Run `git fsck`, or choose operations by name.")
    return said


def _git(folder: Path, *words: str, stdin: str = "") -> bytes | None:
    """Run git and return what it prints; None where it refuses. It asks nothing, and takes no lock."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", "--literal-pathspecs", *words]
    try:
        done = subprocess.run(  # noqa: S603 - git, by words of our own and paths after "--"
            command, cwd=folder, env=environment, input=stdin.encode(), capture_output=True, check=False
        )
    except FileNotFoundError as error:
        detail = "The program git is not installed here."
        raise UserError(UNKNOWN, detail, "Install it, or choose operations by name.") from error
    return done.stdout if done.returncode == 0 else None


def _lines(text: bytes) -> list[str]:
    return [each for each in os.fsdecode(text).split("\0") if each]
