"""Object schemas as files: JSON Schema 2020-12 with what only syncer knows under `x-syncer`.

`dump` and `parse` undo each other and are byte-stable: a snapshot in git differs only where the target does.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncer.facts import FieldSchema, FieldType, ObjectSchema, System
from syncer.targets import failure

if TYPE_CHECKING:
    from pathlib import Path

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_FORMS: dict[FieldType, dict[str, Any]] = {
    FieldType.TEXT: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.DECIMAL: {"type": "number"},
    FieldType.FLOAT: {"type": "number"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.DATETIME: {"type": "string", "format": "date-time"},
    FieldType.TIME: {"type": "string", "format": "time"},
}
_FLAGS = {
    "is_creatable": True,
    "is_updatable": True,
    "is_key": False,
    "is_unique": False,
    "is_case_sensitive": False,
    "is_restricted": False,
}
"""Flags and what they are where a snapshot says nothing."""


def load(path: Path) -> ObjectSchema:
    """Read a snapshot; raises `TargetError` when it is not one."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise failure.snapshot_unreadable(path.name, type(error).__name__) from error


def dump(schema: ObjectSchema) -> str:
    """Return the snapshot's text: fields by name, two blanks of indent, a line end last."""
    fields = sorted(schema.fields, key=lambda field: field.name)
    document = {
        "$schema": DIALECT,
        "title": schema.name,
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields if field.is_required],
        "additionalProperties": False,
        "x-syncer": {"system": schema.system.value, "object": schema.name},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def parse(text: str) -> ObjectSchema:
    """Read a snapshot's text; raises `ValueError`, `KeyError` or `TypeError` when it is not one."""
    document = json.loads(text)
    about = document["x-syncer"]
    required = set(document["required"])
    fields = tuple(
        _field(name, members, is_required=name in required) for name, members in document["properties"].items()
    )
    return sealed(ObjectSchema(System(about["system"]), about["object"], fields))


def sealed(schema: ObjectSchema) -> ObjectSchema:
    """Return the schema with its fields in order and its digest: the same for one description, wherever it was read."""
    ordered = replace(schema, fields=tuple(sorted(schema.fields, key=lambda field: field.name)), digest="")
    return replace(ordered, digest=hashlib.sha256(dump(ordered).encode()).hexdigest())


def _property(field: FieldSchema) -> dict[str, Any]:
    form = dict(_FORMS[field.type])
    about: dict[str, Any] = {"type": field.type.value, "vendor_type": field.vendor_type}
    about |= {flag: value for flag, usual in _FLAGS.items() if (value := getattr(field, flag)) is not usual}
    about |= {name: value for name in ("precision", "scale") if (value := getattr(field, name)) is not None}
    if field.reference_to:
        about["reference_to"] = list(field.reference_to)
    if field.picklist is not None:
        about["picklist"] = list(field.picklist)
        if field.is_restricted:
            form["enum"] = [*field.picklist, None]
    if field.max_length is not None:
        about["max_length"] = field.max_length
        if field.type is FieldType.TEXT:
            form["maxLength"] = field.max_length
    return {
        "title": field.label,
        **form,
        "type": [form["type"], "null"],
        **({"readOnly": True} if field.is_read_only else {}),
        "x-syncer": about,
    }


def _field(name: str, members: dict[str, Any], *, is_required: bool) -> FieldSchema:
    about = members["x-syncer"]
    picklist = about.get("picklist")
    return FieldSchema(
        name=name,
        type=FieldType(about["type"]),
        vendor_type=about["vendor_type"],
        label=members["title"],
        max_length=about.get("max_length"),
        precision=about.get("precision"),
        scale=about.get("scale"),
        is_required=is_required,
        picklist=None if picklist is None else tuple(picklist),
        reference_to=tuple(about.get("reference_to", ())),
        **{flag: bool(about.get(flag, usual)) for flag, usual in _FLAGS.items()},
    )
