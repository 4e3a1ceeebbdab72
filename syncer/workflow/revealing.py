"""Gathers the sample rows that `--reveal` shows, from rows just staged or from rows that are kept beside a plan file.

They leave this room bounded and without any secret, and go to what is printed: never into a plan file.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from syncer.engine.staged import reopen
from syncer.errors import UserError
from syncer.sample import OperationSample, SampleKind, SampleRow
from syncer.secret import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from syncer.engine.staged import StagedOperation
    from syncer.plan.models import Plan
    from syncer.workflow.load import Loaded

CHARACTERS = 200
"""Of one value; the rest is counted."""
_SECRET = re.compile(r"\bsecret\.(\w+)")
_TELLING = re.compile(r"SECRET|TOKEN|PASSW|CREDENTIAL|KEY", re.IGNORECASE)
_LEAST = 8
"""A shorter text hides nothing, and would blot out parts of every word."""


def samples(
    loaded: Loaded, staged: Mapping[str, StagedOperation], compared: Mapping[str, tuple[SampleRow, ...]]
) -> tuple[OperationSample, ...]:
    """Return rows of every operation; those in `compared` take the place of rows that were not looked up."""
    found = []
    for name, each in staged.items():
        pipeline = loaded.pipelines.get(name)
        source = loaded.sources.get(pipeline.source) if pipeline else None
        # A file is read once more for the cells of refused rows. A database is not asked twice: it may have moved.
        is_file = pipeline is not None and loaded.manifest.sources[pipeline.source].file is not None
        columns = [column for column, _ in pipeline.columns] if pipeline else []
        rows = each.sample(source if is_file else None, columns)
        if name in compared:
            rows = (*compared[name], *(row for row in rows if row.kind is SampleKind.REJECTED))
        found.append(OperationSample(name, rows))
    return _shown(found, _secrets(_SECRET.findall(loaded.manifest.model_dump_json())))


def beside(plan: Plan, plan_file: Path) -> tuple[OperationSample, ...]:
    """Return rows kept with a plan file, in a run's folder or sealed; raises `UserError` where there are none."""
    with _kept(plan, plan_file) as staged:
        if not staged:
            detail = f'No rows are kept beside "{plan_file}": a plan file holds counts and digests alone.'
            advice = "Make the plan again to see rows of it; only rows of pinned sources travel with a plan."
            raise UserError("P130", detail, advice, "syncer plan --reveal")
        found = [OperationSample(name, each.sample()) for name, each in staged.items()]
    return _shown(found, _secrets())


@contextmanager
def _kept(plan: Plan, plan_file: Path) -> Iterator[Mapping[str, StagedOperation]]:
    """Yield the staged rows that belong to a plan file, proved to be those of the plan."""
    from syncer.workflow import pinning

    with ExitStack() as stack:
        here = [each.name for each in plan.operations if (plan_file.parent / "staged" / each.name).is_dir()]
        if here:
            staged = {}
            for name in here:
                staged[name] = reopen(plan_file.parent / "staged" / name)
                stack.callback(staged[name].close)
            pinning.prove(plan, staged)
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="syncer-show-"))
            staged = pinning.take(plan, plan_file, Path(folder), memory_limit="1GB")
            for each in staged.values():
                stack.callback(each.close)
        yield staged


def _secrets(named: Iterable[str] = ()) -> list[str]:
    """Return the texts that no print may hold: the environment's secrets, by the manifests' word or by their names."""
    wanted = set(named)
    return [value for name, value in os.environ.items() if name in wanted or _TELLING.search(name)]


def _shown(found: Iterable[OperationSample], secrets: Iterable[str]) -> tuple[OperationSample, ...]:
    """Return the samples that have rows, each value without secrets and of at most so many characters."""
    hidden = sorted((each for each in set(secrets) if len(each) >= _LEAST), key=len, reverse=True)

    def shown(text: str | None) -> str | None:
        if text is None:
            return None
        for each in hidden:
            text = text.replace(each, HIDDEN)
        return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]}\u2026 ({len(text):,} characters)"

    def row(each: SampleRow) -> SampleRow:
        cells = tuple(replace(cell, value=shown(cell.value), held=shown(cell.held)) for cell in each.cells)
        return replace(each, cells=cells)

    return tuple(replace(each, rows=tuple(map(row, each.rows))) for each in found if each.rows)
