"""What left a source as an operation of its own: `newsletter.gone` deletes, or takes out of its list, what left.

Expands a checked manifest; everything after it plans, prices and performs such an operation like any other. Its name
holds a dot, which no name that people write can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.facts import Action
from syncer.manifest.models import Deletes, Duplicates, FieldMapping, Guards, Mapping, Target

if TYPE_CHECKING:
    from collections.abc import Mapping as ByName

    from syncer.manifest.models import Manifest, Operation

_ENDING = ".gone"
_ACTIONS = {Deletes.DELETE: Action.DELETE, Deletes.REMOVE: Action.REMOVE}


def name_of(operation: str) -> str:
    """Return the name of the operation that clears up what left the source of `operation`."""
    return operation + _ENDING


def cleared_by(name: str) -> str:
    """Return the operation whose leavings `name` clears up; "" for an operation that people wrote."""
    return name.removesuffix(_ENDING) if name.endswith(_ENDING) else ""


def with_gone(manifest: Manifest, id_fields: ByName[tuple[str, str], str]) -> Manifest:
    """Return the manifest with an operation more for each that clears up; `id_fields` are by connection and object."""
    operations, targets, mappings = dict(manifest.operations), dict(manifest.targets), dict(manifest.mappings)
    for name, operation in manifest.operations.items():
        target = manifest.targets.get(operation.target)
        field = id_fields.get((target.connection, target.object), "") if target else ""
        if operation.deletes is Deletes.IGNORE or target is None or not field:
            continue
        own = name_of(name)
        targets[own] = Target(connection=target.connection, object=target.object, key=field)
        mappings[own] = Mapping(fields={field: FieldMapping(value=f"{{{{ {field} }}}}")})
        operations[own] = _clearing(name, operation, own)
    return manifest.model_copy(update={"operations": operations, "targets": targets, "mappings": mappings})


def _clearing(name: str, operation: Operation, own: str) -> Operation:
    """Return the operation: what it deletes is counted by the guards of the one that it clears up after."""
    is_removal = operation.deletes is Deletes.REMOVE
    return operation.model_copy(
        update={
            "mapping": own,
            "target": own,
            "action": _ACTIONS[operation.deletes],
            "duplicates": Duplicates.REJECT,
            "only": "all",
            "path": "auto",
            "because": None,
            "guards": Guards(),
            "after": (name,),
            "activity": "none",
            "program": None,
            "list": operation.list if is_removal else None,
            "partition": None,
            "status": None,
            "deletes": Deletes.IGNORE,
            "run_marker": None,
        }
    )
