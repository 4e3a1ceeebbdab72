"""Looks for values in whatever came out of a program, in each form in which a value could hide."""

from __future__ import annotations

import base64
import json
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENDS = {"first 8": slice(8), "last 8": slice(-8, None)}
LEAST = 8
"""Fewer bytes than these stand somewhere by chance."""


def forms(value: str) -> dict[str, bytes]:
    """Return what the value looks like, plainly and encoded; base64 at each of its three alignments."""
    plain = value.encode()
    found = {
        "raw": plain,
        "Latin-1": value.encode("latin-1", "ignore"),
        "UTF-16": value.encode("utf-16-le"),
        "URL": urllib.parse.quote(value, safe="").encode(),
        "form": urllib.parse.quote_plus(value).encode(),
        "JSON": json.dumps(value)[1:-1].encode(),
        "JSON, UTF-8": json.dumps(value, ensure_ascii=False)[1:-1].encode(),
        "JSON in JSON": json.dumps(json.dumps(value))[3:-3].encode(),
        "Python": repr(value)[1:-1].encode(),
        "HTML": value.replace("&", "&amp;").replace('"', "&#34;").replace("'", "&#39;").encode(),
        "CSV": value.replace('"', '""').encode(),
        "hex": plain.hex().encode(),
    }
    for shift in range(3):
        # The first and last digits mix with the neighbours' bits. The alphabet for URLs differs in two characters.
        digits = base64.b64encode(bytes(shift) + plain)[4 if shift else 0 : -4]
        found[f"base64, {shift}"] = digits
        found[f"base64url, {shift}"] = digits.translate(bytes.maketrans(b"+/", b"-_"))
    return {form: data for form, data in found.items() if len(data) >= LEAST}


def parts(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return secrets with their first and last 8 characters: a piece of a secret is a secret."""
    ends = {f"{what} of {name}": value[at] for name, value in secrets.items() for what, at in ENDS.items()}
    return {**secrets, **ends}


@dataclass(frozen=True, slots=True)
class Search:
    """Values in all their forms, written out once."""

    sought: tuple[tuple[str, str, bytes], ...]

    @classmethod
    def of(cls, canaries: Mapping[str, str]) -> Search:
        """Return the search for these values."""
        return cls(
            tuple((what, form, data.lower()) for what, value in canaries.items() for form, data in forms(value).items())
        )

    def leaks(self, name: str, data: bytes) -> list[str]:
        """Return which values stand there in which form; names only, so that a failing test spreads none further."""
        lowered = data.lower()
        found: dict[str, str] = {}
        for what, form, sought in self.sought:
            if what not in found and sought in lowered:
                found[what] = form
        return [f"{what} as {form} in {name}" for what, form in found.items()]

    def all_leaks(self, found: Iterable[tuple[str, bytes]]) -> list[str]:
        """Return the leaks of many artifacts."""
        return [leak for name, data in found for leak in self.leaks(name, data)]
