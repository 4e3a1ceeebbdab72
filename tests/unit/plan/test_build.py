"""Facts in, one plan out: the same for the same inputs, and every refusal at once."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from syncer.errors import PlanRefusedError
from syncer.facts import RejectFacts
from syncer.plan.digest import dump
from syncer.plan.models import Digest
from tests.fakes.capabilities import BULK, LEAD, PUSH, SYNC
from tests.fakes.projects import ABLE, INPUTS, plan
from tests.fakes.rows import facts

ROOT = Path(__file__).parents[3]


def test_a_step_names_its_operation_wave_and_path() -> None:
    """Ids are stable, and a mixed step says that it takes all shapes of its wave."""
    made = plan({"newsletter": {}}, {"newsletter": facts("newsletter", LEAD, ((40_000, 200), (7,)))})
    assert [(node.id, node.shapes, node.records) for node in made.nodes] == [
        ("newsletter/1/sync", (1,), 200),
        ("newsletter/1/bulk", (0,), 40_000),
        ("newsletter/2/sync", None, 7),
    ]


def test_a_file_of_one_shape_names_its_shapes_even_when_it_takes_them_all() -> None:
    """Only a mixed format may leave the shapes open."""
    (node,) = plan({"a": {}}, {"a": facts("a", LEAD, ((40_000,),))}).nodes
    assert (node.path, node.shapes) == ("bulk", (0,))


def test_steps_stand_in_an_order_that_their_edges_follow() -> None:
    """Whoever reads from top to bottom reads what happens first."""
    made = plan({"a": {"after": ["b"]}, "b": {}}, {name: facts(name, LEAD) for name in "ab"})
    assert [node.operation for node in made.nodes] == ["b", "a"]
    assert [each.name for each in made.operations] == ["a", "b"]


def test_a_fixed_path_stands_alone_and_says_why() -> None:
    """The dearer path is taken, with the person's reason; the others lose to it."""
    made = plan({"a": {"path": "sync", "because": "it is Monday."}}, {"a": facts("a", LEAD, ((40_000,),))})
    (node,) = made.nodes
    assert (node.path, node.reason) == ("sync", "The manifest fixes it: it is Monday.")
    assert [(each.path, each.reason) for each in node.losing] == [
        ("push", 'It needs "program", which the operation does not set.'),
        ("bulk", 'The manifest fixes path "sync".'),
    ]


def refusal(operation: dict[str, object], *, clears: tuple[str, ...] = ()) -> PlanRefusedError:
    """Return the refusal of an operation with a large shape and a small one."""
    with pytest.raises(PlanRefusedError) as refused:
        plan({"a": operation}, {"a": facts("a", LEAD, ((40_000, 10),), clears=clears)})
    return refused.value


def test_a_fixed_path_that_cannot_say_it_is_refused() -> None:
    """By its own sentence, without those of the paths that nobody asked for."""
    error = refusal({"path": "bulk", "because": "cheap", "action": "create"})
    assert (error.code, error.detail.splitlines()[1:]) == ("P105", ['"bulk": It cannot "create".'])


def test_a_fixed_path_that_cannot_clear_is_refused_for_its_wave() -> None:
    """A part of the rows is enough: a fixed path has no second beside it."""
    error = refusal({"path": "bulk", "because": "cheap"}, clears=("phone",))
    assert error.code == "P105"
    assert error.detail.splitlines() == [
        'Operation "a", wave 1, cannot go by the path that the manifest fixes:',
        '"bulk": It cannot clear a field, and 10 records clear "phone".',
    ]


def test_a_fixed_path_without_a_reason_still_plans() -> None:
    """The manifest's check asks for the reason; a plan made otherwise says that there is none."""
    made = plan({"a": {"path": "sync", "because": "x"}}, {"a": facts("a", LEAD)})
    assert made.nodes[0].reason == "The manifest fixes it: x"


def test_a_fixed_path_that_does_not_exist_is_refused_with_those_that_do() -> None:
    """The object's own paths are named."""
    assert refusal({"path": "bulk2", "because": "x"}).detail == (
        'Operation "a" fixes path "bulk2", but object "lead" has "sync", "push" and "bulk".'
    )


def test_an_operation_that_no_path_can_say_is_refused_with_each_sentence() -> None:
    """One line a path."""
    error = refusal({"action": "delete"})
    assert (error.code, len(error.detail.splitlines())) == ("P104", 4)


def test_rows_that_no_path_can_say_are_refused_for_their_wave() -> None:
    """Where only some rows ask for too much, the sentence counts them."""
    able = {("marketo", "lead"): replace(LEAD, paths=(PUSH, BULK))}
    with pytest.raises(PlanRefusedError) as refused:
        plan({"a": {}}, {"a": facts("a", LEAD, ((900, 10),), clears=("phone", "city"))}, able=able)
    assert refused.value.code == "P104"
    assert '"bulk": It cannot clear a field, and 10 records clear "city" and "phone".' in refused.value.detail


def test_an_object_without_paths_is_refused() -> None:
    """Nothing is known of it, so nothing is promised."""
    with pytest.raises(PlanRefusedError, match='connection "marketo" has no path to it'):
        plan({"a": {}}, {"a": facts("a", LEAD)}, able={("crm", "Contact"): ABLE["crm", "Contact"]})


def test_all_refusals_come_at_once() -> None:
    """A person mends everything in one round."""
    with pytest.raises(PlanRefusedError) as refused:
        plan(
            {"a": {"guards": {"min_rows": 5000}, "after": ["b"]}, "b": {"action": "delete", "after": ["a"]}},
            {name: facts(name, LEAD) for name in "ab"},
            budget={"calls_per_day": 1},
        )
    assert [each.code for each in refused.value.refusals] == ["P102", "P104", "P101", "P106"]
    assert str(refused.value).count("error P") == 4


def test_a_path_that_leaves_doubt_is_noted_once() -> None:
    """A push that lost its answer can be proved by nothing."""
    operation = {"activity": "required", "program": "Trials"}
    (made,) = plan({"a": operation}, {"a": facts("a", LEAD, ((900,), (5,)))}).operations
    assert made.warnings == (
        'By path "push" a lost answer cannot be settled by reading back: such records end in doubt.',
    )


def test_rejects_stand_by_weight() -> None:
    """The most frequent reason comes first."""
    lines = (RejectFacts("V203", "email", 3, (7,)), RejectFacts("V101", "score", 9))
    (made,) = plan({"a": {}}, {"a": replace(facts("a", LEAD, rejected=12), rejects=lines)}).operations
    assert [(line.code, line.records) for line in made.rejects] == [("V101", 9), ("V203", 3)]


def test_the_order_of_inputs_never_matters() -> None:
    """Digests are sorted by name."""
    pair = (Digest(name="b", digest="1"), Digest(name="a", digest="2"))
    one = plan({"a": {}}, {"a": facts("a", LEAD)}, inputs=INPUTS.model_copy(update={"sources": pair}))
    two = plan({"a": {}}, {"a": facts("a", LEAD)}, inputs=INPUTS.model_copy(update={"sources": pair[::-1]}))
    assert dump(one) == dump(two)


def test_shapes_and_waves_may_be_told_in_any_order() -> None:
    """Facts are sets; the plan is the same."""
    known = facts("a", LEAD, ((40_000, 8_000, 30), (900,)))
    turned = replace(known, slices=known.slices[::-1], waves=known.waves[::-1])
    assert dump(plan({"a": {}}, {"a": known})) == dump(plan({"a": {}}, {"a": turned}))


def test_the_plan_is_the_same_under_any_hash_seed() -> None:
    """Sets and dictionaries of a process leave no trace in the artifact."""
    script = (
        "from tests.fakes.rows import facts; from tests.fakes.projects import plan;"
        "from tests.fakes.capabilities import LEAD;"
        "print(plan({n: {} for n in 'abcde'}, {n: facts(n, LEAD, ((40000, 8000, 30), (7,))) for n in 'abcde'}).digest)"
    )
    digests = {
        subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(digests) == 1


def test_the_sum_of_the_steps_is_what_goes_out() -> None:
    """No record is planned twice or lost."""
    made = plan({"a": {}}, {"a": facts("a", LEAD, ((40_000, 8_000, 30), (900, 2)))})
    assert sum(node.records for node in made.nodes) == made.operations[0].outgoing
    assert {node.path for node in made.nodes} <= {SYNC.name, BULK.name}
