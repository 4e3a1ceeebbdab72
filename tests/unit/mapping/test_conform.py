"""What a target's field takes: the verdict on a row equals the verdict of the object's JSON Schema on what is sent."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import jsonschema
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.facts import Action, FieldSchema, FieldType, System
from syncer.manifest.models import WhenNull
from syncer.mapping.conform import conform
from syncer.mapping.dialect.entry import Type, Value
from syncer.mapping.fit import misfit
from syncer.mapping.python import arrow_type
from tests.unit.mapping.templates import TEXTS

ENGINE = duckdb.connect(config={"threads": 1})


def field(kind: FieldType, vendor_type: str = "string", **members: object) -> FieldSchema:
    """Return a field called `a`."""
    return FieldSchema("a", kind, vendor_type, **members)  # type: ignore[arg-type]


def judged(  # noqa: PLR0917 - a case's columns
    system: System,
    schema: FieldSchema,
    value: Value,
    kind: Type = Type.TEXT,
    action: Action = Action.UPSERT,
    when_null: WhenNull = WhenNull.OMIT,
) -> tuple[Value, str]:
    """Return the conformed value and the code of the first check that rejects it, or nothing."""
    assert misfit(schema, kind) is None
    form = conform(system, schema, kind, action, when_null)
    sent = value.replace(tzinfo=None) if isinstance(value, datetime) else value
    table = pa.table({"m:a": pa.array([sent], type=arrow_type(kind))})
    ENGINE.register("given", table)
    tests = ", ".join(f"coalesce({each.is_bad.sql('duckdb')}, false)" for each in form.checks) or "false"
    found, *bad = ENGINE.execute(
        f'SELECT "f:a", {tests} FROM (SELECT *, {form.expression.sql("duckdb")} AS "f:a" FROM given)'
    ).fetchall()[0]
    ENGINE.unregister("given")
    return found, next((each.code for each, is_bad in zip(form.checks, bad, strict=False) if is_bad), "")


M, S = System.MARKETO, System.SALESFORCE
WHEN = datetime(2024, 3, 9, 14, 4, 5, 678000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("system", "schema", "kind", "value", "sent", "code"),
    [
        (M, field(FieldType.TEXT, max_length=3), Type.TEXT, "abc", "abc", ""),
        (M, field(FieldType.TEXT, max_length=3), Type.TEXT, "ééé", "ééé", ""),
        (M, field(FieldType.TEXT, max_length=3), Type.TEXT, "abcd", "abcd", "V110"),
        (M, field(FieldType.TEXT), Type.TEXT, "0042", "0042", ""),
        (M, field(FieldType.TEXT), Type.TEXT, "", None, ""),
        (M, field(FieldType.TEXT, "text", max_length=30_000), Type.TEXT, "é" * 15_001, "é" * 15_001, "V110"),
        (M, field(FieldType.TEXT, "text", max_length=2_000), Type.TEXT, "é" * 2_000, "é" * 2_000, ""),
        (M, field(FieldType.TEXT, "email"), Type.TEXT, "a@b.co", "a@b.co", ""),
        (M, field(FieldType.TEXT, "email"), Type.TEXT, "é@b.co", "é@b.co", "V113"),
        (S, field(FieldType.TEXT, "email"), Type.TEXT, "a@b", "a@b", "V113"),
        (M, field(FieldType.TEXT, "url"), Type.TEXT, "example.com", "example.com", "V115"),
        (M, field(FieldType.TEXT, "url"), Type.TEXT, "https://example.com", "https://example.com", ""),
        (S, field(FieldType.TEXT), Type.TEXT, "#N/A", "#N/A", "V114"),
        (M, field(FieldType.TEXT), Type.TEXT, "#N/A", "#N/A", ""),
        (S, field(FieldType.TEXT, "picklist", picklist=("a", "b"), is_restricted=True), Type.TEXT, "b", "b", ""),
        (S, field(FieldType.TEXT, "picklist", picklist=("a", "b"), is_restricted=True), Type.TEXT, "B", "B", "V111"),
        (S, field(FieldType.TEXT, "picklist", picklist=("a",)), Type.TEXT, "z", "z", ""),
        (S, field(FieldType.TEXT, "picklist", picklist=(), is_restricted=True), Type.TEXT, "z", "z", "V111"),
        (
            S,
            field(FieldType.TEXT, "multipicklist", picklist=("a", "b"), is_restricted=True),
            Type.TEXT,
            "b;a",
            "b;a",
            "",
        ),
        (
            S,
            field(FieldType.TEXT, "multipicklist", picklist=("a", "b"), is_restricted=True),
            Type.TEXT,
            "a;c",
            "a;c",
            "V111",
        ),
        (M, field(FieldType.INTEGER, "integer"), Type.TEXT, "-42", -42, ""),
        (M, field(FieldType.INTEGER, "integer"), Type.TEXT, "14.1", None, "V101"),
        (M, field(FieldType.INTEGER, "integer"), Type.TEXT, "9223372036854775808", None, "V101"),
        (M, field(FieldType.INTEGER, "integer"), Type.INTEGER, 2**40, 2**40, ""),
        (S, field(FieldType.INTEGER, "int"), Type.INTEGER, 2**40, 2**40, "V102"),
        (S, field(FieldType.INTEGER, "int", precision=3), Type.INTEGER, 1000, 1000, "V102"),
        (S, field(FieldType.INTEGER, "long"), Type.INTEGER, 2**40, 2**40, ""),
        (M, field(FieldType.INTEGER, "integer"), Type.FLOAT, 3.0, 3, ""),
        (M, field(FieldType.INTEGER, "integer"), Type.FLOAT, 3.5, None, "V101"),
        (M, field(FieldType.INTEGER, "integer"), Type.DECIMAL, Decimal("3.5"), None, "V101"),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.TEXT, "123.45", Decimal("123.45"), ""),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.TEXT, "1.500", Decimal("1.50"), ""),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.TEXT, "1.505", None, "V104"),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.TEXT, "1234", None, "V104"),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.TEXT, "1,5", None, "V103"),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.TEXT, ".", None, "V103"),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.FLOAT, 1.5, Decimal("1.50"), ""),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.FLOAT, 0.125, None, "V104"),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.FLOAT, math.inf, None, "V104"),
        (S, field(FieldType.DECIMAL, "currency", precision=5, scale=2), Type.DECIMAL, Decimal("0.125"), None, "V104"),
        (S, field(FieldType.DECIMAL, "double", precision=18), Type.INTEGER, 7, Decimal(7), ""),
        (S, field(FieldType.DECIMAL, "double"), Type.INTEGER, 7, Decimal(7), ""),
        (M, field(FieldType.FLOAT, "float"), Type.TEXT, "1.5e3", 1500.0, ""),
        (M, field(FieldType.FLOAT, "float"), Type.TEXT, "14c", None, "V103"),
        (M, field(FieldType.FLOAT, "float"), Type.TEXT, "1e999", math.inf, "V105"),
        (M, field(FieldType.FLOAT, "float"), Type.FLOAT, math.inf, math.inf, "V105"),
        (M, field(FieldType.FLOAT, "float"), Type.INTEGER, 2**53 + 1, float(2**53), "V104"),
        (M, field(FieldType.FLOAT, "float"), Type.DECIMAL, Decimal("1.5"), 1.5, ""),
        (M, field(FieldType.BOOLEAN, "boolean"), Type.TEXT, "true", True, ""),
        (M, field(FieldType.BOOLEAN, "boolean"), Type.TEXT, "TRUE", None, "V106"),
        (M, field(FieldType.BOOLEAN, "boolean"), Type.BOOLEAN, False, False, ""),
        (M, field(FieldType.DATE, "date"), Type.TEXT, "2024-02-29", "2024-02-29", ""),
        (M, field(FieldType.DATE, "date"), Type.TEXT, "2023-02-29", None, "V107"),
        (M, field(FieldType.DATE, "date"), Type.TEXT, "0000-01-01", None, "V107"),
        (M, field(FieldType.DATE, "date"), Type.DATE, date(9, 1, 2), "0009-01-02", ""),
        (M, field(FieldType.DATETIME, "datetime"), Type.TEXT, "2024-03-09T16:04:05+02:00", "2024-03-09T14:04:05Z", ""),
        (S, field(FieldType.DATETIME, "datetime"), Type.TEXT, "2024-03-09 14:04:05Z", "2024-03-09T14:04:05.000Z", ""),
        (S, field(FieldType.DATETIME, "datetime"), Type.TEXT, "2024-03-09T14:04:05", None, "V108"),
        (S, field(FieldType.DATETIME, "datetime"), Type.TEXT, "yesterday", None, "V108"),
        (S, field(FieldType.DATETIME, "datetime"), Type.INSTANT, WHEN, "2024-03-09T14:04:05.678Z", ""),
        (S, field(FieldType.TIME, "time"), Type.TEXT, "14:04:05.678Z", "14:04:05.678Z", ""),
        (S, field(FieldType.TIME, "time"), Type.TEXT, "25:00:00Z", None, "V109"),
        (S, field(FieldType.TEXT, is_required=True), Type.TEXT, None, None, ""),
    ],
)
def test_value_as_sent(  # noqa: PLR0917 - a case's columns
    system: System, schema: FieldSchema, kind: Type, value: Value, sent: Value, code: str
) -> None:
    """A value goes out in the vendor's form, or its row is rejected with the code that says why."""
    assert judged(system, schema, value, kind) == (sent, code)


@pytest.mark.parametrize(
    ("action", "when_null", "code"),
    [
        (Action.CREATE, WhenNull.OMIT, "V112"),
        (Action.DUPLICATE, WhenNull.OMIT, "V112"),
        (Action.UPSERT, WhenNull.OMIT, ""),
        (Action.UPSERT, WhenNull.CLEAR, "V112"),
    ],
)
def test_required_value(action: Action, when_null: WhenNull, code: str) -> None:
    """A required field must have a value in a record that is created, and can never be cleared."""
    assert judged(S, field(FieldType.TEXT, is_required=True), None, Type.TEXT, action, when_null) == (None, code)


@pytest.mark.parametrize(
    ("kind", "given_type", "advice"),
    [
        (FieldType.DATETIME, Type.DATETIME, "timezone"),
        (FieldType.DATETIME, Type.DATE, "timezone"),
        (FieldType.DATE, Type.DATETIME, "date"),
        (FieldType.DATE, Type.INSTANT, "local"),
        (FieldType.BOOLEAN, Type.INTEGER, "bool"),
        (FieldType.TEXT, Type.LIST, "join"),
        (FieldType.INTEGER, Type.BOOLEAN, ""),
    ],
)
def test_types_that_never_fit(kind: FieldType, given_type: Type, advice: str) -> None:
    """A template whose type can never go into the field is refused before a row is read, with the way out."""
    found = misfit(field(kind), given_type)
    assert found is not None
    assert advice in found[1]


SCHEMAS: list[tuple[FieldSchema, dict[str, object]]] = [
    (field(FieldType.TEXT, max_length=5), {"type": "string", "maxLength": 5}),
    (
        field(FieldType.TEXT, "picklist", picklist=("a", "Ada"), is_restricted=True),
        {"type": "string", "enum": ["a", "Ada"]},
    ),
    (field(FieldType.INTEGER, "int"), {"type": "integer", "minimum": -(2**31 - 1), "maximum": 2**31 - 1}),
    (
        field(FieldType.DECIMAL, "currency", precision=4, scale=1),
        {"type": "number", "multipleOf": Decimal("0.1"), "exclusiveMinimum": -1000, "exclusiveMaximum": 1000},
    ),
    (field(FieldType.BOOLEAN, "boolean"), {"type": "boolean"}),
    (field(FieldType.DATE, "date"), {"type": "string", "format": "date"}),
]


def natural(kind: FieldType, cell: str) -> object:
    """Read a text cell the way the type is written in JSON; what cannot be read stays text."""
    words: dict[str, object] = {"true": True, "false": False}
    try:
        match kind:
            case FieldType.INTEGER if cell.lstrip("+-").isascii() and cell.lstrip("+-").isdigit():
                return int(cell)
            case FieldType.DECIMAL if not set(cell) - set("+-.0123456789"):
                return Decimal(cell)
            case FieldType.BOOLEAN:
                return words.get(cell, cell)
    except (ValueError, ArithmeticError):
        return cell
    return cell


NUMBERS = st.one_of(
    st.decimals(-2000, 2000, places=3).map(str),
    st.integers(-(2**33), 2**33).map(str),
    st.integers(-1500, 1500).map(lambda n: str(n / 10)),
)


@given(st.sampled_from(SCHEMAS), st.one_of(st.sampled_from(TEXTS), st.text(max_size=7), NUMBERS))
def test_verdict_is_that_of_json_schema(case: tuple[FieldSchema, dict[str, object]], cell: str) -> None:
    """A text cell is rejected exactly when the value it stands for breaks the field's JSON Schema."""
    schema, oracle = case
    # The text that empties a field is refused whatever the schema says of it.
    if not cell or "\0" in cell or cell == "#N/A":
        return
    checker = jsonschema.FormatChecker(["date"])
    is_valid = jsonschema.Draft202012Validator(oracle, format_checker=checker).is_valid(natural(schema.type, cell))
    sent, code = judged(S, schema, cell)
    assert (not code) == is_valid, (cell, sent, code)
