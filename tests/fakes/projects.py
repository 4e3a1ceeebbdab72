"""A small project in one call: operations over Marketo leads and Salesforce objects, planned from made-up facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncer.manifest.models import Manifest
from syncer.plan.build import build_plan
from syncer.plan.models import Inputs
from tests.fakes.capabilities import LEAD, LIST_MEMBER, salesforce

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncer.capability import Capabilities
    from syncer.facts import ObjectSchema, OperationFacts, SharedKeys, Usage
    from syncer.plan.models import Plan

TARGETS = {
    "leads": {"connection": "marketo", "object": "lead", "key": "email"},
    "lists": {"connection": "marketo", "object": "list_member", "key": "id"},
    "contacts": {"connection": "crm", "object": "Contact", "key": "Key__c"},
    "accounts": {"connection": "crm", "object": "Account", "key": "Key__c"},
}
ABLE: dict[tuple[str, str], Capabilities] = {
    ("marketo", "lead"): LEAD,
    ("marketo", "list_member"): LIST_MEMBER,
    ("crm", "Contact"): salesforce("Contact"),
    ("crm", "Account"): salesforce("Account"),
}
INPUTS = Inputs(tool="0.1.0", manifest="3f9c" * 16)


def manifest(
    operations: Mapping[str, Mapping[str, Any]],
    *,
    budget: Mapping[str, Any] | None = None,
    targets: Mapping[str, Any] | None = None,
) -> Manifest:
    """Return a manifest of operations, each upserting leads unless it says more."""
    login = {"base_url": "{{ env.URL }}", "client_id": "{{ env.ID }}", "client_secret": "{{ secret.S }}"}
    usual = {"source": "contacts", "mapping": "plain", "target": "leads"}
    return Manifest.model_validate(
        {
            "version": 1,
            "connections": {
                "marketo": {"system": "marketo", **login, "budget": dict(budget or {})},
                "crm": {"system": "salesforce", **login},
            },
            "sources": {"contacts": {"file": "contacts.csv"}},
            "targets": targets or TARGETS,
            "mappings": {"plain": {"email": "{{ email }}"}},
            "operations": {name: usual | dict(said) for name, said in operations.items()},
        }
    )


def plan(
    operations: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, OperationFacts],
    *,
    shared: Sequence[SharedKeys] = (),
    usage: Mapping[str, Usage] | None = None,
    able: Mapping[tuple[str, str], Capabilities] | None = None,
    schemas: Mapping[tuple[str, str], ObjectSchema] | None = None,
    inputs: Inputs = INPUTS,
    budget: Mapping[str, Any] | None = None,
    targets: Mapping[str, Any] | None = None,
    reviewed: Plan | None = None,
) -> Plan:
    """Return the plan of a project, by the same door as everybody."""
    made = manifest(operations, budget=budget, targets=targets)
    return build_plan("acme", made, facts, able or ABLE, usage or {}, inputs, shared, schemas or {}, reviewed)
