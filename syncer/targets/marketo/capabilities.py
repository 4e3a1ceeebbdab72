"""What Marketo's paths can carry, as values with the vendor's page named. The planner reads these and nothing else.

Pages are Adobe's, Marketo Developer: "Leads", "Bulk Lead Import", "Program Members" and so on. Seconds and throughput
of a unit are planning assumptions, not promises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.capability import Capabilities, CsvFormat, JsonFormat, KeyLimit, PathCapability, PathKind, Repeat
from syncer.facts import Action, System
from syncer.mark import RUN_MARKER
from syncer.targets.marketo.request import LEAD, PROGRAM_MEMBER, SERVER_SECONDS, USUAL_SERVER_SECONDS

if TYPE_CHECKING:
    from syncer.targets.endpoint import Endpoint

MAX_RECORDS = 300
"""Of any lead-database write ("Lead Database")."""
MAX_REQUEST_BYTES = 1_000_000
"""The page says 1 MB; the smaller reading is safe by both ("REST API")."""
MAX_IMPORT_BYTES = 10_000_000
"""The page says 10 MB, and means the whole multipart request ("Bulk Import")."""
MULTIPART_BYTES = 1_024
"""Left for the multipart frame around an import file."""
IMPORTS_RUNNING = 2
IMPORTS_QUEUED = 10
"""Two imports run, ten are queued or running, all of the instance's together ("Bulk Import")."""
DAILY_CALLS = 50_000
"""The usual quota; no call tells what the contract says ("REST API", usage and limits)."""
CALLS_PER_WINDOW = 100
WINDOW_SECONDS = 20.0
CONCURRENT_CALLS = 10
VALUES_PER_READ = 300
"""Of `filterValues` ("Lead Database")."""
POLL_SECONDS = 20.0
"""The page asks for a poll every 5 to 30 seconds ("Bulk Import")."""
IMPORT_CALLS = 3
"""To hand the file in, and to fetch the failures and the warnings where there are some."""
IMPORT_POLLS = 9
"""Of an import that waits for others, and then takes up to a minute."""

COMPANY_FIELDS = frozenset(
    {
        "annualRevenue",
        "billingCity",
        "billingCountry",
        "billingPostalCode",
        "billingState",
        "billingStreet",
        "company",
        "industry",
        "mainPhone",
        "mktoCompanyNotes",
        "numberOfEmployees",
        "sicCode",
        "site",
        "website",
    }
)
"""Sync Leads does not support them; some instances take them all the same ("Leads"; "Error Codes", 1021)."""
_COMPANY_RULE = 'It writes company fields only where the connection says "company_fields: written".'
_ONE_FIELD = "It takes one lookup field, one that describe calls searchable; id only to update."
_IMPORT_FIELD = "It upserts by one lookup field, one that describe calls searchable; by id alone it updates."
_ID_UPDATES = (
    KeyLimit(frozenset({Action.UPSERT, Action.CREATE, Action.DUPLICATE}), never=frozenset({"id"})),
    KeyLimit(frozenset({Action.UPSERT, Action.CREATE}), never=frozenset({"marketoGUID"})),
)
"""An id says which record to update and makes none ("Leads", lookupField; "Custom Objects", dedupeBy)."""
_IMPORT_BY_ID = (*_ID_UPDATES, KeyLimit(frozenset({Action.UPDATE}), only=frozenset({"id"})))
"""An import upserts, but by id it only updates ("Bulk Lead Import", lookupField)."""
_JSON = JsonFormat(max_records=MAX_RECORDS, max_bytes=MAX_REQUEST_BYTES, overhead_bytes=2_048)


def capabilities(object_name: str, endpoint: Endpoint) -> Capabilities:
    """Return the paths of one object, small to large. `endpoint.blank_cells` decides what import files may say."""
    if object_name == LEAD:
        paths = _lead_paths(endpoint)
    elif object_name == PROGRAM_MEMBER:
        paths = _member_paths(endpoint)
    else:
        paths = _custom_paths(endpoint)
    # Members of a program are held by lead id and program, which no key alone can ask for.
    values_per_read = 0 if object_name == PROGRAM_MEMBER else VALUES_PER_READ
    id_field = {LEAD: "id", PROGRAM_MEMBER: "leadId"}.get(object_name, "marketoGUID")
    return Capabilities(
        System.MARKETO, object_name, paths, frozenset({"email"}), values_per_read, id_field=id_field, unaskable=","
    )


def _lead_paths(endpoint: Endpoint) -> tuple[PathCapability, ...]:
    return (
        _calls(
            "sync",
            {Action.UPSERT, Action.CREATE, Action.UPDATE, Action.DUPLICATE},
            "Leads",
            server_seconds=SERVER_SECONDS["sync"],
            options={"partition", RUN_MARKER},
            key_limits=_ID_UPDATES,
            refused=_company_fields(endpoint),
        ),
        _calls(
            "push",
            {Action.UPSERT},
            "Leads, Push Lead to Marketo",
            server_seconds=SERVER_SECONDS["push"],
            options={"program", "status", "partition", RUN_MARKER},
            required={"program"},
            is_activity=True,
            repeat=Repeat.NEVER,
            key_limits=_ID_UPDATES,
            refused=_company_fields(endpoint),
        ),
        _calls("delete", {Action.DELETE}, "Leads, Delete", server_seconds=SERVER_SECONDS["delete"], key={"id"}),
        _calls("list", {Action.ADD, Action.REMOVE}, "List Membership", key={"id"}, options={"list"}, required={"list"}),
        _import(
            endpoint,
            "Bulk Lead Import",
            actions={Action.UPSERT, Action.UPDATE},
            options={"list", "partition", RUN_MARKER},
            key_limits=_IMPORT_BY_ID,
            key_rule=_IMPORT_FIELD,
        ),
    )


def _company_fields(endpoint: Endpoint) -> frozenset[str]:
    return frozenset() if endpoint.company_fields == "written" else COMPANY_FIELDS


def _member_paths(endpoint: Endpoint) -> tuple[PathCapability, ...]:
    """Status and data are separate calls by lead id; only the import adds people by e-mail address."""
    program = {"program"}
    return (
        _calls(
            "status",
            {Action.STATUS},
            "Program Members, Sync Program Member Status",
            key={"leadId"},
            options=program | {"status"},
            required=program | {"status"},
        ),
        _calls(
            "data",
            {Action.UPDATE},
            "Program Members, Sync Program Member Data",
            key={"leadId"},
            options=program | {RUN_MARKER},
            required=program,
        ),
        _calls("delete", {Action.DELETE}, "Program Members, Delete", key={"leadId"}, options=program, required=program),
        _import(
            endpoint,
            "Bulk Program Member Import",
            actions={Action.UPSERT, Action.STATUS},
            key={"email"},
            options=program | {"status", RUN_MARKER},
            required=program | {"status"},
            repeat=Repeat.NEVER,
        ),
    )


def _custom_paths(endpoint: Endpoint) -> tuple[PathCapability, ...]:
    return (
        _calls(
            "sync",
            {Action.UPSERT, Action.CREATE, Action.UPDATE},
            "Custom Objects, Sync",
            server_seconds=SERVER_SECONDS["custom"],
            options={RUN_MARKER},
            max_key_fields=3,
            key_limits=_ID_UPDATES,
        ),
        _calls(
            "delete",
            {Action.DELETE},
            "Custom Objects, Delete",
            server_seconds=SERVER_SECONDS["delete"],
            max_key_fields=3,
        ),
        _import(endpoint, "Bulk Custom Object Import", options={RUN_MARKER}, max_key_fields=3, key_limits=_ID_UPDATES),
    )


def _calls(  # noqa: PLR0913 - a path is many statements, each by its name
    name: str,
    actions: set[Action],
    page: str,
    *,
    server_seconds: float = USUAL_SERVER_SECONDS,
    key: set[str] | None = None,
    max_key_fields: int = 1,
    options: set[str] | None = None,
    required: set[str] | None = None,
    is_activity: bool = False,
    repeat: Repeat = Repeat.SAFE,
    key_limits: tuple[KeyLimit, ...] = (),
    refused: frozenset[str] = frozenset(),
) -> PathCapability:
    return PathCapability(
        name=name,
        kind=PathKind.IMMEDIATE,
        actions=frozenset(actions),
        format=_JSON,
        allows_clear=True,
        key_rule=_key_rule(key, max_key_fields),
        key_fields=None if key is None else frozenset(key),
        max_key_fields=max_key_fields,
        activity=is_activity,
        options=frozenset(options or ()),
        required_options=frozenset(required or ()),
        calls_per_unit=1,
        polls_per_unit=0,
        poll_seconds=0.0,
        seconds_per_unit=0.5,
        records_per_second=300.0,
        units_at_once=CONCURRENT_CALLS,
        units_queued=CONCURRENT_CALLS,
        tells_created=True,
        server_timeout_seconds=server_seconds,
        repeat=repeat,
        page=page,
        key_limits=key_limits,
        takes_identity=max_key_fields > 1,
        refused_fields=refused,
        refused_rule=_COMPANY_RULE if refused else "",
    )


def _import(  # noqa: PLR0913 - as above
    endpoint: Endpoint,
    page: str,
    *,
    actions: set[Action] | None = None,
    key: set[str] | None = None,
    max_key_fields: int = 1,
    options: set[str] | None = None,
    required: set[str] | None = None,
    repeat: Repeat = Repeat.SAFE,
    key_limits: tuple[KeyLimit, ...] = (),
    key_rule: str = "",
) -> PathCapability:
    clears = endpoint.blank_cells == "clear"
    return PathCapability(
        name="bulk",
        kind=PathKind.JOB,
        actions=frozenset(actions or {Action.UPSERT}),
        format=CsvFormat(
            max_records=None,
            max_bytes=MAX_IMPORT_BYTES - MULTIPART_BYTES,
            clear_text="" if clears else None,
            needs_uniform_shape=endpoint.blank_cells != "keep",
        ),
        allows_clear=clears,
        key_rule=key_rule or _key_rule(key, max_key_fields),
        key_fields=None if key is None else frozenset(key),
        max_key_fields=max_key_fields,
        activity=False,
        options=frozenset(options or ()),
        required_options=frozenset(required or ()),
        calls_per_unit=IMPORT_CALLS,
        polls_per_unit=IMPORT_POLLS,
        poll_seconds=POLL_SECONDS,
        seconds_per_unit=10.0,
        records_per_second=400.0,
        units_at_once=IMPORTS_RUNNING,
        units_queued=IMPORTS_QUEUED,
        tells_created=False,
        server_timeout_seconds=USUAL_SERVER_SECONDS,
        repeat=repeat,
        page=page,
        tells_ids=False,
        key_limits=key_limits,
        takes_identity=max_key_fields > 1,
    )


def _key_rule(key: set[str] | None, max_key_fields: int) -> str:
    if key is not None:
        return f"Its only key is {' or '.join(sorted(key))}."
    if max_key_fields > 1:
        return "It takes all dedupe fields of the object, or marketoGUID to update or delete."
    return _ONE_FIELD
