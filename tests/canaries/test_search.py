"""The search for canaries finds a value in every form, among other bytes, also by its ends."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest

from tests.canaries.house import PEOPLE
from tests.canaries.search import Search, forms, parts

ODD = ("%", "%41", '"', "'", "\\", "\n", ":", "&", "+", "/", "<", "é", "ß", "Ω", "漢", "😀", "\t", "=", ";", "}")


@pytest.mark.parametrize("what", PEOPLE)
def test_the_search_finds_every_form(what: str) -> None:
    """A canary that is planted in any form, among other bytes, is found."""
    search = Search.of({what: PEOPLE[what]})
    for form, data in forms(PEOPLE[what]).items():
        assert search.leaks("here", b"\x00before " + data + b" after"), form
    for shift in range(6):
        given = b"x" * shift + PEOPLE[what].encode() + b"more"
        assert search.leaks("here", base64.b64encode(given)), shift
        assert search.leaks("here", base64.urlsafe_b64encode(given)), shift
    assert not search.leaks("here", b"nothing of it")


def test_forms_are_those_of_the_world() -> None:
    """What the search takes for a form is what other programs make of a value."""
    value = 'Zwölf "Ω" kanari/+?'
    found = forms(value)
    assert found["URL"] in urllib.parse.urlencode({"q": value}, quote_via=urllib.parse.quote, safe="").encode()
    assert found["form"] in urllib.parse.urlencode({"q": value}).encode()
    assert found["JSON"] in json.dumps({"a": [value]}).encode()
    assert found["JSON in JSON"] in json.dumps({"a": json.dumps({"b": f"x{value}x"})}).encode()
    assert found["hex"] in b"x".hex().encode() + value.encode().hex().encode()


@pytest.mark.parametrize("length", [24, 4_096])
@pytest.mark.parametrize("odd", ODD)
def test_the_search_finds_forty_secrets_and_their_ends(odd: str, length: int) -> None:
    """Whatever a secret holds, and however long it is: whole, its first and its last 8 characters, in each form."""
    whole = f"Kanari8{odd}Anfang{odd}" + "x" * (length - 24) + f"{odd}Ende{odd}8kanari"
    search = Search.of(parts({"secret": whole}))
    for value in parts({"secret": whole}).values():
        for form, data in forms(value).items():
            assert search.leaks("here", b"before " + data + b" after"), form
