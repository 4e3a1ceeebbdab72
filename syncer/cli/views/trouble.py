"""How errors and diagnostics look: plain text that is legible without colour, and forms for machines."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from typing import TYPE_CHECKING

from syncer import catalogue
from syncer.diagnostics import Diagnostic, Severity, in_order
from syncer.errors import ManifestError, StateError, SyncerError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

_CONTROL = {code: f"\\x{code:02x}" for code in range(32) if code not in (9, 10)} | {127: "\\x7f"}
_COLOUR = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "place": "\x1b[1m", "off": "\x1b[0m"}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_BROKEN = {errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EINTR, errno.ESTALE}


def harmless(text: str) -> str:
    """Return `text` with control characters made visible, so that data cannot drive a terminal or a log."""
    return text.translate(_CONTROL)


def use_colour(stream: TextIO) -> bool:
    """Say whether colour is welcome: a terminal, no `NO_COLOR`, not dumb."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def show_error(error: SyncerError) -> None:
    """Print an error to stderr."""
    if isinstance(error, ManifestError):
        show_diagnostics(error.diagnostics, "text")
        return
    print(_painted(harmless(str(error)), "error", sys.stderr), file=sys.stderr)


def show_bug(error: BaseException) -> None:
    """Print where an unexpected exception came from, never what it says: its text may hold a record's values."""
    inner = error
    while isinstance(inner, BaseExceptionGroup) and inner.exceptions:
        inner = inner.exceptions[0]
    known = inner if isinstance(inner, SyncerError) else _of_the_disk(inner)
    if isinstance(known, SyncerError):
        show_error(known)
        return
    frames = [
        f"    {frame.filename.rpartition('/syncer/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(inner.__traceback__)
        if "/syncer/" in frame.filename
    ]
    lines = [f"error R900: {catalogue.title('R900')}", f"  {type(inner).__name__} came up in:", *frames[-8:]]
    lines.append("  This is a bug in syncer. What was sent is journalled; `syncer runs` says how each run stands.")
    print("\n".join(lines), file=sys.stderr)


def _of_the_disk(error: BaseException) -> StateError | None:
    """Return what to say when the system has no room or its disk fails, which may happen at any file; else None."""
    number = error.errno if isinstance(error, OSError) else _errno_of_duckdb(error)
    code = "R204" if number in _NO_ROOM else "R205" if number in _BROKEN else None
    if number is None or code is None:
        return None
    return StateError(
        code,
        f"A file of this run could not be written or read: {os.strerror(number)}.",
        "See that the disks of the work folder and of the state have room and work. How the run stands is said by:",
        "syncer runs",
    )


def _errno_of_duckdb(error: BaseException) -> int | None:
    """Return the system's reason in an exception of DuckDB, which carries it in its text alone."""
    if type(error).__name__ != "IOException":
        return None
    return next((number for number in _NO_ROOM | _BROKEN if os.strerror(number) in str(error)), None)


def show_diagnostics(found: Sequence[Diagnostic], output: str) -> None:
    """Print findings: text to stderr, the forms for machines to stdout."""
    ordered = in_order(found)
    if output == "json":
        print(json.dumps([_as_json(each) for each in ordered], indent=2, ensure_ascii=False))
    elif output == "github":
        from syncer.cli.views import github

        print(github.annotated(map(github.of_diagnostic, ordered)), end="")
    elif output == "sarif":
        from syncer.cli.views import sarif

        print(json.dumps(sarif.report(ordered), indent=2, ensure_ascii=False))
    else:
        for index, each in enumerate(ordered):
            gap = "\n" if index else ""
            print(gap + _painted(harmless(str(each)), each.severity, sys.stderr), file=sys.stderr)
        if ordered:
            print(f"\n{_summary(ordered)}", file=sys.stderr)


def _summary(found: Sequence[Diagnostic]) -> str:
    errors = sum(each.severity is Severity.ERROR for each in found)
    warnings = len(found) - errors
    parts = [
        f"{count} {word}{'s' * (count != 1)}" for count, word in ((errors, "error"), (warnings, "warning")) if count
    ]
    return f"{', '.join(parts)}. More on a code: syncer explain {found[0].code}"


def _painted(text: str, severity: str, stream: TextIO) -> str:
    if not use_colour(stream):
        return text
    head, _, rest = text.partition("\n")
    mark = f"{severity} "
    place, found, title = head.partition(mark)
    painted = f"{_COLOUR['place']}{place}{_COLOUR['off']}{_COLOUR[severity]}{mark}{title}{_COLOUR['off']}"
    return f"{painted if found else head}\n{rest}" if rest else painted


def _as_json(each: Diagnostic) -> dict[str, object]:
    place = each.place
    return {
        "code": each.code,
        "severity": each.severity,
        "title": each.title,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "detail": each.detail,
        "advice": each.advice,
        "command": each.command,
    }
