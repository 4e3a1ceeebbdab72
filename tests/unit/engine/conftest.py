"""Stages CSV text in a folder of its own and reads payloads back as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from syncer.capability import PayloadFormat
from syncer.engine.protocol import Cut
from syncer.engine.stage import stage
from syncer.engine.staged import StagedOperation
from syncer.manifest.models import Column
from syncer.mapping.pipeline import Pipeline
from syncer.sources.csv import CsvForm, CsvSource
from tests.fakes.pipelines import FILE, SYNC, Stage


@pytest.fixture(name="staged")
def _staged(tmp_path: Path) -> Iterator[Stage]:
    opened: list[StagedOperation] = []

    def run(
        made: Pipeline,
        rows: str | bytes,
        formats: Mapping[str, PayloadFormat] | None = None,
        *,
        ledger: Path | None = None,
        threads: int | None = 1,
        null_values: tuple[str, ...] = ("",),
    ) -> StagedOperation:
        folder = tmp_path / f"stage{len(opened)}"
        folder.mkdir()
        path = folder / "contacts.csv"
        path.write_bytes(rows if isinstance(rows, bytes) else rows.encode())
        declared = {name: Column(type=kind) for name, kind in made.columns}
        source = CsvSource("contacts", (path,), CsvForm(",", null_values=null_values), declared)
        result = stage(
            made, source, ledger, formats or {"sync": SYNC, "bulk": FILE}, folder / "staged", threads=threads
        )
        opened.append(result)
        return result

    yield run
    for each in opened:
        each.close()


@pytest.fixture(name="bodies")
def _bodies(tmp_path: Path) -> Callable[..., list[str]]:
    def texts(
        staged: StagedOperation,
        form: PayloadFormat = SYNC,
        wave: int = 1,
        shapes: tuple[int, ...] | None = None,
        start: int = 0,
    ) -> list[str]:
        found = staged.payloads(Cut(wave, shapes, form), tmp_path / "out", start)
        return [(each.body if isinstance(each.body, bytes) else each.body.read_bytes()).decode() for each in found]

    return texts
