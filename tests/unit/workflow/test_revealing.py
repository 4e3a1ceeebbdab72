"""Which rows `--reveal` finds beside a plan file, and what never passes: secrets, and overlong values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.engine.stage import stage
from syncer.errors import UserError
from syncer.plan.models import Digest
from syncer.sample import SampleKind
from syncer.sources.csv import CsvForm, CsvSource
from syncer.workflow import revealing
from tests.fakes.capabilities import LEAD
from tests.fakes.pipelines import SYNC, pipeline
from tests.fakes.projects import INPUTS, plan
from tests.fakes.rows import facts

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.plan.models import Plan


def staged(folder: Path, rows: str) -> str:
    """Stage rows of the operation "newsletter" in a run's folder; return their digest."""
    path = folder / "contacts.csv"
    path.write_text(rows, encoding="utf-8")
    source = CsvSource("contacts", (path,), CsvForm(","), {})
    made = stage(pipeline("email", "n"), source, None, {"sync": SYNC}, folder / "staged" / "newsletter", threads=1)
    made.close()
    return made.facts.rows_digest


def planned(digest: str) -> Plan:
    """Return a plan of these rows and of another operation."""
    inputs = INPUTS.model_copy(update={"rows": (Digest(name="newsletter", digest=digest),)})
    return plan({"newsletter": {}, "b": {}}, {n: facts(n, LEAD) for n in ("newsletter", "b")}, inputs=inputs)


def test_rows_of_a_run_are_beside_its_plan(tmp_path: Path) -> None:
    """The folder of a run that is not finished holds them; operations without rows there are left out."""
    found = revealing.beside(planned(staged(tmp_path, "email,n\na@x,1\n,2\n")), tmp_path / "plan.json")
    [sample] = found
    assert sample.operation == "newsletter"
    assert [(row.row, row.kind) for row in sample.rows] == [(1, SampleKind.SENT), (2, SampleKind.REJECTED)]


def test_rows_of_another_plan_are_refused(tmp_path: Path) -> None:
    """What is shown under a plan's digest is what the plan was made of."""
    staged(tmp_path, "email,n\na@x,1\n")
    with pytest.raises(UserError) as caught:
        revealing.beside(planned("0" * 32), tmp_path / "plan.json")
    assert caught.value.code == "P124"


def test_a_plan_alone_has_no_rows(tmp_path: Path) -> None:
    """The error says where rows are shown."""
    with pytest.raises(UserError) as caught:
        revealing.beside(planned("0" * 32), tmp_path / "changes.plan")
    assert (caught.value.code, caught.value.command) == ("P130", "syncer plan --reveal")


def test_no_secret_and_no_long_value_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of the environment is hidden wherever it stands, also where a value is cut; short words are not."""
    monkeypatch.setenv("CRM_CLIENT_SECRET", "geheimnisvoll")
    monkeypatch.setenv("SHORT_KEY", "a")
    text = "a" * (revealing.CHARACTERS - 3) + "geheimnisvoll"
    digest = staged(tmp_path, f"email,n\na@x,{text}\nb@x,xgeheimnisvollx\n")
    [sample] = revealing.beside(planned(digest), tmp_path / "plan.json")
    first, second = (row.cells[1].value for row in sample.rows)
    assert first == "a" * (revealing.CHARACTERS - 3) + "***"
    assert second == "x***x"
    digest = staged(tmp_path, f"email,n\na@x,{'b' * 1_234}\n")
    [sample] = revealing.beside(planned(digest), tmp_path / "plan.json")
    assert sample.rows[0].cells[1].value == "b" * revealing.CHARACTERS + "… (1,234 characters)"
