"""What is found in manifests, with and without writing the SQL of their mappings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from syncer.errors import ManifestError
from syncer.workflow import load

ROOT = Path(__file__).parents[3]
MANIFEST = """version: 1
connections:
  marketo:
    system: marketo
    base_url: "https://123-ABC-456.mktorest.com"
    client_id: id
    client_secret: "{{ secret.S }}"
sources:
  people: { file: people.csv, columns: { employees: integer } }
targets:
  leads: { connection: marketo, object: lead, key: email }
mappings:
  leads:
    email: "{{ email | trim | lower }}"
    firstName: "%s"
    numberOfEmployees: "%s"
operations:
  leads: { source: people, mapping: leads, target: leads }
"""


def project(folder: Path, first: str, number: str) -> Path:
    """Write a project of one operation."""
    (folder / "people.csv").write_text("email,name,employees\na@example.com,Ada,3\n", encoding="utf-8")
    (folder / "syncer.yaml").write_text(MANIFEST % (first, number), encoding="utf-8")
    shutil.copytree(ROOT / "schemas" / "objects", folder / "schemas" / "objects")
    return folder


def test_a_check_without_pipelines_finds_everything_that_compiling_finds(tmp_path: Path) -> None:
    """`validate` writes no SQL, and no finding of the templates is lost by that."""
    folder = project(tmp_path, "{{ nmae | trim }}", "{{ name | lenght }}")
    with pytest.raises(ManifestError) as whole:
        load.load(folder)
    with pytest.raises(ManifestError) as checked:
        load.load(folder, compiles=False)
    assert len(whole.value.diagnostics) >= 2
    assert checked.value.diagnostics == whole.value.diagnostics


def test_a_check_makes_no_pipeline(tmp_path: Path) -> None:
    """A sound project is checked without one, and compiled with one an operation."""
    folder = project(tmp_path, "{{ name | trim }}", "{{ employees }}")
    assert not load.load(folder, compiles=False).pipelines
    assert set(load.load(folder).pipelines) == {"leads"}
