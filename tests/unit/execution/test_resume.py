"""What a journal says of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncer.errors import StateError
from syncer.execution.resume import Past, Stage
from syncer.state.protocol import (
    AcceptedNote,
    Committing,
    Doubted,
    Finished,
    Held,
    Intended,
    Merged,
    Parked,
    Prepared,
    RejectNote,
    Remedying,
    Ruled,
    Settled,
    Split,
    Started,
    Unsent,
)

if TYPE_CHECKING:
    from syncer.state.protocol import Note

U = "a/1/sync/0000"
SENT = [Intended(unit=U, sha256="h", records=3), Committing(unit=U, at=5.0)]
DOUBT = [*SENT, Doubted(unit=U, reason="cut", at=5.0, wait_seconds=120.0)]
HELD = [*DOUBT, Held(unit=U, reason="twice")]
JOB = [
    Intended(unit=U, sha256="h", records=3),
    Prepared(unit=U, reference="7"),
    Committing(unit=U, at=5.0),
    AcceptedNote(unit=U, reference="7"),
]


def past(*notes: Note) -> Past:
    """Return what these notes say."""
    told = Past()
    for note in notes:
        told.add(note)
    return told


@pytest.mark.parametrize(
    ("notes", "stage", "letters"),
    [
        (SENT[:1], Stage.UNSENT, "..."),
        (JOB[:2], Stage.UNSENT, "..."),
        (SENT, Stage.DOUBTED, "???"),
        ([*SENT, Unsent(unit=U, reason="wait")], Stage.UNSENT, "..."),
        (JOB, Stage.ACCEPTED, "..."),
        (DOUBT, Stage.DOUBTED, "???"),
        ([*SENT, Settled(unit=U, letters="cux")], Stage.SETTLED, "cux"),
        (HELD, Stage.HELD, "???"),
        ([*HELD, Ruled(unit=U, verdict="sent", by="ada")], Stage.RULED_SENT, "???"),
        ([*HELD, Ruled(unit=U, verdict="unsent", by="ada")], Stage.RULED_UNSENT, "???"),
        ([*JOB, Split(unit=U, reason="rest", letters="u.u")], Stage.SPLIT, "u.u"),
    ],
)
def test_how_far_a_unit_came(notes: list[Note], stage: Stage, letters: str) -> None:
    """Stage and outcome letters after each kind of last note."""
    told = past(*notes)
    state = told.state(U)
    assert state is not None
    assert state.stage is stage
    assert told.outcome_letters(U) == letters


def test_an_unknown_unit_has_no_state() -> None:
    """Nothing was said, nothing is known."""
    assert past().state(U) is None


def test_parts_fill_what_a_split_left_open() -> None:
    """Letters of parts, and of parts of parts, stand at the unit's own positions; a refused probe says nothing."""
    told = past(
        Intended(unit=U, sha256="h", records=4),
        Split(unit=U, reason="refused", letters="...."),
        Intended(unit=f"{U}[0:2]", sha256="p", records=2),
        Intended(unit=f"{U}[2:4]", sha256="q", records=2),
        Committing(unit=f"{U}[2:4]", at=1.0),
        Split(unit=f"{U}[2:4]", reason="rest", letters="c."),
        Intended(unit=f"{U}[2:4][rest]", sha256="r", records=1),
        Settled(unit=f"{U}[2:4][rest]", letters="x"),
    )
    assert told.outcome_letters(U) == "..cx"
    assert told.children(U) == (f"{U}[0:2]", f"{U}[2:4]")
    assert told.wholes_with(Stage.SETTLED) == (U,)


def test_a_job_that_was_accepted_is_never_taken_for_one_that_waits_unseen() -> None:
    """Acceptance is remembered through a doubt, and forgotten with the try it belongs to."""
    state = past(*JOB, Doubted(unit=U, reason="gone", at=9.0, wait_seconds=0.0)).state(U)
    assert state is not None
    assert state.was_accepted


def test_remedies_are_counted() -> None:
    """The report says how many records went out again."""
    state = past(*DOUBT, Remedying(unit=U, how="repeat", positions=(0, 2), at=200.0, wait_seconds=120.0)).state(U)
    assert state is not None
    assert (state.repeated, state.at) == (2, 200.0)


def test_what_a_doubt_decided_is_kept() -> None:
    """Letters and rejects of a partly settled doubt survive."""
    reject = RejectNote(position=1, code="V501", reason="spoilt")
    told = past(*SENT, Doubted(unit=U, reason="", at=1, wait_seconds=0, letters="cx?", rejects=(reject,)))
    assert told.outcome_letters(U) == "cx?"
    assert told.held() == ()


def test_the_run_itself() -> None:
    """Plan, merged operations and the end; a resumed run is not finished until it says so again."""
    told = past(Started(plan="p", tool="1"), Merged(operation="a"), Parked(reason="quota"), Finished(exit_code=7))
    assert (told.plan, told.merged, told.finished) == ("p", {"a"}, 7)
    told.add(Started(plan="p", tool="1", resumed=True))
    assert told.finished is None


@pytest.mark.parametrize(
    "notes",
    [
        SENT[1:],
        [*SENT, SENT[1]],
        [*SENT, Ruled(unit=U, verdict="sent", by="ada")],
        [*SENT, Prepared(unit=U, reference="7")],
        [*SENT, Settled(unit=U, letters="ccc"), SENT[0]],
        [SENT[0], Intended(unit=U, sha256="other", records=3)],
        [SENT[0], AcceptedNote(unit=U, reference="7")],
        [SENT[0], Held(unit=U, reason="")],
        [*JOB, Unsent(unit=U, reason="")],
        [Started(plan="p", tool="1"), Started(plan="q", tool="1")],
    ],
)
def test_notes_that_no_run_writes_are_refused(notes: list[Note]) -> None:
    """What they mean for the target cannot be told, so nothing is sent on their word."""
    with pytest.raises(StateError):
        past(*notes)
