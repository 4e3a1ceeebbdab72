"""Describe and Describe2 of leads (Adobe, "Leads": Describe)."""

from __future__ import annotations

from typing import Any

from syncer.sandbox.marketo.field import Field, is_searchable
from syncer.sandbox.marketo.gate import Answer, Call, Operation


def _entry(field: Field) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": field.id, "displayName": field.display_name, "dataType": field.data_type}
    if field.length is not None:
        entry["length"] = field.length
    entry["rest"] = {"name": field.name, "readOnly": field.is_read_only}
    if field.soap_name:
        entry["soap"] = {"name": field.soap_name, "readOnly": field.is_read_only}
    return entry


def field_entry(field: Field) -> dict[str, Any]:
    """A field the way describe2 and the other objects' describe calls show it."""
    entry: dict[str, Any] = {"name": field.name, "displayName": field.display_name, "dataType": field.data_type}
    if field.length is not None:
        entry["length"] = field.length
    return entry | {"updateable": not field.is_read_only, "crmManaged": False}


async def describe(call: Call) -> Answer:
    """GET /rest/v1/leads/describe.json."""
    return Answer([_entry(field) for field in call.world.leads.fields.values()])


async def describe2(call: Call) -> Answer:
    """GET /rest/v1/leads/describe2.json."""
    fields = call.world.leads.fields.values()
    return Answer(
        [
            {
                "name": "API Lead",
                "searchableFields": [[field.name] for field in fields if is_searchable(field)],
                "fields": [field_entry(field) for field in fields],
            }
        ]
    )


OPERATIONS = (
    Operation("GET", "/rest/v1/leads/describe.json", describe),
    Operation("GET", "/rest/v1/leads/describe2.json", describe2),
)
