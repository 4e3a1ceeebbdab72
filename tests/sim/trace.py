"""A play as one number: the same seed must give the same story, to the last note and call."""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sim.play import Played


def trace_hash(played: Played) -> str:
    """Return a digest over every note and every call with its moments."""
    digest = hashlib.sha256()
    for note in played.notes:
        digest.update(note.model_dump_json().encode())
    for entry in played.entries:
        digest.update(repr(astuple(entry)).encode())
    digest.update(repr((played.result.exit_code if played.result else None, played.seconds)).encode())
    return digest.hexdigest()
