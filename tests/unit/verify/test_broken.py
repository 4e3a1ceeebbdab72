"""A breach of any promise is found, by its own rule: one made by hand for each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from syncer.state.protocol import Doubted, Finished, Parked, Remedying, Settled, lettered
from syncer.verify.rules import Verdict, judge
from tests.fakes.world import Op, rows, world
from tests.unit.verify.conftest import evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from syncer.state.protocol import Note
    from syncer.verify.evidence import Evidence

    Change = Callable[[list[Note]], list[Note]]

pytestmark = pytest.mark.anyio
FIRST = "a/1/sync/0000"
PUSHED = "p/1/push/0000"
SPLIT = "w/1/wide/0000"


@pytest.fixture
async def sound(tmp_path: Path) -> Evidence:
    """Two waves, a job, a push, a reject, a split and a doubt; nothing is broken in it."""
    ops = (
        Op("a", [*rows(4), ("k1", "again")]),
        Op("b", rows(3, "j"), path="job"),
        Op("p", rows(2, "p"), path="push"),
        Op("w", rows(8, "w"), path="wide"),
    )
    async with world(tmp_path, *ops) as it:
        it.vendor.refused = {"k3"}
        it.vendor.poison = {"w5"}
        it.vendor.faults[("commit", FIRST)] = ["lose before"]
        assert (await it.run()).exit_code == 7
        found = await evidence(it)
    assert _broken(found) == set()
    return found


def _broken(found: Evidence) -> set[str]:
    return {each.rule for each in judge(found) if each.verdict is Verdict.BROKEN}


def _where(notes: Sequence[Note], kind: str, unit: str = "") -> int:
    return next(at for at, note in enumerate(notes) if note.kind == kind and unit in {"", getattr(note, "unit", "")})


def _without(kind: str, unit: str = "") -> Change:
    def change(notes: list[Note]) -> list[Note]:
        del notes[_where(notes, kind, unit)]
        return notes

    return change


def _changed(kind: str, unit: str = "", **members: Any) -> Change:
    def change(notes: list[Note]) -> list[Note]:
        at = _where(notes, kind, unit)
        notes[at] = notes[at].model_copy(update=members)
        return notes

    return change


def _moved(kind: str, unit: str, *, before: tuple[str, str]) -> Change:
    def change(notes: list[Note]) -> list[Note]:
        note = notes.pop(_where(notes, kind, unit))
        notes.insert(_where(notes, *before), note)
        return notes

    return change


def _sent_twice(notes: list[Note]) -> list[Note]:
    at = _where(notes, "committing", PUSHED)
    return [*notes[: at + 1], notes[at], *notes[at + 1 :]]


def _remedied_too_early(notes: list[Note]) -> list[Note]:
    at = _where(notes, "remedying", FIRST)
    note = notes[at]
    assert isinstance(note, Remedying)
    notes[at] = note.model_copy(update={"at": note.at - 60})
    return notes


def _pushed_again(notes: list[Note]) -> list[Note]:
    """Doubt the push, and repeat it on nobody's word."""
    at = _where(notes, "settled", PUSHED)
    doubt = Doubted(unit=PUSHED, reason="lost", at=0.0, wait_seconds=0.0)
    again = Remedying(unit=PUSHED, how="repeat", positions=(0, 1), at=1.0, wait_seconds=0.0)
    return [*notes[:at], doubt, again, *notes[at:]]


def _together(notes: list[Note]) -> list[Note]:
    """Send the second wave before the first is settled."""
    first = notes.pop(_where(notes, "settled", FIRST))
    at = _where(notes, "committing", "a/2/sync/0000")
    return [*notes[: at + 1], first, *notes[at + 1 :]]


def _half_settled(notes: list[Note]) -> list[Note]:
    at = _where(notes, "settled", "b/1/job/0000")
    note = notes[at]
    assert isinstance(note, Settled)
    notes[at] = note.model_copy(update={"letters": note.letters[:-1] + "?"})
    return notes


def _part_against_whole(notes: list[Note]) -> list[Note]:
    at = _where(notes, "settled", SPLIT)
    note = notes[at]
    assert isinstance(note, Settled)
    text, packed = lettered("u" + note.outcomes[1:])
    notes[at] = note.model_copy(update={"letters": text, "packed": packed})
    return notes


STORIES: dict[str, tuple[Change, set[str]]] = {
    "a unit was sent twice": (_sent_twice, {"order", "doubts"}),
    "a unit was sent and never announced": (_without("intended", FIRST), {"order", "rows", "steps"}),
    "a part belongs to nothing that was split": (_without("split", SPLIT), {"order"}),
    "another plan was carried out": (_changed("started", plan="another"), {"plan"}),
    "other bytes were sent": (_changed("intended", FIRST, sha256="0" * 64), {"plan"}),
    "a unit has fewer outcomes than records": (_changed("settled", "b/1/job/0000", letters="ww"), {"rows", "report"}),
    "a unit is settled with a doubt in it": (_half_settled, {"rows", "report"}),
    "a record is refused and nobody says which": (
        _changed("settled", "a/1/sync/0001", rejects=()),
        {"rows"},
    ),
    "a part ended otherwise than its whole": (_part_against_whole, {"rows", "report"}),
    "a unit has no end": (_without("settled", "p/1/push/0000"), {"end", "rows", "report"}),
    "the exit code does not tell of rejects": (_changed("finished", exit_code=0), {"end", "report"}),
    "a wave began too early": (_together, {"steps", "keys"}),
    "a remedy did not wait": (_remedied_too_early, {"doubts"}),
    "a push was repeated silently": (_pushed_again, {"doubts"}),
    "an operation was never confirmed": (_without("merged"), {"ledger"}),
}


@pytest.mark.parametrize("story", STORIES)
async def test_a_journal_that_tells_of_a_breach_is_caught(story: str, sound: Evidence) -> None:
    """The rule that is meant finds it, and only such rules as the same breach concerns."""
    change, expected = STORIES[story]
    assert _broken(replace(sound, notes=change(list(sound.notes)))) == expected


async def test_a_reject_without_a_code_is_told(sound: Evidence) -> None:
    """A refused record says why, by a code that `syncer explain` knows."""
    notes = list(sound.notes)
    at = next(at for at, note in enumerate(notes) if isinstance(note, Settled) and note.rejects)
    bare = tuple(each.model_copy(update={"code": ""}) for each in notes[at].rejects)  # type: ignore[union-attr]
    notes[at] = notes[at].model_copy(update={"rejects": bare})
    assert "rows" in _broken(replace(sound, notes=notes))


async def test_a_part_of_nothing_has_no_keys(sound: Evidence) -> None:
    """A part whose whole was never announced breaks the order, and its keys are not guessed."""
    notes = [note for note in sound.notes if getattr(note, "unit", "") != SPLIT]
    found = _broken(replace(sound, notes=notes))
    assert "order" in found
    assert "keys" not in found


async def test_a_note_that_is_not_what_was_written_is_told(sound: Evidence) -> None:
    """What the state says of a broken chain is a breach."""
    assert _broken(replace(sound, unbelievable="Note 7 is not the one that was written there.")) == {"journal"}


async def test_a_step_that_nobody_planned_is_told(sound: Evidence) -> None:
    """A unit's step must be in the plan."""
    assert sound.plan is not None
    less = sound.plan.model_copy(update={"nodes": sound.plan.nodes[:-1], "edges": ()})
    assert "plan" in _broken(replace(sound, plan=less))


async def test_more_than_was_planned_is_told(sound: Evidence) -> None:
    """Neither more units nor more records than the plan has."""
    assert sound.plan is not None
    node = sound.plan.nodes[0]
    for change in ({"units": 1}, {"records": 3}):
        nodes = (node.model_copy(update=change), *sound.plan.nodes[1:])
        assert "plan" in _broken(replace(sound, plan=sound.plan.model_copy(update={"nodes": nodes})))


async def test_rows_that_nobody_accounts_for_are_told(sound: Evidence) -> None:
    """What was read is sent, unchanged, skipped or rejected: one more is a row lost."""
    assert sound.plan is not None
    first = sound.plan.operations[0]
    for change in ({"read": 99}, {"outgoing": 99}):
        operations = (first.model_copy(update=change), *sound.plan.operations[1:])
        plan = sound.plan.model_copy(update={"operations": operations})
        assert "rows" in _broken(replace(sound, plan=plan))


async def test_a_reject_that_is_not_in_the_file_is_told(sound: Evidence) -> None:
    """Missing, doubled or unexplained lines are breaches."""
    assert sound.rejects is not None
    lines = list(sound.rejects)
    assert len(lines) == 2
    for change in (lines[1:], [*lines, lines[0]], [lines[0] | {"code": ""}, lines[1]]):
        assert _broken(replace(sound, rejects=change)) == {"rejects"}


async def test_a_report_that_says_otherwise_is_told(sound: Evidence) -> None:
    """Counts, rows and exit code of the report are the journal's."""
    assert sound.report is not None
    first = sound.report["operations"][0]
    for change in ({"outcomes": first["outcomes"] | {"created": 99}}, {"rows": 99}):
        told = dict(sound.report) | {"operations": [first | change, *sound.report["operations"][1:]]}
        assert _broken(replace(sound, report=told)) == {"report"}
    assert _broken(replace(sound, report=dict(sound.report) | {"exit_code": 0})) == {"report"}


async def test_a_ledger_that_never_heard_of_it_is_told(sound: Evidence) -> None:
    """A finished run has raised the ledger's serial of each operation."""
    assert sound.serials is not None
    assert _broken(replace(sound, serials=dict(sound.serials) | {"b": 0})) == {"ledger"}


async def test_a_key_twice_in_one_request_is_told(sound: Evidence) -> None:
    """A request holds each key once."""
    assert sound.rows is not None
    known = sound.rows[FIRST]
    changed = dict(sound.rows) | {FIRST: replace(known, lanes=[known.lanes[0]] * 2)}
    assert "keys" in _broken(replace(sound, rows=changed))


async def test_an_unfinished_run_is_not_asked_for_its_end(sound: Evidence) -> None:
    """A run that parked may have open units; what has no end yet cannot be told."""
    cut = [note for note in sound.notes if not isinstance(note, Finished)]
    cut = [*cut[: _where(cut, "settled", PUSHED)], Parked(reason="a signal")]
    found = {each.rule: each.verdict for each in judge(replace(sound, notes=cut))}
    assert found["end"] is Verdict.HOLDS
    assert found["rejects"] is found["report"] is Verdict.UNKNOWN
    assert Verdict.BROKEN not in found.values()


async def test_without_a_plan_little_can_be_told(sound: Evidence) -> None:
    """A folder that went leaves the journal, whose order is still judged."""
    bare = replace(sound, plan=None, rows=None, report=None, rejects=None, serials=None)
    found = {each.rule for each in judge(bare) if each.verdict is Verdict.UNKNOWN}
    assert found == {"plan", "rows", "steps", "keys", "rejects", "report", "ledger"}
