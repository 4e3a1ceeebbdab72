"""The disk, as far as manifests need it: which files a project has, their bytes, and what a source's path names.

Nothing outside the project's folder is opened, and nothing but regular files: not through `..`, not through a link. The
check holds for the moment it is made; whoever reads a source later opens it with the same care.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from syncer.manifest.positions import Positions

MAX_BYTES = 1_000_000
MAX_PATH = 1_024
_GLOB = re.compile(r"[*?\[]")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_SUFFIXES = (".yaml", ".yml")
_NAME_FOLDER = "Name the folder that holds the manifests."
_PUT_FILE = "Check the path, or put the file in place."


@dataclass(frozen=True, slots=True)
class Trouble(Exception):  # noqa: N818 - a finding on its way to its place, not an error class
    """What is wrong with a path: the code, and sentences that do not repeat the place."""

    code: str
    detail: str
    advice: str = ""


def manifest_files(folder: Path) -> list[Path]:
    """Return the manifest files of a project: the one file named, or all of a folder, in the order of their names."""
    try:
        if folder.is_dir():
            found = sorted(each for each in folder.iterdir() if each.suffix in _SUFFIXES and each.name[0] != ".")
        elif folder.exists():
            return [folder]
        else:
            raise Trouble("M101", f'There is no file or folder "{folder}".', _NAME_FOLDER)
    except OSError as error:
        raise Trouble("M102", f'"{folder}" cannot be looked into: {_reason(error)}.') from error
    if not found:
        raise Trouble(
            "M101",
            f'The folder "{folder}" holds no file that ends in .yaml or .yml.',
            _NAME_FOLDER,
        )
    return found


def read_bytes(path: Path, root: Path) -> bytes:
    """Return the bytes of a manifest file, at most `MAX_BYTES`."""
    _keep_inside(path, root, "M102")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Trouble("M102", f"The file cannot be read: {_reason(error)}.") from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Trouble("M102", "This is not a regular file.")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        advice = "Split it: all files of a folder are one project."
        raise Trouble("M103", f"The file is larger than {MAX_BYTES:,} bytes.", advice)
    return data


def source_files(pattern: str, root: Path) -> list[Path]:
    """Return the files that a source's path or glob names below `root`, in order; at least one, regular files only."""
    _refuse_spelling(pattern)
    if _GLOB.search(pattern):
        found = sorted(each for each in root.glob(pattern) if not each.is_dir())
        if not found:
            raise Trouble("M141", f'No file matches "{pattern}" in "{root}".', _PUT_FILE)
    else:
        found = [root / pattern]
    for path in found:
        _keep_inside(path, root, "M140")
        _refuse_kind(path, pattern)
    return found


def locate_sources(
    files: Mapping[str, str], root: Path, positions: Positions
) -> tuple[dict[str, list[Path]], list[Diagnostic]]:
    """Return the files of each source by name, given their resolved paths, and a finding for each that has none."""
    found: dict[str, list[Path]] = {}
    troubles: list[Diagnostic] = []
    for name, pattern in files.items():
        try:
            found[name] = source_files(pattern, root)
        except Trouble as trouble:
            place = positions.at("sources", name, "file")
            troubles.append(Diagnostic(trouble.code, trouble.detail, place, trouble.advice))
    return found, troubles


def _refuse_spelling(pattern: str) -> None:
    """Refuse what can be seen without the disk."""
    if not pattern.strip():
        raise Trouble("M141", "The path is empty.", "Write a path or glob that is relative to the project's folder.")
    if _CONTROL.search(pattern):
        raise Trouble("M140", "The path holds a control character.", "Write a plain file name.")
    if len(pattern) > MAX_PATH:
        raise Trouble("M140", f"The path is longer than {MAX_PATH:,} characters.", "Write a shorter one.")
    parts = pattern.replace("\\", "/").split("/")
    if pattern.startswith(("/", "\\", "~")) or ".." in parts or _ADDRESS.match(pattern):
        raise Trouble(
            "M140",
            f'"{pattern}" leads out of the project\'s folder.',
            'Write a path that is relative to it, without "..".',
        )


def _keep_inside(path: Path, root: Path, code: str) -> None:
    """Refuse a link that leads out of `root`."""
    try:
        is_inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:
        raise Trouble(
            code, f'"{path.name}" leads nowhere.', "Put the file itself into the project's folder."
        ) from error
    if not is_inside:
        detail = f'"{path.name}" is a link that leads out of the project\'s folder.'
        raise Trouble(code, detail, "Put the file itself into the folder.")


def _refuse_kind(path: Path, pattern: str) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        detail = f'There is no file "{pattern}" in the project\'s folder.'
        raise Trouble("M141", detail, _PUT_FILE) from error
    if stat.S_ISDIR(mode):
        advice = f'Name the files in it, such as "{pattern.rstrip("/")}/*.csv".'
        raise Trouble("M142", f'"{pattern}" is a folder.', advice)
    if not stat.S_ISREG(mode):
        raise Trouble("M142", f'"{path.name}" is not a regular file.', "Name a file that holds rows.")


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()
