"""What a run tells while it runs: values for a progress bar, a log or a JSON line. The executor emits, views draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A step began."""

    node: str
    records: int
    units: int


@dataclass(frozen=True, slots=True)
class UnitSent:
    """A request or job, or a part of one, is about to leave."""

    node: str
    unit: str
    records: int


@dataclass(frozen=True, slots=True)
class UnitSettled:
    """One request or job ended; counts by outcome. `calls` were made to its connection by this process so far."""

    node: str
    unit: str
    records: int
    created: int
    updated: int
    written: int
    rejected: int
    in_doubt: int
    connection: str = ""
    calls: int = 0
    is_old: bool = False
    """An earlier process of the run has settled it."""


@dataclass(frozen=True, slots=True)
class NodeSettled:
    """A step ended."""

    node: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something takes time that is no error: a pause, a queue, a doubt that waits for its read-back."""

    node: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The run ended, for this process at least. `reason` is "" when every row has its outcome."""

    node: str
    exit_code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """A thing a person should know, in a full sentence."""

    node: str
    sentence: str


Event = NodeStarted | UnitSent | UnitSettled | NodeSettled | Waiting | Noticed | Ended

if TYPE_CHECKING:
    Listener = Callable[[Event], None]
