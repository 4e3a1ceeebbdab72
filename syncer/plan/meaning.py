"""Which paths can say an operation at all. Size never speaks here: a path that means something else is no candidate.

Each refusal is one sentence that stands by itself beside the path's name, in the plan and in a refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.manifest.models import Deletes
from syncer.plan.words import count, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.capability import Capabilities, PathCapability
    from syncer.facts import ObjectSchema, SliceFacts
    from syncer.manifest.models import Operation, Target


def objection(
    operation: Operation,
    target: Target,
    path: PathCapability,
    capabilities: Capabilities,
    schema: ObjectSchema | None,
) -> str:
    """Return why `path` cannot say `operation` for any row, as one sentence, or "" when it can."""
    return (
        _action(operation, path)
        or _key(operation, target, path, schema)
        or _options(operation, path, capabilities)
        or _activity(operation, path)
        or _ids(operation, target, path, capabilities)
    )


def rows_objection(path: PathCapability, slices: Sequence[SliceFacts]) -> str:
    """Return why `path` cannot say these rows, which it can say otherwise, or ""."""
    refused = [each for each in slices if _refused(path, each)]
    if refused:
        fields = sorted({field for each in refused for field in _refused(path, each)})
        return f"{path.refused_rule} {_carrying(refused, 'write')} {quoted(fields)}."
    barred = [each for each in slices if not says(path, each)]
    if not barred:
        return ""
    fields = sorted({field for each in barred for field in each.clears})
    return f"It cannot clear a field, and {_carrying(barred, 'clear')} {quoted(fields)}."


def _carrying(slices: Sequence[SliceFacts], verb: str) -> str:
    records = sum(each.records for each in slices)
    return f"{count(records, 'record')} {verb}{'s' if records == 1 else ''}"


def says(path: PathCapability, each: SliceFacts) -> bool:
    """Say whether `path` can carry the fields and nulls of this shape."""
    return (path.allows_clear or not each.clears) and not _refused(path, each)


def _refused(path: PathCapability, each: SliceFacts) -> frozenset[str]:
    return path.refused_fields.intersection((*each.fields, *each.clears))


def _action(operation: Operation, path: PathCapability) -> str:
    return "" if operation.action in path.actions else f'It cannot "{operation.action}".'


def _key(operation: Operation, target: Target, path: PathCapability, schema: ObjectSchema | None) -> str:
    fields = target.key_fields
    if not path.takes_key(operation.action, fields, schema):
        return f"The key is {quoted(fields)}. {path.key_rule}"
    described = [schema.field(name) for name in fields] if schema and path.key_fields is None else []
    plain = [each.name for each in described if each and not each.is_key]
    return f'{quoted(plain)} cannot find a record of "{target.object}". {path.key_rule}' if plain else ""


def _activity(operation: Operation, path: PathCapability) -> str:
    if path.activity and operation.activity == "none":
        return 'It writes an activity on each record, and the operation does not say "activity: allowed".'
    if not path.activity and operation.activity == "required":
        return 'It writes no activity, and the operation says "activity: required".'
    return ""


def _ids(operation: Operation, target: Target, path: PathCapability, capabilities: Capabilities) -> str:
    if operation.deletes is Deletes.IGNORE or path.tells_ids or target.key_fields == (capabilities.id_field,):
        return ""
    return 'It does not tell the ids of the records that it writes, by which "deletes" would find them again.'


def _options(operation: Operation, path: PathCapability, capabilities: Capabilities) -> str:
    missing = sorted(path.required_options - operation.options.keys())
    if missing:
        return f"It needs {quoted(missing)}, which the operation does not set."
    needed = operation.options.keys() - path.options - path.required_options
    if operation.activity == "allowed":
        # What only the activity needs (the program of a push) says nothing of a path that writes none.
        needed -= {name for each in capabilities.paths if each.activity for name in each.required_options}
    return f"It cannot carry {quoted(sorted(needed))}." if needed else ""
