"""Staged rows become the bytes that the vendors document."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from syncer.capability import JsonFormat
from syncer.engine.protocol import Cut
from syncer.manifest.models import WhenNull
from tests.fakes.pipelines import FILE, SYNC, UNIFORM, Stage, field, pipeline

Bodies = Callable[..., list[str]]


def test_json_leaves_out_nulls_and_keeps_mapping_order(staged: Stage, bodies: Bodies) -> None:
    """A null that omits has no member; the others stand in the order of the mapping."""
    rows = staged(pipeline("phone", "email"), "email,phone\na@x.com,\nb@x.com,12\n")
    assert bodies(rows) == ['[{"email":"a@x.com"},{"phone":"12","email":"b@x.com"}]']


def test_json_clears_with_null(staged: Stage, bodies: Bodies) -> None:
    """A null that clears is sent as null."""
    rows = staged(pipeline("email", field("phone", when_null=WhenNull.CLEAR)), "email,phone\na@x.com,\n")
    assert bodies(rows) == ['[{"email":"a@x.com","phone":null}]']


def test_constants_open_every_record(staged: Stage, bodies: Bodies) -> None:
    """Constant members come first."""
    form = JsonFormat(200, 1_000_000, constants=(("attributes", '{"type":"Contact"}'),))
    rows = staged(pipeline("email"), "email\na@x.com\nb@x.com\n", {"collections": form})
    assert bodies(rows, form) == [
        '[{"attributes":{"type":"Contact"},"email":"a@x.com"},{"attributes":{"type":"Contact"},"email":"b@x.com"}]'
    ]


def test_json_nests_a_parent_where_the_format_says_so(staged: Stage, bodies: Bodies, tmp_path: Path) -> None:
    """A dotted field is a member of a member, null where it clears; what facts say is what is written, to the byte."""
    nested, flat = JsonFormat(200, 1_000_000, nests=True), JsonFormat(200, 1_000_000)
    parent = field("Account.Key__c", '"account"', when_null=WhenNull.CLEAR)
    text = 'email,account,note\na@x.com,A1,n\nb@x.com,"say ""A2""",\nc@x.com,,\n'
    rows = staged(pipeline("email", parent, "note"), text, {"nested": nested, "flat": flat})
    records = [
        '{"email":"a@x.com","Account":{"Key__c":"A1"},"note":"n"}',
        '{"email":"b@x.com","Account":{"Key__c":"say \\"A2\\""}}',
        '{"email":"c@x.com","Account":null}',
    ]
    assert bodies(rows, nested) == [f"[{','.join(records)}]"]
    assert '"Account.Key__c":"A1"' in bodies(rows, flat)[0]
    (wave,) = rows.facts.waves
    for cut, form in zip(wave.cuts, (nested, flat), strict=True):
        (unit,) = rows.payloads(Cut(1, None, form), tmp_path / cut.path)
        assert unit.byte_count == cut.bytes


def test_csv_quotes_what_needs_it(staged: Stage, bodies: Bodies) -> None:
    """RFC 4180: quotes where a cell holds a comma, a quote or a line end; an empty cell leaves alone."""
    rows = staged(pipeline("email", "note", "other"), 'email,note,other\na@x.com,"say ""hi"", now",\nb@x.com,,"1\n2"\n')
    assert bodies(rows, FILE) == ['email,note,other\na@x.com,"say ""hi"", now",\nb@x.com,,"1\n2"\n']


def test_csv_clears_with_the_formats_word(staged: Stage, bodies: Bodies) -> None:
    """A null that clears is the format's clear text."""
    rows = staged(pipeline("email", field("phone", when_null=WhenNull.CLEAR)), "email,phone\na@x.com,\n")
    assert bodies(rows, FILE) == ["email,phone\na@x.com,#N/A\n"]


def test_uniform_files_hold_no_empty_cell(staged: Stage, bodies: Bodies) -> None:
    """One file for each shape, with only the columns that its rows carry."""
    rows = staged(pipeline("email", "a", "b"), "email,a,b\n1@x,1,\n2@x,,2\n3@x,3,\n", {"bulk": UNIFORM})
    assert bodies(rows, UNIFORM) == ["email,a\n1@x,1\n3@x,3\n", "email,b\n2@x,2\n"]
    assert bodies(rows, UNIFORM, shapes=(1,)) == ["email,b\n2@x,2\n"]


def test_requests_are_cut_full(staged: Stage, bodies: Bodies) -> None:
    """No request holds fewer records than it could, but the last."""
    rows = staged(pipeline("email"), "email\n" + "".join(f"{n}@x\n" for n in range(7)))
    form = JsonFormat(3, 1_000)
    assert [each.count("email") for each in bodies(rows, form)] == [3, 3, 1]


def test_a_payload_names_its_rows_and_lanes(staged: Stage, tmp_path: Path) -> None:
    """Row numbers and lanes stand in payload order."""
    rows = staged(pipeline("email"), "email\nb@x\na@x\nB@X\n")
    (first,) = rows.payloads(Cut(1, None, SYNC), tmp_path / "out")
    (second,) = rows.payloads(Cut(2, None, SYNC), tmp_path / "out")
    assert list(first.rows) == [1, 2]
    assert list(second.rows) == [3]
    assert first.lanes[0] == second.lanes[0] != first.lanes[1]


@pytest.mark.parametrize("text", ["plain", 'quo"te', "back\\slash", "tab\t", "line\nend", "com,ma", "Zoë 😀", "\x01"])
def test_a_record_is_the_same_json_by_whichever_way(staged: Stage, bodies: Bodies, text: str) -> None:
    """Cells with and without escapes, full records and records with a gap, read back as what was given."""
    cell = '"' + text.replace('"', '""') + '"'
    found = bodies(staged(pipeline("email", "city", "note"), f"email,city,note\na@x.org,{cell},b\nb@x.org,{cell},\n"))
    assert [record for body in found for record in json.loads(body)] == [
        {"email": "a@x.org", "city": text, "note": "b"},
        {"email": "b@x.org", "city": text},
    ]
