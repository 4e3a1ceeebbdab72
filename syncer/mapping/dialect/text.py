"""Lines of the dialect that read text: how one is written down, and what is said of a text as a whole.

Case, cutting, searching and lists of parts have rooms of their own, which write their lines with what stands here.
"""

from __future__ import annotations

import hashlib

from syncer.mapping.dialect.entry import Entry, Example, Kind, Parameter, Type, Value, fill

T = (Type.TEXT,)


def line(name: str, **members: object) -> Entry:
    """Return a filter from text to text, unless `members` say otherwise."""
    return Entry(**{"kind": Kind.FILTER, "name": name, "takes": Type.TEXT, "gives": Type.TEXT, **members})  # type: ignore[arg-type]


def method(entry: Entry, name: str = "", template: str = "", x: Value = None, value: Value = None) -> Entry:
    """Return the same operation, written as a method."""
    return Entry(
        kind=Kind.METHOD,
        name=name or entry.name,
        takes=entry.takes,
        gives=entry.gives,
        python=entry.python,
        sql=entry.sql,
        doc=entry.doc,
        parameters=entry.parameters,
        ascii_sql=entry.ascii_sql,
        is_partial=entry.is_partial,
        like_jinja=entry.like_jinja and entry.name not in ("title", "capitalize"),
        examples=(example(template, x, value),),
    )


def example(template: str, x: Value, value: Value) -> Example:
    """Return an example over the one column `x`."""
    return Example(template, {"x": x}, value)


def not_empty(value: Value) -> str:
    """Return a sentence where a literal is empty."""
    return "" if value else "It must not be empty."


def not_negative(value: Value) -> str:
    """Return a sentence where a literal is no number from zero up."""
    return "" if isinstance(value, int) and value >= 0 else "It must not be negative."


def _digest(value: Value) -> str:
    return "" if value in ("md5", "sha256") else 'It is "sha256" or "md5".'


def _hash(x: str, digest: str) -> str:
    return hashlib.new(digest, x.encode(), usedforsecurity=False).hexdigest()


FILTERS = (
    line(
        "length",
        gives=Type.INTEGER,
        sql="length(:x)",
        python=len,
        doc="How many characters.",
        examples=(example("{{ x | length }}", "é😀", 2),),
    ),
    line(
        "hash",
        parameters=(Parameter("digest", T, "sha256", is_literal=True, problem=_digest),),
        sql=lambda at, values: fill(f"{values['digest']}(:x)", at),
        python=_hash,
        doc="The digest of the UTF-8 text in hexadecimal: `sha256` or `md5`.",
        like_jinja=False,
        examples=(example("{{ x | hash('md5') }}", "a", "0cc175b9c0f1b6a831c399e269772661"),),
    ),
)
