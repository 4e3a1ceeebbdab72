"""What must outlive a process: journal, ledger, lease, spent plans. Stores differ, this contract does not.

A note is durable when `append` returns. Notes hold counts, references, digests, row numbers and codes; never a
secret, never a field value.
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, TypeVar

import anyio.to_thread
from pydantic import BaseModel, ConfigDict, Field

from syncer.errors import StateError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

T = TypeVar("T")


class Offload(Protocol):
    """How work that blocks (SQLite, the engine) is run beside the event loop; a simulation calls it directly."""

    async def __call__(self, work: Callable[[], T]) -> T:
        """Return what `work` returns."""
        ...


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a worker thread; a cancelled caller still waits for its end."""
    return await anyio.to_thread.run_sync(work)


class NoteModel(BaseModel):
    """Frozen, and an unknown member is refused: an older syncer does not half believe a newer journal."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Started(NoteModel):
    """A run began, or was taken up again."""

    kind: Literal["started"] = "started"
    plan: str
    tool: str
    resumed: bool = False
    at: float = 0.0
    """Wall time, for the report; 0 in journals of versions that did not note it."""
    instances: tuple[tuple[str, str], ...] = ()
    """The vendor's instance of each connection: calls to one instance share a day, whoever makes them."""
    writes: tuple[tuple[str, str], ...] = ()
    """The connection of each operation."""


class Intended(NoteModel):
    """About to prepare and send this unit; written before the first byte leaves."""

    kind: Literal["intended"] = "intended"
    unit: str
    sha256: str
    records: int
    attempt: int = 1


class Prepared(NoteModel):
    """The vendor gave an empty job for the unit."""

    kind: Literal["prepared"] = "prepared"
    unit: str
    reference: str


class Committing(NoteModel):
    """The next byte may have an effect."""

    kind: Literal["committing"] = "committing"
    unit: str
    at: float


class AcceptedNote(NoteModel):
    """The vendor took the job's data."""

    kind: Literal["accepted"] = "accepted"
    unit: str
    reference: str


class RejectNote(NoteModel):
    """One refused record of a unit; `reason` holds no field value."""

    position: int
    code: str
    reason: str
    field: str = ""


class Unsent(NoteModel):
    """Nothing of the unit was executed, says the vendor or the connection: it stands as before `Intended`."""

    kind: Literal["unsent"] = "unsent"
    unit: str
    reason: str


PACKED_FROM = 512
"""Letters of so many records and more are compressed: a job's letters are mostly one letter."""


class LetteredNote(NoteModel):
    """A note with one outcome letter a record (see `syncer.outcome`), zlib-compressed base64 when `packed`."""

    letters: str = ""
    packed: bool = False
    rejects: tuple[RejectNote, ...] = ()

    @property
    def outcomes(self) -> str:
        """The letters in plain; raises `StateError` where there are none."""
        if not self.packed:
            return self.letters
        try:
            return zlib.decompress(base64.b64decode(self.letters, validate=True)).decode("ascii")
        except (zlib.error, ValueError) as error:
            raise StateError("R201", "The outcomes of a unit in the journal cannot be unpacked.") from error


def lettered(letters: str) -> tuple[str, bool]:
    """Return `letters` as a note holds them, and whether they are packed."""
    if len(letters) < PACKED_FROM:
        return letters, False
    return base64.b64encode(zlib.compress(letters.encode("ascii"), 9)).decode("ascii"), True


class Doubted(LetteredNote):
    """The answer was lost; `at` is wall time of the send, `wait_seconds` until a read-back can be believed.

    `letters` are the records already decided, `?` for the others; empty when all are in doubt.
    """

    kind: Literal["doubted"] = "doubted"
    unit: str
    reason: str
    at: float
    wait_seconds: float
    reference: str = ""


class Remedying(NoteModel):
    """About to send part of a doubted unit again, as `how`; the next byte may have an effect. `at` is wall time."""

    kind: Literal["remedying"] = "remedying"
    unit: str
    how: str
    positions: tuple[int, ...]
    at: float
    wait_seconds: float


class Split(LetteredNote):
    """The unit goes on in parts, units of their own named `unit[...]`, which hold the records with the letter `.`.

    A request refused as a whole is cut until the records to blame are found; a job's unprocessed rest is one part.
    """

    kind: Literal["split"] = "split"
    unit: str
    reason: str


class Settled(LetteredNote):
    """The unit's end."""

    kind: Literal["settled"] = "settled"
    unit: str
    looked_up: bool = False
    """The outcome was decided by a read-back, not by the vendor's answer."""
    calls: int = 0
    """Calls that this process had made to the unit's connection by then."""


class Held(NoteModel):
    """The doubt could not be decided; a person must say `sent` or `unsent`."""

    kind: Literal["held"] = "held"
    unit: str
    reason: str


class Ruled(NoteModel):
    """A person's word on a held unit: the undecided records were written, or were not and go out again."""

    kind: Literal["ruled"] = "ruled"
    unit: str
    verdict: Literal["sent", "unsent"]
    by: str


class Merged(NoteModel):
    """The ledger holds what the operation confirmed."""

    kind: Literal["merged"] = "merged"
    operation: str


class Parked(NoteModel):
    """The run stopped in good order and can be resumed; `until` is epoch seconds, 0 when unknown."""

    kind: Literal["parked"] = "parked"
    reason: str
    until: float = 0.0
    at: float = 0.0
    calls: tuple[tuple[str, int], ...] = ()
    """Calls that this process made, by connection."""


class Finished(NoteModel):
    """Every row has its outcome and the ledger is up to date."""

    kind: Literal["finished"] = "finished"
    exit_code: int
    at: float = 0.0
    calls: tuple[tuple[str, int], ...] = ()


Note = Annotated[
    Started
    | Intended
    | Prepared
    | Committing
    | AcceptedNote
    | Unsent
    | Doubted
    | Remedying
    | Split
    | Settled
    | Held
    | Ruled
    | Merged
    | Parked
    | Finished,
    Field(discriminator="kind"),
]


class Journal(Protocol):
    """One run's notes, append only, under one lease epoch."""

    async def append(self, note: Note) -> None:
        """Make `note` durable; `LeaseLostError` when the lease is gone, `StateError` when it cannot be written."""
        ...

    def notes(self) -> AsyncIterator[Note]:
        """Yield the notes in order; raises `StateError` at the first that cannot be believed."""
        ...


KEPT_SECONDS = 2 * 86_400.0
"""How long calls outside of runs are remembered: longer than any vendor's day, wherever it begins."""

RENEW_SECONDS = 15.0
"""How often a holder confirms its lease: four times in its life."""


class Lease(Protocol):
    """The right to write to one set of key spaces."""

    epoch: int

    def remaining_seconds(self) -> float:
        """Return how long one may still begin to send, counted from the last confirmed renewal on a monotonic clock."""
        ...

    async def renew(self) -> None:
        """Confirm the lease; raises `LeaseLostError`."""
        ...

    async def release(self) -> None:
        """Give it back; a no-op when it was lost."""
        ...


class Ledger(Protocol):
    """What was last confirmed, per operation and key: hashes, and the vendor's ids where records may be deleted."""

    async def serial(self, operation: str) -> int:
        """Return the number of merges so far; 0 for a new operation."""
        ...

    async def cursor(self, operation: str) -> str:
        """Return how far the operation's source is done, as its last confirmed file says; "" where it is read whole."""
        ...

    async def fetch(self, operation: str, folder: Path) -> Path | None:
        """Return a local Parquet file of (kh_high, kh_low, rh; name and sh if any); None for a new operation."""
        ...

    async def merge(self, operation: str, serial: int, confirmed: Path) -> int:
        """Overlay `confirmed`, return the new serial; idempotent by both; raises `StateError` on a conflict."""
        ...


class Store(Protocol):
    """A place for state: a local folder, or an object store with conditional writes."""

    async def acquire(self, key_spaces: tuple[str, ...], holder: str, run: str) -> Lease:
        """Take the lease, or raise `LockedError` with holder, age and the unlock command."""
        ...

    async def unlock(self, epoch: int, by: str) -> None:
        """Break a lease on a person's word; raises `StateError` when the epoch is not the current one."""
        ...

    async def journal(self, run: str, lease: Lease | None) -> Journal:
        """Open the run's journal; read only without a lease."""
        ...

    async def runs(self) -> tuple[str, ...]:
        """Return run ids, oldest first."""
        ...

    async def spend(self, plan: str, run: str) -> None:
        """Mark a plan digest as used by `run`; raises `StalePlanError` when another run used it."""
        ...

    async def spent_by(self, plan: str) -> str | None:
        """Return the run that used the plan, or None."""
        ...

    async def count_calls(self, calls: Mapping[str, int]) -> None:
        """Add calls that were made outside of runs, now, by vendor instance: plans and looks use up the day as well."""
        ...

    async def calls_since(self, moment: float) -> Mapping[str, int]:
        """Return the calls that were counted since, by vendor instance; those of the last two days are kept."""
        ...

    def ledger(self) -> Ledger:
        """Return the ledger."""
        ...
