"""The five rules for a key that stands more than once."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.engine.protocol import RowReject
from syncer.manifest.models import Duplicates
from tests.fakes.pipelines import Stage, pipeline

Bodies = Callable[..., list[str]]
TWICE = "email,a,b\nx@x,1,\ny@x,5,5\nX@x,,2\nx@x,3,\n"


def test_serialize_sends_the_nth_occurrence_in_wave_n(staged: Stage, bodies: Bodies) -> None:
    """In source order, each wave with every key once."""
    rows = staged(pipeline("email", "a", "b"), TWICE)
    assert [each.records for each in rows.facts.waves] == [2, 1, 1]
    assert bodies(rows, wave=1) == ['[{"email":"x@x","a":"1"},{"email":"y@x","a":"5","b":"5"}]']
    assert bodies(rows, wave=2) == ['[{"email":"X@x","b":"2"}]']
    assert bodies(rows, wave=3) == ['[{"email":"x@x","a":"3"}]']
    assert (rows.facts.keys, rows.facts.folded) == (2, 1)


def test_last_sends_the_last(staged: Stage, bodies: Bodies) -> None:
    """Earlier rows of the key are skipped."""
    rows = staged(pipeline("email", "a", "b", duplicates=Duplicates.LAST), TWICE)
    assert bodies(rows) == ['[{"email":"y@x","a":"5","b":"5"},{"email":"x@x","a":"3"}]']
    assert (rows.facts.skipped, rows.facts.outgoing, rows.facts.keys) == (2, 2, 2)


def test_first_sends_the_first(staged: Stage, bodies: Bodies) -> None:
    """Later rows of the key are skipped."""
    rows = staged(pipeline("email", "a", "b", duplicates=Duplicates.FIRST), TWICE)
    assert bodies(rows) == ['[{"email":"x@x","a":"1"},{"email":"y@x","a":"5","b":"5"}]']
    assert rows.facts.skipped == 2


def test_merge_lays_later_values_over_earlier_ones(staged: Stage, bodies: Bodies) -> None:
    """One record in the last row's place; a null lays nothing over."""
    rows = staged(pipeline("email", "a", "b", duplicates=Duplicates.MERGE), TWICE)
    assert bodies(rows) == ['[{"email":"y@x","a":"5","b":"5"},{"email":"x@x","a":"3","b":"2"}]']
    assert (rows.facts.read, rows.facts.skipped, rows.facts.outgoing) == (4, 2, 2)


def test_reject_names_both_rows(staged: Stage) -> None:
    """Every row of a repeated key is refused, and says which other one has the key."""
    rows = staged(pipeline("email", "a", "b", duplicates=Duplicates.REJECT), TWICE)
    assert list(rows.rejects()) == [
        RowReject(1, "V211", "The key of this row stands also in row 4.", "email"),
        RowReject(3, "V211", "The key of this row stands also in row 1.", "email"),
        RowReject(4, "V211", "The key of this row stands also in row 1.", "email"),
    ]


def test_compound_keys_do_not_run_together(staged: Stage) -> None:
    """The parts of a key are told apart wherever their texts are cut."""
    rows = staged(pipeline("a", "b", key=("a", "b")), "a,b\nx,yz\nxy,z\nx,yz\n1:x,y\n1,x:y\n")
    assert (rows.facts.keys, len(rows.facts.waves)) == (4, 2)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abcABC"), st.integers(0, 3)), max_size=25))
def test_waves_replay_the_source(staged: Stage, bodies: Bodies, rows: list[tuple[str, int]]) -> None:
    """Wave by wave, every key sees its values in source order."""
    made = staged(pipeline("email", "n"), "email,n\n" + "".join(f"{key},{n}\n" for key, n in rows))
    seen: dict[str, list[int]] = {}
    for wave in made.facts.waves:
        records = [each for body in bodies(made, wave=wave.wave) for each in json.loads(body)]
        assert len({each["email"].lower() for each in records}) == len(records)
        for each in records:
            seen.setdefault(each["email"].lower(), []).append(int(each["n"]))
    wanted: dict[str, list[int]] = {}
    for key, n in rows:
        wanted.setdefault(key.lower(), []).append(n)
    assert seen == wanted
