"""The verdict on a row is that of the JSON Schema of the object it goes to: every snapshot, every field, every type."""

from __future__ import annotations

import json
import math
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import jsonschema
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.facts import Action, FieldSchema, FieldType, ObjectSchema
from syncer.manifest.models import WhenNull
from syncer.mapping.conform import PLAIN, conform
from syncer.mapping.dialect.entry import Type, Value
from syncer.mapping.dialect.number import FLOAT_TEXT
from syncer.mapping.fit import misfit
from syncer.mapping.python import arrow_type
from syncer.targets.describe import load
from tests.unit.mapping.templates import cells

OBJECTS = sorted((Path(__file__).parents[3] / "schemas" / "objects").rglob("*.json"))
ENGINE = duckdb.connect(config={"threads": 1})
FORMATS = jsonschema.FormatChecker(())
CELLS = 48
FIELDS = 12
BEYOND = {"V102", "V113", "V114", "V115"}
"""What the vendors' pages say and JSON Schema does not: 32 bits, addresses, orders to empty, protocols of URLs."""


@FORMATS.checks("date", ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(
        re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) and date.fromisoformat(value)
    )


@FORMATS.checks("date-time", ValueError)
def _is_moment(value: object) -> bool:
    shape = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)"
    return not isinstance(value, str) or bool(
        re.fullmatch(shape, value, re.ASCII) and datetime.fromisoformat(re.sub(r"\.\d+", "", value)).tzinfo
    )


@FORMATS.checks("time")
def _is_time(value: object) -> bool:
    shape = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z?"
    return not isinstance(value, str) or re.fullmatch(shape, value, re.ASCII) is not None


def natural(kind: FieldType, value: Value) -> object:  # noqa: PLR0911 - one line for each type
    """Return the JSON that a value stands for in a field of this type; text that stands for none stays text."""
    match value:
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value.year >= 1000 else f"{value.isoformat()[:19]}Z"
        case date():
            return value.isoformat()
        case str() if kind is FieldType.INTEGER and re.fullmatch("[+-]?[0-9]+", value):
            return int(value)
        case str() if kind is FieldType.DECIMAL and re.fullmatch(PLAIN, value):
            return Decimal(value)
        case str() if kind is FieldType.FLOAT and re.fullmatch(FLOAT_TEXT, value) and math.isfinite(float(value)):
            return float(value)
        case str() if kind is FieldType.BOOLEAN:
            return {"true": True, "false": False}.get(value, value)
        case float() if kind is FieldType.DECIMAL:
            return Decimal(repr(value))
        case int() if kind is FieldType.FLOAT and abs(value) > 2**53:
            return "more digits than a float has"
        case float() | Decimal() if kind is FieldType.INTEGER and value == int(value):
            return int(value)
    return value


def schema_of(field: FieldSchema, described: dict[str, Any]) -> dict[str, Any]:
    """Return the field's JSON Schema with what a number's digits mean, which a snapshot tells beside it."""
    stated: dict[str, Any] = {
        key: described[key] for key in ("type", "enum", "maxLength", "format") if key in described
    }
    if field.type is FieldType.INTEGER:
        stated |= {"minimum": -(2**63), "maximum": 2**63 - 1}
    if field.type is FieldType.DECIMAL and field.precision is not None:
        scale = field.scale or 0
        limit = Decimal(10) ** (min(field.precision, 38) - scale)
        stated |= {"exclusiveMinimum": -limit, "exclusiveMaximum": limit, "multipleOf": Decimal(1).scaleb(-scale)}
    if field.vendor_type == "multipicklist":
        stated.pop("enum", None)
    return stated


def verdicts(
    schema: ObjectSchema, chosen: list[tuple[FieldSchema, Type]], columns: list[list[Value]]
) -> list[list[str]]:
    """Return, for each field and cell, the code of the first check that rejects it, or nothing."""
    table = pa.table(
        {
            f"m:{field.name}": pa.array(
                [each.replace(tzinfo=None) if isinstance(each, datetime) else each for each in given],
                type=arrow_type(kind),
            )
            for (field, kind), given in zip(chosen, columns, strict=True)
        }
    )
    forms, flaws = [], []
    for field, kind in chosen:
        form = conform(schema.system, field, kind, Action.CREATE, WhenNull.OMIT)
        forms.append(f'{form.expression.sql("duckdb")} AS "f:{field.name}"')
        whens = " ".join(f"WHEN {each.is_bad.sql('duckdb')} THEN '{each.code}'" for each in form.checks)
        flaws.append(f"CASE {whens} ELSE '' END" if whens else "''")
    ENGINE.register("given", table)
    rows = ENGINE.execute(f"SELECT {', '.join(flaws)} FROM (SELECT *, {', '.join(forms)} FROM given)").fetchall()
    ENGINE.unregister("given")
    return [list(each) for each in zip(*rows, strict=True)]


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.name.partition(".")[0])
@given(seed=st.integers(0, 2**64 - 1))
def test_the_verdict_is_that_of_the_objects_schema(path: Path, seed: int) -> None:
    """Cells of every type, nulls among them, are rejected exactly where the schema refuses them."""
    schema, described = load(path), json.loads(path.read_text())
    chance = Random(seed)  # noqa: S311 - cells, not secrets
    writable = [each for each in schema.fields if not each.is_read_only]
    chosen = [
        (field, chance.choice([kind for kind in _kinds(field) if misfit(field, kind) is None]))
        for field in chance.sample(writable, min(FIELDS, len(writable)))
    ]
    columns = [_cells(field, kind, chance) for field, kind in chosen]
    for (field, kind), values, codes in zip(chosen, columns, verdicts(schema, chosen, columns), strict=True):
        validator = jsonschema.Draft202012Validator(
            schema_of(field, described["properties"][field.name]), format_checker=FORMATS
        )
        for value, code in zip(values, codes, strict=True):
            if code in BEYOND:
                continue
            is_blank = value is None or value == ""
            is_valid = not field.is_required if is_blank else validator.is_valid(natural(field.type, value))
            assert (not code) == is_valid, (field.name, field.vendor_type, kind, value, code)


KINDS = (Type.TEXT, Type.INTEGER, Type.DECIMAL, Type.FLOAT, Type.INSTANT, Type.DATE, Type.BOOLEAN)


def _kinds(field: FieldSchema) -> tuple[Type, ...]:
    """Return the types a template may give; what goes into a field of text is printed before."""
    return (Type.TEXT,) if field.type is FieldType.TEXT else KINDS


def _cells(field: FieldSchema, kind: Type, chance: Random) -> list[Value]:
    """Return cells of the type: nasty ones, and ones that nearly fit the field."""
    found: list[Value] = []
    if kind is Type.TEXT and field.max_length:
        found += ["a" * field.max_length, "é" * (field.max_length // 2), "a" * (field.max_length + 1)]
    if kind is Type.TEXT:
        found += [*(field.picklist or ())[:3], "01067", "003000000000001AAA", "true", "2024-02-30", "1e999", "#N/A"]
        found += [
            "2024-02-29T10:00:00Z",
            "2024-02-29T10:00:00",
            "10:00:00.000Z",
            "25:00:00Z",
            str(2**63),
            "0.1",
            "-12.345",
        ]
    found += cells(kind, chance, CELLS - len(found))
    # A NUL never comes so far: it is a reject where the source is read.
    return [each.replace("\0", "a") if isinstance(each, str) else each for each in found]
