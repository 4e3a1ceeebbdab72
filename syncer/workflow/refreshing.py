"""Looks a plan's keys up in the targets before anything is sent: what is new, equal, changed, ambiguous or drifted.

Says what it costs first, keeps within the day's budget, and only reads. What it hands on are counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import anyio

from syncer.diagnostics import Diagnostic
from syncer.errors import PlanRefusedError, QuotaSpentError, SyncerError
from syncer.facts import Action
from syncer.plan.words import count, number
from syncer.workflow.endpoints import instance_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from syncer.capability import Capabilities
    from syncer.engine.drift import Drift
    from syncer.engine.staged import StagedOperation
    from syncer.facts import OperationFacts
    from syncer.sample import SampleRow
    from syncer.targets.protocol import Held
    from syncer.workflow.load import Loaded
    from syncer.workflow.planning import Progress, Settings
    from syncer.workflow.today import Today

_RECORDS = frozenset({Action.UPSERT, Action.CREATE, Action.UPDATE, Action.DELETE})
"""Actions on records that a key finds; membership in lists and programs is another question."""
UNLOOKED = "The target was not asked: what this operation changes cannot be read by the keys of its rows."


@dataclass(frozen=True, slots=True)
class _Question:
    """One operation's keys, and how many values one call asks for."""

    operation: str
    connection: str
    object: str
    key: tuple[str, ...]
    values_per_read: int
    calls_before: int
    compares_values: bool
    drift: Drift
    keys: int

    @property
    def reads(self) -> int:
        """The fewest reads that can answer it."""
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
    day: Today,
    settings: Settings,
    progress: Progress,
) -> Refreshed:
    """Return the operations' facts with what the targets hold; raises `PlanRefusedError` where that costs too much."""
    facts = {name: each.facts for name, each in staged.items()}
    samples: dict[str, tuple[SampleRow, ...]] = {}
    questions = [each for name in staged if (each := _question(loaded, name, staged[name], capabilities)) is not None]
    try:
        _check_cost(loaded, questions, day, progress)
        for each in questions:
            progress(each.operation, f"reading {count(each.keys, 'key')}")
            await _ask(each, day, loaded.manifest.connections[each.connection].budget.concurrency)
            looked = each.drift.facts(compares_values=each.compares_values)
            facts[each.operation] = replace(facts[each.operation], looked=looked)
            if settings.reveal and each.compares_values:
                samples[each.operation] = each.drift.sample()
    finally:
        for each in questions:
            each.drift.close()
    for name in facts.keys() - {each.operation for each in questions}:
        facts[name] = replace(facts[name], unlooked=UNLOOKED)
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
    from syncer.targets.protocol import RECORD_ID

    drift = staged.drift(RECORD_ID, able.unaskable)
    return _Question(
        operation=name,
        connection=target.connection,
        object=target.object,
        key=target.key_fields,
        values_per_read=able.values_per_read,
        calls_before=able.calls_before_read,
        compares_values=operation.action is not Action.DELETE,
        drift=drift,
        keys=drift.count(),
    )


def _check_cost(loaded: Loaded, questions: Sequence[_Question], day: Today, progress: Progress) -> None:
    """Say what the look takes of each connection's day, and refuse before its first call what there is no room for."""
    refusals = []
    for name in sorted({each.connection for each in questions if each.keys}):
        mine = [each for each in questions if each.connection == name]
        keys, calls, left = sum(each.keys for each in mine), _calls(mine), day.left(name)
        room = "" if left is None else f" of {number(left)} left today"
        progress(name, f"looking up {count(keys, 'key')}, about {count(calls, 'call')}{room}")
        at = instance_of(loaded, name)
        together = _calls([each for each in questions if instance_of(loaded, each.connection) == at])
        if left is not None and together > left:
            takes = f'To look the keys up takes {count(together, "call")} of connection "{name}"'
            refusals.append(_too_dear(f"{takes}, and {number(left)} are left today."))
    if refusals:
        raise PlanRefusedError.of(refusals)


def _calls(questions: Sequence[_Question]) -> int:
    before = {(each.connection, each.object): each.calls_before for each in questions if each.keys}
    return sum(each.reads for each in questions) + sum(before.values())


def _too_dear(detail: str) -> Diagnostic:
    advice = 'Plan without "--refresh", plan fewer operations at a time, or wait for the next day.'
    return Diagnostic("P120", detail, advice=advice)


async def _ask(question: _Question, day: Today, concurrency: int) -> None:
    """Ask for all keys, some pages at once; answers are taken one after the other."""
    pages = _pages(question)
    lock = anyio.Lock()
    failed: list[SyncerError] = []

    async def ask_next() -> bool:
        async with lock:
            page = await anyio.to_thread.run_sync(next, pages, None)
        if page is None:
            return False
        held = await _read(question, page, day)
        async with lock:
            await anyio.to_thread.run_sync(question.drift.take, held.records, held.calls)
        return True

    async def work() -> None:
        try:
            while not failed and await ask_next():
                pass
        except SyncerError as error:
            # Raised below: a task group would wrap it, and its class says what the caller must do.
            failed.append(error)

    # What a session learns once, such as which fields there are, it learns by the first page.
    await ask_next()
    async with anyio.create_task_group() as tasks:
        for _ in range(min(concurrency, question.reads)):
            tasks.start_soon(work)
    if failed:
        raise failed[0]


async def _read(question: _Question, page: Sequence[tuple[str, ...]], day: Today) -> Held:
    """Ask for one page. Several records of a key may take more calls than were reckoned, so the day is looked at."""
    name = question.connection
    if day.left(name) == 0:
        detail = (
            f'To look the keys up takes more calls of connection "{name}" than it has keys for; none is left today.'
        )
        raise PlanRefusedError.of([_too_dear(detail)])
    try:
        return await day.sessions[name].read(question.object, question.key, page, question.drift.names)
    except QuotaSpentError as error:
        # Nothing was begun that could be resumed, as its own words would have it.
        detail = f'Connection "{name}" takes no more calls today: its quota was used up while keys were looked up.'
        raise PlanRefusedError.of([_too_dear(detail)]) from error


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
