"""Marketo's describe answers, read into an `ObjectSchema`. Pure.

Pages: "Leads" (Describe2), "Program Members", "Custom Objects" (describe) and "Field Types".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncer.facts import FieldSchema, FieldType, ObjectSchema, System
from syncer.targets.describe import sealed
from syncer.targets.exchange import Problem, Trouble
from syncer.targets.marketo.request import LEAD, PROGRAM_MEMBER
from syncer.targets.marketo.wire import read_envelope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.targets.exchange import Response

# "Field Types". A percent is a whole number; currency and float are both kept in single precision.
_TYPES = {
    "integer": FieldType.INTEGER,
    "score": FieldType.INTEGER,
    "percent": FieldType.INTEGER,
    "float": FieldType.FLOAT,
    "currency": FieldType.FLOAT,
    "boolean": FieldType.BOOLEAN,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
}
_TEXT_AREA_CHARACTERS = {True: 2_000, False: 30_000}
"""Longest `text` value: of a custom object, and of a lead ("Field Types")."""


_IMPORT_KEY = FieldSchema("email", FieldType.TEXT, "email", "Email Address", max_length=255, is_key=True)
"""Members are imported by e-mail address, which describe leaves out ("Bulk Program Member Import")."""


def read_schema(response: Response, name: str) -> ObjectSchema | Problem:
    """Read one object's description."""
    envelope = read_envelope(response)
    if isinstance(envelope, Problem):
        return envelope
    entry = envelope.result[0] if envelope.result else None
    fields = entry.get("fields") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(fields, list):
        return Problem(Trouble.REFUSED, message=f'there is no object "{name}"', is_about_caller=True)
    keys = _keys(entry, name)
    dedupe = frozenset(map(str, entry.get("dedupeFields", ()))) if name != PROGRAM_MEMBER else frozenset[str]()
    parents = _parents(entry)
    described = tuple(
        _field(each, name, keys, dedupe, parents)
        for each in fields
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    )
    if name == PROGRAM_MEMBER:
        described = (*described, _IMPORT_KEY)
    return sealed(ObjectSchema(System.MARKETO, name, described))


def _keys(entry: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the fields that a write may be keyed by: searchable alone, or part of the dedupe key."""
    if name == PROGRAM_MEMBER:
        return frozenset({"leadId", "email"})
    searchable = {str(group[0]) for group in entry.get("searchableFields", ()) if isinstance(group, list) and group}
    return frozenset(searchable | {str(each) for each in entry.get("dedupeFields", ())})


def _parents(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return parent objects by link field; Swagger says `relatedTo`, one page says `object`."""
    found = {}
    for each in entry.get("relationships", ()):
        related = each.get("relatedTo") or each.get("object") or {}
        if isinstance(related, dict) and related.get("name"):
            found[str(each.get("field"))] = str(related["name"])
    return found


def _field(
    entry: Mapping[str, Any],
    name: str,
    keys: frozenset[str],
    dedupe: frozenset[str],
    parents: Mapping[str, str],
) -> FieldSchema:
    vendor_type = str(entry.get("dataType", "string"))
    field = str(entry["name"])
    length = entry.get("length")
    if vendor_type == "text":
        length = _TEXT_AREA_CHARACTERS[name not in {LEAD, PROGRAM_MEMBER}]
    is_id = field == "id" and name == LEAD
    is_writable = entry.get("updateable") is not False and not is_id
    is_key_only = name == PROGRAM_MEMBER and field == "leadId"
    return FieldSchema(
        name=field,
        type=_TYPES.get(vendor_type, FieldType.TEXT) if not is_id else FieldType.INTEGER,
        vendor_type=vendor_type,
        label=str(entry.get("displayName", field)),
        max_length=length if isinstance(length, int) else None,
        is_required=field in dedupe,
        is_creatable=is_writable or field in dedupe or is_key_only,
        is_updatable=is_writable,
        is_key=field in keys or is_key_only,
        is_unique=is_id or field == "marketoGUID" or dedupe == {field},
        reference_to=(parents[field].lower(),) if field in parents else (),
    )
