"""What follows when a unit is settled: its outcomes go to the ledger's notes, the rejects, the guards, the listener.

It believes the journal's letters only for the very bytes that were sent, and merges an operation's ledger once all of
its nodes are settled.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from syncer.engine.protocol import RowReject
from syncer.errors import StalePlanError
from syncer.execution.context import Guard
from syncer.execution.events import UnitSettled
from syncer.execution.limits import Limits
from syncer.execution.rejects import RejectSpool, line
from syncer.outcome import Outcome
from syncer.state.place import sync_folder
from syncer.state.protocol import Merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from syncer.engine.protocol import Payload, Staged
    from syncer.execution.node import NodeRun
    from syncer.execution.rejects import RejectLine
    from syncer.execution.resume import UnitState
    from syncer.execution.running import Running
    from syncer.plan.models import OperationPlan
    from syncer.targets.protocol import Unit


class Closing:
    """The closing of one run's units."""

    def __init__(self, running: Running, operations: Sequence[OperationPlan]) -> None:
        """Nothing is closed yet; a resumed run closes again, in the same places, what it finds settled."""
        self.spool = RejectSpool(running.context.folder)
        self._running = running
        guards, staged = running.context.guards, running.context.staged
        self.limits = {
            each.name: Limits(each.name, each.action, guards.get(each.name, Guard()), staged[each.name].facts.rejected)
            for each in operations
        }
        self._merging: set[str] = set()

    async def close(self, node: NodeRun, unit: Unit, state: UnitState) -> None:
        """Hand a settled unit's outcomes on."""
        if state.sha256 != unit.payload.sha256:
            raise StalePlanError(
                "R102",
                f'The rows of unit "{unit.id}" differ from those that the journal says were sent.',
                "Restore the source as it was when the run began, or make a new plan.",
            )
        context, operation = self._running.context, node.operation

        def hand_on() -> None:
            node.courier.staged.confirm(unit.payload.rows, state.letters, context.outcomes(operation.name))
            if state.rejects:
                self.spool.put((node.number, unit.payload.index), _reject_lines(operation.name, unit.payload, state))
            if not isinstance(unit.payload.body, bytes):
                unit.payload.body.unlink(missing_ok=True)

        await context.offload(hand_on)
        counts = {outcome: state.letters.count(outcome.letter) for outcome in Outcome}
        context.listener(
            UnitSettled(
                node=node.node.id,
                unit=unit.id,
                records=unit.payload.records,
                created=counts[Outcome.CREATED],
                updated=counts[Outcome.UPDATED],
                written=counts[Outcome.WRITTEN],
                rejected=counts[Outcome.REJECTED],
                in_doubt=counts[Outcome.IN_DOUBT],
                connection=operation.connection,
                calls=node.courier.session.calls_made(),
                is_old=unit.id in self._running.settled_before,
            )
        )
        limits = self.limits[operation.name]
        limits.tally.add(state.letters)
        if sentence := limits.broken():
            self._running.halt(guard=sentence)

    async def merge(self, plan: OperationPlan, nodes: Sequence[NodeRun]) -> None:
        """Bring the ledger up to date once all `nodes` of an operation are settled; a repetition changes nothing.

        What is deleted is forgotten in the ledger of the operation that it had left, after that one's own merge.
        """
        context, operation = self._running.context, plan.name
        taken = self._merging | self._running.past.merged
        if operation in taken or not all(each.is_settled for each in nodes):
            return
        self._merging.add(operation)
        name = plan.gone_from or operation
        serial = context.ledger_serials[name] + (plan.gone_from in self._running.past.merged)
        path = context.folder / f"confirmed-{operation}.parquet"
        if not path.exists():  # Written once, when all is settled: a merge that is repeated offers the same bytes.
            await context.offload(lambda: _write_whole(context.staged[operation], path))
        await context.store.ledger().merge(name, serial, path)
        await self._running.note(Merged(operation=operation))


def _reject_lines(operation: str, payload: Payload, state: UnitState) -> Iterator[RejectLine]:
    for note in state.rejects:
        told = RowReject(payload.rows[note.position], note.code, note.reason, note.field)
        yield line(operation, told, payload.lanes[note.position])


def _write_whole(staged: Staged, path: Path) -> None:
    # A process that stands still within the write holds its file, so that no other may need that name.
    draft = path.with_suffix(f".{secrets.token_hex(4)}.part")
    staged.confirmed(draft)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)
