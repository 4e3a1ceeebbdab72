"""An operation that deletes what left is an operation like any other, with a name that nobody can write."""

from __future__ import annotations

import re

from syncer.facts import Action
from syncer.manifest.gone import cleared_by, name_of, with_gone
from syncer.manifest.models import NAME_PATTERN, Deletes, Duplicates, Guards, Manifest

MANIFEST = Manifest.model_validate(
    {
        "version": 1,
        "targets": {"leads": {"connection": "m", "object": "lead", "key": "email"}},
        "mappings": {"to_lead": {"email": "{{ email }}"}},
        "operations": {
            "kept": {"source": "rows", "mapping": "to_lead", "target": "leads"},
            "cleared": {
                "source": "rows",
                "mapping": "to_lead",
                "target": "leads",
                "deletes": "delete",
                "guards": {"max_deletes": 5, "max_changes": 9},
                "tags": ["daily"],
                "partition": "Europe",
                "run_marker": "syncerRun",
                "path": "sync",
                "because": "It is a test.",
            },
            "emptied": {
                "source": "rows",
                "mapping": "to_lead",
                "target": "leads",
                "action": "add",
                "list": "Members",
                "deletes": "remove",
            },
            "lost": {"source": "rows", "mapping": "to_lead", "target": "nowhere", "deletes": "delete"},
        },
    }
)
IDS = {("m", "lead"): "id"}


def test_each_operation_that_deletes_gets_another_one() -> None:
    """One that ignores what left, or whose target is not known, gets none."""
    assert set(with_gone(MANIFEST, IDS).operations) - set(MANIFEST.operations) == {"cleared.gone", "emptied.gone"}
    assert with_gone(MANIFEST, {}).operations == MANIFEST.operations


def test_no_name_that_people_write_can_be_its_name() -> None:
    """And it leads back to whom it clears up after."""
    assert not re.match(NAME_PATTERN, name_of("cleared"))
    assert (cleared_by(name_of("cleared")), cleared_by("cleared")) == ("cleared", "")


def test_it_deletes_by_the_vendors_id_and_writes_nothing() -> None:
    """Its counts are guarded by the operation that it clears up after, and it goes by any path."""
    made = with_gone(MANIFEST, IDS)
    operation = made.operations["cleared.gone"]
    assert made.targets["cleared.gone"].key_fields == ("id",)
    assert made.mappings["cleared.gone"].fields["id"].value == "{{ id }}"
    assert (operation.action, operation.deletes, operation.after) == (Action.DELETE, Deletes.IGNORE, ("cleared",))
    assert (operation.path, operation.because, operation.guards) == ("auto", None, Guards())
    assert (operation.options, operation.only, operation.duplicates) == ({}, "all", Duplicates.REJECT)
    assert (operation.source, operation.tags) == ("rows", ("daily",))


def test_a_member_is_taken_out_of_the_list_that_it_was_added_to() -> None:
    """The record itself stays."""
    operation = with_gone(MANIFEST, IDS).operations["emptied.gone"]
    assert (operation.action, operation.options) == (Action.REMOVE, {"list": "Members"})
