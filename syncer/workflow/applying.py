"""From a plan to records: lease, journal, run; and the verbs about runs: resume, resolve, unlock, list."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

import anyio

from syncer import __version__
from syncer.capability import PathKind
from syncer.engine.staged import reopen
from syncer.errors import StateError, SyncerError, UserError
from syncer.execution import account
from syncer.execution.context import Context, Guard, PathRule, Stop
from syncer.execution.executor import run as execute
from syncer.execution.ruling import rule
from syncer.execution.running import fence
from syncer.execution.signals import listen
from syncer.manifest.gone import cleared_by
from syncer.plan import digest, guard
from syncer.state.lease import lost
from syncer.state.place import sync_tree, write_durably
from syncer.state.protocol import Committing, Finished, Held, Parked, Settled, Started
from syncer.targets import registry
from syncer.workflow.endpoints import declared_endpoint, instance_of, sessions
from syncer.workflow.spent import spent_today
from syncer.workflow.unfinished import refuse_before_others

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from syncer.engine.protocol import Staged
    from syncer.execution.events import Event
    from syncer.execution.report import RunResult
    from syncer.plan.models import Plan
    from syncer.state.protocol import Note
    from syncer.state.registry import OpenStore
    from syncer.workflow.load import Loaded
    from syncer.workflow.planning import Planned, Settings

    Listen = Callable[[Event], None]

_PLAN = "plan.json"
_KEPT = frozenset({_PLAN, "rejects.csv", "rejects.jsonl", account.JSON, account.MARKDOWN})
"""What stays of a finished run."""
_WINDOW_SECONDS = 20.0
"""The longest rate window of any vendor: Adobe, "Marketo Integration Best Practices", 100 calls in 20 seconds."""


@dataclass(frozen=True, slots=True)
class Applied:
    """How a run ended, and where its files are."""

    result: RunResult
    folder: Path
    project: Path


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run, for a list: how it stands, in a word and a sentence."""

    run: str
    plan: str
    status: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that can go on: its plan, and the folder with its staged rows."""

    run: str
    plan: Plan
    folder: Path


@dataclass(slots=True)
class NewRun:
    """A run that may come about: its id and its folder. The folder goes again unless the run begins."""

    run: str
    folder: Path
    has_begun: bool = False


@contextmanager
def new_run(loaded: Loaded, settings: Settings) -> Iterator[NewRun]:
    """Yield a run with a private folder of its own. The id is the moment in UTC and a random end."""
    moment = datetime.fromtimestamp(settings.clock.now(), UTC)
    run = f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    new = NewRun(run, _folder(settings, loaded.root, run))
    new.folder.mkdir(parents=True, mode=0o700)
    try:
        yield new
    finally:
        if not new.has_begun:
            shutil.rmtree(new.folder, ignore_errors=True)


def _folder(settings: Settings, root: Path, run: str) -> Path:
    return settings.folder(root) / "runs" / run


def apply_plan(planned: Planned, new: NewRun, settings: Settings, events: Listen) -> Applied:
    """Perform a plan whose rows are staged in the run's folder; everything that a resume needs stays there."""
    return anyio.run(perform, planned, new, settings, events)


async def perform(planned: Planned, new: NewRun, settings: Settings, events: Listen) -> Applied:
    """Do what `apply_plan` does, for a caller that has an event loop of its own."""
    # Resume needs the staged rows as much as the journal, so that they are on the disk before anything is sent.
    sync_tree(new.folder, settings.folder(planned.loaded.root).parent)
    write_durably(new.folder / _PLAN, digest.dump(planned.plan).encode())
    new.has_begun = True
    loaded, plan = planned.loaded, planned.plan
    try:
        return await _run(loaded, plan, new.run, new.folder, settings, events, lambda _opened: planned.staged)
    finally:
        for each in planned.staged.values():
            each.close()


def resume_run(loaded: Loaded, unfinished: Unfinished, settings: Settings, events: Listen) -> Applied:
    """Go on with a run from its own staged rows; the source is not read again, and today's guards count."""
    return anyio.run(go_on, loaded, unfinished, settings, events)


async def go_on(loaded: Loaded, unfinished: Unfinished, settings: Settings, events: Listen) -> Applied:
    """Do what `resume_run` does, for a caller that has an event loop of its own."""
    plan, folder = unfinished.plan, unfinished.folder

    def reopened(opened: ExitStack) -> Mapping[str, Staged]:
        staged = {}
        for each in plan.operations:
            staged[each.name] = reopen(folder / "staged" / each.name)
            opened.callback(staged[each.name].close)
        return staged

    return await _run(loaded, plan, unfinished.run, folder, settings, events, reopened)


async def _run(
    loaded: Loaded,
    plan: Plan,
    run: str,
    folder: Path,
    settings: Settings,
    events: Listen,
    rows: Callable[[ExitStack], Mapping[str, Staged]],
) -> Applied:
    """Perform the plan under its lease. `rows` is called once it is held: who ends a run clears its rows away."""
    store = settings.store(loaded.root)
    names = sorted({each.connection for each in plan.operations})
    stop, opened_rows = Stop(), ExitStack()
    try:
        lease = await store.acquire(_key_spaces(loaded, plan), _holder(), run)
        try:
            await refuse_before_others(store, loaded.manifest, plan, run)
            notes = await _notes(store, run)
            _refuse_finished(run, notes)
            recent = _recent_calls(notes, settings.clock.now())
            staged = rows(opened_rows)
            async with sessions(
                loaded,
                names,
                settings.clock,
                sandbox=settings.sandbox,
                fence=fence(lease, stop),
                recent_calls=recent,
                spent=await spent_today(store, settings.clock),
                transport=settings.transport,
            ) as opened:
                context = Context(
                    run=run,
                    tool=__version__,
                    store=store,
                    lease=lease,
                    clock=settings.clock,
                    folder=folder,
                    sessions=opened,
                    staged=staged,
                    paths=_paths(loaded, plan),
                    ledger_serials={each.name: int(each.digest) for each in plan.inputs.ledger},
                    guards=_guards(loaded, staged),
                    listener=events,
                    instances={name: instance_of(loaded, name) for name in names},
                    offload=settings.offload,
                    stop=stop,
                )
                result = await _stopped_by_signals(stop, partial(execute, plan, context))
        except Exception as error:
            # Whoever took the lease over may have merged the ledger, and cleared the folder that this run still reads.
            is_of_the_state = isinstance(error, StateError) or not isinstance(error, SyncerError)
            if is_of_the_state and lease.remaining_seconds() <= 0:
                raise lost(lease.epoch) from error
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await lease.release()
    finally:
        store.close()
        opened_rows.close()
    if result.is_finished:
        _forget_rows(folder)
    return Applied(result, folder, loaded.root)


def _refuse_finished(run: str, notes: Sequence[Note]) -> None:
    """Refuse a run that another process ended while this one was on its way to the lease: its rows are cleared."""
    if notes and isinstance(notes[-1], Finished):
        raise UserError("R905", f'Run "{run}" is finished.', "See all runs with:", "syncer runs")


def _forget_rows(folder: Path) -> None:
    """Delete staged rows and payload files: they hold personal data, and nothing needs them any more."""
    for place in folder.iterdir():
        if place.is_dir():
            shutil.rmtree(place)
        elif place.name not in _KEPT:
            place.unlink()


async def _stopped_by_signals(stop: Stop, work: Callable[[], Awaitable[RunResult]]) -> RunResult:
    """Return what `work` returns; SIGTERM or Ctrl-C ends it in good order, a second one at once."""
    done: list[RunResult] = []
    failed: list[SyncerError] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen, stop)
        try:
            done.append(await work())
        except SyncerError as error:
            # Raised below: a task group would wrap it, and its class says what the caller must do.
            failed.append(error)
        tasks.cancel_scope.cancel()
    if failed:
        raise failed[0]
    return done[0]


def _recent_calls(notes: Sequence[Note], now: float) -> int:
    """Return how many writes an earlier process of the run sent in the vendor's window, which outlives a process."""
    return sum(isinstance(note, Committing) and now - note.at < _WINDOW_SECONDS for note in notes)


def _key_spaces(loaded: Loaded, plan: Plan) -> tuple[str, ...]:
    """Return what the run must hold alone: whole objects of an instance, as two lookup fields may find one record."""
    return tuple(
        sorted({f"{instance_of(loaded, each.connection)} {each.object.casefold()}" for each in plan.operations})
    )


def _holder() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"


def _paths(loaded: Loaded, plan: Plan) -> dict[tuple[str, str], PathRule]:
    found = {}
    for operation in plan.operations:
        able = registry.capabilities(operation.object, declared_endpoint(loaded.manifest, operation.connection))
        for path in able.paths:
            rest = able.longest_request_seconds() if path.kind is PathKind.JOB else 0.0
            found[(operation.name, path.name)] = PathRule(
                path.format, path.server_timeout_seconds, path.repeat, path.activity, rest
            )
    return found


def _guards(loaded: Loaded, staged: Mapping[str, Staged]) -> dict[str, Guard]:
    """Return the guards of operations as counts of the rows that were read.

    What clears up keeps to the guards of the operation whose leavings it deletes, as they were counted by the plan.
    """
    found = {}
    for name in staged:
        guarded = cleared_by(name) or name
        if guarded not in loaded.manifest.operations or guarded not in staged:
            continue
        guards, read = loaded.manifest.operations[guarded].guards, staged[guarded].facts.read
        is_own = guarded == name
        found[name] = Guard(
            max_rejected=_most(guards.max_rejected, read),
            max_creates=_most(guards.max_creates, read) if is_own else None,
            max_changes=_most(guards.max_changes, read) if is_own else None,
            max_deletes=_most(guards.max_deletes, read),
        )
    return found


def _most(limit: int | str | None, read: int) -> int | None:
    return None if limit is None else guard.most(limit, read)


# The verbs about runs.


def list_runs(loaded: Loaded, settings: Settings) -> tuple[RunInfo, ...]:
    """Return every run of the project's state, oldest first."""
    return anyio.run(_list_runs, settings.store(loaded.root))


async def _list_runs(store: OpenStore) -> tuple[RunInfo, ...]:
    try:
        return tuple([_info(run, await _notes(store, run)) for run in await store.runs()])
    finally:
        store.close()


async def _notes(store: OpenStore, run: str) -> list[Note]:
    journal = await store.journal(run, None)
    return [note async for note in journal.notes()]


def _info(run: str, notes: Sequence[Note]) -> RunInfo:
    plan = next((note.plan for note in notes if isinstance(note, Started)), "")
    settled = sum(isinstance(note, Settled) for note in notes)
    for note in reversed(notes):
        if isinstance(note, Finished):
            return RunInfo(run, plan, "finished", f"exit {note.exit_code}, {_units(settled)} settled")
        if isinstance(note, Held):
            return RunInfo(run, plan, "in doubt", f"{note.unit} waits for `syncer resolve {run} --as sent|unsent`")
        if isinstance(note, Parked):
            return RunInfo(run, plan, "parked", f"{note.reason} Go on with `syncer resume {run}`")
    return RunInfo(run, plan, "cut", f"{_units(settled)} settled. Go on with `syncer resume {run}`")


def _units(number: int) -> str:
    return f"{number:,} unit{'' if number == 1 else 's'}"


def find_run(loaded: Loaded, settings: Settings, run: str | None) -> Unfinished:
    """Return the named run, or the only unfinished one; raises `UserError` where that is not clear."""
    known = list_runs(loaded, settings)
    run = run or _only_unfinished(known)
    folder = _folder(settings, loaded.root, run)
    if run not in {each.run for each in known}:
        raise UserError("R905", f'There is no run "{run}" here.', "See all runs with:", "syncer runs")
    if not (folder / _PLAN).is_file():
        raise UserError(
            "R225",
            f'Plan and rows of run "{run}" are not in "{folder}"; they are where the run began.',
            "Resume there, or restore that machine's work folder here and name it with --work.",
        )
    return Unfinished(run, digest.load((folder / _PLAN).read_text(encoding="utf-8")), folder)


def _only_unfinished(known: Sequence[RunInfo]) -> str:
    unfinished = [each.run for each in known if each.status != "finished"]
    if len(unfinished) == 1:
        return unfinished[0]
    what = f"{len(unfinished)} runs are unfinished." if unfinished else "There is no unfinished run."
    raise UserError("R905", what, "Name one of them:" if unfinished else "See all runs with:", "syncer runs")


def unlock(loaded: Loaded, settings: Settings, epoch: int) -> None:
    """Break a lease on a person's word; raises `StateError` when no such lease is held."""

    async def work(store: OpenStore) -> None:
        try:
            await store.unlock(epoch, _holder())
        finally:
            store.close()

    anyio.run(work, settings.store(loaded.root))


def resolve(
    loaded: Loaded, settings: Settings, run: str | None, verdict: Literal["sent", "unsent"], unit: str | None
) -> tuple[str, tuple[str, ...]]:
    """Note a person's word on held units of a run, or of the only unfinished one; return the run and the units.

    Raises `UserError` when none is held.
    """
    run = run or _only_unfinished(list_runs(loaded, settings))
    return run, anyio.run(_resolve, settings.store(loaded.root), run, verdict, unit)


async def _resolve(store: OpenStore, run: str, verdict: Literal["sent", "unsent"], unit: str | None) -> tuple[str, ...]:
    try:
        if run not in await store.runs():
            raise UserError("R905", f'There is no run "{run}" here.', "See all runs with:", "syncer runs")
        lease = await store.acquire((), _holder(), run)
        try:
            return await rule(store, lease, run, verdict, _holder(), unit)
        finally:
            await lease.release()
    finally:
        store.close()
