"""The look at bytes agrees with a patient reader, wherever blocks end."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.sources import survey

CALM = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LINES = st.text(st.sampled_from('a",\n')).map(lambda text: text.replace(",", "\r\n").encode())
BYTES = st.text(st.sampled_from(list('a",\n\r'))).map(str.encode)


def lines_outside(data: bytes) -> list[bytes]:
    """Split at line feeds outside quotes, byte by byte."""
    lines, inside = [b""], False
    for each in data:
        inside ^= each == ord('"')
        if each == ord("\n") and not inside:
            lines.append(b"")
        else:
            lines[-1] += bytes([each])
    return lines if lines[-1] else lines[:-1]


@CALM
@given(LINES, st.integers(1, 9))
def test_records_are_counted(tmp_path: Path, data: bytes, block: int) -> None:
    """Records are non-empty lines outside quotes; empty ones are numbered; the digest is of all bytes."""
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    lines = lines_outside(data)
    found = survey.survey(path, b'"', block_bytes=block)
    blanks = [number for number, line in enumerate(lines, 1) if not line.strip(b"\r")]
    assert list(found.blanks) == blanks
    assert found.records == len(lines) - len(blanks)
    assert found.sha256 == hashlib.sha256(data).hexdigest()


@CALM
@given(BYTES)
def test_line_ends_are_told_apart(tmp_path: Path, data: bytes) -> None:
    """CRLF, LF and lone CR outside quotes; the copy has LF only and the same text inside quotes."""
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    parts = data.decode().split('"')
    masked = '"'.join(part.replace("\r", "r").replace("\n", "n") if n % 2 else part for n, part in enumerate(parts))
    found = survey.line_ends(path, b'"')
    crlf = masked.count("\r\n")
    assert (found.crlf, found.lf) == (crlf, masked.count("\n") - crlf)
    bare = masked.replace("\r\n", "\n")
    assert bool(found.first_cr) == ("\r" in bare)
    if "\r" in bare:
        place = masked.replace("\r\n", "~\n").index("\r")
        assert found.first_cr == 1 + data.decode()[:place].count("\n")
    else:
        survey.with_line_feeds(path, b'"', tmp_path / "b.csv")
        assert (tmp_path / "b.csv").read_bytes().decode() == '"'.join(
            part if n % 2 else part.replace("\r\n", "\n") for n, part in enumerate(parts)
        )


@CALM
@given(st.binary(max_size=12), st.integers(0, 3))
def test_the_first_invalid_byte_is_found(tmp_path: Path, data: bytes, pad: int) -> None:
    """The position is the one that a decoder of the whole would name."""
    path = tmp_path / "a.csv"
    path.write_bytes("é".encode() * pad + data)
    try:
        path.read_bytes().decode()
        wanted = None
    except UnicodeDecodeError as problem:
        wanted = problem.start
    assert survey.first_invalid(path) == wanted


def test_the_first_misquoted_line_is_found(tmp_path: Path) -> None:
    """Stray, open and trailing quotes; well-formed files have none."""
    path = tmp_path / "a.csv"
    for text, line in [
        ('a,b\n1,2"\n', 2),
        ('a,b\n"1\n2",3\nx,"y\n', 4),
        ('a,b\n"1"x,2\n', 2),
        ('a,b\n"1""","\n",\r\n\n', 0),
    ]:
        path.write_text(text, newline="")
        assert survey.first_misquoted(path, b",", b'"') == line
