"""Forms for machines and terminals: SARIF's structure, an explanation for every code, colour where it is welcome."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from syncer import catalogue
from syncer.cli.exits import Exit

if TYPE_CHECKING:
    from tests.scenarios.story import Player

TEXT = {"type": "object", "required": ["text"]}
PLACE = {
    "type": "object",
    "required": ["artifactLocation", "region"],
    "properties": {
        "artifactLocation": {
            "type": "object",
            "required": ["uri"],
            "properties": {"uri": {"pattern": r"^([A-Za-z0-9_.~!$&'()*+,;=@:/-]|%[0-9A-F]{2})+$"}},
        },
        "region": {
            "type": "object",
            "properties": {name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn")},
        },
    },
}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "fullDescription", "help"],
    "properties": dict.fromkeys(("shortDescription", "fullDescription", "help"), TEXT),
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
    "properties": {
        "level": {"enum": ["error", "warning"]},
        "message": TEXT,
        "locations": {"items": {"type": "object", "properties": {"physicalLocation": PLACE}}},
    },
}
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "minItems": 1,
            "items": {
                "required": ["tool", "columnKind", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "properties": {
                            "driver": {"required": ["name", "rules"], "properties": {"rules": {"items": RULE}}}
                        }
                    },
                    "results": {"items": RESULT},
                },
            },
        },
    },
}
"""The part of SARIF 2.1.0 that code scanning reads; OASIS, "Static Analysis Results Interchange Format"."""


def test_sarif_has_the_form_that_code_scanning_reads(player: Player) -> None:
    """Every result names a rule of the driver, a level and a place that starts at 1, as a reference from the top."""
    place = player.folder / "mäni fest" / "50%.yaml"
    place.parent.mkdir()
    place.write_text("version: 1\nsorces: {}\ntargets: {x: 1}\n", encoding="utf-8")
    for project in ("'mäni fest'", f"'{place.parent}'"):
        printed, code = player.play(f"syncer validate {project} --format sarif")
        report = json.loads("\n".join(printed).replace("<folder>", str(player.folder.parent)))
        Draft202012Validator(SARIF).validate(report)
        [run] = report["runs"]
        assert code == Exit.MANIFEST
        rules = [each["id"] for each in run["tool"]["driver"]["rules"]]
        assert {each["ruleId"] for each in run["results"]} == set(rules)
        assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in run["results"])
        [uri] = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]}
        assert uri == "m%C3%A4ni%20fest/50%25.yaml"


@pytest.mark.parametrize("code", [*catalogue.entries(), *(str(each.value) for each in Exit)])
def test_every_code_is_explained(code: str, player: Player) -> None:
    """Whatever a message names, `syncer explain` knows."""
    printed, exit_code = player.play(f"syncer explain {code}")
    assert exit_code == 0
    assert code in printed[0]


def _on_terminal(folder: Path, environment: dict[str, str]) -> str:
    """Return what a terminal shows of a refused validation."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own program
        [Path(sys.executable).with_name("syncer"), "validate", "nothing"],
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # The other side closed, which Linux tells by an error.
            pass
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(
    ("said", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_colour_is_for_terminals_that_want_it(said: dict[str, str], is_coloured: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a table
    """A terminal gets colour, unless `NO_COLOR` or a dumb terminal says otherwise."""
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **said}
    shown = _on_terminal(tmp_path, environment)
    assert "M101" in shown
    assert ("\x1b[" in shown) is is_coloured
