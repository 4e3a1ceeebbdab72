"""A folder of files is one project, or one list of everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from syncer.errors import ManifestError
from syncer.manifest.models import ColumnType, FieldMapping, Mapping, WhenNull
from syncer.manifest.read import Project, digest, read_project

Say = Callable[..., str]
Said = Callable[[str], str]
Read = Callable[..., Project]


def test_a_name_in_two_files_is_told_with_both_places(findings: Say, said: Said) -> None:
    """All files of a folder are one project."""
    told = findings(
        files={
            "a.yaml": "version: 1\nvars: { region: emea }\n",
            "b.yml": "version: 1\nvars: { region: apac }\n",
        },
    )
    assert told == said("""
        b.yml:2:9: error M124: Name is declared twice
          The variable "region" is already declared at a.yaml:2:9.
          Rename one of the two: all files of a folder are one project.
    """)


def test_names_that_differ_only_in_case_are_refused(findings: Say, said: Said) -> None:
    """Nobody has to tell Leads from leads."""
    told = findings(
        files={
            "a.yaml": "version: 1\nvars: { region: emea, Region: apac }\n",
        },
    )
    assert told == said("""
        a.yaml:2:23: error M125: Names differ only in case
          The variable "Region" differs only in upper and lower case from "region", declared at a.yaml:2:9.
          Rename one of the two.
    """)


def test_findings_of_all_files_come_at_once(findings: Say, said: Said) -> None:
    """One round of repairs is enough."""
    told = findings(
        files={
            "a.yaml": "version: 1\nvars: { a: no }\n",
            "b.yaml": "version: 2\n",
            "c.yaml": "version: [\n",
            "d.yaml": "version: 1\nvars: [ ]\n",
        },
    )
    assert told == said("""
        a.yaml:2:12: error M113: Readers of YAML disagree
          "no" is text in YAML 1.2 and false in YAML 1.1, so readers disagree.
          Write "no" in quotes for text, or false for a truth value.

        b.yaml:1:10: error M123: Value is not allowed
          "version" must be the number 1, but is "2".

        c.yaml:2:1: error M106: YAML cannot be read
          YAML cannot be read from here on: expected the node content, but found '<stream end>'.
          Look at quotes, brackets, colons and indentation here and just above.

        d.yaml:2:7: error M122: Wrong kind of value
          "vars" must be a mapping, but is a list.
    """)


def test_bytes_that_are_not_utf_8_are_told_with_their_offset(findings: Say, said: Said) -> None:
    """Latin-1 and UTF-16 are not guessed."""
    told = findings(
        files={
            "a.yaml": b"version: 1\n# caf\xe9\n",
            "b.yaml": b"\xff\xfev\x00e\x00r\x00s\x00i\x00o\x00n\x00:\x00 \x001\x00\n\x00",
        },
    )
    assert told == said("""
        a.yaml:2:1: error M104: Manifest is not UTF-8
          The file is not UTF-8: the byte at offset 16 does not fit.
          Save the file as UTF-8.

        b.yaml:1:1: error M104: Manifest is not UTF-8
          The file is not UTF-8: the byte at offset 0 does not fit.
          Save the file as UTF-8.
    """)


def test_a_file_over_a_megabyte_is_refused_by_its_size(findings: Say) -> None:
    """A large file is not parsed first; one of a million bytes is."""
    assert "error M103: Manifest is too large\n  The file is larger than 1,000,000 bytes.\n" in findings(
        files={"m.yaml": b"#" * 1_000_001}
    )
    assert findings(files={"m.yaml": b"version: 1 #".ljust(1_000_000, b"#")}) == ""


def test_files_of_a_folder_are_one_project(read: Read, tmp_path: Path) -> None:
    """Sections are joined across files, hidden files and other endings are none, places keep their file."""
    (tmp_path / ".hidden.yaml").write_text("broken: [")
    (tmp_path / "notes.txt").write_text("broken: [")
    project = read(
        files={
            "b.yml": "version: 1\nvars: { b: 2 }\nsources: { s: { file: a.csv } }\n",
            "a.yaml": "version: 1\nvars: { a: 1 }\n",
        }
    )
    assert dict(project.manifest.vars) == {"a": 1, "b": 2}
    assert [Path(file.path).name for file in project.files] == ["a.yaml", "b.yml"]
    assert [len(file.sha256) for file in project.files] == [64, 64]
    assert project.root == tmp_path
    assert project.positions.at("vars", "b") == project.positions.at("vars", "b")
    assert str(project.positions.at("vars", "b")) == f"{tmp_path / 'b.yml'}:2:12"
    assert str(project.positions.at("sources", "s", "file")) == f"{tmp_path / 'b.yml'}:3:23"


def test_one_file_is_a_project_too(tmp_path: Path) -> None:
    """Its folder is the project's folder, and files beside it are not read."""
    (tmp_path / "a.yaml").write_text("version: 1\n")
    (tmp_path / "b.yaml").write_text("broken: [")
    project = read_project(tmp_path / "a.yaml")
    assert (project.root, len(project.files)) == (tmp_path, 1)


def test_short_forms_become_long_ones(read: Read) -> None:
    """The manifest's values know one form only; what values mean in Python is accepted as well."""
    project = read("""
        version: 1
        sources: { s: { file: a.csv, columns: { a: date, b: { type: integer } } } }
        mappings:
          m: { extends: [n], email: "{{ email }}", phone: { value: "{{ phone }}", when_null: clear }, score: 3 }
          n: { fields: x }
    """)
    assert project.manifest.mappings["m"] == Mapping(
        extends=("n",),
        fields={
            "email": FieldMapping(value="{{ email }}"),
            "phone": FieldMapping(value="{{ phone }}", when_null=WhenNull.CLEAR),
            "score": FieldMapping(value=3),
        },
    )
    assert project.manifest.mappings["n"].fields == {"fields": FieldMapping(value="x")}
    assert project.manifest.sources["s"].columns["a"] is ColumnType.DATE


def test_the_digest_is_of_what_is_said(read: Read) -> None:
    """Comments, layout, order of names and files do not move it; a value and the order of fields do."""
    one = read("version: 1\nvars: { a: 1, b: 2 }\nmappings: { m: { x: 1, y: 2 } }\n").manifest
    same = read("# hello\nversion: 1\nmappings: { m: { 'x': 1, y: 2 } }\nvars:\n  b: 2\n  a: 1\n").manifest
    value = read("version: 1\nvars: { a: 1, b: 3 }\nmappings: { m: { x: 1, y: 2 } }\n").manifest
    order = read("version: 1\nvars: { a: 1, b: 2 }\nmappings: { m: { y: 2, x: 1 } }\n").manifest
    assert digest(one) == digest(same)
    assert len({digest(one), digest(value), digest(order)}) == 3


def test_a_folder_without_manifests_says_so(tmp_path: Path) -> None:
    """Nothing there, and nothing in it, are told apart."""
    with pytest.raises(ManifestError, match="The folder holds no file"):
        read_project(tmp_path)
    with pytest.raises(ManifestError, match="There is no such file or folder"):
        read_project(tmp_path / "gone")
    with pytest.raises(ManifestError, match="The folder cannot be looked into: file name too long"):
        read_project(tmp_path / ("x" * 5_000))


def test_only_regular_files_inside_the_folder_are_read(tmp_path: Path, findings: Say) -> None:
    """A pipe does not hang, a link out of the project is not followed, and each is told."""
    outside = tmp_path.parent / f"{tmp_path.name}-outside.yaml"
    outside.write_text("version: 1\n")
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").symlink_to(outside)
    (tmp_path / "c.yaml").symlink_to(tmp_path / "gone")
    (tmp_path / "d.yaml").symlink_to(tmp_path / "d.yaml")
    (tmp_path / "e.yaml").mkdir()
    assert findings(files={"f.yaml": "version: 1\n"}) == (
        "a.yaml: error M102: Manifest cannot be read\n  This is not a regular file.\n\n"
        "b.yaml: error M102: Manifest cannot be read\n"
        '  "b.yaml" is a link that leads out of the project\'s folder.\n'
        "  Put the file itself into the project's folder.\n\n"
        "c.yaml: error M102: Manifest cannot be read\n"
        "  The file cannot be read: no such file or directory.\n\n"
        "d.yaml: error M102: Manifest cannot be read\n"
        '  "d.yaml" is a link that leads nowhere.\n'
        "  Put the file itself into the project's folder.\n\n"
        "e.yaml: error M102: Manifest cannot be read\n  This is not a regular file.\n"
    )
