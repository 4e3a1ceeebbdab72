"""Runs of the real executor against a made-up target, and everything that they leave as evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from syncer.engine.protocol import Cut
from syncer.verify.evidence import Evidence, Rows
from tests.fakes.clock import backend
from tests.fakes.world import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.world import World


@pytest.fixture
def anyio_backend() -> tuple[str, Mapping[str, Any]]:
    """Hours pass in milliseconds."""
    return backend("trio")


async def evidence(it: World, *, with_rows: bool = True) -> Evidence:
    """Return what the run left behind, its rows as they were staged."""
    paths = {op.name: op.path for op in it.ops}
    folder = it.folder / "again"
    folder.mkdir(exist_ok=True)
    rows = {
        f"{node.id}/{payload.index:04d}": Rows(payload.lanes, payload.rows, payload.sha256)
        for node in it.plan.nodes
        for payload in it.staged[node.operation].payloads(Cut(node.wave, None, RULES[paths[node.operation]][0]), folder)
    }
    report = it.folder / "report.json"
    rejects = it.folder / "rejects.jsonl"
    return Evidence(
        run=it.run_id,
        notes=await it.notes(),
        plan=it.plan,
        rejects=[json.loads(line) for line in rejects.read_text().splitlines()] if rejects.exists() else None,
        report=json.loads(report.read_text()) if report.exists() else None,
        serials={name: await it.store.ledger().serial(name) for name in it.staged},
        once=frozenset(each.id for each in it.plan.nodes if each.path == "push"),
        rows=rows if with_rows else None,
    )
