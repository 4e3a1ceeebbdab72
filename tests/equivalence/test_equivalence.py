"""Whatever path carries it, an operation means the same: generated manifests, played by every path that may.

A capability that claims too much is caught by the same question; each of those planted here is found by it.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from syncer.capability import CsvFormat, PathCapability
from syncer.facts import Action
from tests.equivalence.stories import KINDS, Story, stories
from tests.equivalence.trial import AUTO, Played, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

    from tests.equivalence.trial import Change

LEAD, ORDER, SEAT, CONTACT, ACCOUNT = KINDS
PUSHED = "Push Lead to Marketo"
MANIFESTS = os.environ.get("SYNCER_EQUIVALENCE")
"""How many manifests are played; unset, a few, the same ones in every run. They are small, so none is made smaller."""
USUAL = settings(deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


def played(story: Story, change: Change = lambda path: path) -> Played:
    """Play a story in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return play(story, Path(folder), change)


def differences(story: Story, ways: Played) -> Iterator[str]:
    """Yield in what the ways differ: records, outcomes, activities; and where a fixed path was bent."""
    told = list(ways.told.items())
    for way, each in told[1:]:
        name, first = told[0]
        if each.state != first.state:
            yield f"{name} and {way} leave other records: {first.state} and {each.state}"
        if each.outcomes != first.outcomes:
            yield f"{name} and {way} end otherwise: {first.outcomes} and {each.outcomes}"
    for way, each in told:
        if way != AUTO and {node.path for node in each.plan.nodes} - {way}:
            yield f"{way} was asked for, and the plan goes another way"
        pushed = each.activities.get(PUSHED, 0)
        wanted = {"none": {0}, "required": {each.outcomes.get("written", 0)}}.get(story.activity)
        if wanted and pushed not in wanted:
            yield f"{way} writes {pushed} activities, and the operation says {story.activity}"


def miscounts(ways: Played) -> Iterator[str]:
    """Yield each way whose calls, as the instance counted them, are not those of the plan, or are above its bound."""
    for way, each in ways.told.items():
        is_right = each.counted == each.planned if each.is_immediate else each.counted <= each.planned
        if not is_right:
            yield f"{way} was planned with {each.planned} calls and made {each.counted}"


@settings(USUAL, max_examples=int(MANIFESTS or 40), derandomize=not MANIFESTS)
@given(stories())
def test_every_admitted_path_leaves_the_same_records_at_the_price_of_the_plan(story: Story) -> None:
    """Records, outcomes and activities are equal; calls are the plan's, exactly or within the bound of polled paths."""
    ways = played(story)
    assert [*differences(story, ways), *miscounts(ways)] == []
    assert all("cannot go by" in sentence for sentence in ways.refused.values())


def bulk_clears(path: PathCapability) -> PathCapability:
    """An empty cell is taken for a cleared field, where nobody has checked the instance."""
    return _csv(path, "bulk", clear_text="") if path.name == "bulk" else path


def bulk_mixes_shapes(path: PathCapability) -> PathCapability:
    """An empty cell is taken for a field left alone, where nobody has checked the instance."""
    return _csv(path, "bulk", needs_uniform_shape=False)


def bulk_updates_only(path: PathCapability) -> PathCapability:
    """Imports claim to leave unknown keys alone, whatever the key."""
    return replace(path, key_limits=()) if path.name == "bulk" else path


def bulk_creates_only(path: PathCapability) -> PathCapability:
    """Imports claim to leave known keys alone."""
    return replace(path, actions=path.actions | {Action.CREATE}) if path.name == "bulk" else path


def push_is_silent(path: PathCapability) -> PathCapability:
    """Push Lead claims to write no activity."""
    return (
        replace(path, activity=False, required_options=frozenset(), options=path.options)
        if path.name == "push"
        else path
    )


def sync_fills_lists(path: PathCapability) -> PathCapability:
    """Sync Leads claims to put leads into a list."""
    return replace(path, options=path.options | {"list"}) if path.name == "sync" else path


def blank_cells_clear(path: PathCapability) -> PathCapability:
    """Salesforce's files claim to clear by an empty cell."""
    return _csv(path, "bulk2", clear_text="")


def _csv(path: PathCapability, name: str, **claims: object) -> PathCapability:
    if path.name != name or not isinstance(path.format, CsvFormat):
        return path
    form = replace(path.format, **claims)  # type: ignore[arg-type]
    return replace(path, format=form, allows_clear=form.clear_text is not None)


def _asking(**options: str) -> SearchStrategy[Story]:
    """Upserts of leads that say these options and allow no activity."""
    asked = tuple(options.items())
    return stories((LEAD,), Action.UPSERT).map(lambda story: replace(story, activity="none", options=asked))


@pytest.mark.parametrize(
    ("plant", "drawn"),
    [
        (bulk_clears, stories((LEAD,), Action.UPSERT, (("unknown", False),))),
        (bulk_mixes_shapes, stories((ORDER,), Action.UPSERT, (("unknown", True),))),
        (bulk_updates_only, stories((LEAD,), Action.UPDATE)),
        (bulk_creates_only, stories((SEAT,), Action.CREATE)),
        (push_is_silent, _asking(program="Spring Webinar")),
        (sync_fills_lists, _asking(list="1001")),
        (blank_cells_clear, stories((CONTACT,), Action.UPSERT)),
    ],
)
def test_a_path_that_claims_too_much_is_caught(plant: Change, drawn: SearchStrategy[Story]) -> None:
    """A capability that says more than its path can is shown by the first few manifests that rely on it."""
    chosen = settings(USUAL, max_examples=80, derandomize=True)
    find(drawn, lambda story: any(differences(story, played(story, plant))), settings=chosen)
