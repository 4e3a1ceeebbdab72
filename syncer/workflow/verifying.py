"""Gathers what a run left behind and lets `syncer.verify` judge it. Reads only; sends nothing, takes no lease."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from syncer.capability import Repeat
from syncer.engine.protocol import Cut
from syncer.engine.staged import reopen
from syncer.errors import StateError, UserError
from syncer.facts import Action
from syncer.mark import field_of, mark_of, marked
from syncer.plan import digest
from syncer.targets import registry
from syncer.verify.evidence import Evidence, Rows
from syncer.verify.rules import judge
from syncer.workflow.endpoints import declared_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from syncer.capability import PathCapability
    from syncer.plan.models import Plan
    from syncer.state.protocol import Note
    from syncer.state.registry import OpenStore
    from syncer.verify.rules import Finding
    from syncer.workflow.load import Loaded
    from syncer.workflow.planning import Settings


def verify(loaded: Loaded, settings: Settings, run: str | None) -> tuple[str, tuple[Finding, ...]]:
    """Return the run, the newest unless named, and how each promise stands; raises `UserError` where there is none."""
    store = settings.store(loaded.root)
    try:
        return anyio.run(partial(_verify, loaded, settings, store, run))
    finally:
        store.close()


async def _verify(
    loaded: Loaded, settings: Settings, store: OpenStore, run: str | None
) -> tuple[str, tuple[Finding, ...]]:
    known = await store.runs()
    if not known or (run is not None and run not in known):
        what = f'There is no run "{run}" here.' if run else "There is no run yet."
        raise UserError("R905", what, "See all runs with:", "syncer runs")
    run = run or known[-1]
    notes: list[Note] = []
    unbelievable = ""
    try:
        async for note in (await store.journal(run, None)).notes():
            notes.append(note)  # noqa: PERF401 - those before a broken one are judged as well
    except StateError as error:
        unbelievable = error.detail
    folder = settings.folder(loaded.root) / "runs" / run
    plan = _plan(folder / "plan.json")
    ledger = store.ledger()
    evidence = Evidence(
        run=run,
        notes=notes,
        unbelievable=unbelievable,
        plan=plan,
        rejects=_lines(folder / "rejects.jsonl"),
        report=_json(folder / "report.json"),
        serials={each.name: await ledger.serial(each.name) for each in plan.operations} if plan else None,
        once=frozenset(_once(loaded, plan)) if plan else frozenset(),
        rows=_rows(loaded, plan, run, folder / "staged") if plan else None,
    )
    return run, judge(evidence)


def _plan(path: Path) -> Plan | None:
    return digest.load(path.read_text(encoding="utf-8")) if path.is_file() else None


def _json(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _lines(path: Path) -> list[Mapping[str, Any]] | None:
    if not path.is_file():
        return None
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _paths(loaded: Loaded, plan: Plan) -> dict[str, PathCapability]:
    """Return what each step's path can carry; a connection that is no longer declared says nothing."""
    found: dict[str, PathCapability] = {}
    operations = {each.name: each for each in plan.operations}
    for node in plan.nodes:
        operation = operations[node.operation]
        if operation.connection in loaded.manifest.connections:
            able = registry.capabilities(operation.object, declared_endpoint(loaded.manifest, operation.connection))
            found.update((node.id, each) for each in able.paths if each.name == node.path)
    return found


def _once(loaded: Loaded, plan: Plan) -> set[str]:
    """Return the steps whose records are never sent twice without a person's word: no read shows whether they came."""
    operations = {each.name: each for each in plan.operations if not field_of(each.options)}
    paths = _paths(loaded, plan)
    return {
        node.id
        for node in plan.nodes
        if node.operation in operations
        and (
            operations[node.operation].action is Action.DUPLICATE
            or (node.id in paths and paths[node.id].repeat is Repeat.NEVER)
        )
    }


def _rows(loaded: Loaded, plan: Plan, run: str, staged: Path) -> dict[str, Rows] | None:
    """Cut every step's rows once more, in a folder of its own that goes again; None where rows or paths are gone."""
    paths = _paths(loaded, plan)
    if not staged.is_dir() or set(paths) != {each.id for each in plan.nodes}:
        return None
    options = {each.name: each.options for each in plan.operations}
    found: dict[str, Rows] = {}
    with tempfile.TemporaryDirectory(dir=staged.parent, prefix="verify-") as folder:
        for number, node in enumerate(plan.nodes):
            operation = reopen(staged / node.operation)
            try:
                form = marked(paths[node.id].format, options[node.operation], mark_of(run, number))
                cut = Cut(node.wave, node.shapes, form)
                for payload in operation.payloads(cut, staged.parent / folder):
                    rows = Rows(payload.lanes, payload.rows, payload.sha256)
                    found[f"{node.id}/{payload.index:04d}"] = rows
            finally:
                operation.close()
    return found
