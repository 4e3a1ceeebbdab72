"""Salesforce's describe answers, read into an `ObjectSchema` ("sObject Describe"). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncer.facts import FieldSchema, FieldType, ObjectSchema, System
from syncer.targets.describe import sealed
from syncer.targets.exchange import Problem, Trouble
from syncer.targets.salesforce.wire import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.targets.exchange import Response

_TYPES = {
    "int": FieldType.INTEGER,
    "long": FieldType.INTEGER,
    "double": FieldType.DECIMAL,
    "currency": FieldType.DECIMAL,
    "percent": FieldType.DECIMAL,
    "boolean": FieldType.BOOLEAN,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "time": FieldType.TIME,
}
_LEFT_OUT = frozenset({"address", "location", "base64", "anyType", "complexvalue"})
"""Compound and binary fields, written through their components or not at all."""


def read_schema(response: Response, name: str) -> ObjectSchema | Problem:
    """Read one object's description, as the signed-in user may see it."""
    body = read_json(response)
    if isinstance(body, Problem):
        return body
    fields = body.get("fields") if isinstance(body, dict) else None
    if not isinstance(fields, list):
        return Problem(Trouble.BROKEN, message="the answer describes no fields")
    described = tuple(_field(each) for each in fields if isinstance(each, dict) and each.get("type") not in _LEFT_OUT)
    return sealed(ObjectSchema(System.SALESFORCE, name, described))


def _field(entry: Mapping[str, Any]) -> FieldSchema:
    vendor_type = str(entry.get("type", "string"))
    is_id = vendor_type == "id"
    is_creatable = entry.get("createable") is True
    has_default = entry.get("defaultedOnCreate") is True or vendor_type == "boolean"
    field_type = _TYPES.get(vendor_type, FieldType.TEXT)
    values = entry.get("picklistValues") if vendor_type in {"picklist", "multipicklist", "combobox"} else None
    picklist = tuple(str(each.get("value")) for each in values if each.get("active")) if values else None
    return FieldSchema(
        name=str(entry.get("name")),
        type=field_type,
        vendor_type=vendor_type,
        label=str(entry.get("label", "")),
        max_length=_positive(entry.get("length")) if field_type is FieldType.TEXT else None,
        precision=_positive(entry.get("precision")) or _positive(entry.get("digits")),
        scale=int(entry.get("scale") or 0) if field_type is FieldType.DECIMAL else None,
        is_required=entry.get("nillable") is False and is_creatable and not has_default,
        is_creatable=is_creatable,
        is_updatable=entry.get("updateable") is True,
        is_key=is_id or entry.get("externalId") is True or entry.get("idLookup") is True,
        is_unique=is_id or entry.get("unique") is True,
        is_case_sensitive=entry.get("caseSensitive") is True,
        picklist=picklist,
        is_restricted=vendor_type == "picklist" and entry.get("restrictedPicklist") is True and picklist is not None,
        reference_to=tuple(str(each) for each in entry.get("referenceTo") or ()),
    )


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
