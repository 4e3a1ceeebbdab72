"""Which paths can say an operation: one sentence for each that cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncer.facts import Action, Capabilities, FieldSchema, FieldType, KeyLimit, ObjectSchema, PathCapability, System
from syncer.plan.meaning import objection
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
