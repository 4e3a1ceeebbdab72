"""The ledger in a bucket: immutable Parquet objects, named by one index that is replaced only as it was read.

The index holds size and digest of every object, so that what is fetched is believed only when it is whole. Objects that
no index names are what a crash left, and go with the next merge.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syncer.errors import StateError
from syncer.state.envelope import Content, unwrap, wrap
from syncer.state.ledger import MAX_OVERLAYS, MEMORY_LIMIT, cursor_of, digest_of, fold
from syncer.state.object_journal import encoded

if TYPE_CHECKING:
    from syncer.state.bucket import Bucket, Tag

_TRIES: Final = 5


class Layer(Content):
    """One Parquet object."""

    name: str
    size: int
    sha256: str


class LedgerIndex(Content):
    """Which objects are the ledger, base first. `merged` is the digest of the last overlay, as in the local ledger."""

    operation: str
    serial: int
    layers: tuple[Layer, ...]
    merged: str
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class ObjectLedger:
    """Implements `state.protocol.Ledger` in a bucket; one writer at a time, which lease and index both see to."""

    bucket: Bucket
    memory_limit: str = MEMORY_LIMIT

    async def serial(self, operation: str) -> int:
        """Return the number of merges so far; 0 for a new operation."""
        index, _ = await self._index(operation)
        return index.serial if index else 0

    async def cursor(self, operation: str) -> str:
        """Return how far the operation's source is done; "" where it was never read from a cursor."""
        index, _ = await self._index(operation)
        return index.cursor if index else ""

    async def fetch(self, operation: str, folder: Path) -> Path | None:
        """Return a Parquet file of (kh_high, kh_low, rh) in `folder`, or None for a new operation."""
        for _ in range(_TRIES):
            index, _tag = await self._index(operation)
            if index is None:
                return None
            target = folder / f"ledger-{encoded(operation)}-{index.serial}.parquet"
            with tempfile.TemporaryDirectory(dir=folder, prefix="layers-") as place:
                layers = await self._layers(operation, index, Path(place))
                if layers is not None:
                    await self.bucket.offload(partial(fold, layers, target, self.memory_limit))
                    return target
            # A merge replaced the objects in between; the new index names the new ones.
        raise _unreadable(operation, "its objects are missing")

    async def merge(self, operation: str, serial: int, confirmed: Path) -> int:
        """Overlay `confirmed` on the ledger of this serial, return the new one; raises `StateError` on a conflict."""
        merged = await self.bucket.offload(partial(digest_of, confirmed))
        index, tag = await self._index(operation)
        if _has(index, serial, merged):
            return serial + 1
        if (index.serial if index else 0) != serial:
            raise _conflict(operation, index, serial)
        with tempfile.TemporaryDirectory(dir=confirmed.parent, prefix="merge-") as place:
            layers = await self._with(operation, index, confirmed, Path(place))
        cursor = await self.bucket.offload(partial(cursor_of, confirmed)) or (index.cursor if index else "")
        changed = LedgerIndex(operation=operation, serial=serial + 1, layers=layers, merged=merged, cursor=cursor)
        path = _folder(operation) + "/index"
        if tag is None:
            is_ours = await self.bucket.create(path, wrap(changed)) is not None
        else:
            is_ours = await self.bucket.replace(path, wrap(changed), tag) is not None
        if not is_ours:
            index, _ = await self._index(operation)
            if not _has(index, serial, merged):
                raise _conflict(operation, index, serial)
            return serial + 1
        await self._sweep(changed)
        return serial + 1

    async def _index(self, operation: str) -> tuple[LedgerIndex | None, Tag | None]:
        path = _folder(operation) + "/index"
        kept = await self.bucket.get(path)
        if kept is None:
            return None, None
        index = unwrap(LedgerIndex, kept.body, path)
        if index.operation != operation:
            raise _unreadable(operation, "its index is that of another operation")
        return index, kept.tag

    async def _with(self, operation: str, index: LedgerIndex | None, confirmed: Path, place: Path) -> tuple[Layer, ...]:
        """Upload what the ledger gains, or all of it as one when it has grown many layers, and return the layers."""
        old = index.layers if index else ()
        if index is not None and len(old) <= MAX_OVERLAYS:
            return (*old, await self._upload(operation, index.serial + 1, confirmed))
        files = await self._layers(operation, index, place) if index else []
        if files is None:
            raise _unreadable(operation, "its objects are missing")
        layers = [*files, confirmed]
        await self.bucket.offload(partial(fold, layers, place / "base.parquet", self.memory_limit))
        return (await self._upload(operation, index.serial + 1 if index else 1, place / "base.parquet"),)

    async def _upload(self, operation: str, serial: int, file: Path) -> Layer:
        digest, size = await self.bucket.offload(lambda: (digest_of(file), file.stat().st_size))
        name = f"{serial:08}-{digest[:32]}"
        await self.bucket.upload(f"{_folder(operation)}/{name}", file)
        return Layer(name=name, size=size, sha256=digest)

    async def _layers(self, operation: str, index: LedgerIndex, place: Path) -> list[Path] | None:
        """Fetch all layers and check them; None when one is not there."""
        files: list[Path] = []
        for each in index.layers:
            file = place / each.name
            if not await self.bucket.download(f"{_folder(operation)}/{each.name}", each.size, file):
                return None
            found = await self.bucket.offload(partial(digest_of, file))
            if found != each.sha256:
                raise _unreadable(operation, f'its object "{each.name}" is not what was written')
            files.append(file)
        return files

    async def _sweep(self, index: LedgerIndex) -> None:
        """Remove objects that no index will name any more: of this serial or an older one, and not named now."""
        kept = {each.name for each in index.layers} | {"index"}
        for path in await self.bucket.names(_folder(index.operation)):
            name = path.rpartition("/")[2]
            if name not in kept and name.partition("-")[0] <= f"{index.serial:08}":
                await self.bucket.delete(path)


def _folder(operation: str) -> str:
    return f"ledger/{encoded(operation)}"


def _has(index: LedgerIndex | None, serial: int, merged: str) -> bool:
    return index is not None and index.serial == serial + 1 and index.merged == merged


def _conflict(operation: str, index: LedgerIndex | None, serial: int) -> StateError:
    found = index.serial if index else 0
    detail = f'The ledger of "{operation}" is at serial {found}, and the run began at {serial}.'
    return StateError("R280", detail, "Another run has written in between: make the plan again.")


def _unreadable(operation: str, why: str) -> StateError:
    return StateError(
        "R281",
        f'The ledger of "{operation}" cannot be read: {why}.',
        'Restore the earlier version of the object, or plan with "only: all" once.',
    )
