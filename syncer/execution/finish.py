"""The end of a run: counts from the journal alone, the rejects and the report as files, and the last note.

A report is what a resumed run would know, so it is written again, whole, by every process that ends in good order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.errors import BugError, SyncerError
from syncer.execution import account, report
from syncer.execution.events import Ended
from syncer.execution.rejects import line
from syncer.execution.report import Tally
from syncer.execution.running import lease_ran_out
from syncer.state.protocol import Finished, Parked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncer.execution.node import NodeRun
    from syncer.execution.rejects import RejectLine, RejectSpool
    from syncer.execution.running import Running
    from syncer.plan.models import OperationPlan, Plan


async def finish(plan: Plan, running: Running, nodes: Mapping[str, NodeRun], spool: RejectSpool) -> report.RunResult:
    """Count, write rejects and report, and note how the run ended."""
    context = running.context
    try:
        operations = tuple(_counted(each, running, nodes) for each in plan.operations)
    except BugError:
        if running.error is None:
            raise
        operations = ()  # Rows that are not those of the plan do not add up, and the run has said so.
    held = tuple(
        report.HeldUnit(unit, running.past.units[unit].records, running.past.units[unit].reason)
        for unit in running.past.held()
    )

    def result() -> report.RunResult:
        ending = running.ending()
        return report.RunResult(context.run, report.exit_code(operations, held, ending), operations, held, ending)

    ended = result()
    try:
        await _write_files(plan, running, ended, spool)
        calls = tuple((name, session.calls_made()) for name, session in sorted(context.sessions.items()))
        now = context.clock.now()
        await running.note(
            Finished(exit_code=ended.exit_code, at=now, calls=calls)
            if ended.is_finished
            else Parked(reason=ended.reason, until=ended.ending.until, at=now, calls=calls)
        )
    except SyncerError as error:
        running.halt(error)
        ended = result()
    context.listener(Ended("", ended.exit_code, "" if ended.is_finished else ended.reason))
    return ended


async def _write_files(plan: Plan, running: Running, ended: report.RunResult, spool: RejectSpool) -> None:
    """Write rejects and report, unless another process may have taken the run over and be writing its own."""
    context = running.context
    try:
        if context.lease.remaining_seconds() > 0:
            planned, is_last = _planned_rejects(plan, running), ended.is_finished
            await context.offload(lambda: spool.write(context.folder, planned, is_last=is_last))
        if context.lease.remaining_seconds() > 0:
            await _write_report(plan, running, ended)
    except Exception as error:
        # Whoever took the run over has ended it and cleared away what we were reading or writing.
        if context.lease.remaining_seconds() > 0:
            raise
        raise lease_ran_out() from error


async def _write_report(plan: Plan, running: Running, ended: report.RunResult) -> None:
    context = running.context
    calls = {
        each.name: running.history.calls(each.name, now=context.sessions[each.name].calls_made())
        for each in plan.connections
    }
    told = account.build(plan, running.past, running.history, ended, calls, context.clock.now())
    await context.offload(lambda: account.write(told, context.folder))


def _counted(operation: OperationPlan, running: Running, nodes: Mapping[str, NodeRun]) -> report.OperationReport:
    """Count from the journal alone, so that the report is what a resumed run would know."""
    past = running.past
    mine = [each for each in nodes.values() if each.operation is operation]
    prefixes = tuple(f"{each.id}/" for each in mine)
    activities = tuple(f"{each.id}/" for each in mine if each.courier.rule.is_activity)
    tally = Tally()
    for name, state in past.units.items():
        if not name.startswith(prefixes):
            continue
        tally.repeated += state.repeated
        if "[" not in name:
            letters = past.outcome_letters(name)
            tally.add(letters)
            tally.looked_up += state.records if state.looked_up else 0
            if name.startswith(activities) and not running.history.is_ruled(name):
                tally.unconfirmed += report.unconfirmed(letters)
    is_settled = all(each.is_settled for each in mine)
    return report.operation_report(running.context.staged[operation.name].facts, tally, is_settled=is_settled)


def _planned_rejects(plan: Plan, running: Running) -> Iterator[RejectLine]:
    for operation in plan.operations:
        yield from (line(operation.name, each) for each in running.context.staged[operation.name].rejects())
