"""Plays one seed: the real executor and sessions against the sandbox, in one process, on virtual time.

Processes die and are stopped as the scene says; then the trouble ends, and the run must come to its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio
import trio
import trio.testing

from syncer.execution.context import Context, PathRule, Stop
from syncer.execution.executor import run
from syncer.execution.running import fence
from syncer.facts import System
from syncer.sandbox.app import Sandbox, SandboxOptions
from syncer.sandbox.transport import running
from syncer.secret import Secret
from syncer.targets.endpoint import Endpoint
from syncer.targets.registry import capabilities, open_session
from tests.fakes.clock import LoopClock
from tests.fakes.store import Crash, MemoryStore
from tests.fakes.world import directly, is_crash, plan_of
from tests.sim.scene import JOBS, unfold
from tests.sim.staged import SimStaged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syncer.execution.report import RunResult
    from syncer.plan.models import Plan
    from syncer.sandbox.transport import SandboxTransport
    from syncer.state.protocol import Note
    from tests.sim.scene import Scene

ORIGIN = "http://127.0.0.1:8080"
MOST_LIVES = 25
MOST_HOURS = 72.0
PRELUDE_CALLS = 50
"""What a new process must suppose was called just before it: the whole window of Marketo's rate."""


@dataclass
class Played:
    """What a play leaves behind, for the checker."""

    scene: Scene
    plan: Plan
    sandbox: Sandbox
    notes: list[Note]
    result: RunResult | None
    lives: int
    crashes: int
    seconds: float
    held: dict[System, list[dict[str, Any]]]
    """The records of leads and contacts in the end."""
    rejects: list[str]


def play(seed: int, folder: Path, change: Callable[[Scene], Scene] = lambda scene: scene) -> Played:
    """Play `seed` with its files in `folder`."""
    scene = change(unfold(seed))
    # trio shuffles what is ready to run; drawn from the seed, the shuffle is part of the story.
    scheduler = trio._core._run
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True
    scheduler._r.seed(seed)
    return trio.run(_play, scene, folder, clock=trio.testing.MockClock(autojump_threshold=0))


async def _play(scene: Scene, folder: Path) -> Played:
    sandbox = Sandbox(SandboxOptions(seed=scene.seed, latency_seconds=scene.latency))
    sandbox.faults.add(*scene.faults)
    plan = plan_of(scene.ops, scene.concurrency, scene.sizes, JOBS)
    theatre = _Theatre(scene, plan, sandbox, folder)
    async with running(sandbox.app()) as transport:
        with anyio.move_on_after(MOST_HOURS * 3_600):
            await theatre.lives(transport)
        await anyio.sleep(700)
        journal = await theatre.store.journal("run1", None)
        notes = [note async for note in journal.notes()]
        rejects = (folder / "rejects.jsonl").read_text().splitlines() if theatre.result else []
        return Played(
            scene=scene,
            plan=plan,
            sandbox=sandbox,
            notes=notes,
            result=theatre.result,
            lives=theatre.lived,
            crashes=theatre.died,
            seconds=anyio.current_time(),
            held={
                System.MARKETO: sandbox.worlds["marketo"].state()["leads"],
                System.SALESFORCE: sandbox.worlds["salesforce"].state()["Contact"],
            },
            rejects=rejects,
        )


class _Theatre:
    """One state and one target, for process after process."""

    def __init__(self, scene: Scene, plan: Plan, sandbox: Sandbox, folder: Path) -> None:
        self.scene = scene
        self.plan = plan
        self.sandbox = sandbox
        self.folder = folder
        self.clock = LoopClock()
        self.store = MemoryStore(self.clock)
        self.staged = {op.name: SimStaged(op.name, op.rows, scene.fields[op.name]) for op in scene.ops}
        self.result: RunResult | None = None
        self.lived = self.died = 0

    async def lives(self, transport: SandboxTransport) -> None:
        """Live, and live again, until the run is done, held, or will not end."""
        deaths, signals = list(self.scene.deaths), list(self.scene.signals)
        while self.lived < MOST_LIVES:
            self.lived += 1
            if not deaths and not signals:
                self.sandbox.faults.clear()
            death = deaths.pop(0) if deaths else None
            signal = signals.pop(0) if signals and death is None else None
            self.store.live()
            if death:
                self._plant(*death)
            if await self._live(transport, signal) and death is None and signal is None:
                return

    def _plant(self, at: int, before: bool) -> None:  # noqa: FBT001 - a pair of the scene
        seen = 0

        def watch(_: Note) -> None:
            nonlocal seen
            seen += 1
            if seen == at:
                self.store.die()
                raise Crash

        if before:
            self.store.before = watch
        else:
            self.store.after = watch

    async def _live(self, transport: SandboxTransport, signal: float | None) -> bool:
        """Be one process; return whether the run came to an end."""
        stop = Stop()
        try:
            async with anyio.create_task_group() as tasks:
                if signal is not None:
                    tasks.start_soon(self._interrupt, stop, signal)
                self.result = await run(self.plan, await self._context(transport, stop))
                tasks.cancel_scope.cancel()
        except BaseException as error:
            if not is_crash(error):
                raise
            self.died += 1
            return False
        return self.result is not None and self.result.exit_code in {0, 7, 9}

    @staticmethod
    async def _interrupt(stop: Stop, seconds: float) -> None:
        await anyio.sleep(seconds)
        stop.request(143)

    async def _context(self, transport: SandboxTransport, stop: Stop) -> Context:
        lease = await self.store.acquire((), "sim", "run1")
        endpoints = {each.name: self._endpoint(System(each.name)) for each in self.plan.connections}
        return Context(
            run="run1",
            tool="sim",
            store=self.store,
            lease=lease,
            clock=self.clock,
            folder=self.folder,
            sessions={
                name: open_session(
                    each, self.clock, transport, sandbox=True, fence=fence(lease), recent_calls=PRELUDE_CALLS
                )
                for name, each in endpoints.items()
            },
            staged=self.staged,
            paths={
                (op.name, op.path): self._rule(op.object, op.path, endpoints[op.connection]) for op in self.scene.ops
            },
            ledger_serials={op.name: 0 for op in self.scene.ops},
            offload=directly,
            stop=stop,
        )

    def _rule(self, name: str, path: str, endpoint: Endpoint) -> PathRule:
        known = next(each for each in capabilities(name, endpoint).paths if each.name == path)
        cut = replace(known.format, max_records=self.scene.sizes[path])
        return PathRule(cut, known.server_timeout_seconds, known.repeat)

    def _endpoint(self, system: System) -> Endpoint:
        known = self.sandbox.worlds[system].credentials()
        return Endpoint(
            name=str(system),
            system=system,
            base_url=ORIGIN,
            client_id=known["client_id"],
            client_secret=Secret(known["client_secret"]),
            concurrency=self.scene.concurrency,
        )
