"""What stands under `schemas/`, and the page of manifest members, is what the program writes, not edited by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from syncer.execution import schema as report_schema
from syncer.manifest import reference
from syncer.manifest import schema as manifest_schema
from syncer.plan import schema as plan_schema
from syncer.targets import describe

SCHEMAS = Path(__file__).parent.parent / "schemas"
OBJECTS = sorted((SCHEMAS / "objects").rglob("*.json"))
GENERATED = {
    "manifest.schema.json": manifest_schema.render_schema,
    "plan.schema.json": plan_schema.render_schema,
    "report.schema.json": report_schema.render_schema,
}


def test_no_file_is_without_a_writer() -> None:
    """Each file is generated, or is the snapshot of an object."""
    found = {each for each in SCHEMAS.rglob("*") if each.is_file()}
    assert found == {*OBJECTS, *(SCHEMAS / name for name in GENERATED)}


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_schema_is_fresh(name: str) -> None:
    """The models and their schema say the same."""
    assert (SCHEMAS / name).read_text(encoding="utf-8") == GENERATED[name]()


def test_the_page_of_manifest_members_is_fresh() -> None:
    """`python -m syncer.manifest.reference > docs/manifest.md` was run after the last change of the models."""
    assert (SCHEMAS.parent / "docs" / "manifest.md").read_text(encoding="utf-8") == reference.render_reference()


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.name)
def test_a_snapshot_reads_and_writes_to_the_same_bytes(path: Path) -> None:
    """Pulling an object that has not changed leaves no diff."""
    assert describe.dump(describe.load(path)) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.name)
def test_a_snapshot_is_a_json_schema(path: Path) -> None:
    """Other tools can use it: valid JSON Schema 2020-12."""
    Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))
