"""Manifest tests run offline: what a test gives stands in for a source, read or looked up in."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent

import pytest

from syncer.workflow import load, testing

SNAPSHOT = Path("schemas/objects/marketo/lead.schema.json")
MANIFEST = """
    version: 1
    connections:
      m:
        system: marketo
        base_url: https://1.mktorest.com
        client_id: "{{ env.I }}"
        client_secret: "{{ secret.S }}"
    sources:
      people: { file: people.csv }
      plans: { file: plans.csv }
      regions: { database: "{{ secret.W }}", sql: "SELECT code, name FROM regions" }
    targets:
      leads: { connection: m, object: lead, key: email }
    mappings:
      person:
        email: "{{ email }}"
        company: "{{ plan | lookup('plans', 'code', 'name') }}"
        country: "{{ region | lookup('regions', 'code', 'name') }}"
    operations:
      people: { source: people, mapping: person, target: leads }
    tests:
      first:
        operation: people
        given: [{ email: a@example.com, plan: team, region: north }]
        expect: [{ email: a@example.com, company: For teams, country: Norway }]
        lookups: LOOKUPS
"""
REGIONS = "regions: [{ code: north, name: Norway }]"


@pytest.mark.parametrize(
    ("lookups", "told"),
    [
        (REGIONS, ()),
        (REGIONS + ", plans: []", ('record 1, company: expected "For teams", found nothing',)),
        (
            "",
            ('source "regions" is a database, which no test asks: give the rows that are looked up, under "lookups"',),
        ),
        ("regions: [{ code: north }]", ("column",)),
    ],
    ids=["a file is read", "given rows stand in for a file", "a database is not asked", "a column is missing"],
)
def test_rows_that_are_looked_up(lookups: str, told: tuple[str, ...], tmp_path: Path) -> None:
    """A test gives the rows of a database; a file is read unless its rows are given as well."""
    (tmp_path / SNAPSHOT.parent).mkdir(parents=True)
    shutil.copy(Path(__file__).parents[3] / SNAPSHOT, tmp_path / SNAPSHOT)
    (tmp_path / "people.csv").write_text("email,plan,region\n")
    (tmp_path / "plans.csv").write_text("code,name\nteam,For teams\n")
    (tmp_path / "m.yaml").write_text(dedent(MANIFEST).replace("LOOKUPS", f"{{ {lookups} }}"))
    [result] = testing.run_tests(load.load(tmp_path, reaches=False))
    assert len(result.difference) == len(told)
    assert all(words in difference for words, difference in zip(told, result.difference, strict=True))
