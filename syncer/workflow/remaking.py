"""A reviewed plan, made again for apply: what stands still must be the same, what moves must stay within bounds.

Says what was compared and what was found. Decides nothing that a reviewer has not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from syncer import __version__
from syncer.errors import PlanRefusedError, StalePlanError
from syncer.plan import digest
from syncer.plan.envelope import Moved, moved
from syncer.state.lease import spent
from syncer.workflow import pinning, planning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from syncer.plan.models import Plan
    from syncer.state.registry import OpenStore
    from syncer.workflow.load import Loaded
    from syncer.workflow.planning import Planned, Progress, Settings

_AGAIN = "Make the plan again and have it reviewed."


def make_again(
    loaded: Loaded, reviewed: Plan, file: Path, settings: Settings, folder: Path, progress: Progress
) -> tuple[Planned, tuple[str, ...]]:
    """Stage the reviewed plan's rows again, or take out those that it kept; return it with what was compared.

    Raises `StalePlanError` with everything that differs where it must not.
    """
    _check_origin(loaded, reviewed)
    anyio.run(_check_unspent, reviewed, settings.store(loaded.root))
    kept = pinning.take(reviewed, file, folder / "staged", memory_limit=settings.memory_limit)
    try:
        planned = planning.make_plan(loaded, settings, folder, progress, reviewed=reviewed, kept=kept)
    except PlanRefusedError as refused:
        if not any(each.moves == "within" for each in reviewed.operations):
            raise
        detail = f"With the rows as they are now, no plan stands by its paths and budget:\n{refused}"
        raise StalePlanError("P121", detail, _AGAIN) from refused
    try:
        compared = _held(reviewed, planned.plan)
    except StalePlanError:
        planned.close()
        raise
    said = (*(str(each) for each in compared), *_still(reviewed))
    if planned.plan.inputs == reviewed.inputs:
        _check_order(reviewed, planned)
        return planned.of(reviewed), said
    return planned, said


async def _check_unspent(reviewed: Plan, store: OpenStore) -> None:
    """Say first of a plan that was applied before that it was: what that run changed would look like a stale plan."""
    try:
        run = await store.spent_by(reviewed.digest)
    finally:
        store.close()
    if run is not None:
        raise spent(reviewed.digest, run)


def _check_origin(loaded: Loaded, reviewed: Plan) -> None:
    if reviewed.inputs.tool != __version__:
        detail = f"It was made by syncer {reviewed.inputs.tool}, and this is {__version__}."
        raise StalePlanError("P111", detail, "Make the plan again with this version, or apply it with the other.")
    strange = [each.name for each in reviewed.operations if each.name not in loaded.manifest.operations]
    if strange:
        names = ", ".join(f'"{name}"' for name in strange)
        detail = (
            f'It was made of project "{reviewed.project}", and the manifests of this one have no operation {names}.'
        )
        raise StalePlanError("P111", detail, "Name the manifests that it was made of with --project.")


def _held(reviewed: Plan, now: Plan) -> tuple[Moved, ...]:
    """Return each count that may move, as it moved; raises `StalePlanError` for what must not differ so."""
    digest.check_inputs(reviewed, now.inputs)
    today = {each.name: each for each in now.operations}
    compared = tuple(count for each in reviewed.operations for count in moved(each, today[each.name]))
    strayed = [str(each) for each in compared if not each.is_inside]
    if strayed:
        raise StalePlanError("P121", f"{'; '.join(strayed)}.", _AGAIN)
    return compared


def _check_order(reviewed: Plan, now: Planned) -> None:
    """Refuse where a step must wait today that need not wait in the plan: its calls or instance are not what they were.

    A plan whose day has become too small is spread, and one made offline may not know that two addresses are one.
    """
    known = {(each.before, each.after) for each in reviewed.edges}
    new = next((each for each in now.plan.edges if (each.before, each.after) not in known), None)
    if new is not None:
        now.close()
        detail = f'Since it was made, "{new.after}" has come to wait for "{new.before}": {new.reason}'
        raise StalePlanError("P111", detail, _AGAIN)


def _still(reviewed: Plan) -> Iterator[str]:
    """Say what was held exactly, in one line a kind."""
    exact = [each.name for each in reviewed.operations if each.moves == "exact"]
    if exact:
        yield f"{', '.join(exact)}: source and rows are just those that were reviewed"
    kept = pinning.pinned(reviewed)
    if kept:
        yield f"{', '.join(kept)}: the rows that were kept beside the plan, proved by their digest"
