"""A manifest and measured rows in, a reviewed plan out: around each break-even, one for each refusal."""

from __future__ import annotations

import pytest

from tests.golden.cases import Case


def test_the_plan_is_the_golden_one(case: Case, request: pytest.FixtureRequest) -> None:
    """Text and JSON of a plan, or its refusal, are those that stand in the folder, byte by byte."""
    texts = case.texts()
    if request.config.getoption("--golden", default=False):
        for name in ("plan.txt", "plan.json", "refusal.txt"):
            (case.folder / name).unlink(missing_ok=True)
        for name, text in texts.items():
            (case.folder / name).write_text(text, encoding="utf-8")
    stored = {
        path.name: path.read_text(encoding="utf-8")
        for path in case.folder.iterdir()
        if path.name not in {"manifest.yaml", "facts.json"}
    }
    assert texts == stored
