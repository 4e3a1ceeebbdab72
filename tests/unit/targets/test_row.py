"""A payload's records as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.engine.protocol import Payload
from syncer.targets.row import json_list, rows

if TYPE_CHECKING:
    from pathlib import Path


def _payload(body: bytes | Path) -> Payload:
    return Payload(0, 1, [0], [0], (), body, 0, "")


def test_a_request_holds_its_records() -> None:
    """Null stays null, absent stays absent."""
    assert rows(_payload(b'[{"a":null},{"b":1}]')) == [{"a": None}, {"b": 1}]


def test_a_file_holds_text(tmp_path: Path) -> None:
    """An empty cell says nothing, `#N/A` empties, quotes and line ends in cells are kept."""
    file = tmp_path / "a.csv"
    file.write_bytes(b'a,b,c\n1,,#N/A\n"x\n""y""",z,\n')
    assert rows(_payload(file)) == [{"a": "1", "c": None}, {"a": 'x\n"y"', "b": "z"}]


def test_records_become_a_list_again() -> None:
    """Compact and in UTF-8, as a request carries them."""
    assert json_list([{"a": "ü", "b": None}]) == '[{"a":"ü","b":null}]'.encode()
