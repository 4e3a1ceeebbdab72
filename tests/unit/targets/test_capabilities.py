"""What each path can carry: limits as the vendors' pages have them."""

from __future__ import annotations

from typing import Any

import pytest

from syncer.capability import CsvFormat, JsonFormat, PathCapability, PathKind, Repeat
from syncer.facts import Action, System
from syncer.secret import Secret
from syncer.targets.endpoint import Endpoint
from syncer.targets.registry import TARGETS, capabilities


def _endpoint(system: System, **members: Any) -> Endpoint:
    return Endpoint(system.value, system, "", "", Secret(""), **members)


def _paths(system: System, name: str, **members: Any) -> dict[str, PathCapability]:
    return {path.name: path for path in capabilities(name, _endpoint(system, **members)).paths}


OBJECTS = [
    (System.MARKETO, "lead", ["sync", "push", "delete", "list", "bulk"]),
    (System.MARKETO, "program_member", ["status", "data", "delete", "bulk"]),
    (System.MARKETO, "order_c", ["sync", "delete", "bulk"]),
    (System.SALESFORCE, "Contact", ["collections", "multipart", "bulk2"]),
]


@pytest.mark.parametrize(("system", "name", "paths"), OBJECTS)
def test_every_object_has_its_paths_small_to_large(system: System, name: str, paths: list[str]) -> None:
    """Each cites a page, and jobs say how often they are polled."""
    found = _paths(system, name)
    assert list(found) == paths
    for path in found.values():
        assert path.page
        assert path.key_rule.endswith(".")
        assert path.required_options <= path.options
        assert (path.kind is PathKind.JOB) == bool(path.polls_per_unit) == bool(path.poll_seconds)
        assert (path.kind is PathKind.JOB) == isinstance(path.format, CsvFormat)


def test_requests_stay_below_the_vendors_limits() -> None:
    """300 records and 1 MB at Marketo, 200 records at Salesforce, which names the type in each record."""
    marketo = _paths(System.MARKETO, "lead")["sync"].format
    salesforce = _paths(System.SALESFORCE, "My_Thing__c")["collections"].format
    assert isinstance(marketo, JsonFormat)
    assert isinstance(salesforce, JsonFormat)
    assert (marketo.max_records, marketo.max_bytes) == (300, 1_000_000)
    assert salesforce.max_records == 200
    assert salesforce.constants == (("attributes", '{"type":"My_Thing__c"}'),)


def test_files_stay_below_the_vendors_limits() -> None:
    """10 MB with their multipart frame, 100,000 characters, 100 MB."""
    assert _paths(System.MARKETO, "lead")["bulk"].format.max_bytes + 1_024 <= 10_000_000
    assert _paths(System.SALESFORCE, "Contact")["multipart"].format.max_bytes == 100_000
    assert _paths(System.SALESFORCE, "Contact")["bulk2"].format.max_bytes == 100_000_000


@pytest.mark.parametrize(
    ("blank_cells", "is_uniform", "allows_clear", "clear_text"),
    [("unknown", True, False, None), ("keep", False, False, None), ("clear", True, True, "")],
)
def test_blank_cells_of_an_import_say_what_the_connection_says(
    *, blank_cells: str, is_uniform: bool, allows_clear: bool, clear_text: str | None
) -> None:
    """The vendor says nothing of empty cells, so a file holds none unless somebody has checked."""
    path = _paths(System.MARKETO, "lead", blank_cells=blank_cells)["bulk"]
    assert isinstance(path.format, CsvFormat)
    assert (path.format.needs_uniform_shape, path.allows_clear, path.format.clear_text) == (
        is_uniform,
        allows_clear,
        clear_text,
    )


def test_push_is_an_activity_and_never_repeated() -> None:
    """Its activity cannot be read back."""
    push = _paths(System.MARKETO, "lead")["push"]
    assert push.activity
    assert push.repeat is Repeat.NEVER
    assert push.required_options == {"program"}


def test_an_import_does_not_tell_created_from_updated() -> None:
    """The report only counts."""
    assert not _paths(System.MARKETO, "lead")["bulk"].tells_created
    assert _paths(System.SALESFORCE, "Contact")["bulk2"].tells_created


@pytest.mark.parametrize(
    ("name", "path", "seconds"),
    [
        ("lead", "sync", 90.0),
        ("lead", "push", 90.0),
        ("order_c", "sync", 120.0),
        ("order_c", "delete", 60.0),
        ("lead", "delete", 60.0),
        ("lead", "list", 30.0),
    ],
)
def test_a_lost_write_is_waited_for_as_long_as_the_server_works(name: str, path: str, seconds: float) -> None:
    """The vendor's published time-outs; a lead's deletion is given that of a custom object's."""
    assert _paths(System.MARKETO, name)[path].server_timeout_seconds == seconds


def test_email_is_compared_without_case() -> None:
    """Marketo's describe does not say so."""
    assert capabilities("lead", _endpoint(System.MARKETO)).folded_types == {"email"}


@pytest.mark.parametrize("system", list(System))
def test_a_connection_never_asks_for_more_than_the_vendor_gives(system: System) -> None:
    """Concurrency is the person's, up to the vendor's; budget and reserve are handed on."""
    limits = TARGETS[system].limits(_endpoint(system, concurrency=50, budget=7, reserve=0.3))
    assert limits.concurrency == (10 if system is System.MARKETO else 25)
    assert (limits.calls_today, limits.reserve) == (7, 0.3)


def test_actions_find_a_path() -> None:
    """Every action of the manifest can be said at Marketo."""
    said = {
        action
        for _, name, _ in OBJECTS[:3]
        for path in _paths(System.MARKETO, name).values()
        for action in path.actions
    }
    assert said == set(Action)


@pytest.mark.parametrize(
    ("system", "name", "action", "key", "paths"),
    [
        (System.SALESFORCE, "Contact", Action.UPDATE, "Crm_Key__c", []),
        (System.SALESFORCE, "Contact", Action.UPDATE, "Id", ["collections", "multipart", "bulk2"]),
        (System.SALESFORCE, "Contact", Action.DELETE, "Id", ["collections", "multipart", "bulk2"]),
        (System.SALESFORCE, "Contact", Action.CREATE, "Id", []),
        (System.SALESFORCE, "Contact", Action.UPSERT, "Crm_Key__c", ["collections", "multipart", "bulk2"]),
        (System.MARKETO, "lead", Action.UPSERT, "id", []),
        (System.MARKETO, "lead", Action.CREATE, "id", []),
        (System.MARKETO, "lead", Action.DUPLICATE, "id", []),
        (System.MARKETO, "lead", Action.UPDATE, "id", ["sync", "bulk"]),
        (System.MARKETO, "lead", Action.UPDATE, "email", ["sync"]),
        (System.MARKETO, "lead", Action.UPSERT, "email", ["sync", "push", "bulk"]),
        (System.MARKETO, "order_c", Action.UPSERT, "marketoGUID", []),
        (System.MARKETO, "order_c", Action.UPDATE, "marketoGUID", ["sync"]),
        (System.MARKETO, "order_c", Action.DELETE, "marketoGUID", ["delete"]),
    ],
)
def test_an_id_says_which_record_and_makes_none(
    system: System, name: str, action: Action, key: str, paths: list[str]
) -> None:
    """Updates and deletes go by id, new records never; an import by id only updates."""
    able = capabilities(name, _endpoint(system)).paths
    assert [path.name for path in able if action in path.actions and path.takes_key(action, [key], None)] == paths


def test_company_fields_go_by_requests_only_where_somebody_checked() -> None:
    """Sync Leads does not support them; imports take them."""
    usual, checked = (_paths(System.MARKETO, "lead", **said) for said in ({}, {"company_fields": "written"}))
    assert {name: "company" in path.refused_fields for name, path in usual.items()} == {
        "sync": True,
        "push": True,
        "delete": False,
        "list": False,
        "bulk": False,
    }
    assert not any(path.refused_fields for path in checked.values())
    assert usual["sync"].refused_rule.endswith(".")
