"""From a loaded project to a plan: stage every operation, read usage and ledger, build, write down, read again."""

from __future__ import annotations

import itertools
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from syncer import __version__
from syncer.clock import Clock, SystemClock
from syncer.engine.stage import stage
from syncer.errors import SourceError, StalePlanError, UserError
from syncer.facts import ReadFacts, SharedKeys
from syncer.manifest.gone import cleared_by
from syncer.mark import STAND_IN, marked
from syncer.plan import build, digest
from syncer.plan.models import Digest, Inputs, Plan
from syncer.plan.words import printable
from syncer.state import registry
from syncer.state.protocol import in_thread
from syncer.workflow import clearing, increments, load, refreshing, revealing
from syncer.workflow.endpoints import instance_of
from syncer.workflow.today import today

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from syncer.capability import Capabilities
    from syncer.engine.cursor import Since
    from syncer.engine.staged import StagedOperation
    from syncer.facts import OperationFacts
    from syncer.sample import OperationSample, SampleRow
    from syncer.state.protocol import Ledger, Offload
    from syncer.state.registry import OpenStore
    from syncer.workflow.load import Loaded
    from syncer.workflow.today import Today

    Progress = Callable[[str, str], None]


BLANK_KEY = "V210"
_FEWEST_DIGITS = 12
"""Of a digest that is approved: fewer could be hit by trying."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command line says beside the manifests."""

    work: Path | None = None
    state: str | None = None
    offline: bool = False
    refresh: bool = False
    """Look the keys up in the targets before planning."""
    reveal: bool = False
    """Take sample rows out, which are personal data."""
    full: bool = False
    """Read sources with a cursor from the start."""
    sandbox: bool = False
    memory_limit: str = "1GB"
    clock: Clock = field(default_factory=SystemClock)
    transport: httpx.AsyncBaseTransport | None = None
    """What carries calls in place of the network: a sandbox in this process."""
    offload: Offload = in_thread
    """Where the work of disk and engine is done; in the event loop itself under a driven clock."""

    def folder(self, root: Path) -> Path:
        """Return the folder of state and runs; made, and private, where it is missing."""
        folder = self.work or root / ".syncer"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            detail = f'"{folder}" cannot be a folder for state and runs: {error.strerror}.'
            raise UserError("R907", detail, "Give a folder that you may write to with --work.") from error
        return folder

    def store(self, root: Path) -> OpenStore:
        """Return the state store of a project; raises `StateError` for a place that is none."""
        return registry.open_store(self.state or self.folder(root) / "state", self.clock, offload=self.offload)


@dataclass(frozen=True, slots=True, repr=False)
class Planned:
    """A plan with the staged rows that it was made of. `folder` holds them; whoever asked for the plan owns it.

    Nobody reads its text, and the event loop would write all of it out: putting a signal's handler back makes one of
    the task that ended with it.
    """

    plan: Plan
    loaded: Loaded
    staged: Mapping[str, StagedOperation]
    capabilities: Mapping[tuple[str, str], Capabilities]
    serials: Mapping[str, int]
    folder: Path
    samples: tuple[OperationSample, ...] = ()
    """Rows to be shown, where that was asked."""

    def of(self, plan: Plan) -> Planned:
        """Return the same rows under another plan."""
        return replace(self, plan=plan)

    def close(self) -> None:
        """Release the engine's handles; the files stay."""
        for each in self.staged.values():
            each.close()


@contextmanager
def workspace(loaded: Loaded, settings: Settings) -> Iterator[Path]:
    """Yield a private folder for staged rows, which hold personal data; it is gone afterwards."""
    place = settings.folder(loaded.root) / "tmp"
    place.mkdir(exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=place, prefix="plan-") as folder:
        yield Path(folder)


def make_plan(
    loaded: Loaded,
    settings: Settings,
    folder: Path,
    progress: Progress,
    *,
    reviewed: Plan | None = None,
    kept: Mapping[str, StagedOperation] | None = None,
) -> Planned:
    """Stage the chosen operations into `folder` and return the plan; raises `PlanRefusedError`, `SourceError`.

    With a `reviewed` plan its paths are taken; operations in `kept` are staged already.
    """
    return anyio.run(draw_up, loaded, settings, folder, progress, reviewed, kept or {})


async def draw_up(
    loaded: Loaded,
    settings: Settings,
    folder: Path,
    progress: Progress,
    reviewed: Plan | None,
    kept: Mapping[str, StagedOperation],
) -> Planned:
    """Do what `make_plan` does, for a caller that has an event loop of its own."""
    names = [*loaded.pipelines, *(name for name in kept if name not in loaded.pipelines)]
    store = settings.store(loaded.root)
    connections = sorted({_at(loaded, name)[0] for name in names})
    async with today(loaded, connections, store, settings, progress, is_first=reviewed is None) as day:
        return await _drawn_up(loaded, settings, folder, progress, reviewed, kept, store.ledger(), day)


async def _drawn_up(
    loaded: Loaded,
    settings: Settings,
    folder: Path,
    progress: Progress,
    reviewed: Plan | None,
    kept: Mapping[str, StagedOperation],
    ledger: Ledger,
    day: Today,
) -> Planned:
    manifest = loaded.manifest
    capabilities = load.capabilities(manifest)
    names = [*loaded.pipelines, *(name for name in kept if name not in loaded.pipelines)]
    staged: dict[str, StagedOperation] = {}
    serials: dict[str, int] = {}
    known: dict[str, Path | None] = {}
    for name in names:
        if cleared_by(name):
            continue
        serials[name] = await ledger.serial(name)
        if name in kept:
            staged[name] = kept[name]
            continue
        progress(name, "reading rows")
        known[name] = await _known(ledger, name, folder)
        able = capabilities[_at(loaded, name)]
        staged[name] = await anyio.to_thread.run_sync(
            _stage,
            loaded,
            name,
            known[name],
            able,
            settings,
            folder / "staged" / name,
            await increments.since(loaded, name, ledger, reviewed, is_full=settings.full),
        )
    for name in filter(cleared_by, names):
        if name in kept:
            staged[name] = kept[name]
            continue
        progress(name, "telling what left")
        for other in clearing.neighbours(loaded, cleared_by(name)).same:
            known[other] = known[other] if other in known else await _known(ledger, other, folder)
        able = capabilities[_at(loaded, name)]
        staged[name] = await anyio.to_thread.run_sync(
            partial(
                clearing.stage_gone,
                loaded,
                name,
                staged,
                known,
                able,
                folder / "staged" / name,
                memory_limit=settings.memory_limit,
                keeps_unchanged=settings.refresh,
            )
        )
    facts = {name: each.facts for name, each in staged.items()}
    _check_keys(loaded, facts)
    if reviewed is not None:
        facts = {name: _looked_before(reviewed, each) for name, each in facts.items()}
    compared: Mapping[str, tuple[SampleRow, ...]] = {}
    if settings.refresh:
        refreshed = await refreshing.refresh(loaded, staged, capabilities, day, settings, progress)
        facts, compared = refreshed.facts, refreshed.samples
    progress("plan", "comparing keys")
    plan = build.build_plan(
        loaded.root.resolve().name,
        manifest,
        facts,
        capabilities,
        day.usage(),
        _inputs(loaded, facts, serials),
        _shared(loaded, staged),
        loaded.schemas,
        reviewed,
        {name: instance_of(loaded, name) for name in manifest.connections},
    )
    samples: tuple[OperationSample, ...] = ()
    if settings.reveal:
        samples = await anyio.to_thread.run_sync(revealing.samples, loaded, staged, compared)
    return Planned(plan, loaded, staged, capabilities, serials, folder, samples)


def _check_keys(loaded: Loaded, facts: Mapping[str, OperationFacts]) -> None:
    """Refuse an operation in which no row has a key; raises `SourceError`. A few such rows are rejects."""
    for name, each in facts.items():
        if each.read and each.read == sum(reject.records for reject in each.rejects if reject.code == BLANK_KEY):
            target = loaded.manifest.targets[loaded.manifest.operations[name].target]
            detail = f'All {each.read:,} rows of source "{each.source}" have a blank key for operation "{name}".'
            advice = f'Check the mapping of "{", ".join(target.key_fields)}" and the column that it reads.'
            raise SourceError("S116", detail, advice)


def _at(loaded: Loaded, operation: str) -> tuple[str, str]:
    target = loaded.manifest.targets[loaded.manifest.operations[operation].target]
    return target.connection, target.object


def _looked_before(reviewed: Plan, facts: OperationFacts) -> OperationFacts:
    """Return the facts with what a look found when the plan was made, where its rows are still the same."""
    rows = {each.name: each.digest for each in reviewed.inputs.rows}
    looked = next((each.looked for each in reviewed.operations if each.name == facts.operation), None)
    if looked is None or rows.get(facts.operation) != facts.rows_digest:
        return facts
    fields = tuple((each.field, each.records) for each in looked.fields)
    drifted = tuple((each.field, each.records) for each in looked.drifted_fields)
    return replace(facts, looked=ReadFacts(**{**looked.model_dump(), "fields": fields, "drifted_fields": drifted}))


async def _known(ledger: Ledger, name: str, folder: Path) -> Path | None:
    place = folder / "ledger"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return await ledger.fetch(name, place)


def _stage(
    loaded: Loaded,
    name: str,
    known: Path | None,
    able: Capabilities,
    settings: Settings,
    folder: Path,
    since: Since | None,
) -> StagedOperation:
    operation = loaded.manifest.operations[name]
    return stage(
        loaded.pipelines[name],
        increments.narrowed(loaded.sources[operation.source], since),
        known,
        {path.name: marked(path.format, operation.options.items(), STAND_IN) for path in able.paths},
        folder,
        lookups={each.source: loaded.sources[each.source] for each in loaded.pipelines[name].lookups},
        memory_limit=settings.memory_limit,
        keeps_unchanged=settings.refresh,
        naming=clearing.naming(loaded.manifest, name, able),
        keeps_gone=clearing.keeps_gone(loaded, name),
        since=since,
    )


def _shared(loaded: Loaded, staged: Mapping[str, StagedOperation]) -> list[SharedKeys]:
    """Count the keys that operations of one key space have in common, pair by pair."""
    spaces: dict[tuple[object, ...], list[str]] = {}
    for name in staged:
        target = loaded.manifest.targets[loaded.manifest.operations[name].target]
        space = (instance_of(loaded, target.connection), target.object, target.key_fields)
        spaces.setdefault(space, []).append(name)
    return [
        SharedKeys(first, second, staged[first].shared_keys(staged[second]))
        for names in spaces.values()
        for first, second in itertools.combinations(sorted(names), 2)
    ]


def _inputs(loaded: Loaded, facts: Mapping[str, OperationFacts], serials: Mapping[str, int]) -> Inputs:
    return Inputs(
        tool=__version__,
        manifest=loaded.project.digest,
        describe=tuple(
            Digest(name=f"{schema.system}/{schema.name}", digest=schema.digest)
            for schema in {id(each): each for each in loaded.schemas.values()}.values()
        ),
        sources=tuple(
            {each.source: Digest(name=each.source, digest=each.source_digest) for each in facts.values()}.values()
        ),
        rows=tuple(Digest(name=name, digest=each.rows_digest) for name, each in facts.items()),
        ledger=tuple(Digest(name=name, digest=str(serial)) for name, serial in serials.items()),
    )


def check_writable(path: Path) -> None:
    """Refuse a place for a plan file before any work is done for it; raises `UserError`."""
    why = "it is a folder" if path.is_dir() else "" if path.parent.is_dir() else "there is no such folder"
    if why:
        raise _unwritable(path, why)


def _unwritable(path: Path, why: str) -> UserError:
    detail = f'The plan cannot be written to "{path}": {why}.'
    return UserError("R904", detail, "Choose a place that exists and that you may write to.")


def write_plan(plan: Plan, path: Path) -> None:
    """Write the plan file; raises `UserError` when the place cannot be written."""
    try:
        path.write_text(digest.dump(plan), encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error.strerror or "it failed") from error


def read_plan(path: Path) -> Plan:
    """Read a plan file; raises `UserError` for what is no plan and `StalePlanError` for one that was edited."""
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(
            "R904", f'The plan "{path}" cannot be read: {why}.', "Give the file that `syncer plan --out` wrote."
        ) from error
    return digest.load(text)


def check_approved(plan: Plan, approved: str | None) -> None:
    """Refuse a plan that is not the approved one; a prefix of at least 12 digits will do."""
    if approved is None:
        return
    wanted = approved.strip().lower().removeprefix("sha256:")
    if len(wanted) < _FEWEST_DIGITS:
        given = f"only {wanted} was" if wanted else "nothing was"
        detail = f"The plan's digest is {plan.digest}, and {given} approved; it takes {_FEWEST_DIGITS} digits at least."
        raise StalePlanError("P112", printable(detail), "Give the digest as the review shows it, or more of it.")
    if not compare_digest(plan.digest[: len(wanted)].encode(), wanted.encode(errors="replace")):
        detail = f"The plan's digest is {plan.digest}, and {wanted[:64]} was approved."
        raise StalePlanError("P112", printable(detail), "Have this plan reviewed, or apply the one that was.")
