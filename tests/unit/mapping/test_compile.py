"""From a manifest's operation to a pipeline: extends, constants, lookups, keys, fallbacks, all diagnostics at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from syncer.diagnostics import Place
from syncer.facts import Action, FieldSchema, FieldType, ObjectSchema, System
from syncer.manifest.models import ColumnType, Manifest, WhenNull
from syncer.mapping.compile import Compiled, Readings, compile_operation
from syncer.mapping.key import key_part, key_space
from syncer.mapping.pipeline import Pipeline, conformed, mapped, unread

LEAD = ObjectSchema(
    System.MARKETO,
    "lead",
    (
        FieldSchema("email", FieldType.TEXT, "email", max_length=255),
        FieldSchema("firstName", FieldType.TEXT, "string", max_length=5),
        FieldSchema("score", FieldType.INTEGER, "integer"),
        FieldSchema("price", FieldType.FLOAT, "float"),
        FieldSchema("signedUp", FieldType.DATETIME, "datetime"),
    ),
)
COLUMNS = [(name, ColumnType.TEXT) for name in ("email", "first name", "score", "account")]
COLUMNS += [("price", ColumnType.DECIMAL), ("at", ColumnType.DATETIME)]


def place(path: tuple[str, ...], offset: int) -> Place:
    """Place a problem by its path, with the offset for a column."""
    return Place("/".join(path), 1, offset + 1)


def compiled(fields: dict[str, Any], action: str = "upsert", schema: ObjectSchema = LEAD, **more: Any) -> Compiled:
    """Compile one operation that writes these fields."""
    manifest = Manifest.model_validate(
        {
            "version": 1,
            "vars": {"greeting": "Hi"},
            "connections": {"m": {"system": "marketo", "base_url": "a", "client_id": "b", "client_secret": "c"}},
            "sources": {
                "people": {"file": "a.csv"},
                "accounts": {"file": "b.csv", "columns": {"id": "integer", "size": {"type": "integer"}}},
            },
            "targets": {"leads": {"connection": "m", "object": "lead", "key": "email"}},
            "mappings": {"one": fields, **more},
            "operations": {"news": {"source": "people", "mapping": "one", "target": "leads", "action": action}},
        }
    )
    return compile_operation(manifest, "news", COLUMNS, schema, frozenset({"email"}), place)


def pipeline(fields: dict[str, Any], action: str = "upsert", **more: Any) -> Pipeline:
    """Compile what has no problems."""
    found = compiled(fields, action, **more)
    assert found.diagnostics == ()
    assert found.pipeline is not None
    return found.pipeline


def staged(given: Pipeline, rows: str) -> list[dict[str, Any]]:
    """Run the layers of a pipeline as an engine would; return `f:` values, keys and the first code of each row."""
    connection = duckdb.connect(config={"threads": 1})
    for statement in given.setup:
        connection.execute(statement)
    values = ", ".join(f'{each.value.sql("duckdb")} AS "{mapped(each.name)}"' for each in given.fields)
    values += "".join(f', {f.unread.sql("duckdb")} AS "{unread(f.name)}"' for f in given.fields if f.unread)
    forms = ", ".join(f'{each.conform.sql("duckdb")} AS "{conformed(each.name)}"' for each in given.fields)
    flaws = " ".join(f"WHEN {each.is_bad.sql('duckdb')} THEN '{each.code}'" for each in given.checks)
    keys = ", ".join(f'{each.canonical.sql("duckdb")} AS "key {each.field}"' for each in given.key)
    relation = connection.sql(
        f"SELECT *, {keys}, CASE {flaws} ELSE '' END AS code "
        f"FROM (SELECT *, {forms} FROM (SELECT {values} FROM ({rows})))"
    )
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


ROW = """SELECT * FROM (VALUES
(' A@B.CO ', 'Ada', '42', '7', 2.5::DECIMAL(38, 18), TIMESTAMP '2024-07-01 12:00:00', 'big'))
t(email, "first name", score, account, price, "at", "lookup:firstName.0")"""


def test_everyday_mapping_end_to_end() -> None:
    """Text, numbers, constants and dates come out in the vendor's types, with the key in canonical form."""
    given = pipeline(
        {
            "email": "{{ email | trim }}",
            "firstName": "{{ row['first name'] }}",
            "score": "{{ score }}",
            "price": 1.5,
            "signedUp": "{{ at | timezone('Europe/Berlin') }}",
        }
    )
    (row,) = staged(given, ROW)
    assert (row["f:email"], row["f:firstName"], row["f:score"], row["f:price"]) == ("A@B.CO", "Ada", 42, 1.5)
    assert row["f:signedUp"] == "2024-07-01T10:00:00Z"
    assert (row["key email"], row["code"]) == ("a@b.co", "")
    assert given.key_space == "marketo/lead/email"
    assert [name for name, _ in given.columns] == ["email", "first name", "score", "at"]


def test_extended_fields_come_first_and_are_overridden() -> None:
    """A mapping has the fields of those it extends; what it writes itself wins, and keeps its own `when_null`."""
    given = pipeline(
        {"extends": ["base"], "score": {"value": "{{ score }}", "when_null": "clear"}},
        base={"email": "{{ email }}", "score": 1},
    )
    assert [(each.name, each.when_null) for each in given.fields] == [
        ("email", WhenNull.OMIT),
        ("score", WhenNull.CLEAR),
    ]
    assert staged(given, ROW)[0]["f:score"] == 42


def test_lookup_becomes_a_join() -> None:
    """A lookup is a join on the printed or typed value; its column is read like any other, once."""
    fields = {"email": "{{ email }}", "firstName": "{{ account | int | lookup('accounts', 'id', 'name') | upper }}"}
    given = pipeline(fields)
    (lookup,) = given.lookups
    assert (lookup.alias, lookup.source, lookup.match, lookup.take) == ("firstName.0", "accounts", "id", "name")
    assert "TRY_CAST" in lookup.value.sql("duckdb")
    assert staged(given, ROW)[0]["f:firstName"] == "BIG"
    assert "account" in dict(given.columns)


def test_lookup_matches_by_printed_value_and_takes_a_declared_type() -> None:
    """A value of another type than the matched column is matched as it prints; the taken one has its declared type."""
    fields = {"email": "{{ email }}", "score": "{{ price | lookup('accounts', 'name', 'size') + 1 }}"}
    (lookup,) = pipeline(fields).lookups
    assert "RTRIM" in lookup.value.sql("duckdb")


def test_part_without_sql_runs_over_arrow() -> None:
    """Products of decimals, and Jinja's own filters, become functions over Arrow columns, named in the pipeline."""
    given = pipeline(
        {
            "email": "{{ email | striptags }}",
            "price": "{{ price * 2 }}",
            "firstName": "{{ 'a b' | urlencode }}",
        }
    )
    assert [(each.field, each.returns) for each in given.functions] == [
        ("email", "VARCHAR"),
        ("price", "DECIMAL(38, 18)"),
    ]
    strip, double = given.functions
    assert strip.call(pa.array(["<b>a</b>", None])).to_pylist() == ["a", ""]
    assert double.call(pa.array([Decimal("2.5")], type=pa.decimal128(38, 18))).to_pylist() == [Decimal(5)]
    assert double.parameters == (ColumnType.DECIMAL,)
    assert [each.value.sql("duckdb") for each in given.fields] == [
        'SYNCER_0_NEWS("email")',
        'SYNCER_1_NEWS(CAST("price" AS DECIMAL(38, 18)))',
        "'a%20b'",
    ]


def test_deletion_is_told_by_its_key() -> None:
    """A deletion compiles the key field and no other."""
    given = pipeline({"email": "{{ email }}", "score": "{{ score }}"}, action="delete")
    assert [each.name for each in given.fields] == ["email"]
    assert given.action is Action.DELETE


def test_a_parent_is_named_by_a_key_of_its_own() -> None:
    """`Account.Key__c` is written through the field `AccountId`, as text; a parent that is none stays out."""
    reference = FieldSchema("AccountId", FieldType.TEXT, "reference", max_length=18, reference_to=("Account",))
    custom = FieldSchema("Site__c", FieldType.TEXT, "reference", reference_to=("Site__c",))
    plain = FieldSchema("OwnerId", FieldType.TEXT, "string")
    contact = ObjectSchema(System.SALESFORCE, "lead", (*LEAD.fields, reference, custom, plain))
    names = ["Account.Key__c", "Site__r.Code__c", "Owner.Name", "Account.", "Nobody.Key__c"]
    assert [name for name in names if contact.written(name)] == ["Account.Key__c", "Site__r.Code__c"]
    assert LEAD.written("Account.Key__c") is None
    found = compiled({"email": "{{ email }}", "Account.Key__c": "{{ account }}"}, schema=contact)
    assert found.pipeline is not None
    assert [each.name for each in found.pipeline.fields] == ["email", "Account.Key__c"]


def test_every_diagnostic_at_once_with_its_place() -> None:
    """All templates are read; each problem stands at its offset inside the template of its own mapping."""
    found = compiled(
        {
            "extends": ["base"],
            "email": "{{ emial }}",
            "score": "{{ at }}",
            "firstName": "{{ (price * 2) | lookup('accounts', 'id', 'name') }}",
        },
        base={"price": "{{ price | rond }}"},
    )
    assert found.pipeline is None
    assert [(each.code, str(each.place)) for each in found.diagnostics] == [
        ("M303", "mappings/base/price:1:12"),
        ("M302", "mappings/one/email:1:4"),
        ("M311", "mappings/one/firstName:1:1"),
        ("M320", "mappings/one/score:1:1"),
    ]


def test_branches_of_unlike_types_print_into_text_only() -> None:
    """A choice between unlike types fits a text field as it prints, and no other."""
    given = pipeline({"email": "{{ email }}", "firstName": "{{ price if score == '42' else '-' }}"})
    assert staged(given, ROW)[0]["f:firstName"] == "2.5"
    assert [each.code for each in compiled({"score": "{{ price if email else '-' }}"}).diagnostics] == ["M320"]


@pytest.mark.parametrize(
    ("system", "vendor_type", "is_case_sensitive", "values", "key"),
    [
        (System.MARKETO, "email", False, ["A@b.co", "a@B.co ", "\u3000a@b.co"], "a@b.co"),
        (System.MARKETO, "string", False, ["Ab", " Ab\t"], "Ab"),
        (System.SALESFORCE, "string", False, ["K-É", "k-e\u0301"], "k-é"),
        (System.SALESFORCE, "string", False, ["ΟΔΟΣ", "οδος"], "οδοσ"),
        (System.SALESFORCE, "string", True, ["Ké", "Ke\u0301 "], "Ké"),
        (System.SALESFORCE, "id", False, ["0035g00000ABCde", "0035g00000ABCdeAAB"], "0035g00000ABCde"),
        (System.SALESFORCE, "string", False, [None], None),
    ],
)
def test_spellings_of_one_key_meet(
    system: System,
    vendor_type: str,
    is_case_sensitive: bool,  # noqa: FBT001 - a case's column
    values: list[str],
    key: str,
) -> None:
    """Keys that the target takes for one record have one canonical form."""
    schema = FieldSchema("a", FieldType.TEXT, vendor_type, is_case_sensitive=is_case_sensitive)
    part = key_part(system, schema, frozenset({"email"}))
    found = {
        duckdb.execute(f'SELECT {part.canonical.sql("duckdb")} FROM (SELECT ?::VARCHAR AS "f:a")', [v]).fetchall()[0][0]
        for v in values
    }
    assert found == {key}


def test_number_key_is_its_digits() -> None:
    """A key that is a JSON number is compared by its digits."""
    part = key_part(System.MARKETO, FieldSchema("a", FieldType.INTEGER, "integer"), frozenset())
    assert duckdb.execute(f'SELECT {part.canonical.sql("duckdb")} FROM (SELECT 42 AS "f:a")').fetchall() == [("42",)]
    assert key_space(LEAD, ("b", "a")) == "marketo/lead/a/b"


def test_operations_that_share_a_mapping_share_its_reading() -> None:
    """Readings save work and change nothing: neither for other columns, another object, nor a deletion."""
    other = ObjectSchema(System.MARKETO, "person", (*LEAD.fields[:2], FieldSchema("score", FieldType.TEXT, "string")))
    manifest = Manifest.model_validate(
        {
            "version": 1,
            "connections": {"m": {"system": "marketo", "base_url": "a", "client_id": "b", "client_secret": "c"}},
            "sources": {"people": {"file": "a.csv"}},
            "targets": {"leads": {"connection": "m", "object": "lead", "key": "email"}},
            "mappings": {"one": {"email": "{{ email }}", "score": "{{ score * 2 }}"}},
            "operations": {
                name: {"source": "people", "mapping": "one", "target": "leads", "action": action}
                for name, action in (("news", "upsert"), ("again", "upsert"), ("gone", "delete"))
            },
        }
    )
    counted = [("email", ColumnType.TEXT), ("score", ColumnType.INTEGER)]
    cases = [("news", counted, LEAD), ("again", counted, LEAD), ("gone", counted, LEAD)]
    cases += [("again", COLUMNS, LEAD), ("again", counted, other)]
    readings: Readings = {}
    folded = frozenset({"email"})
    for name, columns, schema in cases:
        alone = compile_operation(manifest, name, columns, schema, folded, place)
        assert compile_operation(manifest, name, columns, schema, folded, place, readings=readings) == alone
    assert len(readings) == len(cases) - 1
    assert [each.code for each in compile_operation(manifest, "again", COLUMNS, LEAD, folded, place).diagnostics] == [
        "M305"
    ]
