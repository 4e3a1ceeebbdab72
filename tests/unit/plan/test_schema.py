"""The published schema of a plan file is the one that the models give, and real plans satisfy it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from syncer.plan.schema import plan_schema, render_schema

ROOT = Path(__file__).parents[3]


def test_the_published_schema_is_fresh() -> None:
    """`python -m syncer.plan.schema > schemas/plan.schema.json` after a change to the models."""
    assert (ROOT / "schemas/plan.schema.json").read_text(encoding="utf-8") == render_schema()


def test_the_module_writes_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that the test above names does what it says."""
    runpy.run_path(str(ROOT / "syncer/plan/schema.py"), run_name="__main__")
    assert capsys.readouterr().out == render_schema()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/golden/plans").glob("*/plan.json")), ids=lambda path: path.parent.name
)
def test_every_golden_plan_satisfies_the_schema(path: Path) -> None:
    """What is written is what is promised."""
    Draft202012Validator(plan_schema()).validate(json.loads(path.read_text(encoding="utf-8")))
