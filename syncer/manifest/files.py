"""The disk, as far as manifests need it: which files a project has, their bytes, and what a source's path names.

Nothing outside the project's folder is opened, and nothing but regular files: not through `..`, not through a link. The
check holds for the moment it is made; whoever reads a source later opens it with the same care.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from syncer.diagnostics import Diagnostic, Place
from syncer.errors import ManifestError

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


def manifest_files(folder: Path) -> list[Path]:
    """Return the manifest files of a project: the one file named, or all of a folder, in the order of their names."""
    place = Place(str(folder))
    try:
        if folder.is_dir():
            found = sorted(each for each in folder.iterdir() if each.suffix in _SUFFIXES and each.name[0] != ".")
        elif folder.exists():
            return [folder]
        else:
            raise _trouble("M101", place, "There is no such file or folder.", _NAME_FOLDER)
    except OSError as error:
        raise _trouble("M102", place, f"The folder cannot be looked into: {_reason(error)}.") from error
    if not found:
        raise _trouble("M101", place, "The folder holds no file that ends in .yaml or .yml.", _NAME_FOLDER)
    return found


def read_bytes(path: Path, root: Path) -> bytes:
    """Return the bytes of a manifest file, at most `MAX_BYTES`."""
    place = Place(str(path))
    _keep_inside(path, root, "M102", place)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _trouble("M102", place, f"The file cannot be read: {_reason(error)}.") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _trouble("M102", place, "This is not a regular file.")
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(handle)
    if len(data) > MAX_BYTES:
        advice = "Split it: all files of a folder are one project."
        raise _trouble("M103", place, f"The file is larger than {MAX_BYTES:,} bytes.", advice)
    return data


def source_files(pattern: str, root: Path, place: Place) -> list[Path]:
    """Return the files that a source's path or glob names below `root`, in order; at least one, regular files only.

    `place` is where the path is written; raises `ManifestError`.
    """
    _refuse_spelling(pattern, place)
    if _GLOB.search(pattern):
        try:
            found = sorted(each for each in root.glob(pattern) if not each.is_dir())
        except ValueError as error:
            advice = 'Use "*" within a name, and "**" for folders of any depth.'
            raise _trouble("M141", place, f'"{pattern}" is not a pattern.', advice) from error
        if not found:
            raise _trouble("M141", place, f'No file matches "{pattern}" in the project\'s folder.', _PUT_FILE)
    else:
        found = [root / pattern]
    for path in found:
        _keep_inside(path, root, "M140", place)
        _refuse_kind(path, pattern, place)
    return found


def locate_sources(
    files: Mapping[str, str], root: Path, positions: Positions
) -> tuple[dict[str, list[Path]], list[Diagnostic]]:
    """Return the files of each source by name, given their resolved paths, and a finding for each that has none."""
    found: dict[str, list[Path]] = {}
    troubles: list[Diagnostic] = []
    for name, pattern in files.items():
        try:
            found[name] = source_files(pattern, root, positions.at("sources", name, "file"))
        except ManifestError as error:
            troubles += error.diagnostics
    return found, troubles


def _trouble(code: str, place: Place, detail: str, advice: str = "") -> ManifestError:
    return ManifestError([Diagnostic(code, detail, place, advice)])


def _refuse_spelling(pattern: str, place: Place) -> None:
    """Refuse what can be seen without the disk."""
    if not pattern.strip():
        advice = "Write a path or glob that is relative to the project's folder."
        raise _trouble("M141", place, "The path is empty.", advice)
    if _CONTROL.search(pattern):
        raise _trouble("M140", place, "The path holds a control character.", "Write a plain file name.")
    if len(pattern) > MAX_PATH:
        raise _trouble("M140", place, f"The path is longer than {MAX_PATH:,} characters.", "Write a shorter one.")
    parts = pattern.replace("\\", "/").split("/")
    if pattern.startswith(("/", "\\", "~")) or ".." in parts or _ADDRESS.match(pattern):
        detail = f'"{pattern}" leads out of the project\'s folder.'
        raise _trouble("M140", place, detail, 'Write a path that is relative to it, without "..".')


def _keep_inside(path: Path, root: Path, code: str, place: Place) -> None:
    """Refuse a link that leads out of `root`, or nowhere."""
    advice = "Put the file itself into the project's folder."
    try:
        is_inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:
        raise _trouble(code, place, f'"{path.name}" is a link that leads nowhere.', advice) from error
    if not is_inside:
        detail = f'"{path.name}" is a link that leads out of the project\'s folder.'
        raise _trouble(code, place, detail, advice)


def _refuse_kind(path: Path, pattern: str, place: Place) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        detail = f'There is no file "{pattern}" in the project\'s folder.'
        raise _trouble("M141", place, detail, _PUT_FILE) from error
    if stat.S_ISDIR(mode):
        advice = f'Name the files in it, such as "{pattern.rstrip("/")}/*.csv".'
        raise _trouble("M142", place, f'"{pattern}" is a folder.', advice)
    if not stat.S_ISREG(mode):
        raise _trouble("M142", place, f'"{path.name}" is not a regular file.', "Name a file that holds rows.")


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()
