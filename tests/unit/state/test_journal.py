"""A journal is believed to the letter or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import StateError
from syncer.state.journal import Line, opening, read, seal
from syncer.state.protocol import Committing, Intended, Note, RejectNote, Settled, Started, lettered

NOTES: list[Note] = [
    Started(plan="p", tool="1"),
    Intended(unit="a/1/sync/0000", sha256="h", records=2),
    Committing(unit="a/1/sync/0000", at=1.5),
    Settled(unit="a/1/sync/0000", letters="cx", rejects=(RejectNote(position=1, code="V501", reason='é\n"x"'),)),
]


def written(notes: list[Note], run: str = "r", epoch: int = 1) -> list[Line]:
    """Return the lines of these notes."""
    lines: list[Line] = []
    for number, note in enumerate(notes, start=1):
        lines.append(seal(lines[-1].checksum if lines else opening(run), number, epoch, note))
    return lines


def believed(lines: list[Line]) -> tuple[list[Note], str]:
    """Return the notes that are read, and the code of the refusal that ended it, if one did."""
    told: list[Note] = []
    try:
        for note in read("r", lines):
            told.append(note)  # noqa: PERF402 - what was read before a refusal counts
    except StateError as error:
        return told, error.code
    return told, ""


def text_of(lines: list[Line]) -> str:
    """Return lines as one text, as an object store keeps them."""
    return "".join(json.dumps([line.number, line.epoch, line.text, line.checksum]) + "\n" for line in lines)


def lines_of(text: str) -> list[Line]:
    """Return the lines of a text; one that was cut stands for itself."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            found.append(Line(*json.loads(line)))
        except (json.JSONDecodeError, TypeError):
            found.append(Line(number, 1, line, ""))
    return found


def test_what_was_written_is_read() -> None:
    """Notes come back equal and in order."""
    assert list(read("r", written(NOTES))) == NOTES


def test_a_journal_cut_at_any_byte_is_read_so_far_or_refused() -> None:
    """A cut between lines leaves a shorter journal; a cut inside one is detected and nothing is read past it."""
    text = text_of(written(NOTES))
    for cut in range(len(text) + 1):
        told, refusal = believed(lines_of(text[:cut]))
        assert told == NOTES[: _whole(text, cut)]
        assert refusal in {"", "R201"}


def _whole(text: str, cut: int) -> int:
    """Return how many lines are whole, with or without their line end."""
    ends = [at for at, letter in enumerate(text) if letter == "\n"]
    return sum(end <= cut for end in ends)


@given(st.data())
def test_a_changed_byte_is_seen(data: st.DataObject) -> None:
    """No note is believed that was not written there."""
    lines = written(NOTES)
    index = data.draw(st.integers(0, len(lines) - 1))
    line = lines[index]
    at = data.draw(st.integers(0, len(line.text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != line.text[at]))
    lines[index] = Line(line.number, line.epoch, line.text[:at] + other + line.text[at + 1 :], line.checksum)
    told, refusal = believed(lines)
    assert told == NOTES[:index]
    assert refusal


@pytest.mark.parametrize("gone", range(len(NOTES) - 1))
def test_a_missing_line_is_seen(gone: int) -> None:
    """Lines are chained, so one that is left out breaks the next."""
    lines = written(NOTES)
    del lines[gone]
    with pytest.raises(StateError):
        list(read("r", lines))


def test_another_runs_line_is_seen() -> None:
    """A journal copied from another run is not believed."""
    with pytest.raises(StateError):
        list(read("r", written(NOTES, run="other")))


def test_an_older_epoch_after_a_newer_is_seen() -> None:
    """A holder that lost its lease cannot have written there."""
    first = seal(opening("r"), 1, 2, NOTES[0])
    with pytest.raises(StateError):
        list(read("r", [first, seal(first.checksum, 2, 1, NOTES[1])]))


@pytest.mark.parametrize(
    "text", ['{"kind":"invented"}', '{"kind":"committing","unit":"u","at":1,"more":2}', "nonsense"]
)
def test_a_note_of_a_newer_syncer_is_refused(text: str) -> None:
    """An unknown kind or member is not half believed."""
    import hashlib

    checksum = hashlib.sha256(f"{opening('r')}\n1\n1\n{text}".encode()).hexdigest()
    with pytest.raises(StateError) as caught:
        list(read("r", [Line(1, 1, text, checksum)]))
    assert caught.value.code == "R202"


@given(st.text(alphabet="cux?.=s", max_size=3_000))
def test_letters_survive_packing(letters: str) -> None:
    """A job's outcomes come back to the letter, and a long run of one letter takes little room."""
    text, packed = lettered(letters)
    assert Settled(unit="u", letters=text, packed=packed).outcomes == letters


def test_a_million_outcomes_are_small() -> None:
    """One letter a million times is a few kilobytes."""
    assert len(lettered("u" * 1_000_000)[0]) < 2_000


@pytest.mark.parametrize("letters", ["%%%", "YWJj", ""])
def test_letters_that_cannot_be_unpacked_are_refused(letters: str) -> None:
    """A state error, never a traceback of a codec."""
    with pytest.raises(StateError):
        _ = Settled(unit="u", letters=letters, packed=True).outcomes
