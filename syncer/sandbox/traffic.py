"""The sandbox's own account of what reached it: one entry a request, one span a job, counters per endpoint.

It is the witness in tests of ordering and quotas, so it is kept apart from the worlds it describes. It holds a
fingerprint of a token, never the token, and a digest of a body, never the body.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from syncer.sandbox.clock import Clock

KEPT_ENTRIES = 200_000


def fingerprint(secret: str) -> str:
    """Names a token in the log without giving it away."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


@dataclass(slots=True)
class Entry:
    """One request; times are epoch seconds of the sandbox clock, None for what never happened."""

    number: int
    system: str
    method: str
    endpoint: str
    arrived_at: float
    operation: str | None = None
    keys: tuple[str, ...] = ()
    record_count: int | None = None
    body_sha256: str | None = None
    body_bytes: int = 0
    token: str | None = None
    job_id: str | None = None
    started_at: float | None = None
    applied_at: float | None = None
    first_byte_at: float | None = None
    last_byte_at: float | None = None
    status: int | None = None
    error_code: str | None = None
    dropped: bool = False
    faults: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The entry as one JSON object."""
        return asdict(self)


@dataclass(slots=True)
class JobSpan:
    """When a job read and wrote its keys, which is later than the request that brought it."""

    system: str
    job_id: str
    operation: str
    keys: tuple[str, ...]
    queued_at: float
    started_at: float | None = None
    finished_at: float | None = None
    state: str = ""


@dataclass(slots=True)
class Traffic:
    """Everything that was asked of one sandbox, in order of arrival."""

    clock: Clock
    path: Path | None = None
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT_ENTRIES))
    jobs: list[JobSpan] = field(default_factory=list)
    counters: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    in_flight: Counter[str] = field(default_factory=Counter)
    generation: int = 0
    _count: int = 0

    def open(self, system: str, method: str, endpoint: str) -> Entry:
        """Notes an arrival."""
        self._count += 1
        entry = Entry(self._count, system, method, endpoint, self.clock.now())
        self.entries.append(entry)
        self.counters[system, f"{method} {endpoint}"] += 1
        self.in_flight[system] += 1
        return entry

    def close(self, entry: Entry) -> None:
        """Notes the end of a request, answered or not, and writes its line."""
        self.in_flight[entry.system] -= 1
        if entry.error_code is not None:
            self.errors[entry.system, entry.error_code] += 1
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry.as_dict(), separators=(",", ":")) + "\n")

    def job(self, system: str, job_id: str, operation: str, keys: Sequence[str]) -> JobSpan:
        """Notes a job; the world that runs it fills in when it started and ended."""
        span = JobSpan(system, job_id, operation, tuple(keys), self.clock.now())
        self.jobs.append(span)
        return span

    def reset(self) -> None:
        """Forgets the past; requests under way keep their entries."""
        self.generation += 1
        self.entries.clear()
        self.jobs.clear()
        self.counters.clear()
        self.errors.clear()
