"""The in-doubt protocol, row by row."""

from __future__ import annotations

import pytest

from syncer.capability import Repeat
from syncer.execution.resolve import (
    AFTER_REFUSED_CREATE,
    TABLE,
    Adopt,
    DoubtRule,
    Judged,
    Next,
    SendAnew,
    applied_letter,
    decide,
    next_step,
)
from syncer.facts import Action
from syncer.targets.protocol import Found, LookedUp, Remedy, Verdict

UPSERT = DoubtRule(Action.UPSERT, Repeat.SAFE, "hold")

ROWS = [
    # What the protocol says, in the words of its table: action, what may be repeated, found, what follows.
    ("upsert, equal: settled by read-back", Action.UPSERT, Repeat.SAFE, Verdict.APPLIED, Next.SETTLED),
    ("upsert, present and different: update by id", Action.UPSERT, Repeat.SAFE, Verdict.DIFFERS, Next.UPDATE_BY_ID),
    ("upsert, absent: create only", Action.UPSERT, Repeat.SAFE, Verdict.ABSENT, Next.CREATE_ONLY),
    ("upsert, found twice: a person", Action.UPSERT, Repeat.SAFE, Verdict.AMBIGUOUS, Next.HOLD),
    ("update, different: idempotent by action", Action.UPDATE, Repeat.SAFE, Verdict.DIFFERS, Next.REPEAT),
    ("update, absent: idempotent by action", Action.UPDATE, Repeat.SAFE, Verdict.ABSENT, Next.REPEAT),
    ("create, different: idempotent by action", Action.CREATE, Repeat.SAFE, Verdict.DIFFERS, Next.REPEAT),
    ("create, absent", Action.CREATE, Repeat.SAFE, Verdict.ABSENT, Next.CREATE_ONLY),
    ("insert, absent", Action.CREATE, Repeat.WHEN_ABSENT, Verdict.ABSENT, Next.CREATE_ONLY),
    ("insert, present with other values: whose?", Action.CREATE, Repeat.WHEN_ABSENT, Verdict.DIFFERS, Next.HOLD),
    ("createDuplicate: read-back cannot tell", Action.DUPLICATE, Repeat.NEVER, Verdict.APPLIED, Next.HOLD),
    ("push, fields equal: settled", Action.UPSERT, Repeat.NEVER, Verdict.APPLIED, Next.SETTLED),
    ("push, else: hold", Action.UPSERT, Repeat.NEVER, Verdict.DIFFERS, Next.HOLD),
    ("push, absent: hold", Action.UPSERT, Repeat.NEVER, Verdict.ABSENT, Next.HOLD),
    ("delete that finds nothing: done", Action.DELETE, Repeat.SAFE, Verdict.ABSENT, Next.SETTLED),
    ("delete, still there", Action.DELETE, Repeat.SAFE, Verdict.DIFFERS, Next.REPEAT),
    ("out of a list, not there", Action.REMOVE, Repeat.SAFE, Verdict.ABSENT, Next.SETTLED),
    ("into a list, not there", Action.ADD, Repeat.SAFE, Verdict.ABSENT, Next.REPEAT),
    ("status, other status", Action.STATUS, Repeat.SAFE, Verdict.DIFFERS, Next.REPEAT),
]


@pytest.mark.parametrize(("sentence", "action", "repeat", "verdict", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_each_row_of_the_protocol(
    sentence: str, action: Action, repeat: Repeat, verdict: Verdict, expected: Next
) -> None:
    """What the page says is what the table does."""
    assert next_step(DoubtRule(action, repeat, "hold"), verdict) is expected, sentence


@pytest.mark.parametrize(
    ("sentence", "action", "repeat", "verdict", "expected"),
    [
        ("push, marked: settled", Action.UPSERT, Repeat.NEVER, Verdict.APPLIED, Next.SETTLED),
        ("push, not marked: not written", Action.UPSERT, Repeat.NEVER, Verdict.DIFFERS, Next.REPEAT),
        ("push, absent: not written", Action.UPSERT, Repeat.NEVER, Verdict.ABSENT, Next.REPEAT),
        ("createDuplicate, marked: settled", Action.DUPLICATE, Repeat.SAFE, Verdict.APPLIED, Next.SETTLED),
        ("createDuplicate, not marked", Action.DUPLICATE, Repeat.SAFE, Verdict.ABSENT, Next.REPEAT),
        ("upsert as ever", Action.UPSERT, Repeat.SAFE, Verdict.ABSENT, Next.CREATE_ONLY),
        ("marked twice: a person", Action.DUPLICATE, Repeat.SAFE, Verdict.AMBIGUOUS, Next.HOLD),
        ("no answer: a person", Action.UPSERT, Repeat.NEVER, Verdict.UNKNOWN, Next.HOLD),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_mark_decides_what_no_other_read_can(
    sentence: str, action: Action, repeat: Repeat, verdict: Verdict, expected: Next
) -> None:
    """A record without its run's mark was not written by it, so what could only be held goes out again."""
    assert next_step(DoubtRule(action, repeat, "hold", is_marked=True), verdict) is expected, sentence


def test_the_table_is_whole() -> None:
    """Every action has a row for every kind of repetition, and for a refused create."""
    assert set(TABLE) == {(repeat, action) for repeat in Repeat for action in Action}
    assert set(AFTER_REFUSED_CREATE) == set(Action)


def test_nothing_unsafe_is_repeated_by_itself() -> None:
    """Where nothing may be repeated, no row sends; where only the absent may, no present record is touched."""
    sends = {Next.CREATE_ONLY, Next.UPDATE_BY_ID, Next.REPEAT}
    for (repeat, action), (applied, differs, absent) in TABLE.items():
        assert applied not in sends
        if repeat is Repeat.NEVER:
            assert not sends & {differs, absent}, action
        if repeat is Repeat.WHEN_ABSENT:
            assert differs not in sends


@pytest.mark.parametrize("verdict", [Verdict.RUNNING, Verdict.UNKNOWN])
def test_what_cannot_be_told_is_looked_at_again_then_held(verdict: Verdict) -> None:
    """There is no wait without an end."""
    assert next_step(UPSERT, verdict, may_look_again=True) is Next.LOOK_AGAIN
    assert next_step(UPSERT, verdict) is Next.HOLD


def test_resend_is_for_what_would_be_held() -> None:
    """By choice a push goes out again; a record that is there twice, or still running, never does."""
    rule = DoubtRule(Action.UPSERT, Repeat.NEVER, "resend")
    assert next_step(rule, Verdict.ABSENT) is Next.REPEAT
    assert next_step(rule, Verdict.UNKNOWN) is Next.REPEAT
    assert next_step(rule, Verdict.APPLIED) is Next.SETTLED
    assert next_step(rule, Verdict.AMBIGUOUS) is Next.HOLD
    assert next_step(rule, Verdict.RUNNING) is Next.HOLD


@pytest.mark.parametrize(
    ("action", "verdict", "expected"),
    [
        (Action.UPSERT, Verdict.APPLIED, Next.SETTLED),
        (Action.UPSERT, Verdict.DIFFERS, Next.UPDATE_BY_ID),
        (Action.UPSERT, Verdict.ABSENT, Next.REJECT),
        (Action.CREATE, Verdict.DIFFERS, Next.REJECT),
    ],
)
def test_a_refused_create_is_read_once_more(action: Action, verdict: Verdict, expected: Next) -> None:
    """It may have met the late first write; else the refusal stands."""
    assert next_step(DoubtRule(action, Repeat.SAFE, "hold"), verdict, was_refused=True) is expected


def test_records_are_sorted_by_what_follows() -> None:
    """One decision for a whole unit; a position that the read-back left out is unknown."""
    looked = LookedUp(
        (
            Found(0, Verdict.APPLIED, ("1",)),
            Found(1, Verdict.ABSENT),
            Found(2, Verdict.DIFFERS, ("2",)),
            Found(3, Verdict.AMBIGUOUS, ("3", "4")),
            Found(4, Verdict.ABSENT),
        )
    )
    assert decide(UPSERT, [0, 1, 2, 3, 4, 5], looked, {4}, may_look_again=True) == Judged(
        settled=(0,),
        rejected=(4,),
        remedies=(
            (Remedy.CREATE_ONLY, (Found(1, Verdict.ABSENT),)),
            (Remedy.UPDATE_BY_ID, (Found(2, Verdict.DIFFERS, ("2",)),)),
        ),
        again=(5,),
        held=(Found(3, Verdict.AMBIGUOUS, ("3", "4")),),
    )


def test_what_is_decided_already_is_left_alone() -> None:
    """Only undecided positions are judged."""
    looked = LookedUp((Found(0, Verdict.ABSENT), Found(1, Verdict.APPLIED)))
    assert decide(UPSERT, [1], looked, (), may_look_again=False) == Judged(settled=(1,))


@pytest.mark.parametrize("verdict", [Verdict.RUNNING, Verdict.APPLIED])
def test_a_job_that_is_there_is_adopted(verdict: Verdict) -> None:
    """It is settled by its own results."""
    looked = LookedUp(job=verdict, reference="7")
    assert decide(UPSERT, [0], looked, (), may_look_again=True) == Adopt("7")


def test_a_job_that_never_took_the_data_is_sent_anew() -> None:
    """The vendor says so, so nothing was executed."""
    assert decide(UPSERT, [0], LookedUp(job=Verdict.ABSENT), (), may_look_again=True) == SendAnew()


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.DIFFERS, Verdict.AMBIGUOUS])
def test_a_job_that_cannot_be_told_is_held_in_the_end(verdict: Verdict) -> None:
    """First looked for again, then a person's."""
    looked = LookedUp(job=verdict)
    assert decide(UPSERT, [0, 1], looked, (), may_look_again=True) == Judged(again=(0, 1))
    held = tuple(Found(position, Verdict.UNKNOWN) for position in (0, 1))
    assert decide(UPSERT, [0, 1], looked, (), may_look_again=False) == Judged(held=held)


def test_the_letter_of_what_a_read_back_found() -> None:
    """A create was created; an upsert no longer tells which it was, and counts as written."""
    assert [applied_letter(action) for action in (Action.CREATE, Action.DUPLICATE, Action.UPSERT)] == ["c", "c", "w"]
