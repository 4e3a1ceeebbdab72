"""What a target is to the executor: a session with four verbs, and values that go in and out.

Order of calls for one unit: `prepare` → `commit` → `settle`; the executor journals before and after each. A session
decides how to wait and which refusals mean "not executed, try again" (bounded); it never repeats a write whose answer
was lost: it raises `InDoubtError`, and the executor asks `look_up`. Sessions may be used by many tasks at once; one
gate per connection paces them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from syncer.engine.protocol import Payload, ResultFile
    from syncer.facts import Action, ObjectSchema, Usage
    from syncer.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Step:
    """What a node of the plan asks of a session. `options` are the operation's: `partition`, `program` and so on."""

    operation: str
    connection: str
    object: str
    path: str
    action: Action
    key: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """One request or job: `id` is stable across runs of one plan, e.g. `newsletter/1/sync/0007`."""

    id: str
    step: Step
    payload: Payload


class RecordResult(NamedTuple):
    """One record of an immediate request, by its position in the payload. `message` holds no field value.

    A tuple, because there is one for each record sent: it is made in a third of the time of a frozen dataclass.
    """

    position: int
    outcome: Outcome
    target_id: str = ""
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """An immediate request's answer: one result a record, in payload order."""

    request_id: str
    results: tuple[RecordResult, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job the vendor took: `reference` finds it again."""

    reference: str


@dataclass(frozen=True, slots=True)
class JobSettled:
    """A finished job: the vendor's counts and result files. `succeeded` is the letter of rows that stand in no file."""

    reference: str
    processed: int
    failed: int
    files: tuple[ResultFile, ...]
    succeeded: str
    locked: str = ""
    """Words in a row's error that mean that others held the record: nothing of the row was written."""


class Verdict(StrEnum):
    """What a read-back found for one record, or for a whole job."""

    APPLIED = "applied"
    """The target holds what was sent."""
    DIFFERS = "differs"
    """The record is there with other values."""
    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"
    """More than one record has the key."""
    RUNNING = "running"
    """The vendor is still at it: settle `reference`."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """The read-back of one record."""

    position: int
    verdict: Verdict
    target_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A read-back: per record for immediate requests and lost imports, or one verdict for a job found by reference."""

    records: tuple[Found, ...] = ()
    job: Verdict | None = None
    reference: str = ""


RECORD_ID = "record:id"
"""The column of `Held.records` that tells records apart; no vendor's field has a colon in its name."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the target holds for some keys: a table of texts, a row a record, with `RECORD_ID` and the fields asked for.

    Fields that the target does not give back are no columns. `calls` is what the read took of the day's quota.
    """

    records: pa.Table
    calls: int


class Remedy(StrEnum):
    """How a part of a doubted request is sent after its read-back, so that a late first write cannot double it."""

    CREATE_ONLY = "create only"
    UPDATE_BY_ID = "update by id"
    REPEAT = "repeat"
    """The same action again: safe because the action is idempotent by key."""


class Session(Protocol):
    """One connection, signed in when first needed. Every method may raise `TargetError`s; see `syncer.errors`."""

    async def describe(self, name: str) -> ObjectSchema:
        """Read the object's description from the vendor."""
        ...

    async def usage(self) -> Usage:
        """Read today's calls and quota."""
        ...

    async def prepare(self, unit: Unit) -> str:
        """Do what has no effect on records: sign in, create an empty job. Return the job's reference, or ""."""
        ...

    async def commit(self, unit: Unit, reference: str) -> Answered | Accepted:
        """Send the payload: the only verb with an effect. Raises `InDoubtError` when the answer was lost."""
        ...

    async def settle(self, unit: Unit, reference: str, folder: Path) -> JobSettled:
        """Poll an accepted job to its end and fetch all result files into `folder`; repeatable."""
        ...

    async def look_up(self, unit: Unit, reference: str, seconds_ago: float = 0.0) -> LookedUp:
        """Read what the target holds for the unit's keys, or the state of its job; never writes a record.

        `seconds_ago` is when the last byte of it can have left, as far as the machine's clock can be believed.

        A job of ours that has processed nothing is aborted first, so that a late request cannot start it after all: it
        is `ABSENT` then, and the unit begins anew with `prepare`. For a delete, a record that is gone is `APPLIED`.
        """
        ...

    async def read(
        self, name: str, key: Sequence[str], values: Sequence[tuple[str, ...]], fields: Sequence[str]
    ) -> Held:
        """Read all records of object `name` that have one of these key values; never writes a record."""
        ...

    async def remedy(self, unit: Unit, found: Sequence[Found], how: Remedy) -> Answered:
        """Send the records of `found` again as `how`; results are positioned as in the unit's payload.

        `how` matters to upserts; every other action is idempotent by key and is repeated as it is.
        """
        ...

    def calls_made(self) -> int:
        """Return how many calls that the vendor counts left through this session."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
