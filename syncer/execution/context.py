"""What a run needs of the world, bundled: sessions, staged rows, state, clock, limits and the person's wish to stop.

The workflow fills it; the executor reads it and never asks which vendor, store or engine stands behind a protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from syncer.state.protocol import in_thread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from syncer.capability import PayloadFormat, Repeat
    from syncer.clock import Clock
    from syncer.engine.protocol import Staged
    from syncer.execution.events import Listener
    from syncer.state.protocol import Lease, Offload, Store
    from syncer.targets.protocol import Session

GRACE_SECONDS = 10.0
"""How long what is under way may still settle after a signal."""


@dataclass(frozen=True, slots=True)
class PathRule:
    """What the executor must know of a path of an operation, from its capability."""

    format: PayloadFormat
    server_timeout_seconds: float
    repeat: Repeat
    is_activity: bool = False
    """The path leaves an activity, which no read-back shows."""
    rest_timeout_seconds: float = 0.0
    """The vendor's time-out of the requests by which the rest of a job is sent."""

    @property
    def remedy_timeout_seconds(self) -> float:
        """How long what is sent again after a read-back may still take effect."""
        return max(self.server_timeout_seconds, self.rest_timeout_seconds)


@dataclass(frozen=True, slots=True)
class Guard:
    """Limits as counts of records; None: no limit."""

    max_rejected: int | None = None
    max_creates: int | None = None
    max_changes: int | None = None
    max_deletes: int | None = None


class Stop:
    """The wish to stop, told by a signal handler: once means in good order, twice means at once."""

    def __init__(self) -> None:
        """Nobody wishes it yet."""
        self.asked = anyio.Event()
        self.urged = anyio.Event()
        self.exit_code = 0

    def request(self, exit_code: int) -> None:
        """Wish it; `exit_code` of the first wish is the run's."""
        if self.asked.is_set():
            self.urged.set()
            return
        self.exit_code = exit_code
        self.asked.set()


def _deaf(_event: object) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything around one run. `folder` is the run's own; `ledger_serials` are those that the plan was made of."""

    run: str
    tool: str
    store: Store
    lease: Lease
    clock: Clock
    folder: Path
    sessions: Mapping[str, Session]
    """By connection."""
    staged: Mapping[str, Staged]
    """By operation."""
    paths: Mapping[tuple[str, str], PathRule]
    """By operation and path."""
    ledger_serials: Mapping[str, int]
    guards: Mapping[str, Guard] = field(default_factory=dict)
    listener: Listener = _deaf
    instances: Mapping[str, str] = field(default_factory=dict)
    """By connection, what tells one vendor instance from another."""
    offload: Offload = in_thread
    stop: Stop = field(default_factory=Stop)

    def outcomes(self, operation: str) -> Path:
        """Return the folder of an operation's notes: row numbers mean something in one operation only."""
        folder = self.folder / "outcomes" / operation
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
