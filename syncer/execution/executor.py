"""Performs a plan: walks its graph, sends its units, and leaves a journal from which any cut can be resumed.

It decides nothing about paths or order. Whatever an earlier run sent is settled first; then each node starts when
those before it are settled to the last unit, so that no two writes of one key are ever under way at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from syncer.errors import BugError, LeaseLostError, StalePlanError, SyncerError
from syncer.execution import finish, keeper
from syncer.execution.closing import Closing
from syncer.execution.events import NodeSettled, NodeStarted
from syncer.execution.history import History
from syncer.execution.lanes import Claim
from syncer.execution.node import nodes_of
from syncer.execution.resume import UNDER_WAY, Past, Stage
from syncer.execution.running import Running, Stopped
from syncer.state.protocol import Started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.engine.protocol import Payload
    from syncer.execution.context import Context
    from syncer.execution.node import NodeRun
    from syncer.execution.report import RunResult
    from syncer.execution.resume import UnitState
    from syncer.plan.models import OperationPlan, Plan
    from syncer.targets.protocol import Unit

_FIRST = (*UNDER_WAY, Stage.RULED_SENT, Stage.RULED_UNSENT)


async def run(plan: Plan, context: Context) -> RunResult:
    """Perform `plan`, or go on with it; raises `StateError` for a journal that cannot be believed."""
    await context.store.spend(plan.reviewed or plan.digest, context.run)
    journal = await context.store.journal(context.run, context.lease)
    past, history = Past(), History(plan)
    async for note in journal.notes():
        past.add(note)
        history.add(note)
    if past.plan not in {"", plan.digest}:
        raise StalePlanError(
            "R102", f'Run "{context.run}" was begun with another plan.', "Resume it with the plan in its own folder."
        )
    running = Running(context, journal, past, history)
    walk = _Walk(plan, running)
    async with anyio.create_task_group() as keepers:
        for keep in (keeper.keep_lease, keeper.watch_lease, keeper.wind_down):
            keepers.start_soon(keep, running)
        with running.work:
            await walk.go()
        keepers.cancel_scope.cancel()
    return await finish.finish(plan, running, walk.nodes, walk.closing.spool)


class _Walk:
    """One pass over the plan's graph."""

    def __init__(self, plan: Plan, running: Running) -> None:
        self.nodes = nodes_of(plan, running)
        self.closing = Closing(running, plan.operations)
        self._plan = plan
        self._running = running
        self._context = running.context

    async def go(self) -> None:
        """Settle what was sent before, then walk; a `SyncerError` halts the run and stands in its result."""
        running = self._running
        try:
            await running.note(
                Started(
                    plan=self._plan.digest,
                    tool=self._context.tool,
                    resumed=bool(running.past.plan),
                    at=self._context.clock.now(),
                    instances=tuple(sorted(self._context.instances.items())),
                    writes=tuple((each.name, each.connection) for each in self._plan.operations),
                )
            )
            await self._recover()
            async with anyio.create_task_group() as tasks:
                for node in self.nodes.values():
                    tasks.start_soon(self._perform, node)
        except SyncerError as error:
            running.halt(error)

    async def _recover(self) -> None:
        """Settle all that an earlier run sent, before anything new is sent."""
        running = self._running
        wholes = running.past.wholes_with(*_FIRST)
        running.is_recovering = True
        async with anyio.create_task_group() as units:
            for whole in wholes:
                units.start_soon(self._recover_unit, whole)
        running.is_recovering = False

    async def _recover_unit(self, whole: str) -> None:
        try:
            node, unit = await self._find(whole)
            if self._running.lanes.claim(node.id, whole, unit.payload.lanes) is not Claim.TAKEN:
                raise BugError("R101", f'Unit "{whole}" was sent while another one of the run held a key of it.')
            await self._carry(node, unit)
        except SyncerError as error:
            self._running.halt(error)

    async def _find(self, whole: str) -> tuple[NodeRun, Unit]:
        """Cut the unit of this name once more."""
        name, _, index = whole.rpartition("/")
        node = self.nodes.get(name)
        if node is None:
            raise _unknown_unit(whole)
        payloads = node.courier.staged.payloads(node.cut, node.files, int(index))
        payload = await self._context.offload(lambda: next(payloads, None))
        if payload is None or payload.index != int(index):
            raise _unknown_unit(whole)
        return node, node.unit(payload)

    async def _perform(self, node: NodeRun) -> None:
        """Send the units of a node once those before it are settled."""
        try:
            for edge in self._plan.edges:
                if edge.after == node.id:
                    await self.nodes[edge.before].done.wait()
                    if not self.nodes[edge.before].is_settled:
                        return
            await self._check_what_left(node.operation)
            node.is_settled = await self._send_units(node)
            if node.is_settled:
                self._context.listener(NodeSettled(node.id))
                await self.closing.merge(node.operation, self._all_of(node))
        except Stopped:
            return
        except SyncerError as error:
            self._running.halt(error)
        finally:
            node.done.set()

    async def _check_what_left(self, operation: OperationPlan) -> None:
        """Refuse to delete a record that this run has written under another key: nobody could know that before."""
        if not operation.gone_from:
            return
        context = self._context
        staged, parent = context.staged[operation.name], context.outcomes(operation.gone_from)
        if written := await context.offload(lambda: staged.written_again(parent)):
            raise StalePlanError(
                "R110",
                f'Of the records that "{operation.name}" deletes, "{operation.gone_from}" has written {written} under '
                "another key, so nothing was deleted.",
                "Make a new plan: it leaves those records alone.",
            )

    def _all_of(self, node: NodeRun) -> list[NodeRun]:
        """Return the nodes of the same operation."""
        return [each for each in self.nodes.values() if each.operation is node.operation]

    async def _send_units(self, node: NodeRun) -> bool:
        """Send, or find settled, every unit of a node; return whether all are settled."""
        planned = node.node
        self._context.listener(NodeStarted(node.id, planned.records, planned.units))
        payloads: Iterator[Payload] = node.courier.staged.payloads(node.cut, node.files)
        slots = anyio.Semaphore(node.units_at_once)
        ended: list[bool] = []
        async with anyio.create_task_group() as units:
            while True:
                await slots.acquire()
                try:
                    self._running.check(node.operation.connection)
                    payload = await self._context.offload(lambda: next(payloads, None))
                except Stopped:
                    ended.append(False)
                    break
                except SyncerError as error:
                    ended.append(False)
                    self._running.halt(error)
                    break
                if payload is None:
                    break
                units.start_soon(self._perform_unit, node, node.unit(payload), slots, ended)
        return all(ended)

    async def _perform_unit(self, node: NodeRun, unit: Unit, slots: anyio.Semaphore, ended: list[bool]) -> None:
        try:
            state = self._running.past.state(unit.id)
            if state is not None and state.stage is Stage.SETTLED:
                await self.closing.close(node, unit, state)
            elif state is None or state.stage is not Stage.HELD:
                state = await self._send_within_limits(node, unit)
            ended.append(state is not None and state.stage is Stage.SETTLED)
        except Stopped:
            ended.append(False)
        except SyncerError as error:
            ended.append(False)
            self._running.halt(error)
        finally:
            slots.release()

    async def _send_within_limits(self, node: NodeRun, unit: Unit) -> UnitState | None:
        """Send the unit when the operation's guard has room for it; return how it stands then."""
        limits, running = self.closing.limits[node.operation.name], self._running
        while not limits.may_start(unit.payload.records):
            await running.until_changed()
            running.check(node.operation.connection)
        limits.start(unit.payload.records)
        try:
            if await self._claim(node, unit):
                await self._carry(node, unit)
            state = running.past.state(unit.id)
            if state is not None and state.stage is Stage.SETTLED:
                await self.closing.close(node, unit, state)
            return state
        finally:
            limits.end(unit.payload.records)
            running.changed()

    async def _claim(self, node: NodeRun, unit: Unit) -> bool:
        """Take the unit's lanes, waiting for units under way; False when a person must decide first."""
        while True:
            self._running.check(node.operation.connection)
            claim = self._running.lanes.claim(node.id, unit.id, unit.payload.lanes)
            if claim is not Claim.BUSY:
                return claim is Claim.TAKEN
            await self._running.until_changed()

    async def _carry(self, node: NodeRun, unit: Unit) -> None:
        """Carry the unit, and give its lanes back unless something of it may still take effect."""
        running = self._running
        try:
            await node.courier.carry(unit)
        except Stopped:
            pass
        except SyncerError as error:
            running.halt(error, at_once=isinstance(error, LeaseLostError))
        finally:
            if running.past.may_take_effect(unit.id):
                running.lanes.hold(unit.id)
            else:
                running.lanes.release(unit.id)
            running.changed()


def _unknown_unit(unit: str) -> StalePlanError:
    return StalePlanError(
        "R102",
        f'The journal tells of unit "{unit}", which the rows as they are now do not give.',
        "Restore the source as it was when the run began.",
    )
