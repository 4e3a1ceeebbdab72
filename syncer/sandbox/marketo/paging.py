"""Pages of 300 and the opaque tokens between them (Adobe, "Paging Tokens").

A token is bound to the query that it continues: with other parameters it is refused.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

from syncer.sandbox.marketo.gate import Call, MarketoError

Item = TypeVar("Item")
MAX_PAGE = 300
NOT_PART_OF_THE_QUERY = frozenset({"nextPageToken", "batchSize", "_method", "access_token"})


def _digest(call: Call) -> str:
    query = sorted((name, values) for name, values in call.params.items() if name not in NOT_PART_OF_THE_QUERY)
    text = repr((call.exchange.scope["path"], query))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def page_size(call: Call) -> int:
    """1 to 300; more is capped."""
    asked = call.whole_number("batchSize")
    return MAX_PAGE if asked is None else max(1, min(asked, MAX_PAGE))


def make_place(position: int, digest: str = "") -> str:
    """Base32 text that leads back to a place."""
    return base64.b32encode(f"{position}:{digest}".encode()).decode()


def read_place(token: str, digest: str = "") -> int:
    """The place that a token leads to; a token of another query is refused."""
    try:
        position, made_for = base64.b32decode(token).decode().split(":")
        place = int(position)
    except ValueError:
        raise MarketoError("1003", "Invalid nextPageToken") from None
    if made_for != digest:
        raise MarketoError("1003", "Invalid nextPageToken")
    return place


def page(call: Call, items: Sequence[Item], *, says_more: bool = True) -> tuple[Sequence[Item], dict[str, Any]]:
    """One page, and what the envelope says of the next. `says_more` is False for calls that give only a token."""
    token = call.text("nextPageToken") or call.body.get("nextPageToken")
    start, size = read_place(str(token), _digest(call)) if token else 0, page_size(call)
    shown = items[start : start + size]
    if start + size >= len(items):
        return shown, {}
    more: dict[str, Any] = {"nextPageToken": make_place(start + size, _digest(call))}
    return shown, more | ({"moreResult": True} if says_more else {})
