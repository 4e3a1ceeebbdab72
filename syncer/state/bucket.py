"""One bucket, or a prefix of one, behind a few verbs that are safe to repeat: the only module that knows `obstore`.

A conditional write whose answer was lost, or that was refused because its own first try had arrived, is decided by
reading back: bodies differ from each other, so the same body there is our own. A failure is told by its class and by
words of a known form; the vendor's text is never shown, for it may quote an address with a signature in it.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import obstore
from obstore import exceptions

from syncer.errors import StateError
from syncer.state.protocol import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obstore import UpdateVersion
    from obstore.store import ObjectStore

    from syncer.clock import Clock
    from syncer.state.protocol import Offload

T = TypeVar("T")

TRIES: Final = 6
DEADLINE_SECONDS: Final = 20.0
"""After so long no further try is begun: with its last time-out a call ends within half the life of a lease."""
REQUEST_SECONDS: Final = 8.0
TRANSFER_SECONDS: Final = 60.0
"""For one part of a file; parts are small enough for slow lines."""
PART_BYTES: Final = 5 * 1024 * 1024
PROBE: Final = "probe"
_FIRST_WAIT_SECONDS: Final = 0.2

_ABSENT = (FileNotFoundError, exceptions.NotFoundError)
_CONFLICT = (exceptions.AlreadyExistsError, exceptions.PreconditionError, FileExistsError, *_ABSENT)
_REFUSED = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, PermissionError)
_UNABLE = (exceptions.NotSupportedError, NotImplementedError)
_MISUSED = (exceptions.InvalidPathError, exceptions.UnknownConfigurationKeyError, ValueError)
_TRANSIENT = (exceptions.BaseError, OSError)
_NOT_IMPLEMENTED = "NotImplemented"
"""Amazon S3 API Reference, "Error responses": a header asks for what the store does not have."""
_STATUS = re.compile(r"status code: (\d{3}(?: [A-Z][A-Za-z ]{1,40})?)")
_CODE = re.compile(r"<Code>([A-Za-z]{3,60})</Code>")


@dataclass(frozen=True, slots=True)
class Tag:
    """Which version of an object is meant: its entity tag, and its generation where the vendor counts them."""

    e_tag: str | None
    version: str | None

    def mode(self) -> UpdateVersion:
        """Return the condition of a write that must find this version."""
        mode: UpdateVersion = {}
        if self.e_tag is not None:
            mode["e_tag"] = self.e_tag
        if self.version is not None:
            mode["version"] = self.version
        return mode


@dataclass(frozen=True, slots=True)
class Kept:
    """An object as it was read. `modified` is a moment of the server's clock."""

    body: bytes
    tag: Tag
    modified: float


class Bucket:
    """Objects under one prefix. `transfers` is the same place with the patience that files need."""

    def __init__(
        self,
        objects: ObjectStore,
        clock: Clock,
        *,
        name: str,
        transfers: ObjectStore | None = None,
        offload: Offload = in_thread,
    ) -> None:
        """Keep what is needed; nothing is touched yet. `name` is how messages call the place."""
        self.name = name
        self._objects = objects
        self._transfers = transfers or objects
        self._clock = clock
        self.offload = offload

    async def get(self, path: str) -> Kept | None:
        """Return the object, or None."""

        def work() -> Kept | None:
            try:
                found = obstore.get(self._objects, path)
                meta = found.meta
                body = bytes(found.bytes())
            except _ABSENT:
                return None
            return Kept(body, Tag(meta["e_tag"], meta["version"]), meta["last_modified"].timestamp())

        return await self._call(work)

    async def create(self, path: str, body: bytes) -> Tag | None:
        """Write the object if there is none, and return its tag; None when another one is there."""
        return await self._write(path, body, None)

    async def replace(self, path: str, body: bytes, tag: Tag) -> Tag | None:
        """Write the object over the version of `tag`, and return the new tag; None when another version is there."""
        return await self._write(path, body, tag)

    async def prove_conditions(self) -> None:
        """See that a write really is refused where its condition does not hold; raises `StateError` for R222."""
        path = f"{PROBE}/{secrets.token_hex(8)}"
        first = await self.create(path, b"first")
        try:
            if first is None or await self.create(path, b"second") is not None:
                raise self._unable()
            if await self.replace(path, b"third", first) is None or await self.replace(path, b"fourth", first):
                raise self._unable()
        finally:
            await self.delete(path)

    async def put(self, path: str, body: bytes) -> None:
        """Write the object over whatever is there."""
        await self._call(lambda: obstore.put(self._objects, path, body))

    async def modified(self, path: str) -> float:
        """Return when the object was written, by the server's clock."""

        def work() -> float:
            return obstore.head(self._objects, path)["last_modified"].timestamp()

        return await self._call(work)

    async def names(self, folder: str = "") -> list[str]:
        """Return the paths under `folder`, in order."""

        def work() -> list[str]:
            chunks = obstore.list(self._objects, folder or None, chunk_size=1_000)
            return sorted(each["path"] for chunk in chunks for each in chunk)

        return await self._call(work)

    async def is_empty(self) -> bool:
        """Whether there is no object at all."""
        return await self._call(lambda: not any(obstore.list(self._objects, chunk_size=1)))

    async def delete(self, path: str) -> None:
        """Remove the object; one that is not there is removed already."""

        def work() -> None:
            try:
                obstore.delete(self._objects, path)
            except _ABSENT:
                return

        await self._call(work)

    async def upload(self, path: str, file: Path) -> None:
        """Write a file's content to the object; the path is one that only this content has."""
        await self._call(lambda: obstore.put(self._transfers, path, file, chunk_size=PART_BYTES))

    async def download(self, path: str, size: int, file: Path) -> bool:
        """Write the object to a private file, and say whether there was one; one of another size is left empty.

        Whoever asks checks the content.
        """

        def begin() -> int | None:
            file.touch(mode=0o600)
            try:
                return obstore.head(self._objects, path)["size"]
            except _ABSENT:
                return None

        found = await self._call(begin)
        if found != size:
            return found is not None
        for start in range(0, size, PART_BYTES):
            end = min(size, start + PART_BYTES)

            def work(start: int = start, end: int = end) -> bool:
                try:
                    part = bytes(obstore.get_range(self._transfers, path, start=start, end=end))
                except _ABSENT:
                    return False
                with file.open("r+b") as opened:
                    opened.seek(start)
                    opened.write(part)
                return True

            if not await self._call(work):
                return False
        return True

    async def _write(self, path: str, body: bytes, tag: Tag | None) -> Tag | None:
        def work() -> Tag | None:
            try:
                done = obstore.put(self._objects, path, body, mode="create" if tag is None else tag.mode())
            except _CONFLICT:
                return None
            return Tag(done["e_tag"], done["version"])

        for _ in range(TRIES):
            if (done := await self._call(work)) is not None:
                return done
            there = await self.get(path)
            if there is not None:
                if there.body == body:
                    return there.tag
                if tag != there.tag:
                    return None
            elif tag is not None:
                return None
            # Refused, and yet nothing stands in the way: the Amazon S3 User Guide, "How to prevent object overwrites
            # with conditional writes", has 409 ConditionalRequestConflict for writes that meet, to be tried again.
            await self._clock.sleep(_FIRST_WAIT_SECONDS)
        why = f'"{path}" is being written by others all the time'
        raise self._unreachable(why)

    async def _call(self, work: Callable[[], T]) -> T:
        """Run `work`, again while it fails in passing; all verbs here may be repeated."""
        began = self._clock.monotonic()
        wait = _FIRST_WAIT_SECONDS
        for attempt in range(1, TRIES + 1):
            try:
                return await self.offload(work)
            except _REFUSED as error:
                raise self._refused(error) from None
            except _UNABLE:
                raise self._unable() from None
            except _MISUSED as error:
                raise self._unreachable(_reason(error)) from None
            except _TRANSIENT as error:
                if _NOT_IMPLEMENTED in _reason(error):
                    raise self._unable() from None
                if attempt == TRIES or self._clock.monotonic() - began + wait > DEADLINE_SECONDS:
                    raise self._unreachable(_reason(error)) from None
            await self._clock.sleep(wait * (0.5 + secrets.randbelow(1_000) / 1_000))
            wait *= 2
        why = "its tries are used up"
        raise self._unreachable(why)

    def _unreachable(self, why: str) -> StateError:
        return StateError(
            "R220",
            f'The state in "{self.name}" cannot be read or written: {why}.',
            "Check the network, the bucket's name, region and endpoint. Then go on with:",
            "syncer resume",
        )

    def _refused(self, error: Exception) -> StateError:
        return StateError(
            "R221",
            f'The state in "{self.name}" refuses access: {_reason(error)}.',
            "Give the credentials in the environment leave to read, write, list and delete objects under this prefix.",
        )

    def _unable(self) -> StateError:
        return StateError(
            "R222",
            f'The store of "{self.name}" cannot write an object on condition that another version is there.',
            "Keep the state in S3, Google Cloud Storage, Azure, a store that does as they do, or in a local folder.",
        )


def _reason(error: Exception) -> str:
    """Return what may be shown of a failure: HTTP status and the vendor's code, or else its class."""
    text = str(error)
    found = [match[1] for match in (_STATUS.search(text), _CODE.search(text)) if match]
    return " ".join(found) or f"no usable answer ({type(error).__name__})"
