"""The examples under `manifests/` work: they validate without a warning, their tests pass, and they plan offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import adbc_driver_postgresql.dbapi
import pytest

from syncer.plan.models import Plan
from syncer.workflow import load, planning, testing
from tests.fakes import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.workflow.load import Loaded

ROOT = Path(__file__).parent.parent / "manifests"
EXAMPLES = sorted({each.parent for each in ROOT.rglob("*.yaml")})


@pytest.fixture(scope="module", autouse=True)
def warehouse() -> Iterator[None]:
    """A running PostgreSQL server with the tables of `manifests/warehouse`, at the address that the example names."""
    with postgres.running() as server, pytest.MonkeyPatch.context() as patch:
        with adbc_driver_postgresql.dbapi.connect(server.url()) as connection, connection.cursor() as cursor:
            for statement in (ROOT / "warehouse" / "tables.sql").read_text().split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
            connection.commit()
        patch.setenv("WAREHOUSE_URL", server.url())
        yield


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.name)
def example(request: pytest.FixtureRequest) -> Loaded:
    """Each example in turn, read and compiled."""
    return load.load(request.param)


def planned_offline(example: Loaded, folder: Path) -> Plan:
    """Return the plan of an example, drawn up without network."""
    settings = planning.Settings(work=folder / "work", offline=True)
    planned = planning.make_plan(example, settings, folder, lambda _operation, _phase: None)
    planned.close()
    assert isinstance(planned.plan, Plan)
    return planned.plan


def test_an_example_has_no_findings(example: Loaded) -> None:
    """Neither an error nor a warning: examples are copied."""
    assert example.warnings == ()


def test_the_tests_of_an_example_pass(example: Loaded) -> None:
    """An example has tests of its own, and what they expect comes out."""
    results = testing.run_tests(example)
    assert [(each.name, each.difference) for each in results if each.difference] == []
    assert results


def test_an_example_plans_offline(example: Loaded, tmp_path: Path) -> None:
    """Without network and secrets, every operation of an example gets its steps."""
    plan = planned_offline(example, tmp_path)
    assert {each.operation for each in plan.nodes} == set(example.project.manifest.operations)


def test_every_kind_of_source_is_read(tmp_path: Path) -> None:
    """Each format, a database and SQL over other sources give all their rows, and no row is refused."""
    plan = planned_offline(load.load(ROOT / "sources"), tmp_path)
    assert {each.name: (each.read, each.outgoing) for each in plan.operations} == {
        "comma_separated": (2, 2),
        "tab_separated": (2, 2),
        "semicolon_separated": (2, 2),
        "another_encoding": (2, 2),
        "marked_encoding": (2, 2),
        "several_files": (3, 3),
        "packed_and_looked_up": (3, 3),
        "json_lines": (2, 2),
        "parquet": (2, 2),
        "database": (2, 2),
        "other_sources": (2, 2),
    }


def test_rows_of_a_warehouse_are_planned(tmp_path: Path) -> None:
    """A query of a PostgreSQL server gives its rows, typed as declared, and another table is looked up."""
    plan = planned_offline(load.load(ROOT / "warehouse"), tmp_path)
    assert [(each.read, each.outgoing) for each in plan.operations] == [(3, 3)]
