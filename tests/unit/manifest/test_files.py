"""A source's path names regular files below the project's folder, and nothing else on the machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from syncer.diagnostics import Place
from syncer.errors import ManifestError
from syncer.manifest.files import locate_sources, source_files
from syncer.manifest.read import Project

PLACE = Place("m.yaml", 3, 9)


def refusal(pattern: str, root: Path) -> str:
    """Return code and detail of what a pattern is refused with."""
    with pytest.raises(ManifestError) as caught:
        source_files(pattern, root, PLACE)
    assert caught.value.diagnostics[0].place == PLACE
    return f"{caught.value.code} {caught.value.detail}"


@pytest.mark.parametrize(
    "pattern",
    [
        "../../etc/passwd",
        "data/../../b.csv",
        "/proc/self/environ",
        "file:///etc/passwd",
        "s3://bucket/a.csv",
        "C:/a.csv",
        "~/a.csv",
        "..\\a.csv",
        "\\\\host\\a.csv",
    ],
)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, pattern: str) -> None:
    """Absolute paths, addresses and climbing are refused before the disk is asked."""
    assert refusal(pattern, tmp_path) == f'M140 "{pattern}" leads out of the project\'s folder.'


def test_odd_names_are_refused(tmp_path: Path) -> None:
    """A NUL, a name of five thousand characters and an empty one do not reach the system."""
    assert refusal("a\x00.csv", tmp_path) == "M140 The path holds a control character."
    assert refusal("a" * 5_000, tmp_path) == "M140 The path is longer than 1,024 characters."
    assert refusal("  ", tmp_path) == "M141 The path is empty."
    assert refusal("a**/b.csv", tmp_path) == 'M141 "a**/b.csv" is not a pattern.'


def test_links_out_of_the_project_are_refused(tmp_path: Path) -> None:
    """By name and by pattern; a link that stays inside is fine."""
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "secret.csv").write_text("a\n")
    (root / "a.csv").write_text("a\n")
    (root / "b.csv").symlink_to(root / "a.csv")
    assert source_files("*.csv", root, PLACE) == [root / "a.csv", root / "b.csv"]
    (root / "c.csv").symlink_to(tmp_path / "secret.csv")
    told = 'M140 "c.csv" is a link that leads out of the project\'s folder.'
    assert refusal("c.csv", root) == told
    assert refusal("*.csv", root) == told


def test_only_regular_files_hold_rows(tmp_path: Path) -> None:
    """A folder, a pipe and a loop are told apart from a file that is not there."""
    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    assert refusal("data/", tmp_path) == 'M142 "data/" is a folder.'
    assert refusal("pipe.csv", tmp_path) == 'M142 "pipe.csv" is not a regular file.'
    assert refusal("data/a.csv", tmp_path) == 'M141 There is no file "data/a.csv" in the project\'s folder.'
    assert refusal("data/*.csv", tmp_path) == 'M141 No file matches "data/*.csv" in the project\'s folder.'


def test_all_sources_are_located_at_once(tmp_path: Path, read: Callable[..., Project]) -> None:
    """Each one that has no file is told at its own place."""
    project = read("""
        version: 1
        sources:
          here: { file: a.csv }
          gone: { file: b.csv }
    """)
    (tmp_path / "a.csv").write_text("a\n")
    found, troubles = locate_sources({"here": "a.csv", "gone": "b.csv"}, project.root, project.positions)
    assert found == {"here": [tmp_path / "a.csv"]}
    assert [str(each.place) for each in troubles] == [f"{tmp_path / 'm.yaml'}:4:17"]
