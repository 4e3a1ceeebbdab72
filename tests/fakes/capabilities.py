"""API paths as values for tests of the planner: round numbers near the vendors', to reckon a break-even by hand."""

from __future__ import annotations

from dataclasses import replace

from syncer.capability import Capabilities, CsvFormat, JsonFormat, PathCapability, PathKind, Repeat
from syncer.facts import Action, System

UPSERT = frozenset({Action.UPSERT})
WRITES = frozenset({Action.UPSERT, Action.CREATE, Action.UPDATE})

SYNC = PathCapability(
    name="sync",
    kind=PathKind.IMMEDIATE,
    actions=WRITES | {Action.DUPLICATE},
    format=JsonFormat(max_records=300, max_bytes=1_000_000),
    allows_clear=True,
    key_rule="It takes one lookup field.",
    key_fields=None,
    max_key_fields=1,
    activity=False,
    options=frozenset({"partition"}),
    required_options=frozenset(),
    calls_per_unit=1,
    polls_per_unit=0,
    poll_seconds=0.0,
    seconds_per_unit=1.2,
    records_per_second=1000.0,
    units_at_once=10,
    units_queued=10,
    tells_created=True,
    server_timeout_seconds=90.0,
    repeat=Repeat.SAFE,
    page="Leads",
)
PUSH = replace(
    SYNC,
    name="push",
    actions=UPSERT,
    activity=True,
    options=frozenset({"partition", "program", "status"}),
    required_options=frozenset({"program"}),
    repeat=Repeat.NEVER,
)
BULK = replace(
    SYNC,
    name="bulk",
    kind=PathKind.JOB,
    actions=UPSERT,
    format=CsvFormat(max_records=None, max_bytes=9_990_000, needs_uniform_shape=True),
    allows_clear=False,
    options=frozenset({"partition", "list"}),
    calls_per_unit=3,
    polls_per_unit=20,
    poll_seconds=30.0,
    seconds_per_unit=60.0,
    records_per_second=200.0,
    units_at_once=2,
    tells_created=False,
    page="Bulk Lead Import",
)
LEAD = Capabilities(System.MARKETO, "lead", (SYNC, PUSH, BULK), frozenset({"email"}))

MEMBERSHIP = replace(
    SYNC,
    actions=frozenset({Action.ADD, Action.REMOVE}),
    key_rule="It takes the lead's id.",
    key_fields=frozenset({"id"}),
    options=frozenset({"list"}),
    required_options=frozenset({"list"}),
)
LIST_MEMBER = Capabilities(System.MARKETO, "list_member", (replace(MEMBERSHIP, name="calls"),))

COLLECTIONS = replace(
    SYNC,
    name="collections",
    actions=WRITES | {Action.DELETE},
    format=JsonFormat(max_records=200, max_bytes=6_000_000, constants=(("attributes", '{"type":"Contact"}'),)),
    key_rule="It takes one external id, or Id.",
    options=frozenset(),
    units_at_once=25,
    page="sObject Collections",
)
MULTIPART = replace(
    COLLECTIONS,
    name="multipart",
    kind=PathKind.JOB,
    format=CsvFormat(max_records=None, max_bytes=100_000, clear_text="#N/A"),
    calls_per_unit=3,
    polls_per_unit=2,
    poll_seconds=5.0,
    seconds_per_unit=5.0,
    tells_created=True,
    page="Bulk API 2.0: create a job with multipart",
)
BULK2 = replace(
    MULTIPART,
    name="bulk2",
    format=CsvFormat(max_records=None, max_bytes=100_000_000, clear_text="#N/A"),
    calls_per_unit=5,
    polls_per_unit=10,
    poll_seconds=10.0,
    seconds_per_unit=20.0,
    page="Bulk API 2.0 ingest",
)


def salesforce(name: str) -> Capabilities:
    """Return the three paths of any Salesforce object."""
    return Capabilities(System.SALESFORCE, name, (COLLECTIONS, MULTIPART, BULK2))


def of(system: str, name: str) -> Capabilities:
    """Return the paths of an object of either vendor."""
    if system == System.SALESFORCE:
        return salesforce(name)
    return {"lead": LEAD, "list_member": LIST_MEMBER}[name]
