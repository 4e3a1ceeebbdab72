"""Which paths can say an operation: one sentence for each that cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncer.capability import Capabilities, KeyLimit, PathCapability
from syncer.facts import Action, FieldSchema, FieldType, ObjectSchema, SliceFacts, System
from syncer.plan.meaning import objection, rows_objection, says
from tests.fakes.capabilities import BULK, LEAD, LIST_MEMBER, PUSH, SYNC
from tests.fakes.projects import TARGETS, manifest

LEADS = ObjectSchema(
    System.MARKETO,
    "lead",
    (
        FieldSchema("email", FieldType.TEXT, "email", is_key=True),
        FieldSchema("phone", FieldType.TEXT, "phone"),
    ),
)


def said(
    path: PathCapability,
    key: object = "email",
    able: Capabilities = LEAD,
    schema: ObjectSchema | None = None,
    **more: str,
) -> str:
    """Return the objection of a path to an operation on leads."""
    made = manifest({"trial": more}, targets=TARGETS | {"leads": TARGETS["leads"] | {"key": key}})
    return objection(made.operations["trial"], made.targets["leads"], path, able, schema)


@pytest.mark.parametrize(
    ("path", "operation", "sentence"),
    [
        (SYNC, {}, ""),
        (BULK, {"action": "create"}, 'It cannot "create".'),
        (PUSH, {}, 'It needs "program", which the operation does not set.'),
        (
            PUSH,
            {"program": "P"},
            'It writes an activity on each record, and the operation does not say "activity: allowed".',
        ),
        (PUSH, {"program": "P", "activity": "allowed"}, ""),
        (PUSH, {"program": "P", "activity": "required"}, ""),
        (SYNC, {"program": "P", "activity": "allowed"}, ""),
        (SYNC, {"program": "P"}, 'It cannot carry "program".'),
        (SYNC, {"activity": "required"}, 'It writes no activity, and the operation says "activity: required".'),
        (BULK, {"list": "L", "partition": "P"}, ""),
        (SYNC, {"list": "L"}, 'It cannot carry "list".'),
    ],
)
def test_a_path_says_why_it_cannot(path: PathCapability, operation: dict[str, str], sentence: str) -> None:
    """Action, options and activity, each in a sentence; "" where it can."""
    assert said(path, **operation) == sentence


def test_a_key_of_too_many_fields_is_refused_with_the_rule() -> None:
    """The path's own sentence on keys is shown."""
    assert said(SYNC, key=["email", "phone"]) == 'The key is "email" and "phone". It takes one lookup field.'


def test_a_key_outside_the_path_s_own_is_refused() -> None:
    """List membership goes by the lead's id alone."""
    (path,) = LIST_MEMBER.paths
    assert said(path, action="add", list="L") == 'The key is "email". It takes the lead\'s id.'
    assert said(path, key="id", action="add", list="L") == ""


@pytest.mark.parametrize(
    ("limit", "is_refused"),
    [
        (KeyLimit(frozenset({Action.UPSERT}), only=frozenset({"id"})), True),
        (KeyLimit(frozenset({Action.UPSERT}), only=frozenset({"email"})), False),
        (KeyLimit(frozenset({Action.UPSERT}), never=frozenset({"email"})), True),
        (KeyLimit(frozenset({Action.UPSERT}), never=frozenset({"id"})), False),
        (KeyLimit(frozenset({Action.UPDATE}), only=frozenset({"id"})), False),
    ],
)
def test_a_key_may_depend_on_the_action(
    limit: KeyLimit,
    is_refused: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """An update by id alone, an upsert by anything but the id."""
    assert bool(said(replace(SYNC, key_limits=(limit,)))) == is_refused


def test_a_field_that_describe_does_not_call_a_key_is_refused() -> None:
    """Only lookup fields find a record; a field that describe does not know is for the manifest's check."""
    assert said(SYNC, key="phone", schema=LEADS) == '"phone" cannot find a record of "lead". It takes one lookup field.'
    assert said(SYNC, key="email", schema=LEADS) == ""
    assert said(SYNC, key="nowhere", schema=LEADS) == ""
    assert said(replace(SYNC, key_fields=frozenset({"phone"})), key="phone", schema=LEADS) == ""


SEATS = ObjectSchema(
    System.MARKETO,
    "seat_c",
    (
        FieldSchema("account", FieldType.TEXT, "string", is_key=True, is_required=True),
        FieldSchema("seat", FieldType.INTEGER, "integer", is_key=True, is_required=True),
        FieldSchema("guid", FieldType.TEXT, "string", is_key=True, is_unique=True),
        FieldSchema("label", FieldType.TEXT, "string", is_key=True),
    ),
)


@pytest.mark.parametrize(
    ("key", "is_refused"),
    [
        (["account", "seat"], False),
        (["seat", "account"], False),
        (["guid"], False),
        (["account"], True),
        (["label"], True),
        (["guid", "label"], True),
        (["nowhere"], False),
    ],
)
def test_a_path_may_take_only_what_tells_records_apart(
    key: list[str],
    is_refused: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A custom object is told by its id or by all its dedupe fields; what describe does not know is for `validate`."""
    path = replace(SYNC, takes_identity=True, max_key_fields=3)
    assert bool(said(path, key=key, schema=SEATS)) == is_refused
    assert said(path, key=key) == ""


RICH = SliceFacts(1, 0, ("company", "email"), (), 1)
POOR = SliceFacts(1, 1, ("email",), ("company", "phone"), 1_200)
PLAIN = SliceFacts(1, 2, ("email",), (), 7)


def test_a_path_may_refuse_fields_and_names_the_rows_that_carry_them() -> None:
    """Written or cleared, it is the field that is refused; rows without it may go."""
    path = replace(SYNC, refused_fields=frozenset({"company", "site"}), refused_rule="It writes no company.")
    assert [says(path, each) for each in (RICH, POOR, PLAIN)] == [False, False, True]
    assert rows_objection(path, (RICH, PLAIN)) == 'It writes no company. 1 record writes "company".'
    assert rows_objection(path, (RICH, POOR)) == 'It writes no company. 1,201 records write "company".'
    assert rows_objection(path, (PLAIN,)) == ""


def test_a_path_that_cannot_clear_names_the_rows_that_do() -> None:
    """One record clears, many clear."""
    assert rows_objection(BULK, (replace(POOR, records=1),)) == (
        'It cannot clear a field, and 1 record clears "company" and "phone".'
    )
    assert rows_objection(BULK, (POOR, PLAIN)) == (
        'It cannot clear a field, and 1,200 records clear "company" and "phone".'
    )
