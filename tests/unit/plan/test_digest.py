"""The plan as a file: what comes back is what was reviewed, or a plain refusal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import StalePlanError, SyncerError, UserError
from syncer.plan.digest import check_inputs, dump, load, verify
from syncer.plan.models import Digest, Inputs
from tests.fakes.capabilities import LEAD
from tests.fakes.projects import plan
from tests.fakes.rows import facts

PLAN = plan({"a": {}}, {"a": facts("a", LEAD, ((40_000, 8_000, 30), (7,)))})
TEXT = dump(PLAN)


def code(text: str) -> str:
    """Return the code that refuses a file."""
    with pytest.raises(UserError) as refused:
        load(text)
    return refused.value.code


def test_a_plan_comes_back_as_it_was() -> None:
    """Byte for byte, by way of its file."""
    assert load(TEXT) == PLAN
    assert dump(load(TEXT)) == TEXT


def test_layout_is_no_meaning() -> None:
    """A file that a formatter touched is still the plan that was reviewed."""
    assert load(json.dumps(json.loads(TEXT))) == PLAN


@pytest.mark.parametrize("size", [0, 1, 20, len(TEXT) // 2, len(TEXT) - 2])
def test_a_plan_that_was_cut_short_is_refused(size: int) -> None:
    """At any byte."""
    with pytest.raises(UserError, match="cut short") as refused:
        load(TEXT[:size])
    assert refused.value.code == "P108"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "P108"),
        ("{}", "P108"),
        ('{"format": 1}', "P108"),
        ("connections:\n  marketo: {}", "P108"),
        ('{"a": 1, "a": 2}', "P108"),
        ('{"a": NaN}', "P108"),
        ("[" * 100_000, "P108"),
        ("1" * 5_000, "P108"),
        ('{"format": 2, "nodes": []}', "P110"),
        ('{"format": "\\u001b[2J", "nodes": []}', "P110"),
        ('{"format": 1, "nodes": []}', "P109"),
    ],
)
def test_what_is_no_plan_is_refused_without_a_traceback(text: str, expected: str) -> None:
    """Not JSON, JSON of something else, another format, members that are missing."""
    assert code(text) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"records": 48000', '"records": 48001'),
        ('"path": "bulk"', '"path": "sync"'),
        ('"digest": "', '"digest": "0'),
        (f'"digest": "{PLAN.digest}"', '"digest": ""'),
        (f'"digest": "{PLAN.digest}"', f'"digest": "{"é" * 64}"'),
        (f'"digest": "{PLAN.digest}"', '"digest": "\\ud800"'),
    ],
)
def test_an_edited_plan_is_refused(old: str, new: str) -> None:
    """One character is enough."""
    assert old in TEXT
    with pytest.raises(StalePlanError) as refused:
        load(TEXT.replace(old, new, 1))
    assert refused.value.code == "P109"


def test_a_member_that_nobody_knows_is_an_edit() -> None:
    """The first place is named, its value is not."""
    members = json.loads(TEXT)
    members["nodes"][0]["secret"] = "hunter2"
    with pytest.raises(StalePlanError, match=r"the first at nodes\.0\.secret") as refused:
        load(json.dumps(members))
    assert "hunter2" not in str(refused.value)


def test_a_plan_in_memory_is_verified_too() -> None:
    """Whoever changes a copy has no plan any more."""
    verify(PLAN)
    with pytest.raises(StalePlanError):
        verify(PLAN.model_copy(update={"project": "other"}))


@given(st.integers(0, len(TEXT) - 1), st.text(max_size=3))
def test_no_mutation_ends_in_anything_but_our_own_errors(place: int, text: str) -> None:
    """Either the meaning is untouched, or the file is refused in plain words."""
    mutated = TEXT[:place] + text + TEXT[place + 1 :]
    try:
        assert load(mutated) == PLAN
    except SyncerError as error:
        assert error.code in {"P108", "P109", "P110"}  # noqa: PT017 - either end is right


def test_a_plan_whose_inputs_stand_is_fresh() -> None:
    """The order of digests says nothing."""
    check_inputs(PLAN, PLAN.inputs)


def test_everything_that_changed_is_named() -> None:
    """Appearing and vanishing are changes too."""
    old = Inputs(
        tool="1", manifest="m", sources=(Digest(name="contacts", digest="1"),), rows=(Digest(name="a", digest="1"),)
    )
    new = Inputs(
        tool="2", manifest="n", sources=(Digest(name="contacts", digest="2"),), ledger=(Digest(name="a", digest="4"),)
    )
    with pytest.raises(StalePlanError) as refused:
        check_inputs(PLAN.model_copy(update={"inputs": old}), new)
    assert refused.value.code == "P111"
    assert refused.value.detail == (
        'Since it was made, these have changed: the version of syncer, the manifest, source "contacts", rows of "a", '
        'ledger of "a".'
    )
