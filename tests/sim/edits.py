"""Bugs that no seed can reach, because the simulation stages no rows by the engine: each is an edit of one file.

A named test must fail on the edited code; `make planted` watches it do so in a copy of the tree.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("syncer", "tests", "schemas", "manifests", "docs", "pyproject.toml", "README.md")


@dataclass(frozen=True, slots=True)
class Edit:
    """Every `old` of a file is made `new`, and `test` fails."""

    file: str
    old: str
    new: str
    test: str

    @property
    def is_possible(self) -> bool:
        """Whether the file still has what is to be edited."""
        return self.old in (ROOT / self.file).read_text(encoding="utf-8")

    def is_caught(self) -> bool:
        """Whether the test passes as the code is, and fails on the edited code."""
        return self._exit(edited=False) == 0 and self._exit(edited=True) == 1

    def _exit(self, *, edited: bool) -> int:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder)
            for part in PARTS:
                if (ROOT / part).is_dir():
                    shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / part, copy / part)
            place = copy / self.file
            if edited:
                place.write_text(place.read_text(encoding="utf-8").replace(self.old, self.new), encoding="utf-8")
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                self.test,
            ]
            environment = {**os.environ, "PYTHONPATH": folder}
            ended = subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False)  # noqa: S603 - of this file
            return ended.returncode
