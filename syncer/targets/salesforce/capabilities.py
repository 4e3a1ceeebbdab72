"""What Salesforce's paths can carry, as values with the vendor's page named. The planner reads these and nothing else.

Seconds and throughput of a unit are planning assumptions, not promises.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from syncer.capability import Capabilities, CsvFormat, JsonFormat, KeyLimit, PathCapability, PathKind, Repeat
from syncer.facts import Action, System
from syncer.mark import RUN_MARKER
from syncer.targets.salesforce.request import VALUES_PER_QUERY

if TYPE_CHECKING:
    from syncer.targets.endpoint import Endpoint

COLLECTION_RECORDS = 200
"""Of one call ("sObject Collections")."""
COLLECTION_BYTES = 4_000_000
"""The pages name no limit for the body; 200 records of usual size stay far below this."""
MULTIPART_CHARACTERS = 100_000
"""Of the file in a job that is created with its data ("Bulk API 2.0", create a job with multipart)."""
JOB_BYTES = 100_000_000
"""150 MB after base64 ("Bulk API and Bulk API 2.0 Limits and Allocations")."""
JOB_RECORDS = 150_000_000
CLEAR_TEXT = "#N/A"
"""The cell that sets a field to null ("Bulk API 2.0", data file formats)."""
SERVER_SECONDS = 600.0
"""REST request time-out ("API Request Limits and Allocations"): a lost write may still take effect until then."""
CONCURRENT_CALLS = 25
"""Long calls of a production org ("API Request Limits and Allocations")."""
JOBS_AT_ONCE = 10
"""No page names a limit; clients keep to ten."""
POLL_SECONDS = 20.0

_WRITES = frozenset({Action.UPSERT, Action.CREATE, Action.UPDATE, Action.DELETE})
_KEYS = "Upsert takes one external-id or lookup field; update and delete take Id, which a create cannot set."
_KEY_LIMITS = (
    KeyLimit(frozenset({Action.UPDATE, Action.DELETE}), only=frozenset({"Id"})),
    KeyLimit(frozenset({Action.CREATE}), never=frozenset({"Id"})),
)
"""Records are told by id, or by an external id in an upsert ("sObject Collections", "Bulk API 2.0")."""


def capabilities(object_name: str, endpoint: Endpoint) -> Capabilities:
    """Return the paths of one sObject, small to large; all objects have the same."""
    del endpoint
    attributes = json.dumps({"type": object_name}, separators=(",", ":"))
    paths = (
        _path(
            "collections",
            PathKind.IMMEDIATE,
            JsonFormat(
                max_records=COLLECTION_RECORDS,
                max_bytes=COLLECTION_BYTES,
                constants=(("attributes", attributes),),
                nests=True,
            ),
            "sObject Collections",
            calls=1,
            seconds=0.8,
            at_once=CONCURRENT_CALLS,
            server_seconds=SERVER_SECONDS,
        ),
        _path(
            "multipart",
            PathKind.JOB,
            CsvFormat(max_records=None, max_bytes=MULTIPART_CHARACTERS, clear_text=CLEAR_TEXT),
            "Bulk API 2.0, Create a Job with Multipart Data",
            calls=4,
            polls=3,
            seconds=10.0,
            at_once=JOBS_AT_ONCE,
            server_seconds=SERVER_SECONDS,
        ),
        _path(
            "bulk2",
            PathKind.JOB,
            CsvFormat(max_records=JOB_RECORDS, max_bytes=JOB_BYTES, clear_text=CLEAR_TEXT),
            "Bulk API 2.0",
            calls=6,
            polls=15,
            seconds=15.0,
            at_once=JOBS_AT_ONCE,
            server_seconds=0.0,
        ),
    )
    return Capabilities(
        System.SALESFORCE, object_name, paths, values_per_read=VALUES_PER_QUERY, calls_before_read=1, id_field="Id"
    )


def _path(  # noqa: PLR0913 - a path is many statements, each by its name
    name: str,
    kind: PathKind,
    payload: JsonFormat | CsvFormat,
    page: str,
    *,
    calls: int,
    seconds: float,
    at_once: int,
    server_seconds: float,
    polls: int = 0,
) -> PathCapability:
    """`server_seconds` 0: the job's own state tells what happened, and an abort keeps late requests out."""
    return PathCapability(
        name=name,
        kind=kind,
        actions=_WRITES,
        format=payload,
        allows_clear=True,
        key_rule=_KEYS,
        key_fields=None,
        max_key_fields=1,
        activity=False,
        options=frozenset({RUN_MARKER}),
        required_options=frozenset(),
        calls_per_unit=calls,
        polls_per_unit=polls,
        poll_seconds=POLL_SECONDS if polls else 0.0,
        seconds_per_unit=seconds,
        records_per_second=250.0 if kind is PathKind.IMMEDIATE else 2_000.0,
        units_at_once=at_once,
        units_queued=at_once,
        tells_created=True,
        server_timeout_seconds=server_seconds,
        repeat=Repeat.SAFE,
        page=page,
        key_limits=_KEY_LIMITS,
    )
