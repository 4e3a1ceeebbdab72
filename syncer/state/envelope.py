"""The form of every object that the state keeps in a bucket: one line that says what it is, then JSON.

The line holds the format's version and a digest of the rest, so that a cut, changed or foreign object is told from one
of ours before any of it is believed. Pure: bytes in, values out.
"""

from __future__ import annotations

import hashlib
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from syncer.errors import StateError

VERSION = 1
"""Of all objects; an older syncer refuses a newer one."""

_MARK = b"syncer-state"


class Content(BaseModel):
    """What an object says: frozen, and an unknown member is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


C = TypeVar("C", bound=Content)


def wrap(content: Content) -> bytes:
    """Return the object that says `content`."""
    text = content.model_dump_json().encode()
    return b"%s %d %s\n%s" % (_MARK, VERSION, hashlib.sha256(text).hexdigest().encode(), text)


def unwrap(kind: type[C], body: bytes, name: str) -> C:
    """Return what the object `name` says; raises `StateError` for one that is cut, changed, foreign or newer."""
    head, _, text = body.partition(b"\n")
    words = head.split(b" ")
    if len(words) != 3 or words[0] != _MARK or not words[1].isdigit():  # noqa: PLR2004 - mark, version, digest
        raise broken(name, "it was not written by syncer, or is cut")
    if int(words[1]) != VERSION:
        raise StateError(
            "R202",
            f'The object "{name}" has version {int(words[1])}; this syncer knows version {VERSION}.',
            "Use the version of syncer that wrote it, or a newer one.",
        )
    if hashlib.sha256(text).hexdigest().encode() != words[2]:
        raise broken(name, "its content is not what its digest says")
    try:
        return kind.model_validate_json(text)
    except ValidationError:
        # Without the cause: its words quote the object's content.
        raise broken(name, "it is of another kind than its name says") from None


def broken(name: str, why: str) -> StateError:
    """Return the error for an object that is not believed; `why` is a clause."""
    return StateError(
        "R223",
        f'The object "{name}" of the state cannot be believed: {why}.',
        "Restore its earlier version if the bucket keeps versions. Never edit or copy single objects of the state.",
    )
