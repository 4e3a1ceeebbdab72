"""One node of the plan on its way: how its rows are cut, who carries its units, and whether it is settled."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from syncer.capability import PathKind
from syncer.engine.protocol import Cut
from syncer.execution.courier import Courier
from syncer.execution.resolve import DoubtRule
from syncer.mark import field_of, mark_of, marked
from syncer.targets.protocol import Step, Unit

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.engine.protocol import Payload
    from syncer.execution.running import Running
    from syncer.plan.models import Node, OperationPlan, Plan


@dataclass(slots=True)
class NodeRun:
    """A node of the plan on its way. `done` is set when it ended, settled or not."""

    node: Node
    number: int
    operation: OperationPlan
    courier: Courier
    cut: Cut
    step: Step
    files: Path
    units_at_once: int
    done: anyio.Event
    is_settled: bool = False

    @property
    def id(self) -> str:
        """The node's name in the plan and in the journal."""
        return self.node.id

    def unit(self, payload: Payload) -> Unit:
        """Return the unit that carries `payload`."""
        return Unit(f"{self.id}/{payload.index:04d}", self.step, payload)


def nodes_of(plan: Plan, running: Running) -> dict[str, NodeRun]:
    """Return every node of the plan, in its order, with a folder for its files."""
    places = {each.name: _Places(each.concurrency) for each in plan.connections}
    operations = {each.name: (each, places[each.connection]) for each in plan.operations}
    return {
        node.id: _node(number, node, *operations[node.operation], running) for number, node in enumerate(plan.nodes)
    }


class _Places:
    """The calls of one connection that may be under way at once, over all its nodes."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.turn = anyio.Semaphore(count)


def _node(number: int, node: Node, operation: OperationPlan, places: _Places, running: Running) -> NodeRun:
    context = running.context
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
    is_job = node.kind is PathKind.JOB
    courier = Courier(
        running=running,
        node=node.id,
        connection=operation.connection,
        session=context.sessions[operation.connection],
        staged=context.staged[operation.name],
        rule=rule,
        doubt_rule=DoubtRule(
            operation.action, rule.repeat, operation.on_unknown, is_marked=bool(field_of(operation.options))
        ),
        is_job=is_job,
        folder=folder,
        # A job may wait for hours for the vendor's queue, and must not keep calls out meanwhile.
        place=nullcontext() if is_job else places.turn,
        ids=context.outcomes(operation.name) if operation.learns else None,
    )
    cut = Cut(node.wave, node.shapes, marked(rule.format, operation.options, mark_of(context.run, number)))
    # While as many as may be under way are, the next requests are cut, announced and ready to leave.
    at_once = places.count if is_job else 2 * places.count
    return NodeRun(node, number, operation, courier, cut, step, folder, at_once, anyio.Event())
