"""A project on disk and a sandbox in this process: seed the target, plan with a look at it, and see what was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from ruamel.yaml import YAML

from syncer.facts import System
from syncer.sandbox.app import Sandbox
from syncer.sandbox.options import SandboxOptions
from syncer.sandbox.transport import running
from syncer.workflow import applying, planning
from syncer.workflow.load import load

if TYPE_CHECKING:
    import pytest

    from syncer.plan.models import LookedUp, Plan

SCHEMAS = Path(__file__).parents[2] / "schemas"
URL = "http://127.0.0.1:8080"


def login(system: System, **more: Any) -> dict[str, Any]:
    """Return a connection as a manifest declares it."""
    name = system.value.upper()
    return {
        "system": system.value,
        "base_url": URL,
        "client_id": f"{{{{ env.{name}_CLIENT_ID }}}}",
        "client_secret": f"{{{{ secret.{name}_CLIENT_SECRET }}}}",
        **more,
    }


@dataclass
class Shop:
    """One project; `write` it, then `plan` and `apply` as often as wanted, against what the sandbox came to hold."""

    folder: Path
    sandbox: Sandbox
    said: list[tuple[str, str, int]] = field(default_factory=list)
    """What was told while plans were made: operation or connection, phase, and how many calls had come in by then."""

    def write(self, rows: str, **parts: Any) -> None:
        """Write the rows and the manifest; a part that is not given stays as it was."""
        (self.folder / "rows.csv").write_text(rows, encoding="utf-8")
        if parts:
            manifest = {"version": 1, "sources": {"rows": {"file": "rows.csv"}}, **parts}
            with (self.folder / "manifest.yaml").open("w", encoding="utf-8") as file:
                YAML(typ="safe").dump(manifest, file)

    async def plan(self, *, refresh: bool = True, work: str = "work") -> Plan:
        """Return a plan."""
        loaded = load(self.folder)
        async with running(self.sandbox.app()) as transport:
            settings = planning.Settings(work=self.folder / work, refresh=refresh, sandbox=True, transport=transport)
            with planning.workspace(loaded, settings) as folder:
                planned = await planning.draw_up(loaded, settings, folder, self._listen, None, {})
                planned.close()
        return planned.plan

    async def apply(self, *, work: str = "work") -> applying.Applied:
        """Plan and perform."""
        loaded = load(self.folder)
        async with running(self.sandbox.app()) as transport:
            settings = planning.Settings(work=self.folder / work, sandbox=True, transport=transport)
            with applying.new_run(loaded, settings) as new:
                planned = await planning.draw_up(loaded, settings, new.folder, self._listen, None, {})
                return await applying.perform(planned, new, settings, lambda _: None)

    async def resume(self, *, work: str = "work") -> applying.Applied:
        """Go on with the only run that is not finished."""
        loaded = load(self.folder)
        settings = planning.Settings(work=self.folder / work, sandbox=True)
        unfinished = await anyio.to_thread.run_sync(applying.find_run, loaded, settings, None)
        async with running(self.sandbox.app()) as transport:
            settings = replace(settings, transport=transport)
            return await applying.go_on(loaded, unfinished, settings, lambda _: None)

    def calls(self, part: str = "") -> list[str]:
        """Return `METHOD path` of the calls so far, sign-in aside."""
        return [
            f"{each.method} {each.endpoint}"
            for each in self.sandbox.traffic.entries
            if part in each.endpoint and "oauth" not in each.endpoint
        ]

    def _listen(self, operation: str, phase: str) -> None:
        self.said.append((operation, phase, len(self.calls())))


def looked(plan: Plan, operation: str = "") -> LookedUp:
    """Return what was found for the only operation, or for one of them."""
    found = next(each.looked for each in plan.operations if operation in {"", each.name})
    assert found is not None
    return found


def opened(folder: Path, patch: pytest.MonkeyPatch, seed: dict[str, Any], **options: Any) -> Shop:
    """Return a shop whose target holds `seed`, by system."""
    (folder / "schemas").symlink_to(SCHEMAS)
    path = folder / "seed.json"
    path.write_text(json.dumps(seed), encoding="utf-8")
    sandbox = Sandbox(SandboxOptions(seed_file=path, **options))
    for system in System:
        for name, value in sandbox.worlds[system].credentials().items():
            patch.setenv(f"{system.value.upper()}_{name.upper()}", value)
    return Shop(folder, sandbox)
