"""Object schemas as files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import TargetError
from syncer.facts import FieldSchema, FieldType, ObjectSchema, System
from syncer.targets.describe import dump, load, parse, sealed

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text("abcXYZ_09", min_size=1, max_size=8)
FIELDS = st.builds(
    FieldSchema,
    name=NAMES,
    type=st.sampled_from(FieldType),
    vendor_type=NAMES,
    label=st.text(max_size=8),
    max_length=st.none() | st.integers(1, 99),
    precision=st.none() | st.integers(1, 18),
    scale=st.none() | st.integers(0, 9),
    is_required=st.booleans(),
    is_creatable=st.booleans(),
    is_updatable=st.booleans(),
    is_key=st.booleans(),
    is_unique=st.booleans(),
    is_case_sensitive=st.booleans(),
    picklist=st.none() | st.tuples(NAMES),
    is_restricted=st.booleans(),
    reference_to=st.just(()) | st.tuples(NAMES),
)
SCHEMAS = st.builds(
    lambda fields: sealed(ObjectSchema(System.MARKETO, "lead", tuple(fields))),
    st.lists(FIELDS, max_size=5, unique_by=lambda field: field.name),
)


@given(SCHEMAS)
def test_a_snapshot_comes_back_as_it_was(schema: ObjectSchema) -> None:
    """`parse` undoes `dump`, digest included, and dumping again gives the same bytes."""
    assert parse(dump(schema)) == schema
    assert dump(parse(dump(schema))) == dump(schema)


@given(SCHEMAS)
def test_a_snapshot_is_a_json_schema(schema: ObjectSchema) -> None:
    """The 2020-12 dialect takes it."""
    jsonschema.Draft202012Validator.check_schema(json.loads(dump(schema)))


def test_the_order_of_description_does_not_matter() -> None:
    """Fields stand by name, so the digest is of the object, not of the answer."""
    fields = tuple(FieldSchema(name, FieldType.TEXT, "string") for name in "ba")
    first = sealed(ObjectSchema(System.MARKETO, "lead", fields))
    assert first == sealed(ObjectSchema(System.MARKETO, "lead", fields[::-1]))
    assert first.digest != sealed(ObjectSchema(System.MARKETO, "lead", fields[:1])).digest


def test_a_record_is_judged_by_it() -> None:
    """Null is always taken; length, type and restricted values are not free."""
    schema = sealed(
        ObjectSchema(
            System.SALESFORCE,
            "Contact",
            (
                FieldSchema("Name", FieldType.TEXT, "string", max_length=3),
                FieldSchema("Level", FieldType.TEXT, "picklist", picklist=("A", "B"), is_restricted=True),
                FieldSchema("Count", FieldType.INTEGER, "int"),
            ),
        )
    )
    judge = jsonschema.Draft202012Validator(json.loads(dump(schema)))
    assert judge.is_valid({"Name": "Ada", "Level": "A", "Count": 1})
    assert judge.is_valid({"Name": None, "Level": None, "Count": None})
    for bad in ({"Name": "Adah"}, {"Level": "C"}, {"Count": 1.5}, {"Nope": 1}):
        assert not judge.is_valid(bad)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"x-syncer":{"system":"mars","object":"x"},"required":[],"properties":{}}']
)
def test_another_file_is_not_believed(tmp_path: Path, text: str) -> None:
    """Cut, foreign or edited snapshots end in a code and the command that heals."""
    path = tmp_path / "lead.schema.json"
    path.write_text(text)
    with pytest.raises(TargetError) as caught:
        load(path)
    assert caught.value.code == "R314"
    assert caught.value.command == "syncer describe pull"


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    """No traceback for a path that is not there."""
    with pytest.raises(TargetError):
        load(tmp_path / "nothing.json")
