"""The canonical form of a key: what makes two spellings one record. Keys that a target takes for one must meet here.

Every text key is in Unicode's composed form, without white space at its ends, case folded where the target ignores it.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncer.facts import FieldSchema, FieldType, ObjectSchema, System
from syncer.mapping.dialect.charset import TRIM
from syncer.mapping.dialect.entry import fill
from syncer.mapping.pipeline import KeyPart, conformed
from syncer.mapping.sql import column

_IDS = ("id", "reference")
"""Salesforce ids: 15 characters that mind case; 18 are the same with a checksum (object reference, ID field type)."""


def key_part(system: System, field: FieldSchema, folded_types: frozenset[str]) -> KeyPart:
    """Return the key's canonical text over the field's conformed value."""
    value = column(conformed(field.name))
    if field.type is not FieldType.TEXT:
        return KeyPart(field.name, fill("CAST(:f AS VARCHAR)", {"f": value}), is_folded=False)
    if system is System.SALESFORCE and field.vendor_type in _IDS:
        form = "CASE WHEN length(:f) = 18 THEN left(:f, 15) ELSE :f END"
        return KeyPart(field.name, fill(form, {"f": fill(TRIM, {"x": value})}), is_folded=False)
    is_folded = field.vendor_type in folded_types or (system is System.SALESFORCE and not field.is_case_sensitive)
    # Upper case first: it joins letters that have several small forms, such as the Greek sigma.
    cheap, exact = ("lower(:f)", "lower(upper(nfc_normalize(:f)))") if is_folded else (":f", "nfc_normalize(:f)")
    form = f"CASE WHEN strlen(:g) <> length(:g) THEN {exact} ELSE {cheap} END"
    return KeyPart(field.name, fill(form, {"f": fill(TRIM, {"x": value}), "g": value}), is_folded)


def key_space(schema: ObjectSchema, fields: Sequence[str]) -> str:
    """Return the salt of the key hashes: equal for all operations that could meet in one record.

    The connection is no part of it: two connections may name one instance, and their keys must then be seen to meet.
    """
    return "/".join((schema.system, schema.name, *sorted(fields)))
