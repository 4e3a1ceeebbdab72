"""From keys that left a source to staged deletions: what the state calls a record, and who else still writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.engine.gone import GoneRows, keys_of
from syncer.engine.ledger import Naming
from syncer.engine.stage import stage
from syncer.facts import Action
from syncer.manifest.gone import cleared_by, name_of
from syncer.manifest.models import Deletes
from syncer.workflow.endpoints import instance_of
from syncer.workflow.load import id_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from syncer.capability import Capabilities
    from syncer.engine.staged import StagedOperation
    from syncer.manifest.models import Manifest, Operation
    from syncer.workflow.load import Loaded

_TAKING = frozenset({Action.DELETE, Action.REMOVE})


def naming(manifest: Manifest, name: str, able: Capabilities) -> Naming:
    """Return what the state calls the records of an operation."""
    operation = manifest.operations[name]
    if operation.deletes is Deletes.IGNORE:
        return Naming.NONE
    if manifest.targets[operation.target].key_fields == (able.id_field,):
        return Naming.KEY
    return Naming.ONCE if operation.action is Action.CREATE else Naming.LEARNT


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who else writes the records that an operation deletes: by the same key, or by one that cannot be compared."""

    same: tuple[str, ...]
    blind: tuple[str, ...]


def neighbours(loaded: Loaded, parent: str) -> Neighbours:
    """Return the operations of the project, chosen or not, that may still send what left the source of `parent`."""
    mine = loaded.manifest.operations[parent]
    same: list[str] = []
    blind: list[str] = []
    for name, other in _others(loaded, parent, mine):
        (same if _space(loaded, other)[2] == _space(loaded, mine)[2] else blind).append(name)
    return Neighbours(tuple(same), tuple(blind))


def _others(loaded: Loaded, parent: str, mine: Operation) -> Iterator[tuple[str, Operation]]:
    for name, other in loaded.manifest.operations.items():
        if name == parent or cleared_by(name) or other.action in _TAKING:
            continue
        if _space(loaded, other)[:2] != _space(loaded, mine)[:2]:
            continue
        if mine.deletes is Deletes.DELETE or (other.action is Action.ADD and other.list == mine.list):
            yield name, other


def _space(loaded: Loaded, operation: Operation) -> tuple[str, str, tuple[str, ...]]:
    target = loaded.manifest.targets[operation.target]
    return instance_of(loaded, target.connection), target.object.casefold(), tuple(sorted(target.key_fields))


def keeps_gone(loaded: Loaded, name: str) -> bool:
    """Say whether somebody asks which keys left the source of an operation: itself, or one with the same keys."""
    clearing = [each for each in loaded.manifest.operations if name_of(each) in loaded.manifest.operations]
    return any(name == each or name in neighbours(loaded, each).same for each in clearing)


def _keys(staged: StagedOperation | None, ledger: Path | None) -> pa.RecordBatchReader | None:
    """Return what an operation sends or has sent; of one that is not chosen, what it has sent."""
    if staged is not None:
        return staged.sends(ledger)
    return None if ledger is None else keys_of(ledger)


def stage_gone(
    loaded: Loaded,
    name: str,
    staged: Mapping[str, StagedOperation],
    ledgers: Mapping[str, Path | None],
    able: Capabilities,
    folder: Path,
    *,
    memory_limit: str,
    keeps_unchanged: bool,
) -> StagedOperation:
    """Stage the deletions for what left the source of an operation that is staged already."""
    parent = cleared_by(name)
    around = neighbours(loaded, parent)
    others = {other: keys for other in around.same if (keys := _keys(staged.get(other), ledgers[other])) is not None}
    path = folder.parent / f"{name}.parquet"
    staged[parent].clear_up(others, around.blind, path)
    [column] = id_columns(loaded, name)
    facts = staged[parent].facts
    deletions = stage(
        loaded.pipelines[name],
        GoneRows(facts.source, column, path, facts.source_digest),
        None,
        {each.name: each.format for each in able.paths},
        folder,
        memory_limit=memory_limit,
        keeps_unchanged=keeps_unchanged,
    )
    deletions.delete_for(path)
    return deletions
