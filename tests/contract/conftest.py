"""Sessions against the sandbox in this process, on virtual time: hours of polling in milliseconds."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from syncer.engine.protocol import Payload
from syncer.facts import Action, System
from syncer.sandbox.app import MarketoOptions, Sandbox, SandboxOptions
from syncer.sandbox.faults import FaultRule
from syncer.sandbox.transport import running
from syncer.secret import Secret
from syncer.targets.endpoint import Endpoint
from syncer.targets.protocol import Step, Unit
from syncer.targets.registry import open_session
from tests.fakes.clock import LoopClock, backend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from syncer.sandbox.transport import SandboxTransport
    from syncer.targets.protocol import Session

ORIGIN = "http://127.0.0.1:8080"
Record = dict[str, Any]


@dataclass
class Stage:
    """A sandbox, and sessions and units made for it."""

    sandbox: Sandbox
    transport: SandboxTransport
    folder: Path
    clock: LoopClock = field(default_factory=LoopClock)
    units: int = 0

    def endpoint(self, system: System, **changes: Any) -> Endpoint:
        """Return the connection's values."""
        known = self.sandbox.worlds[system].credentials()
        values: dict[str, Any] = {
            "name": system.value,
            "system": system,
            "base_url": ORIGIN,
            "client_id": known["client_id"],
            "client_secret": Secret(known["client_secret"]),
            "concurrency": 10,
        }
        return Endpoint(**(values | changes))

    def session(self, system: System, **options: Any) -> Session:
        """Open a session."""
        endpoint = options.pop("endpoint", None) or self.endpoint(system)
        return open_session(endpoint, self.clock, self.transport, sandbox=True, **options)

    def spoil(self, action: str, endpoint: str = "*", **members: Any) -> None:
        """Arm a fault."""
        self.sandbox.faults.add(FaultRule.parse({"action": action, "endpoint": endpoint, **members}))

    def calls(self, part: str = "") -> list[str]:
        """Return `METHOD path` of the calls so far."""
        return [f"{each.method} {each.endpoint}" for each in self.sandbox.traffic.entries if part in each.endpoint]

    def unit(self, step: Step, *records: Record) -> Unit:
        """Return a request's unit."""
        body = json.dumps(list(records)).encode()
        return self._unit(step, records, body, body)

    def file_unit(self, step: Step, *records: Record) -> Unit:
        """Return a job's unit; its file holds the fields of the first record."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        body = text.getvalue().encode()
        path = self.folder / f"{self.units}.csv"
        path.write_bytes(body)
        return self._unit(step, records, path, body)

    def _unit(self, step: Step, records: Sequence[Record], body: bytes | Path, content: bytes) -> Unit:
        self.units += 1
        count = len(records)
        payload = Payload(
            index=0,
            records=count,
            rows=list(range(count)),
            lanes=list(range(count)),
            fields=tuple(records[0]),
            body=body,
            byte_count=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        return Unit(f"op/1/{step.path}/{self.units:04}", step, payload)


def step(system: System, name: str, path: str, action: Action = Action.UPSERT, key: str = "", **options: str) -> Step:
    """Return a step."""
    return Step("op", system.value, name, path, action, tuple(key.split()), tuple(options.items()))


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    """Trio on a clock that jumps over every wait."""
    return backend("trio")


@pytest.fixture
def options() -> SandboxOptions:
    """What the sandbox is started with; a test module may say otherwise."""
    return SandboxOptions(latency_seconds=0.2, marketo=MarketoOptions())


@pytest.fixture
async def stage(options: SandboxOptions, tmp_path: Path) -> AsyncIterator[Stage]:
    """A fresh sandbox."""
    sandbox = Sandbox(options)
    async with running(sandbox.app()) as transport:
        yield Stage(sandbox, transport, tmp_path)
