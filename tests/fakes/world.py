"""A whole world for the executor in one value: plan, rows, target, state; run it, kill it, resume it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from syncer.capability import CsvFormat, JsonFormat, PathKind, Repeat
from syncer.execution.context import Context, Guard, PathRule, Stop
from syncer.execution.executor import run
from syncer.execution.rejects import COLUMNS
from syncer.facts import Action, Fidelity, System
from syncer.plan.models import ConnectionPlan, Edge, Inputs, Node, OperationPlan, Plan, RejectLine
from tests.fakes.clock import LoopClock
from tests.fakes.staged import FakeStaged
from tests.fakes.store import Crash, MemoryStore
from tests.fakes.vendor import FakeSession, Vendor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Literal, TypeVar

    from syncer.engine.protocol import RowReject
    from syncer.execution.events import Event
    from syncer.execution.report import RunResult
    from syncer.state.protocol import Note
    from tests.fakes.staged import Row

    T = TypeVar("T")

TIMEOUT = 90.0
REST_TIMEOUT = 200.0
"""Of the requests by which the rest of a job is sent."""
RULES = {
    "sync": (JsonFormat(max_records=2, max_bytes=10_000), Repeat.SAFE),
    "wide": (JsonFormat(max_records=300, max_bytes=1_000_000), Repeat.SAFE),
    "push": (JsonFormat(max_records=2, max_bytes=10_000), Repeat.NEVER),
    "job": (CsvFormat(max_records=3, max_bytes=10_000), Repeat.SAFE),
}


@dataclass(frozen=True)
class Op:
    """One operation of a made-up plan."""

    name: str
    rows: Sequence[Row]
    path: str = "sync"
    action: Action = Action.UPSERT
    on_unknown: Literal["hold", "resend"] = "hold"
    after: tuple[str, ...] = ()
    connection: str = "fake"
    object: str = "lead"
    key: str = "key"
    options: tuple[tuple[str, str], ...] = ()
    rejects: Sequence[RowReject] = ()


async def directly(work: Callable[[], T]) -> T:
    """Run the work in the loop: virtual time waits for no thread."""
    await anyio.lowlevel.checkpoint()
    return work()


def plan_of(
    ops: Sequence[Op],
    concurrency: int = 2,
    sizes: Mapping[str, int | None] | None = None,
    jobs: frozenset[str] = frozenset({"job"}),
) -> Plan:
    """Return the plan that performs `ops`: a node per wave, and edges; `sizes` are records a unit, by path."""
    sizes = sizes or {path: rule[0].max_records for path, rule in RULES.items()}
    nodes: list[Node] = []
    edges: list[Edge] = []
    last: dict[str, str] = {}
    first: dict[str, str] = {}
    for op in ops:
        staged = FakeStaged(op.name, op.rows)
        for wave in range(1, 1 + max((each for each, _, _ in staged.rows), default=0)):
            records = len(staged.wave(wave))
            size = sizes[op.path] or records
            node = Node(
                id=f"{op.name}/{wave}/{op.path}",
                operation=op.name,
                wave=wave,
                path=op.path,
                kind=PathKind.JOB if op.path in jobs else PathKind.IMMEDIATE,
                shapes=None,
                records=records,
                units=-(-records // size),
                bytes=0,
                calls=1,
                polls=0,
                minutes=0,
                is_exact=True,
                reason="It is a test.",
            )
            nodes.append(node)
            if op.name in last:
                edges.append(Edge(before=last[op.name], after=node.id, reason="wave"))
            first.setdefault(op.name, node.id)
            last[op.name] = node.id
        edges += [Edge(before=last[name], after=first[op.name], reason="after") for name in op.after]
    return Plan(
        project="test",
        inputs=Inputs(tool="test", manifest="m"),
        connections=tuple(
            ConnectionPlan(
                name=name,
                system=System.MARKETO,
                calls=0,
                polls=0,
                budget=None,
                quota=None,
                used_today=None,
                reserve=0,
                concurrency=concurrency,
                fidelity=Fidelity.CHECKED,
            )
            for name in sorted({op.connection for op in ops})
        ),
        operations=tuple(_operation(op) for op in ops),
        nodes=tuple(nodes),
        edges=tuple(edges),
        digest=f"digest of {len(nodes)}",
    )


def _operation(op: Op) -> OperationPlan:
    return OperationPlan(
        name=op.name,
        source="rows",
        mapping="m",
        connection=op.connection,
        object=op.object,
        action=op.action,
        key=(op.key,),
        options=op.options,
        duplicates="serialize",
        on_unknown=op.on_unknown,
        read=len(op.rows) + len(op.rejects),
        outgoing=len(op.rows),
        creates=None,
        updates=None,
        unchanged=0,
        skipped=0,
        rejected=len(op.rejects),
        folded=0,
        fidelity=Fidelity.CHECKED,
        rejects=tuple(RejectLine(code=each.code, field=each.field, records=1) for each in op.rejects),
    )


@dataclass
class World:
    """Everything around a run, for as many processes as it takes."""

    vendor: Vendor
    folder: Path
    ops: Sequence[Op]
    concurrency: int = 2
    run_id: str = "run1"
    events: list[Event] = field(default_factory=list)
    guards: dict[str, Guard] = field(default_factory=dict)
    stop: Stop = field(default_factory=Stop)
    sessions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make plan, rows and state of the operations."""
        self.clock = LoopClock()
        self.store = MemoryStore(self.clock)
        self.plan = plan_of(self.ops, self.concurrency)
        self.staged = {op.name: FakeStaged(op.name, op.rows, op.rejects) for op in self.ops}
        self.sessions = self.sessions or {op.connection: FakeSession(self.vendor) for op in self.ops}

    async def context(self) -> Context:
        """Return the context of a new process, lease taken."""
        return Context(
            run=self.run_id,
            tool="test",
            store=self.store,
            lease=await self.store.acquire((), "tester", self.run_id),
            clock=self.clock,
            folder=self.folder,
            sessions=self.sessions,
            staged=self.staged,
            paths={
                (op.name, op.path): PathRule(
                    *(RULES[op.path][0], TIMEOUT, RULES[op.path][1], op.path == "push"),
                    rest_timeout_seconds=REST_TIMEOUT if op.path == "job" else 0.0,
                )
                for op in self.ops
            },
            ledger_serials={op.name: 0 for op in self.ops},
            guards=self.guards,
            listener=self.events.append,
            offload=directly,
            stop=self.stop,
        )

    async def run(self) -> RunResult:
        """Run, or resume, in good order."""
        context = await self.context()
        try:
            return await run(self.plan, context)
        finally:
            await context.lease.release()

    async def run_and_die(self, dies: Callable[[int, Note], bool], *, before: bool = False) -> bool:
        """Run until the first note for which `dies` is true, counted from 1; return whether it died."""
        seen = 0

        def watch(note: Note) -> None:
            nonlocal seen
            seen += 1
            if dies(seen, note):
                self.store.die()
                raise Crash

        if before:
            self.store.before = watch
        else:
            self.store.after = watch
        died = False
        try:
            await self.run()
        except BaseException as error:
            if not is_crash(error):
                raise
            died = True
        self.store.live()
        return died

    async def notes(self) -> list[Note]:
        """Return the journal."""
        journal = await self.store.journal(self.run_id, None)
        return [note async for note in journal.notes()]

    def confirmed(self) -> dict[str, str]:
        """Return what all ledgers hold."""
        return {key: value for book in self.store.books.content.values() for key, value in book.items()}

    def rejects(self) -> list[dict[str, object]]:
        """Return the rejects file, line by line."""
        lines = (self.folder / "rejects.jsonl").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        assert all(tuple(each) == COLUMNS for each in found)
        return found


def is_crash(error: BaseException) -> bool:
    """Whether a process died of what a test planted, however many task groups it went through."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_crash(each) for each in error.exceptions)
    return isinstance(error, Crash)


@asynccontextmanager
async def world(folder: Path, *ops: Op, **options: Any) -> AsyncIterator[World]:
    """Give a world whose target lives until the end of the block."""
    async with anyio.create_task_group() as tasks:
        yield World(Vendor(tasks), folder, ops, **options)
        tasks.cancel_scope.cancel()


def rows(count: int, prefix: str = "k") -> list[Row]:
    """Return `count` rows with keys of their own."""
    return [(f"{prefix}{number}", f"v{number}") for number in range(count)]
