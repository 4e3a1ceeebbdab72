"""Performs a plan: walks its graph, sends its units, and leaves a journal from which any cut can be resumed.

It decides nothing about paths or order. Whatever an earlier run sent is settled first; then each step starts when
those before it are settled to the last unit, so that no two writes of one key are ever under way at once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from syncer.engine.protocol import Cut, RowReject
from syncer.errors import BugError, LeaseLostError, StalePlanError, SyncerError
from syncer.execution import keeper, report
from syncer.execution.context import Guard
from syncer.execution.courier import Courier
from syncer.execution.events import NodeSettled, NodeStarted, UnitSettled
from syncer.execution.lanes import Claim
from syncer.execution.rejects import RejectSpool, line
from syncer.execution.report import Tally
from syncer.execution.resolve import DoubtRule
from syncer.execution.resume import Past, Stage
from syncer.execution.running import Running, Stopped
from syncer.facts import PathKind
from syncer.outcome import Outcome
from syncer.state.protocol import Finished, Merged, Parked, Started
from syncer.targets.protocol import Step, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from syncer.engine.protocol import Payload, Staged
    from syncer.execution.context import Context
    from syncer.execution.rejects import RejectLine
    from syncer.execution.report import RunResult
    from syncer.execution.resume import UnitState
    from syncer.plan.models import Node, OperationPlan, Plan

_UNDER_WAY = (Stage.DOUBTED, Stage.ACCEPTED, Stage.HELD)
"""What may have taken effect and has no outcome: its lanes are not given back."""
_FIRST = (*_UNDER_WAY, Stage.RULED_SENT, Stage.RULED_UNSENT)


async def run(plan: Plan, context: Context) -> RunResult:
    """Perform `plan`, or go on with it; raises `StateError` for a journal that cannot be believed."""
    await context.store.spend(plan.reviewed or plan.digest, context.run)
    journal = await context.store.journal(context.run, context.lease)
    past = Past()
    async for note in journal.notes():
        past.add(note)
    if past.plan not in {"", plan.digest}:
        raise StalePlanError(
            "R102", f'Run "{context.run}" was begun with another plan.', "Resume it with the plan in its own folder."
        )
    running = Running(context, journal, past)
    walk = _Walk(plan, context, running)
    async with anyio.create_task_group() as keepers:
        for keep in (keeper.keep_lease, keeper.watch_lease, keeper.wind_down):
            keepers.start_soon(keep, running)
        with running.work:
            await walk.go()
        keepers.cancel_scope.cancel()
    return await walk.finish()


@dataclass(slots=True)
class _Step:
    """A node of the plan on its way. `done` is set when it ended, settled or not."""

    node: Node
    number: int
    operation: OperationPlan
    courier: Courier
    cut: Cut
    step: Step
    files: Path
    done: anyio.Event
    is_settled: bool = False

    def unit(self, payload: Payload) -> Unit:
        return Unit(f"{self.node.id}/{payload.index:04d}", self.step, payload)


class _Walk:
    """One pass over the plan's graph."""

    def __init__(self, plan: Plan, context: Context, running: Running) -> None:
        self._plan = plan
        self._context = context
        self._running = running
        self._tallies = {each.name: Tally() for each in plan.operations}
        self._merging: set[str] = set()
        self._spool = RejectSpool(context.folder)
        operations = {each.name: each for each in plan.operations}
        self._concurrency = {each.name: each.concurrency for each in plan.connections}
        self._steps = {
            node.id: self._step(number, node, operations[node.operation]) for number, node in enumerate(plan.nodes)
        }

    def _step(self, number: int, node: Node, operation: OperationPlan) -> _Step:
        context = self._context
        rule = context.paths[node.operation, node.path]
        folder = context.folder / "units" / node.id.replace("/", "_")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        step = Step(
            operation=operation.name,
            connection=operation.connection,
            object=operation.object,
            path=node.path,
            action=operation.action,
            key=operation.key,
            options=operation.options,
        )
        courier = Courier(
            running=self._running,
            node=node.id,
            connection=operation.connection,
            session=context.sessions[operation.connection],
            staged=context.staged[operation.name],
            rule=rule,
            doubt_rule=DoubtRule(operation.action, rule.repeat, operation.on_unknown),
            is_job=node.kind is PathKind.JOB,
            folder=folder,
        )
        cut = Cut(node.wave, node.shapes, rule.format)
        return _Step(node, number, operation, courier, cut, step, folder, anyio.Event())

    async def go(self) -> None:
        """Settle what was sent before, then walk; a `SyncerError` halts the run and stands in its result."""
        running = self._running
        try:
            await running.note(
                Started(plan=self._plan.digest, tool=self._context.tool, resumed=bool(running.past.plan))
            )
            await self._recover()
            async with anyio.create_task_group() as steps:
                for step in self._steps.values():
                    steps.start_soon(self._perform, step)
        except SyncerError as error:
            running.halt(error)

    async def finish(self) -> RunResult:
        """Count, write the rejects, and note how the run ended."""
        running, context = self._running, self._context
        try:
            operations = tuple(self._operation_report(each) for each in self._plan.operations)
        except BugError:
            if running.error is None:
                raise
            operations = ()  # Rows that are not those of the plan do not add up, and the run has said so.
        held = tuple(
            report.HeldUnit(unit, running.past.units[unit].records, running.past.units[unit].reason)
            for unit in running.past.held()
        )
        ending = running.ending()
        code = report.exit_code(operations, held, ending)
        result = report.RunResult(context.run, code, operations, held, ending)
        try:
            await context.offload(
                lambda: self._spool.write(context.folder, self._planned_rejects(), is_last=result.is_finished)
            )
            await running.note(
                Finished(exit_code=code)
                if result.is_finished
                else Parked(reason=_reason(result), until=result.ending.until)
            )
        except SyncerError as error:
            running.halt(error)
            ending = running.ending()
            result = report.RunResult(context.run, report.exit_code(operations, held, ending), operations, held, ending)
        return result

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
            step, unit = await self._find(whole)
            if self._running.lanes.claim(step.node.id, whole, unit.payload.lanes) is not Claim.TAKEN:
                raise BugError("R101", f'Unit "{whole}" was sent while another one of the run held a key of it.')
            await self._carry(step, unit)
        except SyncerError as error:
            self._running.halt(error)

    async def _find(self, whole: str) -> tuple[_Step, Unit]:
        """Cut the unit of this name once more."""
        node, _, index = whole.rpartition("/")
        step = self._steps.get(node)
        if step is None:
            raise _unknown_unit(whole)
        payloads = step.courier.staged.payloads(step.cut, step.files, int(index))
        payload = await self._context.offload(lambda: next(payloads, None))
        if payload is None or payload.index != int(index):
            raise _unknown_unit(whole)
        return step, step.unit(payload)

    async def _perform(self, step: _Step) -> None:
        """Send the units of a step once those before it are settled."""
        try:
            for edge in self._plan.edges:
                if edge.after == step.node.id:
                    await self._steps[edge.before].done.wait()
                    if not self._steps[edge.before].is_settled:
                        return
            step.is_settled = await self._send_units(step)
            if step.is_settled:
                self._context.listener(NodeSettled(step.node.id))
                await self._merge(step.operation)
        except Stopped:
            return
        except SyncerError as error:
            self._running.halt(error)
        finally:
            step.done.set()

    async def _send_units(self, step: _Step) -> bool:
        """Send, or find settled, every unit of a step; return whether all are settled."""
        node = step.node
        self._context.listener(NodeStarted(node.id, node.records, node.units))
        payloads: Iterator[Payload] = step.courier.staged.payloads(step.cut, step.files)
        slots = anyio.Semaphore(max(1, self._concurrency.get(step.operation.connection, 1)))
        ended: list[bool] = []
        async with anyio.create_task_group() as units:
            while True:
                await slots.acquire()
                try:
                    self._running.check(step.operation.connection)
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
                units.start_soon(self._perform_unit, step, step.unit(payload), slots, ended)
        return all(ended)

    async def _perform_unit(self, step: _Step, unit: Unit, slots: anyio.Semaphore, ended: list[bool]) -> None:
        try:
            state = self._running.past.state(unit.id)
            if (state is None or state.stage not in {Stage.SETTLED, Stage.HELD}) and await self._claim(step, unit):
                await self._carry(step, unit)
            state = self._running.past.state(unit.id)
            is_settled = state is not None and state.stage is Stage.SETTLED
            ended.append(is_settled)
            if state is not None and is_settled:
                await self._close(step, unit, state)
        except Stopped:
            ended.append(False)
        except SyncerError as error:
            ended.append(False)
            self._running.halt(error)
        finally:
            slots.release()

    async def _claim(self, step: _Step, unit: Unit) -> bool:
        """Take the unit's lanes, waiting for units under way; False when a person must decide first."""
        while True:
            self._running.check(step.operation.connection)
            claim = self._running.lanes.claim(step.node.id, unit.id, unit.payload.lanes)
            if claim is not Claim.BUSY:
                return claim is Claim.TAKEN
            await self._running.until_changed()

    async def _carry(self, step: _Step, unit: Unit) -> None:
        """Carry the unit, and give its lanes back unless something of it may still take effect."""
        running = self._running
        try:
            await step.courier.carry(unit)
        except Stopped:
            pass
        except SyncerError as error:
            running.halt(error, at_once=isinstance(error, LeaseLostError))
        finally:
            if any(
                state.stage in _UNDER_WAY
                for name, state in running.past.units.items()
                if name == unit.id or name.startswith(f"{unit.id}[")
            ):
                running.lanes.hold(unit.id)
            else:
                running.lanes.release(unit.id)
            running.changed()

    async def _close(self, step: _Step, unit: Unit, state: UnitState) -> None:
        """Hand a settled unit's outcomes on: to the ledger's notes, the rejects, the guards, the listener."""
        if state.sha256 != unit.payload.sha256:
            raise StalePlanError(
                "R102",
                f'The rows of unit "{unit.id}" differ from those that the journal says were sent.',
                "Restore the source as it was when the run began, or make a new plan.",
            )
        context, operation = self._context, step.operation

        def hand_on() -> None:
            folder = context.folder / "outcomes"
            folder.mkdir(mode=0o700, exist_ok=True)
            step.courier.staged.confirm(unit.payload.rows, state.letters, folder)
            if state.rejects:
                self._spool.put((step.number, unit.payload.index), _reject_lines(operation.name, unit.payload, state))
            if not isinstance(unit.payload.body, bytes):
                unit.payload.body.unlink(missing_ok=True)

        await context.offload(hand_on)
        counts = {outcome: state.letters.count(outcome.letter) for outcome in Outcome}
        context.listener(
            UnitSettled(
                node=step.node.id,
                unit=unit.id,
                records=unit.payload.records,
                created=counts[Outcome.CREATED],
                updated=counts[Outcome.UPDATED],
                written=counts[Outcome.WRITTEN],
                rejected=counts[Outcome.REJECTED],
                in_doubt=counts[Outcome.IN_DOUBT],
            )
        )
        tally = self._tallies[operation.name]
        tally.add(state.letters)
        self._check_guard(operation.name, tally)

    def _check_guard(self, operation: str, tally: Tally) -> None:
        guard = self._context.guards.get(operation, Guard())
        rejected = tally.letters[Outcome.REJECTED.letter] + self._context.staged[operation].facts.rejected
        created = tally.letters[Outcome.CREATED.letter]
        if guard.max_rejected is not None and rejected > guard.max_rejected:
            self._running.halt(
                guard=f'Operation "{operation}" has {rejected} rejected rows; its guard allows {guard.max_rejected}.'
            )
        if guard.max_creates is not None and created > guard.max_creates:
            self._running.halt(
                guard=f'Operation "{operation}" has created {created} records; its guard allows {guard.max_creates}.'
            )

    async def _merge(self, operation: OperationPlan) -> None:
        """Bring the ledger up to date once all steps of an operation are settled; a repetition changes nothing."""
        name, context = operation.name, self._context
        mine = [step for step in self._steps.values() if step.operation.name == name]
        taken = self._merging | self._running.past.merged
        if name in taken or not all(step.is_settled for step in mine):
            return
        self._merging.add(name)
        path = context.folder / f"confirmed-{name}.parquet"
        if not path.exists():  # Written once, when all is settled: a merge that is repeated offers the same bytes.
            await context.offload(lambda: _write_whole(context.staged[name], path))
        await context.store.ledger().merge(name, context.ledger_serials[name], path)
        await self._running.note(Merged(operation=name))

    def _operation_report(self, operation: OperationPlan) -> report.OperationReport:
        """Count from the journal alone, so that the report is what a resumed run would know."""
        past = self._running.past
        mine = [step for step in self._steps.values() if step.operation.name == operation.name]
        prefixes = tuple(f"{step.node.id}/" for step in mine)
        tally = Tally()
        for name, state in past.units.items():
            if not name.startswith(prefixes):
                continue
            tally.repeated += state.repeated
            if "[" not in name:
                tally.add(past.outcome_letters(name))
                tally.looked_up += state.records if state.looked_up else 0
        is_settled = all(step.is_settled for step in mine)
        return report.operation_report(self._context.staged[operation.name].facts, tally, is_settled=is_settled)

    def _planned_rejects(self) -> Iterator[RejectLine]:
        for operation in self._plan.operations:
            yield from (line(operation.name, each) for each in self._context.staged[operation.name].rejects())


def _reject_lines(operation: str, payload: Payload, state: UnitState) -> Iterator[RejectLine]:
    for note in state.rejects:
        told = RowReject(payload.rows[note.position], note.code, note.reason, note.field)
        yield line(operation, told, payload.lanes[note.position])


def _reason(result: RunResult) -> str:
    """Return, in one sentence, why a run that can be resumed ended."""
    ending = result.ending
    if ending.error is not None:
        return ending.error.detail
    if ending.signal_exit:
        return "The run was asked to stop."
    if result.held:
        return "Some writes are in doubt and need a person."
    return ending.guard or " ".join(ending.parked) or "Some rows were not sent."


def _write_whole(staged: Staged, path: Path) -> None:
    draft = path.with_suffix(".part")
    staged.confirmed(draft)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(path)


def _unknown_unit(unit: str) -> StalePlanError:
    return StalePlanError(
        "R102",
        f'The journal tells of unit "{unit}", which the rows as they are now do not give.',
        "Restore the source as it was when the run began.",
    )
