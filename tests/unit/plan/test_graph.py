"""The order of steps: every reason to wait is an edge, no circle passes, and the work stays linear."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.capability import PathKind
from syncer.errors import PlanRefusedError
from syncer.facts import Action, FieldSchema, FieldType, ObjectSchema, SharedKeys, System
from syncer.plan.graph import GATHER, CircleError, Step, build_edges
from syncer.plan.models import Node, Plan
from tests.fakes.capabilities import LEAD, LIST_MEMBER
from tests.fakes.projects import ABLE, plan
from tests.fakes.rows import facts

CONTACT = ABLE["crm", "Contact"]
ACCOUNT = ABLE["crm", "Account"]


def field(name: str, *parents: str) -> FieldSchema:
    """Return a field, a reference where it has parents."""
    return FieldSchema(name, FieldType.TEXT, "reference" if parents else "string", is_key=True, reference_to=parents)


SCHEMAS = {
    ("crm", "Contact"): ObjectSchema(
        System.SALESFORCE, "Contact", (field("Key__c"), field("AccountId", "Account"), field("Firm__c", "Account"))
    ),
    ("crm", "Account"): ObjectSchema(
        System.SALESFORCE, "Account", (field("Key__c"), field("Main__c", "Contact"), field("ParentId", "Account"))
    ),
}
CONTACTS = {"target": "contacts"}
ACCOUNTS = {"target": "accounts"}


def node(operation: str) -> Node:
    """Return one step of one request."""
    return Node(
        id=f"{operation}/1/sync",
        operation=operation,
        wave=1,
        path="sync",
        kind=PathKind.IMMEDIATE,
        shapes=None,
        records=1,
        units=1,
        bytes=1,
        calls=1,
        polls=0,
        minutes=0.0,
        is_exact=True,
        reason="",
    )


def edges(plan: Plan) -> list[tuple[str, str]]:
    """Return pairs of operations that wait."""
    return [(edge.before.split("/")[0], edge.after.split("/")[0]) for edge in plan.edges]


def leads(*names: str, records: int = 900) -> dict[str, object]:
    """Return the facts of operations that write a few leads."""
    return {name: facts(name, LEAD, ((records,),)) for name in names}


def test_each_step_of_a_wave_waits_for_all_of_the_wave_before() -> None:
    """A wave that goes two ways is done when both are."""
    made = plan({"a": {}}, {"a": facts("a", LEAD, ((40_000, 200), (7,)))})
    assert [(edge.before, edge.after, edge.reason) for edge in made.edges] == [
        ("a/1/bulk", "a/2/sync", "Wave 2 follows wave 1."),
        ("a/1/sync", "a/2/sync", "Wave 2 follows wave 1."),
    ]


def test_after_is_an_edge_from_the_last_wave_to_the_first() -> None:
    """What the manifest declares holds between whole operations."""
    made = plan({"a": {"after": ["b"]}, "b": {}}, {"a": facts("a", LEAD), "b": facts("b", LEAD, ((900,), (5,)))},
                shared=[SharedKeys("a", "b", 0)])  # fmt: skip
    reasons = {(edge.before, edge.after): edge.reason for edge in made.edges}
    assert reasons["b/2/sync", "a/1/sync"] == '"a" says "after: [b]".'


def test_after_holds_across_an_operation_with_nothing_to_send() -> None:
    """Where the one between has no steps, its own befores are waited for."""
    known = leads("a", "c") | {"b": facts("b", LEAD, ())}
    made = plan({"c": {}, "b": {"after": ["c"]}, "a": {"after": ["b"]}}, known, shared=[SharedKeys("a", "c", 0)])
    assert edges(made) == [("c", "a")]


def test_after_an_operation_outside_the_plan_is_a_warning() -> None:
    """A selection may leave it out; the reviewer is told."""
    made = plan({"a": {"after": ["b"]}, "b": {}}, leads("a"))
    assert made.warnings == ('"a" runs after "b", which is not part of this plan.',)


def test_keys_in_common_join_two_operations_and_are_counted() -> None:
    """By name, where nothing else orders them, and with a warning that says so."""
    made = plan({"b": {}, "a": {}}, leads("a", "b"), shared=[SharedKeys("b", "a", 1204)])
    assert [(edge.before, edge.after, edge.keys, edge.reason) for edge in made.edges] == [
        ("a/1/sync", "b/1/sync", 1204, "1,204 keys in common.")
    ]
    assert made.warnings == (
        (
            '"b" writes keys after "a" (1,204) only by the order of names: '
            'say "after" in one of them to fix who writes last.'
        ),
    )


def test_keys_in_common_follow_the_declared_order_however_far() -> None:
    """A chain of "after" through a third operation decides who writes last, and no warning is needed."""
    made = plan(
        {"a": {"after": ["m"]}, "m": {"after": ["z"]}, "z": {}},
        leads("a", "m", "z"),
        shared=[SharedKeys("a", "z", 5), SharedKeys("a", "m", 0), SharedKeys("m", "z", 0)],
    )
    assert ("z", "a") in edges(made)
    assert made.warnings == ()


def test_disjoint_keys_run_side_by_side() -> None:
    """A semi-join that counted nothing leaves no edge."""
    assert plan({"a": {}, "b": {}}, leads("a", "b"), shared=[SharedKeys("a", "b", 0)]).edges == ()


@pytest.mark.parametrize("shared", [[], [SharedKeys("a", "b", None)]])
def test_keys_that_nobody_counted_are_taken_to_meet(shared: list[SharedKeys]) -> None:
    """Not knowing is no licence."""
    made = plan({"a": {}, "b": {}}, leads("a", "b"), shared=shared)
    assert [edge.reason for edge in made.edges] == ["Whether their keys meet is not known."]


def test_a_count_of_operations_in_different_key_spaces_is_ignored() -> None:
    """Equal texts in two objects are not one record."""
    made = plan(
        {"a": {}, "b": {"target": "contacts"}},
        leads("a") | {"b": facts("b", CONTACT)},
        shared=[SharedKeys("a", "b", 9), SharedKeys("a", "gone", 9)],
    )
    assert made.edges == ()


def test_one_object_by_two_lookup_fields_is_written_in_turn() -> None:
    """No key tells whether two lookup fields find one record, so nobody writes it at the same time."""
    steps = [
        Step(name, "marketo one", "lead", (key,), Action.UPSERT)
        for name, key in (("a", "email"), ("b", "email"), ("c", "externalKey"))
    ]
    nodes = {step.name: [[node(step.name)]] for step in steps}
    _, found, _ = build_edges(steps, nodes, [SharedKeys("a", "b", 0)])
    assert [(edge.before, edge.after) for edge in found] == [("a/1/sync", "c/1/sync"), ("b/1/sync", "c/1/sync")]


def test_many_operations_by_two_lookup_fields_stand_in_a_row() -> None:
    """As safe as every pair, and linear."""
    names = [f"o{index:02d}" for index in range(GATHER + 2)]
    steps = [
        Step(name, "marketo one", "lead", (("email", "id")[i % 2],), Action.UPSERT) for i, name in enumerate(names)
    ]
    _, found, _ = build_edges(steps, {name: [[node(name)]] for name in names}, [])
    row = {(f"{a}/1/sync", f"{b}/1/sync") for a, b in pairwise(names)}
    assert row <= {(edge.before, edge.after) for edge in found}


def test_many_operations_of_one_key_space_that_nobody_counted_stand_in_a_row() -> None:
    """One after the other is as safe as all pairs, and linear."""
    names = [f"op{index:02d}" for index in range(GATHER + 2)]
    made = plan({name: {} for name in names}, leads(*names), shared=[SharedKeys("op00", "op01", 7)])
    assert edges(made) == list(pairwise(names))


def test_two_connections_to_one_address_are_one_instance() -> None:
    """The key space is the vendor's, not the manifest's name for it."""
    steps = [Step("a", "marketo {{ env.URL }}", "lead", ("email",), "upsert"),  # type: ignore[arg-type]
             Step("b", "marketo {{ env.URL }}", "LEAD", ("Email",), "upsert")]  # type: ignore[arg-type]  # fmt: skip
    assert steps[0].key_space == steps[1].key_space


@pytest.mark.parametrize("carried", ["AccountId", "Account.Key__c", "Firm__r.Key__c"])
def test_parents_are_written_before_those_that_point_to_them(carried: str) -> None:
    """A written reference field, by its own name or by its relation, makes the edge."""
    made = plan(
        {"a": CONTACTS, "b": ACCOUNTS},
        {"a": facts("a", CONTACT, fields=("Key__c", carried)), "b": facts("b", ACCOUNT, fields=("Key__c",))},
        schemas=SCHEMAS,
    )
    assert edges(made) == [("b", "a")]
    assert made.edges[0].reason == '"Account" records are written before those that point to them.'


@pytest.mark.parametrize("carried", ["Key__c", "Nowhere__c", "Other.Key__c"])
def test_a_field_that_points_nowhere_makes_no_edge(carried: str) -> None:
    """References that are not written do not order anything."""
    known = {"a": facts("a", CONTACT, fields=(carried,)), "b": facts("b", ACCOUNT, fields=("Key__c", "ParentId"))}
    assert plan({"a": CONTACTS, "b": ACCOUNTS}, known, schemas=SCHEMAS).edges == ()
    assert plan({"a": CONTACTS, "b": ACCOUNTS}, known).edges == ()


def test_parents_are_deleted_after_those_that_point_to_them() -> None:
    """Writing to a record that is about to go comes first."""
    known = {"a": facts("a", ACCOUNT), "b": facts("b", CONTACT, fields=("AccountId",))}
    made = plan({"a": ACCOUNTS | {"action": "delete"}, "b": CONTACTS}, known, schemas=SCHEMAS)
    assert edges(made) == [("b", "a")]


def test_after_outranks_what_the_description_suggests() -> None:
    """The person who writes it knows why; other parents keep their place."""
    known = {name: facts(name, ACCOUNT) for name in ("late", "early")} | {
        "people": facts("people", CONTACT, fields=("AccountId",))
    }
    made = plan(
        {"late": ACCOUNTS | {"after": ["people"]}, "early": ACCOUNTS, "people": CONTACTS},
        known,
        schemas=SCHEMAS,
        shared=[SharedKeys("late", "early", 0)],
    )
    assert edges(made) == [("early", "people"), ("people", "late")]


def test_after_a_delete_outranks_deleting_last() -> None:
    """An operation that says it follows one delete still stands before the others."""
    known = {name: facts(name, ACCOUNT) for name in ("first", "last")} | {
        "people": facts("people", CONTACT, fields=("AccountId",))
    }
    gone = ACCOUNTS | {"action": "delete"}
    made = plan(
        {"first": gone, "last": gone, "people": CONTACTS | {"after": ["first"]}},
        known,
        schemas=SCHEMAS,
        shared=[SharedKeys("first", "last", 0)],
    )
    assert edges(made) == [("first", "people"), ("people", "last")]


def test_lists_are_filled_after_their_leads_are_written() -> None:
    """Membership takes leads that stand."""
    known = leads("z") | {"a": facts("a", LIST_MEMBER)}
    made = plan({"z": {}, "a": {"target": "lists", "action": "add", "list": "L"}}, known)
    assert edges(made) == [("z", "a")]


def test_a_list_without_leads_in_the_plan_waits_for_nobody() -> None:
    """Only what is planned can be waited for."""
    operation = {"target": "lists", "action": "add", "list": "L"}
    assert plan({"a": operation}, {"a": facts("a", LIST_MEMBER)}).edges == ()


def test_many_parents_and_many_children_meet_in_one_step() -> None:
    """The last parent gathers the others, so the edges grow with the operations and not with the pairs."""
    count = 60
    parents = {f"lead{index:02d}": {} for index in range(count)}
    children = {f"list{index:02d}": {"target": "lists", "action": "add", "list": "L"} for index in range(count)}
    known = {name: facts(name, LEAD) for name in parents} | {name: facts(name, LIST_MEMBER) for name in children}
    made = plan(parents | children, known)
    assert len(made.edges) <= 6 * count
    gathered = f"It gathers {count} operations that others wait for."
    assert sum(gathered in edge.reason for edge in made.edges) == count - 1
    reach: dict[str, set[str]] = {}
    for node in made.nodes:
        reach[node.id] = set().union(
            *({edge.before} | reach[edge.before] for edge in made.edges if edge.after == node.id)
        )
    assert all({f"{parent}/1/sync" for parent in parents} <= reach[f"{child}/1/calls"] for child in children)


def test_a_circle_is_refused_and_printed_with_each_reason() -> None:
    """Declared and described reasons stand side by side."""
    known = {
        "people": facts("people", CONTACT, fields=("AccountId",)),
        "firms": facts("firms", ACCOUNT, fields=("Main__c",)),
        "later": facts("later", LEAD),
    }
    with pytest.raises(PlanRefusedError) as refused:
        plan({"people": CONTACTS, "firms": ACCOUNTS, "later": {"after": ["people"]}}, known, schemas=SCHEMAS)
    assert refused.value.code == "P106"
    assert '"firms" → "people" → "firms"' in refused.value.detail
    assert "records are written before those that point to them." in refused.value.detail


@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40), st.sets(st.integers(0, 14)))
def test_every_declared_wait_is_kept_or_the_circle_is_real(pairs: list[tuple[int, int]], empty: set[int]) -> None:
    """Whatever waits for whatever, directly or through operations without steps, is reachable in the edges."""
    after: dict[int, set[int]] = {index: set() for index in range(15)}
    for first, second in pairs:
        after[second].add(first)
    steps = [
        Step(str(index), "i", str(index), ("k",), "upsert", tuple(map(str, sorted(found))))  # type: ignore[arg-type]
        for index, found in after.items()
    ]
    nodes = {str(index): [] if index in empty else [[node(str(index))]] for index in range(15)}
    reach = {index: set(found) for index, found in after.items()}
    for _ in range(15):
        reach = {index: found.union(*(reach[each] for each in found)) for index, found in reach.items()}
    try:
        order, made, _ = build_edges(steps, nodes, [])
    except CircleError as circle:
        names = [name for name, _ in circle.path]
        assert names[0] == names[-1]
        assert all(int(before) in after[int(name)] for name, before in pairwise(names))
        return
    assert not any(index in found for index, found in reach.items())
    place = {name: index for index, name in enumerate(order)}
    joined: dict[str, set[str]] = {name: set() for name in order}
    for name in order:
        for edge in made:
            if edge.after.split("/")[0] == name:
                before = edge.before.split("/")[0]
                assert place[before] < place[name]
                joined[name] |= {before} | joined[before]
    for index, found in reach.items():
        if index not in empty:
            assert {str(each) for each in found - empty} <= joined[str(index)]
