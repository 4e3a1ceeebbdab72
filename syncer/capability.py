"""What a path of a target can carry, as values: formats of payloads, limits, actions, side effects, repeats.

Targets say it, the planner chooses by it, the engine cuts by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from syncer.facts import Action, System

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.facts import ObjectSchema


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """A list of JSON objects, `[{...},{...}]`: absent = leave alone, null = clear."""

    max_records: int
    max_bytes: int
    """Of the whole request body."""
    overhead_bytes: int = 512
    """Reserved for the vendor's envelope around the list."""
    constants: tuple[tuple[str, str], ...] = ()
    """Members that open every record: name and JSON text, e.g. `("attributes", '{"type":"Contact"}')`."""
    max_bytes_of_field: int | None = None
    nests: bool = False
    """A dotted field is a member of a member: `Account.Key__c` is written `"Account":{"Key__c":...}`."""


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """One RFC 4180 file with a header, LF line ends: the operation's field names in mapping order."""

    max_records: int | None
    max_bytes: int
    """Of the file, header included."""
    clear_text: str | None = None
    """The cell text that empties a field (`#N/A`); None: the path cannot clear."""
    needs_uniform_shape: bool = False
    """No empty cells: a file holds only rows that carry the same fields, and only those columns."""
    constants: tuple[tuple[str, str], ...] = ()
    """Columns before all others, with the cell that every record has there."""


PayloadFormat = JsonFormat | CsvFormat


class PathKind(StrEnum):
    """Immediate: the answer holds each record's outcome. Job: asynchronous, polled, results fetched as files."""

    IMMEDIATE = "immediate"
    JOB = "job"


class Repeat(StrEnum):
    """What may be sent again once a write whose answer was lost is known to be over."""

    SAFE = "safe"
    """Keyed upsert, update, delete: after a read-back the missing rest may be sent."""
    WHEN_ABSENT = "when absent"
    """Only records that a read-back proves absent."""
    NEVER = "never"
    """Nothing can prove it did not happen: a person decides."""


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """Key fields that some actions of a path take beside the path's own rule: `only` these, `never` those."""

    actions: frozenset[Action]
    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PathCapability:
    """One API path of one target object, as a value. Every statement cites the vendor's page in `page`."""

    name: str
    kind: PathKind
    actions: frozenset[Action]
    format: PayloadFormat
    allows_clear: bool
    key_rule: str
    """Sentence on which key fields it takes, shown when it is refused."""
    key_fields: frozenset[str] | None
    """None: any key field of the object; otherwise only these."""
    max_key_fields: int
    activity: bool
    """Writes an activity that people see and triggers use (Push Lead)."""
    options: frozenset[str]
    """Operation options it can carry: `partition`, `program`, `list`, `status`, `all_or_none` ..."""
    required_options: frozenset[str]
    calls_per_unit: int
    """Quota calls for one request, or for one job without its polls."""
    polls_per_unit: int
    """Polls planned for one job, however short; a longer one is polled more often. 0 for immediate."""
    poll_seconds: float
    seconds_per_unit: float
    """Planning assumption for one request's latency, or one job's fixed time."""
    records_per_second: float
    """Planning assumption for server throughput inside one unit."""
    units_at_once: int
    """The vendor's limit of jobs running, or the calls at once."""
    units_queued: int
    tells_created: bool
    """The answer tells created from updated, record by record."""
    server_timeout_seconds: float
    """The vendor's published time-out of this call: a lost write may still take effect until then."""
    repeat: Repeat
    page: str
    key_limits: tuple[KeyLimit, ...] = ()
    """Where the key depends on the action, for example an update that goes by id alone."""
    tells_ids: bool = True
    """The answer names the vendor's id of each record that was written."""
    takes_identity: bool = False
    """The key is what makes a record one: a unique field, or all required ones; not just a field to search by."""
    refused_fields: frozenset[str] = frozenset()
    """Fields of the object that it does not write, though describe shows them."""
    refused_rule: str = ""
    """Sentence on these fields, shown when rows carry them."""

    def takes_key(self, action: Action, fields: Sequence[str], schema: ObjectSchema | None) -> bool:
        """Say whether `action` finds records by these fields."""
        limits = [limit for limit in self.key_limits if action in limit.actions]
        allowed = [self.key_fields, *(limit.only for limit in limits)]
        if len(fields) > self.max_key_fields or any(
            each is not None and not each.issuperset(fields) for each in allowed
        ):
            return False
        if any(not limit.never.isdisjoint(fields) for limit in limits):
            return False
        return not self.takes_identity or schema is None or schema.tells_apart(fields)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """All paths of one object, small to large, and how its keys are compared."""

    system: System
    object: str
    paths: tuple[PathCapability, ...]
    folded_types: frozenset[str] = frozenset()
    """Vendor types whose values are compared case folded even where describe does not say so (Marketo `email`)."""
    values_per_read: int = 0
    """Key values that one read-only call asks for; 0 where records cannot be asked for by their keys alone."""
    calls_before_read: int = 0
    """Calls before the first such read of an object."""
    unaskable: str = ""
    """A character that no value may hold to be asked for: it has no escape. Keys of several fields have none."""
    id_field: str = ""
    """The vendor's own id, by which every record can be deleted."""

    def longest_request_seconds(self) -> float:
        """Return the longest time-out among the requests that may carry what is left of a job."""
        return max((each.server_timeout_seconds for each in self.paths if each.kind is PathKind.IMMEDIATE), default=0.0)
