"""The ledger as files: what was last confirmed, per operation and key, as hashes.

A base and the overlays since, all immutable Parquet with their digests in their names, and one small index for each
serial that is made in one step and never changed: the newest one counts. A process may die anywhere and the ledger is
either the old one or the new one; one that stood still and wakes can neither take a serial again nor hold up another.
An overlay's key without a row hash is forgotten. Where an operation deletes what leaves its source, a key has the
vendor's id of its record as well, its name. `sh` is the hash of the source row of its record.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio.to_thread
import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from syncer.errors import StateError
from syncer.state.place import make_folder

if TYPE_CHECKING:
    from pathlib import Path

MAX_OVERLAYS = 8
"""More are folded into the base: every fetch has to look through all of them."""
MEMORY_LIMIT = "1GB"
_KEY = "kh_high, kh_low"
_DIGITS = 8
"""Of a serial in a file's name, which begins with it."""
_FIRST_INDEX = "index.json"
"""The one index of a ledger that was written before each serial had its own."""


class _Index(BaseModel):
    """Which files are the ledger. `merged` is the digest of the last overlay, which makes a repeated merge harmless."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    serial: int
    base: str
    overlays: tuple[str, ...] = ()
    merged: str
    cursor: str = ""
    """How far the source was read when all that it gave was confirmed; "" where it is read whole."""


@dataclass(frozen=True, slots=True)
class LocalLedger:
    """Implements `state.protocol.Ledger` in a folder; one writer at a time, which the lease sees to."""

    folder: Path
    memory_limit: str = MEMORY_LIMIT

    async def serial(self, operation: str) -> int:
        """Return the number of merges so far; 0 for a new operation."""
        index = await anyio.to_thread.run_sync(self._index, operation)
        return index.serial if index else 0

    async def cursor(self, operation: str) -> str:
        """Return how far the operation's source is done; "" where it was never read from a cursor."""
        index = await anyio.to_thread.run_sync(self._index, operation)
        return index.cursor if index else ""

    async def fetch(self, operation: str, folder: Path) -> Path | None:
        """Return a Parquet file of (kh_high, kh_low, rh) to read only, or None for a new operation."""
        return await anyio.to_thread.run_sync(self._fetch, operation, folder)

    async def merge(self, operation: str, serial: int, confirmed: Path) -> int:
        """Overlay `confirmed` on the ledger of this serial, return the new one; raises `StateError` on a conflict."""
        return await anyio.to_thread.run_sync(self._merge, operation, serial, confirmed)

    def _fetch(self, operation: str, folder: Path) -> Path | None:
        index = self._index(operation)
        if index is None:
            return None
        home = self.folder / operation
        if not index.overlays:
            return home / index.base
        target = folder / f"ledger-{operation}-{index.serial}.parquet"
        fold([home / index.base, *(home / each for each in index.overlays)], target, self.memory_limit)
        return target

    def _merge(self, operation: str, serial: int, confirmed: Path) -> int:
        index = self._index(operation)
        digest = digest_of(confirmed)
        found = index.serial if index else 0
        if index and found == serial + 1 and index.merged == digest:
            return found
        if found != serial:
            raise _conflict(operation, found, serial)
        try:
            self._name(operation, self._written(operation, index, confirmed, digest))
        except (OSError, StateError):
            # Whoever went on while this process stood still has swept its drafts away.
            now = self._index(operation)
            if now and now.serial > serial:
                raise _conflict(operation, now.serial, serial) from None
            raise
        self._sweep(operation)
        return serial + 1

    def _written(self, operation: str, index: _Index | None, confirmed: Path, digest: str) -> _Index:
        """Write what the ledger gains, or all of it as one when it has many layers, and return the next index."""
        home, serial = self.folder / operation, index.serial + 1 if index else 1
        make_folder(home)
        name = f"{serial:0{_DIGITS}}-{digest[:32]}.parquet"
        cursor = cursor_of(confirmed) or (index.cursor if index else "")
        if index is None or len(index.overlays) >= MAX_OVERLAYS:
            old = [home / index.base, *(home / each for each in index.overlays)] if index else []
            fold([*old, confirmed], home / name, self.memory_limit)
            return _Index(serial=serial, base=name, merged=digest, cursor=cursor)
        draft = _draft(home / name)
        shutil.copyfile(confirmed, draft)
        _settle(draft, home / name)
        more = {"serial": serial, "overlays": (*index.overlays, name), "merged": digest, "cursor": cursor}
        return index.model_copy(update=more)

    def _name(self, operation: str, changed: _Index) -> None:
        """Make the index of a new serial, which one alone can do; raises `StateError` for any other."""
        path = self.folder / operation / f"index-{changed.serial:0{_DIGITS}}.json"
        draft = _draft(path)
        draft.write_text(changed.model_dump_json(), encoding="utf-8")
        with suppress(FileExistsError):
            _settle(draft, path, is_new=True)
        now = self._index(operation)
        if now is None or now.serial != changed.serial or now.merged != changed.merged:
            raise _conflict(operation, now.serial if now else 0, changed.serial - 1)

    def _sweep(self, operation: str) -> None:
        """Remove what the newest index no longer names: of its serial or an older one; later ones are being made."""
        index = self._index(operation)
        if index is None:
            return
        kept = {index.base, *index.overlays, f"index-{index.serial:0{_DIGITS}}.json"}
        for each in (self.folder / operation).iterdir():
            serial = each.name.removeprefix("index-")[:_DIGITS]
            is_older = each.name == _FIRST_INDEX or (serial.isdigit() and int(serial) <= index.serial)
            if is_older and each.name not in kept:
                each.unlink(missing_ok=True)

    def _index(self, operation: str) -> _Index | None:
        home = self.folder / operation
        while True:
            newest = max(home.glob("index-*.json"), default=home / _FIRST_INDEX)
            try:
                return _Index.model_validate_json(newest.read_bytes())
            except FileNotFoundError:
                # A merge that came in between has swept it away, and there is a newer one; or there never was any.
                if newest.name == _FIRST_INDEX and not any(home.glob("index-*.json")):
                    return None
            except (OSError, ValidationError) as problem:
                raise StateError("R281", f'The index of the ledger of "{operation}" cannot be read.') from problem


def _conflict(operation: str, found: int, serial: int) -> StateError:
    detail = f'The ledger of "{operation}" is at serial {found}, and the run began at {serial}.'
    return StateError("R280", detail, "Another run has written in between: make the plan again.")


def _draft(path: Path) -> Path:
    """Return a name beside the path that no other process writes to: one that stands still may hold its own."""
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")


def fold(layers: list[Path], target: Path, memory_limit: str = MEMORY_LIMIT) -> None:
    """Write the newest word on every key, in any order; keys to forget are left out."""
    there = [_columns(each) for each in layers]
    whole = _named(layers, there) if any("name" in each for each in there) else _unnamed(layers, there)
    draft = _draft(target)
    draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft.touch(mode=0o600)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "preserve_insertion_order": False,
    }
    config["temp_directory"] = str(target.parent / "spill")
    try:
        with duckdb.connect(":memory:", config=config) as connection:
            connection.execute(
                f"COPY (SELECT * FROM ({whole}) WHERE rh IS NOT NULL) TO '{_quoted(draft)}' (FORMAT parquet)"
            )
    except duckdb.Error as problem:
        raise _unreadable() from problem
    _settle(draft, target)


def _unnamed(layers: list[Path], there: list[set[str]]) -> str:
    whole, *newer = (
        f"SELECT {_KEY}, rh{_source_hash(columns, there)} FROM {_scan(path)}"
        for path, columns in zip(layers, there, strict=True)
    )
    for each in newer:
        whole = f"SELECT * FROM ({whole}) ANTI JOIN ({each}) USING ({_KEY}) UNION ALL ({each})"
    return whole


def _source_hash(columns: set[str], there: list[set[str]]) -> str:
    """Return the column with the hash of the source row, null in a layer without it; "" where no layer has it."""
    if not any("sh" in each for each in there):
        return ""
    return ", sh" if "sh" in columns else ", NULL::UBIGINT AS sh"


def _named(layers: list[Path], there: list[set[str]]) -> str:
    """Return the newest word on every key; its name is the newest since it was last forgotten."""
    told = " UNION ALL ".join(
        f"SELECT {_KEY}, rh, {'name' if 'name' in columns else 'NULL::VARCHAR AS name'}{_source_hash(columns, there)}, "
        f"{number} AS layer FROM {_scan(path)}"
        for number, (path, columns) in enumerate(zip(layers, there, strict=True))
    )
    # The hash of the source row goes with the row hash beside it, and is null where that one has none.
    source_hash = ", arg_max_null(sh, layer) AS sh" if any("sh" in each for each in there) else ""
    forgotten = "coalesce(max(layer) FILTER (rh IS NULL), -1)"
    return f"""
        SELECT {_KEY}, CASE WHEN max(layer) > {forgotten} THEN arg_max(rh, layer) END AS rh,
               CASE WHEN max(layer) FILTER (name IS NOT NULL) > {forgotten} THEN arg_max(name, layer) END AS name
               {source_hash}
        FROM ({told}) GROUP BY {_KEY}
        """


def _columns(path: Path) -> set[str]:
    import pyarrow.parquet as pq

    try:
        return set(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as problem:
        raise _unreadable() from problem


def _unreadable() -> StateError:
    return StateError("R281", "The files of the ledger cannot be read, or there is no room to write them.")


def _scan(path: Path) -> str:
    return f"read_parquet('{_quoted(path)}')"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _settle(draft: Path, path: Path, *, is_new: bool = False) -> None:
    """Make the draft durable, give it its name, and make the name durable; a new name is never another's."""
    draft.chmod(0o600)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    if is_new:
        try:
            path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
    else:
        draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def cursor_of(path: Path) -> str:
    """Return how far the run that wrote a confirmed file has read its source; "" where that says nothing."""
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (pa.ArrowInvalid, OSError) as problem:
        raise _unreadable() from problem
    return bytes(metadata.get(b"cursor", b"")).decode()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
