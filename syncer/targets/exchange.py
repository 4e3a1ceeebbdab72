"""What goes over the wire, as values: a request, its answer, and what a failed one means to the caller.

Both vendors' `wire` modules build and read these, `http` carries them. Nothing here knows a clock or a vendor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is read from a file while it is sent; `before` and `after` stand around the file's bytes."""

    path: Path
    byte_count: int
    before: bytes = b""
    after: bytes = b""

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self.before) + self.byte_count + len(self.after)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request on the connection's own origin: `target` is path and query, percent-encoded.

    `is_write`: a lost answer is a doubt, so the request is never sent a second time by itself. `seconds` is the hard
    limit for connecting, sending and reading together. `begins`: it touches no record, but leads to a write.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Upload = field(default=b"", repr=False)
    is_write: bool = False
    seconds: float = 60.0
    begins: bool = False

    @property
    def is_held_back(self) -> bool:
        """Whether it must not leave once the run may write nothing more."""
        return self.is_write or self.begins

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return self.body.length if isinstance(self.body, Upload) else len(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """One whole answer; header names are lower case. `sent_at` is the monotonic moment of the request's last byte."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    sent_at: float = 0.0


class Trouble(StrEnum):
    """What a failed call means, and so what may be done next."""

    NOT_SENT = "not sent"
    """No byte of the request's body left: nothing can have been executed."""
    BROKEN = "no usable answer"
    """Lost, cut, unreadable, or a word for "outcome unknown": a write is in doubt, a read may be repeated."""
    TOKEN = "token refused"  # noqa: S105 - no password
    RATE = "too many calls in the window"
    CONCURRENCY = "too many calls at once"
    QUEUE = "job queue full"
    LOCKED = "list being imported into"
    BUSY = "temporarily unavailable, nothing executed"
    QUOTA = "daily quota spent"
    DENIED = "access denied"
    MOVED = "redirected"
    TOO_LARGE = "request too large"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a call has no result. `message` is the vendor's, scrubbed of values.

    `is_counted`: the vendor charges quota for this answer. `is_about_caller`: no record of the request is to blame.
    """

    trouble: Trouble
    code: str = ""
    message: str = ""
    request_id: str = ""
    is_counted: bool = True
    is_about_caller: bool = False


class NotSentError(Exception):
    """Nothing of the request's body left this machine. The text names the kind of failure only."""


class AnswerLostError(Exception):
    """The request, or a part of it, left and no whole answer came."""

    def __init__(self, reason: str, sent_at: float) -> None:
        """Keep the moment of the last byte sent, monotonic."""
        super().__init__(reason)
        self.sent_at = sent_at


def parse_json(body: bytes) -> Any:
    """Parse strictly: UTF-8, no BOM, no repeated member, no NaN, bounded depth; anything else is a `ValueError`."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse_constant)
    except RecursionError:
        message = "nested too deeply"
        raise ValueError(message) from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a member stands twice"
        raise ValueError(message)
    return members


def _refuse_constant(_: str) -> NoReturn:
    message = "not a JSON number"
    raise ValueError(message)
