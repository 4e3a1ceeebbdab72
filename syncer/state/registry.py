"""Which store keeps the state: a folder of this machine, or a bucket, told by what the place is called.

An address never holds a credential: those are read from the environment, by the names that the vendors' own tools use.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from syncer.errors import StateError
from syncer.state.local import LocalStore
from syncer.state.protocol import Store, in_thread

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from syncer.clock import Clock
    from syncer.state.object_store import ObjectStore
    from syncer.state.protocol import Offload

BUCKETS = ("s3", "gs", "az", "memory")
"""Kinds of address that are buckets; `memory://NAME` lives as long as the process, for tests."""


NETWORK = "SYNCER_ALLOW_NETWORK_FS"
"""The variable that lets state lie on a network file system; every command reads it, like the place of the state."""
_YES = frozenset({"1", "true"})


class OpenStore(Store, Protocol):
    """A store, to be closed in the end."""

    def close(self) -> None:
        """Release what this process holds of it."""
        ...


def open_store(place: str | Path, clock: Clock, *, offload: Offload = in_thread) -> OpenStore:
    """Return the store at a folder or an address; nothing is touched yet. Raises `StateError` for what is neither."""
    text = str(place)
    allow_network = os.environ.get(NETWORK, "").lower() in _YES
    if isinstance(place, Path) or "://" not in text:
        return LocalStore(Path(place), clock, allow_network=allow_network, offload=offload)
    try:
        parts = urlsplit(text)
    except ValueError:
        why = "it cannot be read as an address"
        raise _misplaced(text.partition("://")[0] + "://", why) from None
    named = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _misplaced(named, "more than a bucket and a prefix stands in the address, perhaps a credential")
    if parts.scheme == "file":
        # A folder is kept better by the local store: the file store cannot replace an object on condition.
        if parts.netloc not in {"", "localhost"} or not parts.path.strip("/"):
            raise _misplaced(named, "it names no folder of this machine")
        return LocalStore(Path(unquote(parts.path)), clock, allow_network=allow_network, offload=offload)
    if parts.scheme not in BUCKETS:
        raise _misplaced(named, f"{parts.scheme}:// is not known")
    if not parts.netloc:
        raise _misplaced(named, "it names no bucket")
    return _open_bucket(text, named, clock, offload)


def is_folder(place: str | Path) -> bool:
    """Whether state at `place` is on this machine."""
    return "://" not in str(place) or str(place).startswith("file://")


def _open_bucket(url: str, named: str, clock: Clock, offload: Offload) -> ObjectStore:
    try:
        from syncer.state.bucket import REQUEST_SECONDS, TRANSFER_SECONDS, Bucket
    except ImportError as error:
        raise StateError(
            "R224",
            f'State in "{named}" needs the package that speaks to object stores.',
            "Install it with:",
            "pip install 'syncer[object-store]'",
        ) from error
    from syncer.state.object_store import ObjectStore

    if url.startswith("memory:"):
        bucket = Bucket(_memory(url), clock, name=named, offload=offload)
    else:
        objects, transfers = (_remote(url, named, seconds) for seconds in (REQUEST_SECONDS, TRANSFER_SECONDS))
        bucket = Bucket(objects, clock, name=named, transfers=transfers, offload=offload)
    return ObjectStore(bucket, clock)


def _remote(url: str, named: str, seconds: float) -> Any:
    """Return the vendor's client. It never tries again by itself: only the bucket knows what may be repeated."""
    from obstore import exceptions
    from obstore.store import from_url

    options: ClientConfig = {"timeout": f"{seconds:.0f}s", "connect_timeout": "5s"}
    if os.environ.get("AWS_ALLOW_HTTP", "").lower() in _YES:
        # Options given here replace those of the environment, where a store of one's own may be said to have no TLS.
        options["allow_http"] = True
    try:
        return from_url(url, client_options=options, retry_config={"max_retries": 0})
    except (exceptions.BaseError, ValueError):
        # Without the cause: its words quote settings of the environment.
        raise _misplaced(named, "the environment lacks what its vendor needs, such as account or region") from None


@cache
def _memory(_url: str) -> Any:
    from obstore.store import MemoryStore

    return MemoryStore()


def _misplaced(place: str, why: str) -> StateError:
    return StateError(
        "R224",
        f'"{place}" is no place for state: {why}.',
        "Give a folder, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX. Credentials come from the"
        " environment only.",
    )
