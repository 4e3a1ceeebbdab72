"""Parts of a unit are the same bytes, not the same values written anew."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING

import pytest

from syncer.engine.protocol import Payload
from syncer.execution import split
from syncer.facts import Action
from syncer.targets.protocol import Step, Unit

if TYPE_CHECKING:
    from pathlib import Path

STEP = Step("a", "c", "lead", "sync", Action.UPSERT, ("key",))
BODY = b'[{"a":1.10,"b":"],[\\""}, {"a":12345678901234567890.5},{"a":{"x":[1,2]}}\n,  {"a":"\xc3\xa9"}]'


def unit(body: bytes | Path, records: int = 4) -> Unit:
    """Return a unit with this body."""
    payload = Payload(
        0, records, array("q", range(10, 10 + records)), array("Q", range(records)), ("a",), body, 1, "sha"
    )
    return Unit("a/1/sync/0000", STEP, payload)


def test_records_are_taken_out_as_they_are_written() -> None:
    """Numbers keep their digits, text its escapes."""
    assert split.records(BODY) == [
        b'{"a":1.10,"b":"],[\\""}',
        b'{"a":12345678901234567890.5}',
        b'{"a":{"x":[1,2]}}',
        b'{"a":"\xc3\xa9"}',
    ]
    assert split.records(b"[ ]") == []


def test_a_part_of_a_request_has_its_own_rows_lanes_and_digest() -> None:
    """It is a unit of its own, named after its place."""
    part = split.request_part(unit(BODY), "a/1/sync/0000[1:3]", BODY, range(1, 3))
    assert part.id == "a/1/sync/0000[1:3]"
    assert part.payload.body == b'[{"a":12345678901234567890.5},{"a":{"x":[1,2]}}]'
    assert list(part.payload.rows) == [11, 12]
    assert list(part.payload.lanes) == [1, 2]
    assert part.payload.records == 2
    assert part.payload.sha256 == hashlib.sha256(part.payload.body).hexdigest()


def test_the_rest_of_a_file_keeps_header_and_records(tmp_path: Path) -> None:
    """A quoted cell may hold line ends and doubled quotes."""
    source = b'a,b\n1,"x\ny"\n2,"say ""hi"""\n3,z\n4,last'
    part, content = split.file_part(unit(tmp_path), "a[rest]", source, [0, 3], tmp_path / "rest.csv")
    assert content == b'a,b\n1,"x\ny"\n4,last'
    assert part.payload.body == tmp_path / "rest.csv"
    assert part.payload.byte_count == len(content)


def test_a_file_that_ends_inside_quotes_is_given_whole() -> None:
    """Nothing of it is dropped."""
    assert list(split.csv_records(b'a\n"x\ny')) == [b"a\n", b'"x\ny']


@pytest.mark.parametrize("name", ["a/1/sync/0007[3:9]", "a/1/sync/0007[rest][3:9]"])
def test_a_name_tells_whole_and_place(name: str) -> None:
    """So that a journal alone is enough to find a part again."""
    assert split.whole_of(name) == "a/1/sync/0007"
    assert split.span(name) == (3, 9)
    assert split.part_id("a/1/sync/0007", 3, 9) == "a/1/sync/0007[3:9]"
    assert split.rest_id("u") == "u[rest]"
