"""What a plan says when there is much of a kind: many small waves, waits and digests are one line with a count."""

from __future__ import annotations

from dataclasses import replace

from syncer.facts import RejectFacts, SharedKeys
from syncer.plan import phrases
from syncer.plan.explain import explain
from syncer.plan.models import Digest, Plan
from tests.fakes.capabilities import LEAD
from tests.fakes.projects import INPUTS, plan
from tests.fakes.rows import facts


def waves(*records: int, fixed: str = "") -> Plan:
    """Return the plan of one operation whose waves have so many records."""
    said = {"path": fixed, "because": "It is so."} if fixed else {}
    return plan({"a": said}, {"a": facts("a", LEAD, [(each,) for each in records])})


def test_many_small_waves_are_one_line() -> None:
    """The first wave stands alone; those of one request each that follow are counted together."""
    first, rest = phrases.strides(waves(900, 5, 4, 3, 1).nodes)
    assert (first.waves, rest.waves) == ("wave 1", "waves 2 to 5")
    assert rest.text.startswith("13 records in 4 requests, 1.7 kB, 4 calls")
    assert rest.reason == "One request carries each of these waves."
    assert ("bulk", "It is cheaper for none of these waves.") in rest.losers


def test_a_reason_that_holds_for_each_wave_is_told_as_it_is() -> None:
    """A path that the manifest fixes is fixed for all of them."""
    _, rest = phrases.strides(waves(9, 5, 4, 3, 1, fixed="sync").nodes)
    assert rest.reason == "The manifest fixes it: It is so."
    assert ("bulk, push, list", 'The manifest fixes path "sync".') not in rest.losers
    assert any(reason == 'The manifest fixes path "sync".' for _, reason in rest.losers)


def test_few_waves_and_large_ones_stand_alone() -> None:
    """Up to three small waves are told one by one, and a wave of several requests always is."""
    assert len(phrases.strides(waves(9, 3, 2, 1).nodes)) == 4
    assert len(phrases.strides(waves(9_000, 700, 600, 500, 400).nodes)) == 5


def test_waves_that_follow_one_another_wait_in_one_line() -> None:
    """However the names of steps sort, and beside the waits for others."""
    made = plan(
        {"a": {}, "b": {"after": ["a"]}},
        {"a": facts("a", LEAD, [(1,)] * 12), "b": facts("b", LEAD)},
        shared=[SharedKeys("a", "b", 0)],
    )
    assert [f"{each.after} < {each.before}" for each in phrases.waits(made)] == [
        "a, waves 2 to 12 < the wave before",
        "b/1/sync < a/12/sync",
    ]
    text = explain(made)
    assert "  a, waves 2 to 12 wait for\n    the wave before: Each is sent when the one before it is settled.\n" in text
    assert "  b/1/sync waits for\n" in text


def test_digests_of_many_are_counted() -> None:
    """Nine operations are one line; the plan's file has each of them."""
    few, many = (tuple(Digest(name=f"o{n}", digest="7" * 64) for n in range(count)) for count in (8, 9))
    made = plan({"a": {}}, {"a": facts("a", LEAD)}, inputs=INPUTS.model_copy(update={"rows": few, "ledger": many}))
    told = phrases.made_of(made)
    assert ("rows o7", "7" * 64) in told
    assert told[-1] == ("ledger of 9 operations", "in the plan file, each with its digest")


def test_a_reject_says_what_its_code_means() -> None:
    """The title stands beside the code; a code of another version stands alone."""
    known = replace(facts("a", LEAD), rejects=(RejectFacts("V101", "score", 2, (4, 7)), RejectFacts("V1", "", 1)))
    first, second = plan({"a": {}}, {"a": known}).operations[0].rejects
    assert phrases.reject(first) == 'Not a whole number: 2 rows at "score", first in rows 4, 7'
    assert phrases.reject(second) == "1 row"
