"""Runs that stopped half-way, seen by a new one: what they may still have under way comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.errors import LockedError
from syncer.execution.resume import Past, Stage
from syncer.facts import Action

if TYPE_CHECKING:
    from syncer.manifest.models import Manifest
    from syncer.plan.models import Plan
    from syncer.state.protocol import Store

_UNDER_WAY = (Stage.DOUBTED, Stage.ACCEPTED, Stage.HELD, Stage.RULED_SENT, Stage.RULED_UNSENT)
_NOT_REPEATABLE = frozenset({Action.CREATE, Action.DUPLICATE})


async def refuse_before_others(store: Store, manifest: Manifest, plan: Plan, run: str) -> None:
    """Raise `LockedError` where another run has writes to the same objects that nobody knows the end of.

    It is refused as well where a repetition would write twice: an operation that creates, half done, or a push.
    """
    for other in await store.runs():
        if other == run:
            continue
        past = Past()
        journal = await store.journal(other, None)
        async for note in journal.notes():
            past.add(note)
        if past.finished is not None:
            continue
        doubtful = [unit for unit in past.wholes_with(*_UNDER_WAY) if _meets(manifest, plan, unit)]
        repeated = [unit for unit in past.wholes_with(Stage.SETTLED, Stage.SPLIT) if _repeats(plan, past, unit)]
        if doubtful or repeated:
            what = "is in doubt" if doubtful else "was written and is not in the ledger yet"
            raise LockedError(
                "R120",
                f'Run "{other}" is not finished: {(doubtful or repeated)[0]} {what}.',
                "Finish that run first:",
                f"syncer resume {other}",
            )


def _meets(manifest: Manifest, plan: Plan, unit: str) -> bool:
    """Whether a unit's operation writes an object that the plan writes; what is no longer declared may."""
    known = manifest.operations.get(unit.partition("/")[0])
    target = manifest.targets.get(known.target) if known else None
    if target is None:
        return True
    return any((each.connection, each.object) == (target.connection, target.object) for each in plan.operations)


def _repeats(plan: Plan, past: Past, unit: str) -> bool:
    """Whether the plan would send again what a unit wrote for good."""
    name, _, path, *_ = unit.split("/")
    mine = next((each for each in plan.operations if each.name == name), None)
    if mine is None or name in past.merged:
        return False
    return mine.action in _NOT_REPEATABLE or path == "push"
