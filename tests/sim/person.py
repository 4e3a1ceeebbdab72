"""The person who decides what nobody else can: looks into the target, and says of each held unit what it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from syncer.errors import SyncerError
from syncer.execution.ruling import rule
from tests.sim.staged import SimStaged

if TYPE_CHECKING:
    from syncer.sandbox.app import Sandbox
    from tests.sim.scene import Scene

_ENDED = {"Complete", "JobComplete"}


async def rule_all(store: Any, run: str, scene: Scene, sandbox: Sandbox, ruled: dict[str, str]) -> bool:
    """Say `sent` or `unsent` of every held unit of which the target's log tells; return whether anything was said."""
    journal = await store.journal(run, None)
    notes = [note async for note in journal.notes()]
    held = {}
    for note in notes:
        if note.kind == "held":
            held[note.unit] = note
        elif note.kind == "ruled":
            held.pop(note.unit, None)
    has_said = False
    for unit in held:
        verdict = _look(unit, notes, scene, sandbox)
        if verdict is None or unit in ruled:
            continue
        lease = await store.acquire((), "a person", run)
        try:
            await rule(store, lease, run, verdict, "a person", only=unit)
        except SyncerError:
            continue
        finally:
            await lease.release()
        ruled[unit] = verdict
        has_said = True
    return has_said


def _look(unit: str, notes: list[Any], scene: Scene, sandbox: Sandbox) -> Literal["sent", "unsent"] | None:
    """Return what the log shows of the request with the unit's bytes: applied whole, never, or neither."""
    sha256 = next((note.sha256 for note in notes if note.kind == "intended" and note.unit == unit), "")
    begins = [note.at for note in notes if note.kind == "committing" and note.unit == unit]
    op = next(each for each in scene.ops if unit.startswith(f"{each.name}/"))
    if not begins or not sha256 or "[" in unit or any(row.is_spoilt or row.whom in scene.twins for row in op.rows):
        return None
    if op.way.is_job:
        return _look_at_jobs(unit, op, sandbox)
    return _look_at_calls(unit, op, sandbox)


def _rows(unit: str, op: Any) -> list[Any]:
    _, wave, _, index = unit.split("/")
    rows = SimStaged(op).waves[int(wave)]
    return rows[int(index) * op.size : (int(index) + 1) * op.size]


def _look_at_calls(unit: str, op: Any, sandbox: Sandbox) -> Literal["sent", "unsent"] | None:
    rows = _rows(unit, op)
    values = {row.value for row in rows}
    there = _values_written(sandbox) & values
    if there == values:
        return "sent"
    return "unsent" if not there else None


def _look_at_jobs(unit: str, op: Any, sandbox: Sandbox) -> Literal["sent", "unsent"] | None:
    if any(span.finished_at is None for span in sandbox.traffic.jobs):
        return None
    return _look_at_calls(unit, op, sandbox)


def _values_written(sandbox: Sandbox) -> set[str]:
    """Return every value that stands in the target now; values are unlike from row to row."""
    marketo: Any = sandbox.worlds["marketo"]
    org: Any = sandbox.worlds["salesforce"]
    return {
        *(lead.values.get("firstName", "") for lead in marketo.leads.rows.values()),
        *(each.values.get("status", "") for each in marketo.objects["order_c"].records.values()),
        *(each.get("FirstName", "") for each in org.org.store.table("Contact").rows.values()),
    }
