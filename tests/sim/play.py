"""Plays one seed: the real executor and sessions against the sandbox, in one process, on virtual time.

Processes die, are stopped, lose their state or their lease as the scene says; then the trouble ends, and the run must
come to its end.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio

from syncer.capability import PathKind
from syncer.errors import LockedError, StateError
from syncer.execution.context import Context, Guard, PathRule, Stop
from syncer.execution.executor import run
from syncer.execution.running import fence
from syncer.facts import Fidelity, SharedKeys, System
from syncer.plan.graph import Step, build_edges
from syncer.plan.models import ConnectionPlan, Inputs, Node, OperationPlan, Plan
from syncer.sandbox.app import Sandbox
from syncer.sandbox.clock import Clock
from syncer.sandbox.options import MarketoOptions, SandboxOptions
from syncer.sandbox.salesforce.job import JobState
from syncer.secret import Secret
from syncer.targets import registry
from syncer.targets.endpoint import Endpoint
from tests.fakes.world import directly, is_crash
from tests.sim import person, target
from tests.sim.clock import JumpClock, SimClock
from tests.sim.life import Archive, ArchiveStore, DiskStore, Life, LifeClock
from tests.sim.scene import Ending, unfold
from tests.sim.staged import SimStaged
from tests.sim.wire import ORIGIN, Cable, Sent, Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syncer.execution.report import RunResult
    from syncer.sandbox.traffic import Entry, JobSpan
    from syncer.state.protocol import Note
    from tests.sim.scene import Scene
    from tests.sim.target import Contents

MOST_LIVES = 40
MOST_HOURS = 72.0
"""Of a scene whose day's calls are enough for it; where they are not, it is given more days, and a life for each."""
CALLS_A_ROW = 4
"""More than any row needs: to be sent, looked up, sent once more and read again, each by a call of its own."""
RUN = "run1"


@dataclass
class Played:
    """What a play leaves behind, for the checker."""

    scene: Scene
    plan: Plan
    entries: list[Entry]
    jobs: list[JobSpan]
    errors: dict[tuple[str, str], int]
    sent: list[Sent]
    notes: list[Note]
    result: RunResult | None
    lives: list[Life]
    seconds: float
    contents: Contents
    rejects: list[str]
    ledger: dict[str, dict[str, str]]
    ruled: dict[str, str] = field(default_factory=dict)


def days_of(scene: Scene) -> int:
    """Return how many days of the vendor's quota a scene can need."""
    return CALLS_A_ROW * sum(len(op.rows) for op in scene.ops) // scene.tight.calls_a_day


def play(seed: int, folder: Path, change: Callable[[Scene], Scene] = lambda scene: scene) -> Played:
    """Play `seed` with its files in `folder`."""
    return enact(change(unfold(seed)), folder)


def enact(scene: Scene, folder: Path) -> Played:
    """Play a scene with its files in `folder`."""
    # trio shuffles what is ready to run; drawn from the seed, the shuffle is part of the story.
    scheduler = trio._core._run
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True
    scheduler._r.seed(scene.seed)
    return trio.run(_play, scene, folder, clock=JumpClock())


async def _play(scene: Scene, folder: Path) -> Played:
    tight = scene.tight
    marketo = MarketoOptions(
        rate_calls=tight.calls,
        concurrent_calls=tight.at_once,
        imports_queued=tight.imports,
        daily_calls=tight.calls_a_day,
        token_seconds=scene.token_seconds,
    )
    # While a machine sleeps, the vendor's clock goes on.
    clock = Clock() if any(ending.sleeps for ending in scene.endings) else SimClock()
    clock.elapsed()
    options = SandboxOptions(seed=scene.seed, clock=clock, latency_seconds=scene.latency, marketo=marketo)
    sandbox = Sandbox(options)
    sandbox.faults.add(*scene.faults, *scene.lasting)
    target.plant(sandbox, scene)
    async with trio.open_nursery() as room:
        cable = Cable(sandbox, room)
        cable.lay(scene.snags)
        theatre = _Theatre(scene, plan_of(scene), cable, folder)
        if tight.neighbours:
            sandbox.worlds["marketo"].add_neighbours(0, tight.neighbours * tight.calls / 20.0)
        for each in scene.meddling:
            room.start_soon(_meddle, sandbox, each.at, each.what)
        with trio.move_on_after((MOST_HOURS + 24 * days_of(scene)) * 3_600):
            await theatre.lives()
        await trio.sleep(8_000)
        notes = await theatre.notes()
        contents = target.read(sandbox, scene)
        seconds = trio.current_time()
        room.cancel_scope.cancel()
    return Played(
        scene=scene,
        plan=theatre.plan,
        entries=list(sandbox.traffic.entries),
        jobs=list(sandbox.traffic.jobs),
        errors=dict(sandbox.traffic.errors),
        sent=cable.log,
        notes=notes,
        result=theatre.result,
        lives=theatre.lived,
        seconds=seconds,
        contents=contents,
        rejects=(folder / "rejects.jsonl").read_text().splitlines() if (folder / "rejects.jsonl").exists() else [],
        ledger=theatre.archive.books.content,
        ruled=theatre.ruled,
    )


async def _meddle(sandbox: Sandbox, at: float, what: str) -> None:
    await trio.sleep(at)
    org: Any = sandbox.worlds["salesforce"]
    marketo: Any = sandbox.worlds["marketo"]
    org.settle()
    for job in org.jobs.all():
        if what == "abort jobs" and not job.state.is_final:
            job.finish(JobState.ABORTED, org.org.timeline.moment)
        if what == "forget jobs" and job.state.is_final:
            org.jobs.forget(job)
    if what == "revoke tokens":
        marketo.tokens.forget()
        org.sessions.end_all()


class _Theatre:
    """One state and one target, for process after process, sometimes two at once."""

    def __init__(self, scene: Scene, plan: Plan, cable: Cable, folder: Path) -> None:
        self.scene = scene
        self.plan = plan
        self.cable = cable
        self.folder = folder
        self.archive = Archive()
        self.lived: list[Life] = []
        self.result: RunResult | None = None
        self.ruled: dict[str, str] = {}

    async def lives(self) -> None:
        """Live, and live again, until the run is done, held, or will not end."""
        for ending in self.scene.endings:
            if await self._live(ending):
                return
        self.cable.sandbox.faults.clear()
        self.cable.sandbox.faults.add(*self.scene.lasting)
        self.cable.lay(())
        while len(self.lived) < MOST_LIVES + days_of(self.scene):
            if await self._live(Ending()):
                return

    async def notes(self) -> list[Note]:
        """Return the journal as anybody may read it."""
        life = Life(0)
        store = self._store(LifeClock(), life)
        journal = await store.journal(RUN, None)
        found = [note async for note in journal.notes()]
        store.close()
        return found

    def _store(self, clock: LifeClock, life: Life) -> ArchiveStore | DiskStore:
        if self.scene.on_disk:
            return DiskStore(self.folder / "state", clock, life, self.archive.books)
        return ArchiveStore(self.archive, clock, life)

    async def _live(self, ending: Ending) -> bool:
        """Be one process to its end; return whether the run has come to its own."""
        number = len(self.lived) + 1
        offsets = self.scene.offsets or (0.0,)
        begins, seconds = ending.freezes or (0.0, 0.0)
        life = Life(number, dies_at=ending.dies_at, outage=ending.outage, frozen=(begins, begins + seconds))
        clock = LifeClock(life, offsets[min(number, len(offsets)) - 1] + (self._set_back if number > 1 else 0.0))
        self.lived.append(life)
        store = self._store(clock, life)
        is_over = False
        rival_is_over = trio.Event()
        async with trio.open_nursery() as both:
            if ending.freezes is not None:
                both.start_soon(self._rival, life, clock, begins, rival_is_over)
            else:
                rival_is_over.set()
            async with trio.open_nursery() as beside:
                stop = Stop()
                beside.start_soon(self._befall, beside, ending, life, clock, store, stop)
                result = await self._run(life, clock, store, stop)
                beside.cancel_scope.cancel()
            life.ended = trio.current_time()
            await rival_is_over.wait()
        store.close()
        if result is not None:
            self.result = result
            life.exit_code = result.exit_code
            is_over = result.exit_code in {0, 5, 7} or (result.exit_code == 9 and not await self._ask())
            if result.exit_code == 8 and result.ending.until > clock.now():
                await trio.sleep(result.ending.until - clock.now())
        elif not life.is_dead:
            await trio.sleep(30)
        return is_over

    @property
    def _set_back(self) -> float:
        """What is left of the clock's being set for later processes: set back it stays so, set forward it is mended."""
        return min(0.0, self.scene.clock_is_set[1]) if self.scene.clock_is_set else 0.0

    async def _rival(self, frozen: Life, its_clock: LifeClock, begins: float, is_over: trio.Event) -> None:
        """Try to take the run of a stopped process over, on the same machine, and see it to an end of its own."""
        await trio.sleep(begins + 1)
        life = Life(len(self.lived) + 1)
        self.lived.append(life)
        clock = LifeClock(life, its_clock.offset)
        store = self._store(clock, life)
        while life.leased_at is None and frozen.ended is None:
            result = await self._run(life, clock, store, Stop())
            if result is not None:
                self.result, life.exit_code = result, result.exit_code
            elif life.leased_at is None:
                await trio.sleep(20)
        life.ended = trio.current_time()
        store.close()
        is_over.set()

    async def _befall(  # noqa: C901, PLR0917 - a process, and one case for each thing that befalls it
        self,
        beside: trio.Nursery,
        ending: Ending,
        life: Life,
        clock: LifeClock,
        store: ArchiveStore | DiskStore,
        stop: Stop,
    ) -> None:
        """Let happen to a process what its ending says."""

        async def signals() -> None:
            for at in ending.signals:
                await trio.sleep_until(life.began + at)
                life.signals.append(trio.current_time())
                stop.request(143)

        async def sleeps() -> None:
            assert ending.sleeps is not None
            await trio.sleep(ending.sleeps[0])
            clock.slept += ending.sleeps[1]
            clock.offset += ending.sleeps[1]
            self.cable.sandbox.clock.advance(ending.sleeps[1])

        async def unlocks() -> None:
            assert ending.unlocked_at is not None
            await trio.sleep(ending.unlocked_at)
            if life.leased_at is None:
                return
            if isinstance(store, DiskStore):
                await store.unlock(life.epoch, "a person")
            else:
                store.unlock()

        async def is_set() -> None:
            assert self.scene.clock_is_set is not None
            await trio.sleep(self.scene.clock_is_set[0])
            clock.offset += self.scene.clock_is_set[1]

        beside.start_soon(signals)
        if self.scene.clock_is_set is not None and life.number == 1:
            beside.start_soon(is_set)
        if ending.sleeps is not None:
            beside.start_soon(sleeps)
        if ending.unlocked_at is not None:
            beside.start_soon(unlocks)

    async def _run(self, life: Life, clock: LifeClock, store: ArchiveStore | DiskStore, stop: Stop) -> RunResult | None:
        """Run or resume once; None when the process died or could not begin."""
        try:
            lease = await store.acquire((), "sim", RUN)
            life.leased_at, life.epoch = trio.current_time(), lease.epoch
            try:
                return await run(self.plan, self._context(life, clock, store, lease, stop))
            finally:
                with trio.CancelScope(shield=True):
                    await lease.release()
        except (LockedError, StateError):
            return None
        except BaseException as error:
            # Whoever took the run over may have cleared the folder that a frozen process still reads.
            is_replaced = any(other.leased_at is not None for other in self.lived[life.number :])
            if is_crash(error) or (is_replaced and isinstance(error, Exception)):
                return None
            raise

    def _context(
        self, life: Life, clock: LifeClock, store: ArchiveStore | DiskStore, lease: Any, stop: Stop
    ) -> Context:
        wire = Wire(self.cable, life)
        endpoints = {each.name: self._endpoint(System(each.name)) for each in self.plan.connections}
        return Context(
            run=RUN,
            tool="sim",
            store=store,  # type: ignore[arg-type]
            lease=lease,
            clock=clock,
            folder=self.folder,
            sessions={
                name: registry.open_session(
                    each,
                    clock,
                    wire,
                    sandbox=True,
                    fence=fence(lease, stop),
                    recent_calls=self.scene.tight.calls // 2 if life.number == 1 else self.scene.tight.calls,
                    limits=self._limits(each),
                )
                for name, each in endpoints.items()
            },
            staged={op.name: SimStaged(op) for op in self.scene.ops},  # type: ignore[misc]
            paths={
                (op.name, op.way.path): rule_of(op.way.object, op.way.path, endpoints[op.way.system])
                for op in self.scene.ops
            },
            ledger_serials={op.name: 0 for op in self.scene.ops},
            guards={
                op.name: Guard(op.max_rejected, op.max_creates)
                for op in self.scene.ops
                if op.max_rejected is not None or op.max_creates is not None
            },
            offload=directly,
            stop=stop,
        )

    def _limits(self, endpoint: Endpoint) -> registry.Limits | None:
        if endpoint.system is not System.MARKETO:
            return None
        tight = self.scene.tight
        concurrency = min(endpoint.concurrency, tight.at_once)
        usual = registry.TARGETS[System.MARKETO].limits(endpoint)
        return dataclasses.replace(usual, calls=tight.calls, concurrency=concurrency, jobs=tight.imports)

    def _endpoint(self, system: System) -> Endpoint:
        known = self.cable.sandbox.worlds[system].credentials()
        return Endpoint(
            name=str(system),
            system=system,
            base_url=ORIGIN,
            client_id=known["client_id"],
            client_secret=Secret(known["client_secret"]),
            concurrency=self.scene.concurrency,
        )

    async def _ask(self) -> bool:
        """Let the person look what became of what is held; return whether anything was said."""
        if not self.scene.has_person:
            return False
        await trio.sleep(8_000)  # Whatever was late has happened by then.
        life = Life(0)
        store = self._store(LifeClock(life), life)
        try:
            said = await person.rule_all(store, RUN, self.scene, self.cable.sandbox, self.ruled)
        finally:
            store.close()
            life.ended = trio.current_time()
        return said


def rule_of(name: str, path: str, endpoint: Endpoint) -> PathRule:
    """Return what the executor must know of a path."""
    able = registry.capabilities(name, endpoint)
    known = next(each for each in able.paths if each.name == path)
    rest = able.longest_request_seconds() if known.kind is PathKind.JOB else 0.0
    return PathRule(known.format, known.server_timeout_seconds, known.repeat, rest_timeout_seconds=rest)


def plan_of(scene: Scene) -> Plan:
    """Return the plan of a scene: a node a wave, and the edges that the real planner gives them."""
    nodes: dict[str, list[list[Node]]] = {}
    for op in scene.ops:
        waves = SimStaged(op).waves
        nodes[op.name] = [
            [_node(op.name, op.way.path, op.way.is_job, wave, len(waves[wave]), op.size)] for wave in sorted(waves)
        ]
    steps = [
        Step(name=op.name, instance=str(op.way.system), object=op.way.object, key=op.way.key, action=op.way.action)
        for op in scene.ops
    ]
    spaces = {
        op.name: (step.key_space, {row.whom for row in op.rows}) for op, step in zip(scene.ops, steps, strict=True)
    }
    shared = [
        SharedKeys(first.name, second.name, len(spaces[first.name][1] & spaces[second.name][1]))
        for at, first in enumerate(scene.ops)
        for second in scene.ops[at + 1 :]
        if spaces[first.name][0] == spaces[second.name][0]
    ]
    order, edges, _ = build_edges(steps, nodes, shared)
    by_name = {op.name: op for op in scene.ops}
    return Plan(
        project="sim",
        inputs=Inputs(tool="sim", manifest="m"),
        connections=tuple(
            ConnectionPlan(
                name=str(system),
                system=system,
                calls=0,
                polls=0,
                budget=None,
                quota=None,
                used_today=None,
                reserve=0,
                concurrency=scene.concurrency,
                fidelity=Fidelity.CHECKED,
            )
            for system in scene.systems
        ),
        operations=tuple(_operation(by_name[name]) for name in order),
        nodes=tuple(node for name in order for wave in nodes[name] for node in wave),
        edges=edges,
        digest=f"digest of {scene.seed}",
    )


def _node(  # noqa: PLR0917 - one row of a table
    name: str,
    path: str,
    is_job: bool,  # noqa: FBT001 - as above
    wave: int,
    records: int,
    size: int,
) -> Node:
    return Node(
        id=f"{name}/{wave}/{path}",
        operation=name,
        wave=wave,
        path=path,
        kind=PathKind.JOB if is_job else PathKind.IMMEDIATE,
        shapes=None,
        records=records,
        units=-(-records // size),
        bytes=0,
        calls=1,
        polls=0,
        minutes=0,
        is_exact=True,
        reason="It is a simulation.",
    )


def _operation(op: Any) -> OperationPlan:
    return OperationPlan(
        name=op.name,
        source="rows",
        mapping="m",
        connection=str(op.way.system),
        object=op.way.object,
        action=op.way.action,
        key=op.way.key,
        options=op.way.options,
        duplicates="serialize",
        on_unknown=op.on_unknown,
        read=len(op.rows) + op.unchanged + op.refused,
        outgoing=len(op.rows),
        creates=None,
        updates=None,
        unchanged=op.unchanged,
        skipped=0,
        rejected=op.refused,
        folded=0,
        fidelity=Fidelity.CHECKED,
    )
