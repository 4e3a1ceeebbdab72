"""Where an incremental read begins: the stored cursor, as long as it is true of what is read and made of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.engine.cursor import Since

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.mapping.pipeline import Pipeline
    from syncer.plan.models import Plan
    from syncer.sources.protocol import Source
    from syncer.state.protocol import Ledger
    from syncer.workflow.load import Loaded


async def since(loaded: Loaded, name: str, ledger: Ledger, reviewed: Plan | None, *, is_full: bool) -> Since | None:
    """Return where the source of an operation is read from; None where it is read whole.

    A reviewed plan says it. Else it is where the last read was confirmed to, unless the source, the mapping or the
    target was declared otherwise then: what was read before has to be seen again.
    """
    declared = loaded.manifest.sources[loaded.pipelines[name].source]
    if declared.cursor is None:
        return None
    columns = loaded.sources[loaded.pipelines[name].source].columns()
    column = next(each for each in columns if each.name == declared.cursor)
    stamp = _stamp(loaded, name)
    value = ""
    if reviewed is not None:
        known = next((each.cursor for each in reviewed.operations if each.name == name), None)
        value = known.since if known else ""
    elif not is_full:
        stored, _, value = (await ledger.cursor(name)).partition(" ")
        value = value if stored == stamp else ""
    return Since(column.name, column.type, value, stamp)


def _stamp(loaded: Loaded, name: str) -> str:
    """Return the digest of what a cursor is true of."""
    pipeline = loaded.pipelines[name]
    names = [pipeline.source, *(each.source for each in pipeline.lookups)]
    parts = [loaded.manifest.sources[each].model_dump_json() for each in names]
    return hashlib.sha256("\n".join([*parts, *_said(pipeline)]).encode()).hexdigest()[:32]


def _said(pipeline: Pipeline) -> Iterator[str]:
    """Yield what the pipeline makes of a row."""
    yield f"{pipeline.action} {pipeline.key_space} {pipeline.duplicates}"
    for each in pipeline.fields:
        yield f"{each.name} {each.when_null} {each.value.sql('duckdb')} {each.conform.sql('duckdb')}"
    for lookup in pipeline.lookups:
        yield f"{lookup.alias} {lookup.match} {lookup.take} {lookup.value.sql('duckdb')}"


def narrowed(source: Source, since: Since | None) -> Source:
    """Return the source so that a database leaves out what came before; other sources are filtered as they are read."""
    if since is None or not since.value:
        return source
    from syncer.sources.database import DatabaseSource

    if not isinstance(source, DatabaseSource):
        return source
    return replace(source, cursor=since.column, since=since.value)
