"""Looks a plan's keys up in the targets before anything is sent: what is new, equal, changed, ambiguous or drifted.

Says what it costs first, keeps within the day's budget, and only reads. What it hands on are counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import anyio

from syncer.diagnostics import Diagnostic
from syncer.errors import PlanRefusedError, SyncerError
from syncer.facts import Action, Usage
from syncer.plan.budget import connection_plan
from syncer.plan.words import count, number
from syncer.targets.protocol import RECORD_ID
from syncer.workflow.endpoints import sessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from syncer.engine.drift import Drift
    from syncer.engine.staged import StagedOperation
    from syncer.facts import Capabilities, OperationFacts
    from syncer.sample import SampleRow
    from syncer.targets.protocol import Session
    from syncer.workflow.load import Loaded
    from syncer.workflow.planning import Progress, Settings

_RECORDS = frozenset({Action.UPSERT, Action.CREATE, Action.UPDATE, Action.DELETE})
"""Actions on records that a key finds; membership in lists and programs is another question."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One operation's keys, and how many values one call asks for."""

    operation: str
    connection: str
    object: str
    key: tuple[str, ...]
    values_per_read: int
    compares_values: bool
    drift: Drift
    keys: int

    @property
    def calls(self) -> int:
        """The fewest calls that can answer it."""
        return ceil(self.keys / self.values_per_read)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a look found: the operations' facts, and rows beside what the target holds where those are revealed."""

    facts: dict[str, OperationFacts]
    samples: dict[str, tuple[SampleRow, ...]]


async def refresh(
    loaded: Loaded,
    staged: Mapping[str, StagedOperation],
    capabilities: Mapping[tuple[str, str], Capabilities],
    usage: dict[str, Usage],
    settings: Settings,
    progress: Progress,
) -> Refreshed:
    """Return the operations' facts with what the targets hold; raises `PlanRefusedError` where that costs too much.

    `usage` is brought up to date with the calls that were made.
    """
    facts = {name: each.facts for name, each in staged.items()}
    samples: dict[str, tuple[SampleRow, ...]] = {}
    questions = [each for name in staged if (each := _question(loaded, name, staged[name], capabilities)) is not None]
    try:
        _check_cost(loaded, questions, usage)
        names = {each.connection for each in questions}
        async with sessions(
            loaded, names, settings.clock, sandbox=settings.sandbox, transport=settings.transport
        ) as opened:
            for each in questions:
                calls = f"about {count(each.calls, 'call')}"
                progress(each.operation, f'looking up {count(each.keys, "key")} in "{each.connection}", {calls}')
                concurrency = loaded.manifest.connections[each.connection].budget.concurrency
                await _ask(each, opened[each.connection], concurrency)
                looked = each.drift.facts(compares_values=each.compares_values)
                facts[each.operation] = replace(facts[each.operation], looked=looked)
                if settings.reveal and each.compares_values:
                    samples[each.operation] = each.drift.sample()
                usage[each.connection] = _after(usage.get(each.connection, Usage()), looked.calls)
    finally:
        for each in questions:
            each.drift.close()
    return Refreshed(facts, samples)


def _question(
    loaded: Loaded,
    name: str,
    staged: StagedOperation,
    capabilities: Mapping[tuple[str, str], Capabilities],
) -> _Question | None:
    """Return what to ask for an operation; None where its target cannot be asked by key."""
    operation = loaded.manifest.operations[name]
    target = loaded.manifest.targets[operation.target]
    able = capabilities[target.connection, target.object]
    if operation.action not in _RECORDS or not able.values_per_read:
        return None
    drift = staged.drift(RECORD_ID)
    is_deletion = operation.action is Action.DELETE
    keys = drift.count()
    return _Question(
        name,
        target.connection,
        target.object,
        target.key_fields,
        able.values_per_read,
        not is_deletion,
        drift,
        keys,
    )


def _check_cost(loaded: Loaded, questions: Sequence[_Question], usage: Mapping[str, Usage]) -> None:
    """Refuse before the first call what the day has no room for."""
    refusals = []
    for name in sorted({each.connection for each in questions}):
        calls = sum(each.calls for each in questions if each.connection == name)
        left = connection_plan(name, loaded.manifest.connections[name], usage.get(name, Usage()), ()).left
        if left is not None and calls > left:
            detail = (
                f'To look the keys up takes {count(calls, "call")} of connection "{name}", and {number(left)} are left '
                "today."
            )
            advice = 'Plan without "--refresh", plan fewer operations at a time, or wait for the next day.'
            refusals.append(Diagnostic("P120", detail, advice=advice))
    if refusals:
        raise PlanRefusedError.of(refusals)


async def _ask(question: _Question, session: Session, concurrency: int) -> None:
    """Ask for all keys, some pages at once; answers are taken one after the other."""
    pages = _pages(question)
    fields = question.drift.names
    lock = anyio.Lock()
    failed: list[SyncerError] = []

    async def work() -> None:
        try:
            while not failed:
                async with lock:
                    page = await anyio.to_thread.run_sync(next, pages, None)
                if page is None:
                    return
                held = await session.read(question.object, question.key, page, fields)
                async with lock:
                    await anyio.to_thread.run_sync(question.drift.take, held.records, held.calls)
        except SyncerError as error:
            # Raised below: a task group would wrap it, and its class says what the caller must do.
            failed.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(max(1, min(concurrency, question.calls))):
            tasks.start_soon(work)
    if failed:
        raise failed[0]


def _pages(question: _Question) -> Iterator[Sequence[tuple[str, ...]]]:
    """Yield the keys as one call takes them; only these few are ever Python values."""
    held: list[tuple[str, ...]] = []
    for piece in question.drift.questions():
        held += _tuples(piece, question.key)
        while len(held) >= question.values_per_read:
            yield held[: question.values_per_read]
            held = held[question.values_per_read :]
    if held:
        yield held


def _tuples(piece: pa.RecordBatch, key: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(piece.column(name).to_pylist() for name in key), strict=True))


def _after(usage: Usage, calls: int) -> Usage:
    """Return the day's usage with `calls` more; they are this project's in any case."""
    return replace(
        usage,
        calls_used=None if usage.calls_used is None else usage.calls_used + calls,
        calls_by_project=(usage.calls_by_project or 0) + calls,
    )
