"""One field of an object: what describe says of it, and the table notation in which the default org is written.

A line of a table is `Name | Label | type | flags and words`. The flags are those of the vendor's field pages:
C createable, U updateable, N nillable, D defaulted on create, I idLookup, X external id, Q unique, S
case-sensitive, R restricted picklist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TYPE = re.compile(
    r"(?P<kind>\w+)(?:\((?P<size>\d+)(?:,(?P<scale>\d+))?\))?(?: (?P<parents>[\w,]+):(?P<relation>\w+))?"
)
TEXT_KINDS = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "multipicklist"})
DECIMAL_KINDS = frozenset({"double", "currency", "percent"})
_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "address": "urn:address",
}
ID_LENGTH = 18
_FLAGS = "CUNDIXQSR"


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the vendor's describe knows it."""

    name: str
    label: str
    kind: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    is_createable: bool = False
    is_updateable: bool = False
    is_nillable: bool = False
    is_defaulted: bool = False
    is_id_lookup: bool = False
    is_external_id: bool = False
    is_unique: bool = False
    is_case_sensitive: bool = False
    is_restricted: bool = False
    parents: tuple[str, ...] = ()
    relation: str | None = None
    compound: str | None = None
    values: tuple[str, ...] = ()
    default: str | bool | None = None
    extra: str | None = None

    @property
    def is_required(self) -> bool:
        """True if a record cannot be created without it (*sObject Describe*)."""
        return self.is_createable and not self.is_nillable and not self.is_defaulted and self.kind != "boolean"

    @property
    def is_key(self) -> bool:
        """True if an upsert or a parent column may name it."""
        return self.is_external_id or self.is_id_lookup

    @property
    def is_custom(self) -> bool:
        """True for a field that the org's administrator added."""
        return self.name.endswith("__c")

    @property
    def is_polymorphic(self) -> bool:
        """True if the parent may be of several objects, so that a column must name which."""
        return len(self.parents) > 1

    @property
    def soap_type(self) -> str:
        """The type's name in the vendor's messages about values it cannot read."""
        return _SOAP_TYPES.get(self.kind, "xsd:double" if self.kind in DECIMAL_KINDS else "xsd:string")

    def fold(self, value: str) -> str:
        """Two values are one key if this makes them equal: case counts only in "Unique, case sensitive"."""
        return value if self.is_case_sensitive else value.lower()


def parse_table(table: str, picklists: dict[str, tuple[str, ...]]) -> tuple[Field, ...]:
    """Read the fields of one object; `picklists` holds the value lists that lines name with `values NAME`."""
    return tuple(_parse_line(line, picklists) for line in table.strip().splitlines())


def _parse_line(line: str, picklists: dict[str, tuple[str, ...]]) -> Field:
    name, label, kind_text, rest = (part.strip() for part in line.split("|"))
    matched = _TYPE.fullmatch(kind_text)
    if matched is None:
        msg = f"cannot read the type {kind_text!r} of field {name}"
        raise ValueError(msg)
    words = rest.lstrip(_FLAGS)
    flags = rest[: len(rest) - len(words)]
    options = dict(option.split(" ", 1) for option in words.strip().split("; ") if option)
    kind, size, scale = matched["kind"], int(matched["size"] or 0), int(matched["scale"] or 0)
    is_number = kind in DECIMAL_KINDS
    return Field(
        name=name,
        label=label,
        kind=kind,
        length=ID_LENGTH if kind in {"id", "reference"} else size if kind in TEXT_KINDS else 0,
        precision=size if is_number else 0,
        scale=scale if is_number else 0,
        digits=size if kind == "int" else 0,
        is_createable="C" in flags,
        is_updateable="U" in flags,
        is_nillable="N" in flags,
        is_defaulted="D" in flags,
        is_id_lookup="I" in flags,
        is_external_id="X" in flags,
        is_unique="Q" in flags,
        is_case_sensitive="S" in flags,
        is_restricted="R" in flags,
        parents=tuple((matched["parents"] or "").split(",")) if matched["parents"] else (),
        relation=matched["relation"],
        compound=options.get("in"),
        values=picklists[options["values"]] if "values" in options else (),
        default=False if kind == "boolean" else options.get("default"),
        extra=options.get("extra") or ("plaintextarea" if kind == "textarea" else None),
    )
