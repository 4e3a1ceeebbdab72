"""What the last resort says of an exception that nobody caught."""

from __future__ import annotations

import errno
import os

import duckdb
import pytest

from syncer.cli.views.trouble import show_bug, show_diagnostics
from syncer.diagnostics import Diagnostic, Place


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "R204"), (errno.EDQUOT, "R204"), (errno.EIO, "R205"), (errno.EINTR, "R205")]
)
def test_a_disk_that_refuses_is_no_bug(number: int, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A full or failing disk is named with its reason, also from inside a group of tasks."""
    show_bug(ExceptionGroup("tasks", [OSError(number, os.strerror(number), "ada@example.com.csv")]))
    said = capsys.readouterr().err
    assert said.startswith(f"error {code}: ")
    assert os.strerror(number) in said
    assert "ada" not in said


def test_a_full_disk_is_known_by_the_engines_words_too(capsys: pytest.CaptureFixture[str]) -> None:
    """DuckDB's exceptions carry the system's reason in their text, which itself is not shown."""
    show_bug(duckdb.IOException('Could not write to file "ada@example.com": No space left on device'))
    said = capsys.readouterr().err
    assert said.startswith("error R204: ")
    assert "ada" not in said


def test_any_other_exception_is_a_bug_and_keeps_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """What an unexpected exception says may hold a value, so only its name and place are shown."""
    show_bug(FileNotFoundError(errno.ENOENT, "ada@example.com"))
    said = capsys.readouterr().err
    assert said.startswith("error R900: ")
    assert "FileNotFoundError" in said
    assert "ada" not in said


def test_a_workflow_gets_no_more_findings_than_it_keeps(capsys: pytest.CaptureFixture[str]) -> None:
    """GitHub keeps ten annotations of a kind and drops the others without a word, so the tenth counts the rest."""
    show_diagnostics([Diagnostic("M203", f"Finding {at}.", Place("m.yaml", at, 1)) for at in range(1, 13)], "github")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[0].endswith("::Finding 1.")
    assert lines[-1].startswith("::error title=And more::3 more are not shown here")
