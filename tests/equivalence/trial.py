"""Plays a story: its manifest is planned and applied by each path in turn, against a sandbox in this process.

Everything between the manifest's text and the sandbox's records is the product's own; only network, clock and the
places of threads are replaced, so that a job that is polled for minutes takes none.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import trio
import trio.testing
from ruamel.yaml import YAML

from syncer.engine.stage import stage
from syncer.engine.staged import StagedOperation
from syncer.errors import PlanRefusedError
from syncer.facts import System
from syncer.outcome import Outcome
from syncer.sandbox.app import Sandbox
from syncer.sandbox.options import MarketoOptions, SandboxOptions
from syncer.sandbox.transport import running
from syncer.targets import registry
from syncer.workflow import applying, planning
from syncer.workflow.load import capabilities, load
from tests.equivalence.stories import TEMPLATES
from tests.fakes.clock import LoopClock
from tests.fakes.store import MemoryStore
from tests.fakes.world import directly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from syncer.capability import Capabilities, PathCapability
    from syncer.plan.models import Plan
    from syncer.targets.endpoint import Endpoint
    from tests.equivalence.stories import Story

    Change = Callable[[PathCapability], PathCapability]

SCHEMAS = Path(__file__).parents[2] / "schemas"
URL = "http://127.0.0.1:8080"
LATENCY_SECONDS = 0.05
AUTO = "auto"
_WRITTEN = frozenset({Outcome.CREATED, Outcome.UPDATED})
"""What imports do not tell apart."""


@dataclass(frozen=True)
class Told:
    """What one way left behind: records, lists and activities; rows by outcome; calls as planned and as counted."""

    state: dict[str, Any]
    activities: dict[str, int]
    outcomes: dict[str, int]
    plan: Plan
    counted: int

    @property
    def planned(self) -> int:
        """Calls and polls that the plan promised."""
        return sum(each.calls + each.polls for each in self.plan.connections)

    @property
    def is_immediate(self) -> bool:
        """Whether every step's price is exact."""
        return all(not node.polls and node.is_exact for node in self.plan.nodes)


@dataclass(frozen=True)
class Played:
    """What became of a story: by each path that was admitted, and why the others were not."""

    told: dict[str, Told]
    refused: dict[str, str]


def play(story: Story, folder: Path, change: Change = lambda path: path) -> Played:
    """Play `story` by every path of its object, and by the planner's own choice; `change` plants a capability."""
    with ExitStack() as stack:
        stack.enter_context(_capabilities(story, change))
        stack.enter_context(patch.dict(os.environ, _credentials()))
        stage = _Stage(story, folder)
        stack.callback(stage.close)
        told: dict[str, Told] = {}
        refused: dict[str, str] = {}
        for way in stage.ways():
            try:
                plan = stage.plan(way)
            except PlanRefusedError as error:
                refused[way] = str(error)
                continue
            # The planner's own choice is mostly one that was played already.
            if way != AUTO or all(_steps(plan) != _steps(each.plan) for each in told.values()):
                told[way] = stage.play(way)
        return Played(told, refused)


def _steps(plan: Plan) -> list[tuple[object, ...]]:
    return [(node.id, node.shapes, node.records) for node in plan.nodes]


def _capabilities(story: Story, change: Change) -> Any:
    """Let paths hold as few records as the story says, and say what a test plants."""
    target = registry.TARGETS[story.kind.system]

    def read(name: str, endpoint: Endpoint) -> Capabilities:
        able = target.capabilities(name, endpoint)
        return replace(able, paths=tuple(change(_shrunk(path, story.largest)) for path in able.paths))

    return patch.dict(registry.TARGETS, {story.kind.system: replace(target, capabilities=read)})


def _shrunk(path: PathCapability, largest: int) -> PathCapability:
    most = path.format.max_records
    return replace(path, format=replace(path.format, max_records=min(largest, most or largest)))


def _credentials() -> dict[str, str]:
    worlds = Sandbox().worlds
    return {
        f"{system.upper()}_{name.upper()}": worlds[system].credentials()[name]
        for system in System
        for name in ("client_id", "client_secret")
    }


class _Kept(StagedOperation):
    """Staged rows that stay open for the next way."""

    def close(self) -> None:
        """Leave it to the stage."""


class _Store(MemoryStore):
    """State of one run."""

    def close(self) -> None:
        """Hold nothing."""

    def ledger(self) -> Any:
        """Give a ledger that forgets."""
        return _Ledger()


class _Ledger:
    """Nothing was ever confirmed, and nothing will be read."""

    async def serial(self, operation: str) -> int:
        """Return the first serial of `operation`."""
        return len(operation) * 0

    async def merge(self, _operation: str, serial: int, confirmed: Path) -> int:
        """Take what was confirmed."""
        assert confirmed
        return serial + 1


class _Settings(planning.Settings):
    """Settings of a project whose state is in memory."""

    def store(self, root: Path) -> Any:
        """Return a new state."""
        assert root
        return _Store(self.clock)


def _settings(transport: httpx.AsyncBaseTransport | None = None) -> _Settings:
    return _Settings(offline=True, sandbox=True, offload=directly, clock=LoopClock(), transport=transport)


def _deaf(*_: object) -> None:
    """Listen to nothing."""


class _Stage:
    """A story's project on disk, its rows staged once."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story = story
        self.folder = folder
        self.seed = folder / "seed.json"
        self.seed.write_text(json.dumps({story.kind.system: self._seed()}), encoding="utf-8")
        (folder / "schemas").symlink_to(SCHEMAS)
        with (folder / "manifest.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(self.manifest(), file)
        lines = (json.dumps(self._cells(row)) for row in story.rows)
        (folder / "rows.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self.loaded = load(folder)
        able = capabilities(self.loaded.manifest)["system", story.kind.object]
        formats = {path.name: path.format for path in able.paths}
        pipeline, source = self.loaded.pipelines["trial"], self.loaded.sources["rows"]
        self.staged = stage(pipeline, source, None, formats, folder / "staged")

    def close(self) -> None:
        """Release the engine."""
        self.staged.close()

    def ways(self) -> Iterator[str]:
        """Yield what the manifest may say for its path."""
        able = capabilities(self.loaded.manifest)["system", self.story.kind.object]
        yield from (path.name for path in able.paths if not self.story.only or path.name in self.story.only)
        yield AUTO

    def plan(self, way: str) -> Plan:
        """Plan by one way; raises `PlanRefusedError`."""
        return trio.run(self._drawn_up, way).plan

    def play(self, way: str) -> Told:
        """Plan and apply by one way, on an instance of its own."""
        return trio.run(self._play, way, clock=trio.testing.MockClock(autojump_threshold=0))

    async def _drawn_up(self, way: str) -> planning.Planned:
        operation = self.loaded.manifest.operations["trial"]
        fixed = operation.model_copy(update={} if way == AUTO else {"path": way, "because": "It is a trial."})
        manifest = self.loaded.manifest.model_copy(update={"operations": {"trial": fixed}})
        loaded = replace(self.loaded, manifest=manifest)
        staged = _Kept(self.staged.facts, self.staged.form, self.staged.files, self.staged.connection)
        return await planning.draw_up(loaded, _settings(), self.folder, _deaf, None, {"trial": staged})

    async def _play(self, way: str) -> Told:
        planned = await self._drawn_up(way)
        new = applying.NewRun("run", self.folder / way)
        new.folder.mkdir()
        sandbox = self._sandbox()
        async with running(sandbox.app()) as transport:
            applied = await applying.perform(planned, new, _settings(transport), _deaf)
            world = sandbox.worlds[self.story.kind.system]
            state = world.state()
            counted = int(next(each["used"] for each in world.overview()["quota"]))
        (report,) = applied.result.operations
        outcomes = Counter[str]()
        for each, count in report.outcomes.items():
            outcomes[str(Outcome.WRITTEN if each in _WRITTEN else each)] += count
        return Told(state, state.pop("activities", {}), dict(+outcomes), planned.plan, counted)

    def _sandbox(self) -> Sandbox:
        marketo = MarketoOptions(blank_cells_clear=self.story.blank_clears)
        return Sandbox(SandboxOptions(seed_file=self.seed, latency_seconds=LATENCY_SECONDS, marketo=marketo))

    def _seed(self) -> dict[str, Any]:
        kind = self.story.kind
        if kind.system is System.SALESFORCE:
            return {**kind.beside, kind.object: list(self.story.there)}
        if kind.object == "lead":
            return {"leads": list(self.story.there)}
        return {"objects": {kind.object: list(self.story.there)}}

    def _cells(self, row: Mapping[str, str | None]) -> dict[str, str | None]:
        """Put real ids in place of "@0", "@1" and so on."""
        ids = self._ids() if any(value and value.startswith("@") for value in row.values()) else []
        return {
            _column(name): value if not value or not value.startswith("@") else self._id(ids, int(value[1:]))
            for name, value in row.items()
        }

    @staticmethod
    def _id(ids: list[str], place: int) -> str:
        return ids[place] if place < len(ids) else "999"

    def _ids(self) -> list[str]:
        world: Any = self._sandbox().worlds[self.story.kind.system]
        kind = self.story.kind
        if kind.system is System.SALESFORCE:
            return list(world.org.store.table(kind.object).rows)
        return [
            str(each) for each in (world.leads.rows if kind.object == "lead" else world.objects[kind.object].records)
        ]

    def manifest(self) -> dict[str, Any]:
        """Return the story as a person would write it down."""
        story, kind = self.story, self.story.kind
        name = str(kind.system)
        login = {
            "system": name,
            "base_url": URL,
            "client_id": f"{{{{ env.{name.upper()}_CLIENT_ID }}}}",
            "client_secret": f"{{{{ secret.{name.upper()}_CLIENT_SECRET }}}}",
        }
        if kind.system is System.MARKETO and story.blank_cells != "unknown":
            login["blank_cells"] = story.blank_cells
        columns = [*story.key, *(name for name, _ in story.clears)]
        operation = {"source": "rows", "mapping": "plain", "target": "target", "action": str(story.action)}
        operation |= {"duplicates": story.duplicates, "activity": story.activity, **dict(story.options)}
        return {
            "version": 1,
            "connections": {"system": login},
            "sources": {"rows": {"file": "rows.jsonl"}},
            "targets": {"target": {"connection": "system", "object": kind.object, "key": list(story.key)}},
            "mappings": {
                "plain": {
                    name: {
                        "value": _template(name, story),
                        "when_null": "clear" if (name, True) in story.clears else "omit",
                    }
                    for name in columns
                }
            },
            "operations": {"trial": operation},
        }


def _template(name: str, story: Story) -> str:
    pool = "integer" if name in {"id", "customerNumber", "seatNumber"} else story.kind.fields.get(name, "text")
    return TEMPLATES.get(pool, "{{{{ {0} }}}}").format(_column(name))


def _column(field: str) -> str:
    return field.replace(".", "_")
