"""What one lead record of a write may hold: field names and values in, stored values or a reason out.

Rules: Adobe, "Leads" (Create and Update) and "Error Codes"; refusals as recorded from a real instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from syncer.sandbox.marketo.field import InvalidValueError, TooLongError, as_text, is_searchable
from syncer.sandbox.marketo.gate import MarketoError

if TYPE_CHECKING:
    from syncer.sandbox.marketo.world import MarketoWorld

Reason = tuple[str, str]
PUSH_MEMBERS = frozenset({"mktToken", "cookies"})
UNSETTABLE = frozenset({"leadPartitionId", "cookies"})


def invalid_value(name: str, value: Any) -> Reason:
    """The words recorded for a value that the field's type does not take."""
    return "1003", f"Invalid value for field '{name}' and value '{as_text(value)}'"


def check_lookup_field(world: MarketoWorld, name: str) -> None:
    """1006 for an unknown field and 1011 for one that cannot be looked up by, both for the whole call."""
    field = world.leads.fields.get(name)
    if field is None:
        raise MarketoError("1006", f"Lookup field '{name}' not found")
    if not is_searchable(field):
        raise MarketoError("1011", f"Field '{name}' not supported")


def check_partition(world: MarketoWorld, name: str | None) -> str | None:
    """1008 for a partition that does not exist or that the user may not see."""
    if name is not None and name not in world.leads.partitions:
        raise MarketoError("1008", f"Access denied to partition '{name}'")
    return name


def stored_values(
    world: MarketoWorld, record: Mapping[str, Any], *, ignored: frozenset[str] = frozenset()
) -> dict[str, Any] | Reason:
    """All values as they would be stored, or the reason for which the whole record is skipped."""
    values: dict[str, Any] = {}
    for name, value in record.items():
        if name == "id" or name in ignored:
            continue
        field = world.leads.fields.get(name)
        if field is None:
            return "1006", f"Field '{name}' not found"
        if field.kind == "company" and not world.limits.company_fields_in_sync:
            return "1021", "Company update not allowed"
        if field.is_read_only or name in UNSETTABLE:
            # Not recorded: the vendor only says that such fields cannot be updated.
            return "1003", f"Field '{name}' is read-only"
        try:
            values[name] = field.store(value)
        except InvalidValueError:
            return invalid_value(name, value)
        except TooLongError:
            return "1077", "Value for field exceeds max length"
    return values
