"""Journals that earlier versions wrote are read by this one: a file of each version stays here for ever.

A file is written once and never again; a change that cannot read it needs a new version of the journal.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syncer.execution.resume import Past, Stage
from syncer.state.journal import Line, read
from syncer.state.protocol import Parked

RUN = "20260302-080000-abcdef"
FOLDER = Path(__file__).parent / "journals"


def _lines(version: int) -> list[Line]:
    text = (FOLDER / f"version-{version}.jsonl").read_text(encoding="utf-8")
    return [Line(*json.loads(line)) for line in text.splitlines()]


@pytest.mark.parametrize("version", [1])
def test_a_run_of_an_older_version_goes_on_where_it_stood(version: int) -> None:
    """Every kind of note of a run that is not over is believed; each unit is at the stage where it was left."""
    past = Past()
    notes = list(read(RUN, _lines(version)))
    for note in notes:
        past.add(note)
    assert isinstance(notes[-1], Parked)
    assert {name: state.stage for name, state in past.units.items()} == {
        "a/1/sync/0000": Stage.SETTLED,
        "a/2/bulk/0000": Stage.SPLIT,
        "a/2/bulk/0000[rest]": Stage.UNSENT,
        "b/1/push/0000": Stage.RULED_UNSENT,
    }
    assert past.outcome_letters("a/1/sync/0000") == "cur"
    assert past.outcome_letters("a/2/bulk/0000") == "w" * 598 + ".."
    assert past.merged == {"c"}


@pytest.mark.parametrize("version", [1])
def test_an_old_journal_that_was_changed_is_refused(version: int) -> None:
    """Being old excuses nothing."""
    lines = _lines(version)
    first = lines[0]
    with pytest.raises(Exception, match="R201"):
        list(read(RUN, [Line(first.number, first.epoch, first.text.replace("0.1.0", "0.1.1"), first.checksum)]))
