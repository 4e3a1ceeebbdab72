"""Plays one cell: the real executor and session against the sandbox, one request spoilt, a person if one is needed."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import trio
import trio.testing

from syncer.capability import PathKind
from syncer.engine.protocol import Cut
from syncer.execution.context import Context, PathRule, Stop
from syncer.execution.executor import run
from syncer.execution.ruling import rule
from syncer.execution.running import fence
from syncer.facts import Action, System
from syncer.mark import mark_of, marked
from syncer.sandbox.app import Sandbox, SandboxOptions
from syncer.sandbox.faults import FaultRule
from syncer.sandbox.transport import running
from syncer.targets.protocol import Answered
from syncer.targets.registry import open_session
from syncer.verify.evidence import Evidence, Rows
from syncer.verify.rules import Verdict, judge
from tests.contract.conftest import Stage, step
from tests.doubts.cells import FIRST, IN_PART, NEVER, NOT_CONNECTED, UNSENT
from tests.doubts.staged import CellStaged, Fields
from tests.doubts.wire import Wire
from tests.fakes.clock import LoopClock
from tests.fakes.store import MemoryStore
from tests.fakes.world import Op, directly, plan_of

if TYPE_CHECKING:
    from syncer.execution.report import RunResult
    from tests.doubts.cells import Cell, Operation

COUNT = 4
AGAIN = 1
"""The row whose key comes a second time, where the action allows it: its wave waits for the doubt."""
LATE_SECONDS = 30.0
ROUNDING_SECONDS = 0.001


@dataclass
class Played:
    """What a cell left behind."""

    cell: Cell
    wire: Wire
    sandbox: Sandbox
    codes: list[int]
    broken: list[str]
    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many records hold this key with this value; value "" where the action writes none."""
    expected: Counter[tuple[str, str]] = field(default_factory=Counter)
    pushes: Counter[str] = field(default_factory=Counter)
    planned: Counter[str] = field(default_factory=Counter)
    """How often each key was to be pushed."""


def play(cell: Cell) -> Played:
    """Play a cell in a folder that goes again."""
    with tempfile.TemporaryDirectory() as folder:
        return trio.run(_play, cell, Path(folder), clock=trio.testing.MockClock(autojump_threshold=0))


def _keys(operation: Operation) -> list[str]:
    form = {System.MARKETO: "p{}@example.com", System.SALESFORCE: "K{}"}[operation.system]
    return [("O-{}" if operation.object == "order_c" else form).format(number) for number in range(COUNT)]


async def _play(cell: Cell, folder: Path) -> Played:
    operation = cell.operation
    sandbox = Sandbox(SandboxOptions(seed=7, latency_seconds=0.2))
    async with running(sandbox.app()) as transport, anyio.create_task_group() as tasks:
        stage = Stage(sandbox, transport, folder)
        keys = _keys(operation)
        ids = await _prepare(stage, operation, keys)
        sandbox.traffic.reset()

        def arm() -> None:
            if cell.effect.name == IN_PART:
                is_job = operation.capability.kind is PathKind.JOB
                action = "fail_job" if is_job else "apply_first_k"
                sandbox.faults.add(FaultRule.parse({"action": action, "first": FIRST}))

        wire = Wire(transport, tasks, cell, arm)
        rows = _rows(operation, keys, ids)
        house = _House(cell, folder, wire, stage, rows)
        codes = await house.to_its_end()
        await anyio.sleep(1_000)
        played = Played(cell, wire, sandbox, codes, house.broken)
        _count(played, operation, keys, rows)
        tasks.cancel_scope.cancel()
        return played


def _rows(operation: Operation, keys: list[str], ids: list[str]) -> list[tuple[str, str]]:
    named = ids if operation.key in {"id", "leadId", "Id"} else keys
    rows = [(name, f"{number + 1}" if operation.value else "") for number, name in enumerate(named)]
    return [*rows, (rows[AGAIN][0], "9")] if operation.action is Action.UPSERT and operation.value else rows


async def _prepare(stage: Stage, operation: Operation, keys: list[str]) -> list[str]:
    """Make what must be there beforehand; return the ids of the keys' records."""
    if not operation.needs:
        return []
    session = stage.session(operation.system)
    if operation.object == "order_c":
        made = step(operation.system, "order_c", "sync", key="orderNumber")
        await session.commit(stage.unit(made, *({"orderNumber": key, "quantity": 0} for key in keys)), "")
        return []
    if operation.system is System.SALESFORCE:
        made = step(operation.system, "Contact", "collections", key="Crm_Key__c")
        records = [{"attributes": {"type": "Contact"}, "Crm_Key__c": key, "LastName": "Sim"} for key in keys]
    else:
        made = step(operation.system, "lead", "sync", key="email")
        records = [{"email": key, "firstName": "0"} for key in keys]
    answer = await session.commit(stage.unit(made, *records), "")
    assert isinstance(answer, Answered)
    ids = [each.target_id for each in answer.results]
    if operation.needs == "listed":
        into = step(operation.system, "lead", "list", Action.ADD, "id", list="Trial users")
        await session.commit(stage.unit(into, *({"id": int(each)} for each in ids)), "")
    if operation.needs == "members":
        into = step(
            operation.system, "program_member", "status", Action.STATUS, "leadId", program="1044", status="Invited"
        )
        await session.commit(stage.unit(into, *({"leadId": int(each)} for each in ids)), "")
    return ids


class _House:
    """State and processes of one cell's run."""

    def __init__(self, cell: Cell, folder: Path, wire: Wire, stage: Stage, rows: list[tuple[str, str]]) -> None:
        self.cell, self.folder, self.wire, self.stage = cell, folder, wire, stage
        operation = cell.operation
        constant = (("LastName", "Sim"),) if operation.object == "Contact" and operation.key != "Id" else ()
        self.staged = CellStaged("op", rows, Fields(operation.key, operation.value, constant))
        self.clock = LoopClock()
        self.store = MemoryStore(self.clock)
        self.rule = PathRule(
            operation.capability.format,
            operation.capability.server_timeout_seconds,
            operation.capability.repeat,
            operation.capability.activity,
        )
        op = Op(
            name="op",
            rows=rows,
            path=operation.path,
            action=operation.action,
            connection=operation.system,
            object=operation.object,
            key=operation.key,
            options=operation.options,
        )
        is_job = operation.capability.kind is PathKind.JOB
        jobs = frozenset({operation.path}) if is_job else frozenset[str]()
        self.plan = plan_of([op], 4, {operation.path: None}, jobs)
        self.broken: list[str] = []

    async def to_its_end(self) -> list[int]:
        """Run; where a person is needed, say the truth and resume."""
        codes = [(await self._run()).exit_code]
        await self._judge()
        if codes[0] == 9 and self.cell.effect.name != IN_PART:
            lease = await self.store.acquire((), "person", "run1")
            is_there = self.cell.effect.name != NEVER
            await rule(self.store, lease, "run1", "sent" if is_there else "unsent", "a person")
            await lease.release()
            codes.append((await self._run()).exit_code)
            await self._judge()
        return codes

    async def _run(self) -> RunResult:
        lease = await self.store.acquire((), "cell", "run1")
        name = str(self.cell.operation.system)
        endpoint = self.stage.endpoint(self.cell.operation.system)
        stop = Stop()
        session = open_session(endpoint, self.clock, self.wire, sandbox=True, fence=fence(lease, stop))
        context = Context(
            run="run1",
            tool="cell",
            store=self.store,
            lease=lease,
            clock=self.clock,
            folder=self.folder,
            sessions={name: session},
            staged={"op": self.staged},
            paths={("op", self.cell.operation.path): self.rule},
            ledger_serials={"op": 0},
            offload=directly,
            stop=stop,
        )
        try:
            return await run(self.plan, context)
        finally:
            await lease.release()

    async def _judge(self) -> None:
        journal = await self.store.journal("run1", None)
        cuts = {
            node.id: Cut(
                node.wave,
                None,
                marked(self.rule.format, self.cell.operation.options, mark_of("run1", number)),
            )
            for number, node in enumerate(self.plan.nodes)
        }
        rows = {
            f"{node}/{each.index:04d}": Rows(each.lanes, each.rows, each.sha256)
            for node, cut in cuts.items()
            for each in self.staged.payloads(cut, self.folder)
        }
        once = frozenset(each.id for each in self.plan.nodes) if self.cell.operation.holds else frozenset[str]()
        left = Evidence("run1", [note async for note in journal.notes()], plan=self.plan, once=once, rows=rows)
        self.broken += [
            f"{each.rule}: {breach}"
            for each in judge(left)
            if each.verdict is Verdict.BROKEN
            for breach in each.breaches
        ]


def _count(played: Played, operation: Operation, keys: list[str], rows: list[tuple[str, str]]) -> None:
    """Count what the vendor holds, and what it should."""
    state = played.sandbox.worlds[operation.system].state()
    last = {keys[at % COUNT]: value for at, (_, value) in enumerate(rows) if at < COUNT}
    if len(rows) > COUNT:
        last[keys[AGAIN]] = rows[COUNT][1]
    if operation.action is Action.DELETE or operation.action is Action.REMOVE:
        last = {}
    played.expected.update(last.items())
    if operation.path == "list":
        played.records.update((name, "") for name in state["lists"]["Trial users"] if name in keys)
    elif operation.object == "program_member":
        members = [each for program in state["programs"].values() for each in program if each["lead"] in keys]
        played.records.update(
            (each["lead"], each.get(operation.value, "") if operation.value else "") for each in members
        )
    elif operation.object == "order_c":
        played.records.update((each["orderNumber"], str(each.get("quantity"))) for each in state["objects"]["order_c"])
    elif operation.object == "Contact":
        played.records.update(
            (each["Crm_Key__c"], each.get("FirstName", ""))
            for each in state["Contact"]
            if each.get("Crm_Key__c") in keys
        )
    else:
        played.records.update(
            (each["email"], each.get("firstName", "")) for each in state["leads"] if each.get("email") in keys
        )
    played.planned.update(f"lead/email/{key}" for key, _ in rows)
    most: int | None = FIRST if played.cell.effect.name == IN_PART else None
    for entry in played.sandbox.traffic.entries:
        if entry.applied_at is not None and entry.endpoint.endswith("push.json"):
            played.pushes.update(entry.keys[:most])
            most = None


def violations(played: Played) -> list[str]:
    """Return what is wrong with the end of a cell, in a sentence each."""
    return [*played.broken, *_codes(played), *_too_early(played), *_records(played), *_overlaps(played)]


def _codes(played: Played) -> list[str]:
    cell, codes = played.cell, played.codes
    unseen = cell.effect.name in {NEVER, IN_PART} or cell.operation.action is Action.DUPLICATE
    is_lost_import = cell.operation.path == "bulk" and cell.effect.name == NEVER and not cell.operation.is_marked
    may_hold = cell.place not in UNSENT and ((cell.operation.holds and unseen) or is_lost_import)
    ends = codes[-1] == (9 if cell.effect.name == IN_PART and codes[0] == 9 else 0)
    if not ends or (codes[0] == 9 and not may_hold) or (may_hold and cell.operation.holds and codes[0] != 9):
        return [f"the run ended with {codes}"]
    return []


def _too_early(played: Played) -> list[str]:
    """Nothing is sent on the keys before the vendor must be done: its time-out, and a margin."""
    cell, wire = played.cell, played.wire
    if wire.spoilt_at is None:
        return ["the request was never sent"]
    if cell.place in NOT_CONNECTED or (cell.place in UNSENT and cell.operation.method != "DELETE"):
        return []  # A request without a body is whole with its headers, so only a missing connection proves anything.
    if cell.operation.path == "bulk2":
        uploads = Counter(send.path for send in wire.sends if send.method == "PUT")
        return [f"{path} was uploaded to {count} times" for path, count in uploads.items() if count > 1]
    earliest = wire.spoilt_at + cell.operation.capability.server_timeout_seconds + LATE_SECONDS
    return [
        f"{send.method} {send.path} left {earliest - send.at:.0f} s too early"
        for send in wire.sends
        if wire.spoilt_at < send.at < earliest - ROUNDING_SECONDS
    ]


def _records(played: Played) -> list[str]:
    if often := played.pushes - played.planned:
        return [f"pushed more often than planned: {dict(often)}"]
    if played.codes[-1] == 9:
        twice = [each for each, count in Counter(key for key, _ in played.records.elements()).items() if count > 1]
        return [f"{twice} stand twice"] if twice else []
    if played.records != played.expected:
        return [f"the vendor holds {dict(played.records)}, and should {dict(played.expected)}"]
    return []


def _overlaps(played: Played) -> list[str]:
    """By the vendor's own log: no two writes of a key at once."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for entry in played.sandbox.traffic.entries:
        if entry.applied_at is not None and entry.job_id is None:
            for key in entry.keys:
                spans.setdefault(key, []).append((entry.arrived_at, entry.applied_at))
    for job in played.sandbox.traffic.jobs:
        if job.started_at is not None:
            for key in job.keys:
                spans.setdefault(key, []).append((job.queued_at, job.finished_at or float("inf")))
    return [
        f"{key} was written twice at once"
        for key, mine in spans.items()
        for (_, ended), (began, _) in zip(sorted(mine), sorted(mine)[1:], strict=False)
        if began < ended
    ]
