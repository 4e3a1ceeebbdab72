"""Findings as SARIF 2.1.0, the form that code scanning reads: OASIS, "Static Analysis Results Interchange Format"."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from syncer import __version__, catalogue
from syncer.cli.views.github import from_workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.diagnostics import Diagnostic, Place

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def report(found: Sequence[Diagnostic]) -> dict[str, object]:
    """Return the findings as one run."""
    codes = sorted({each.code for each in found})
    driver = {"name": "syncer", "version": __version__, "rules": [_rule(code) for code in codes]}
    results = [_result(each, codes.index(each.code)) for each in found]
    # Our columns count characters, and SARIF's count units of UTF-16 unless it is said.
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, object]:
    """Return what a code means; code scanning shows it beside each finding."""
    entry = catalogue.entries()[code]
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.cause},
        "help": {"text": entry.cure},
    }


def _result(each: Diagnostic, rule: int) -> dict[str, object]:
    return {
        "ruleId": each.code,
        "ruleIndex": rule,
        "level": each.severity,
        "message": {"text": "\n".join(part for part in (each.detail, each.advice, each.command) if part)},
        "locations": [_location(each.place)] if each.place else [],
    }


def _location(place: Place) -> dict[str, object]:
    region = {"startLine": max(place.line, 1), "startColumn": max(place.column, 1)}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, "region": region}}


def _uri(file: str) -> str:
    """Return a file's name as a reference: from the top of the checkout where it lies there."""
    name = from_workspace(Path(file))
    return Path(name).as_uri() if Path(name).is_absolute() else quote(Path(name).as_posix())
