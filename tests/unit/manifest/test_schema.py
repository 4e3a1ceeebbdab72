"""The generated schema is fresh, and says of a manifest's shape what the models say."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from syncer.manifest.compose import compose
from syncer.manifest.models import Manifest
from syncer.manifest.positions import plain_data
from syncer.manifest.schema import manifest_schema, render_schema

ROOT = Path(__file__).parents[3]
VALIDATOR = Draft202012Validator(manifest_schema())
WHOLE: dict[str, Any] = {
    "version": 1,
    "vars": {"region": "emea", "year": 2026, "on_time": True},
    "connections": {
        "marketo": {
            "system": "marketo",
            "base_url": "{{ env.U }}",
            "client_id": "{{ env.I }}",
            "client_secret": "{{ secret.S }}",
            "blank_cells": "keep",
            "budget": {"calls_per_day": 20000, "reserve": "30%", "concurrency": 5},
        },
        "growth": {
            "system": "salesforce",
            "base_url": "a",
            "client_id": "b",
            "client_secret": "c",
            "api_version": "61.0",
        },
    },
    "sources": {
        "contacts": {
            "file": "data/contacts.csv",
            "null_values": ["", "NULL"],
            "columns": {"employees": "integer", "signed_up": {"type": "date", "format": "%Y", "required": True}},
            "moves": "exact",
        }
    },
    "targets": {
        "leads": {"connection": "marketo", "object": "lead", "key": "email"},
        "cars": {"connection": "marketo", "object": "car", "key": ["vin", "make"]},
    },
    "mappings": {
        "contact_to_lead": {
            "extends": ["person"],
            "email": "{{ email }}",
            "phone": {"value": "{{ phone }}", "when_null": "clear"},
            "score": 3,
            "flag": False,
        },
        "person": {"firstName": "{{ first_name }}"},
    },
    "operations": {
        "newsletter": {
            "source": "contacts",
            "mapping": "contact_to_lead",
            "target": "leads",
            "action": "upsert",
            "duplicates": "last",
            "guards": {"max_rejected": "1%", "max_creates": 5000},
            "after": ["other"],
            "spread": False,
        }
    },
    "tests": {"first": {"operation": "newsletter", "given": [{"email": None, "n": 1.5}], "expect": [{"email": "a"}]}},
}
VALUES = [
    3,
    -1,
    0,
    10**6,
    1.5,
    True,
    "",
    "x",
    "no name",
    "1%",
    "100.5%",
    "upsert",
    "marketo",
    [],
    ["x"],
    [3],
    {},
    {"x": 1},
]


def is_accepted(data: object) -> bool:
    """Say whether the models take the data."""
    try:
        Manifest.model_validate(data)
    except ValidationError:
        return False
    return True


def paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for step, value in inner for found in paths(value, (*path, step)))]


PLACES = paths(WHOLE)


def test_the_file_is_fresh() -> None:
    """`python -m syncer.manifest.schema` writes just what stands in the repository."""
    fresh = (ROOT / "schemas" / "manifest.schema.json").read_text(encoding="utf-8")
    assert fresh == render_schema()
    command = [sys.executable, "-m", "syncer.manifest.schema"]
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout == fresh  # noqa: S603


def test_the_schema_is_a_schema() -> None:
    """It is valid JSON Schema 2020-12."""
    Draft202012Validator.check_schema(manifest_schema())


def test_every_member_is_described() -> None:
    """Whoever completes a member in an editor reads what it is for; nothing unknown is taken."""
    bare = [
        f"{name}.{member}"
        for name, definition in {"Manifest": manifest_schema(), **manifest_schema()["$defs"]}.items()
        for form in (definition, *definition.get("anyOf", ()))
        for member, schema in form.get("properties", {}).items()
        if "description" not in schema
    ]
    assert bare == []
    assert "null" not in json.dumps(manifest_schema()["$defs"]["Operation"])


@pytest.mark.parametrize("path", sorted((ROOT / "manifests").rglob("*.yaml")), ids=lambda path: path.name)
def test_the_manifests_of_this_repository_fit(path: Path) -> None:
    """Schema and models accept them."""
    tree, found = compose(path.read_text(encoding="utf-8"), path.name)
    assert tree is not None
    assert found == []
    assert VALIDATOR.is_valid(plain_data(tree))
    assert is_accepted(plain_data(tree))


@pytest.mark.parametrize("path", PLACES[1:], ids=str)
def test_models_and_schema_agree_where_one_value_is_replaced(path: tuple[Any, ...]) -> None:
    """At every place of a whole manifest, every kind of value is taken by both or by neither; so is a missing one."""
    assert is_accepted(WHOLE)
    assert VALIDATOR.is_valid(WHOLE)
    *above, last = path
    for value in (*VALUES, KeyError):
        data = copy.deepcopy(WHOLE)
        parent = data
        for step in above:
            parent = parent[step]
        if value is KeyError:
            del parent[last]
        else:
            parent[last] = value
        assert VALIDATOR.is_valid(data) == is_accepted(data), f"{path} = {value!r}"


@given(st.sampled_from(PLACES), st.text(max_size=70).filter(str.isprintable), st.sampled_from(VALUES))
def test_models_and_schema_agree_where_a_member_is_added(path: tuple[Any, ...], name: str, value: object) -> None:
    """A new member under any mapping is taken by both or by neither, by its name and by its value."""
    data = copy.deepcopy(WHOLE)
    node = data
    for step in path:
        node = node[step]
    if isinstance(node, dict):
        node[name] = value
    assert VALIDATOR.is_valid(data) == is_accepted(data)
