"""Stages one operation: source rows go through the compiled pipeline once, out of core, onto disk, and are measured.

Hands on a `StagedOperation`. Decides nothing about paths, sends nothing, and never walks rows in Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.capability import PayloadFormat
from syncer.engine import chain, cursor, digest, duplicates, gone, layout, ledger, shape
from syncer.engine.apart import Apart
from syncer.engine.connection import connect, count, private
from syncer.engine.ledger import Naming
from syncer.engine.scan import Scan
from syncer.engine.staged import Form, StagedOperation
from syncer.errors import BugError
from syncer.facts import GoneFacts, OperationFacts
from syncer.manifest.models import Duplicates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb

    from syncer.engine.cursor import Since
    from syncer.mapping.pipeline import Pipeline
    from syncer.sources.protocol import Source


def stage(  # noqa: PLR0913 - what a stage depends on is said, not hidden in a bag
    pipeline: Pipeline,
    source: Source,
    ledger_parquet: Path | None,
    formats: Mapping[str, PayloadFormat],
    folder: Path,
    *,
    lookups: Mapping[str, Source] | None = None,
    memory_limit: str = "1GB",
    threads: int | None = None,
    keeps_unchanged: bool = False,
    naming: Naming = Naming.NONE,
    keeps_gone: bool = False,
    since: Since | None = None,
    progress: Callable[[str, int], None] = lambda _step, _rows: None,
) -> StagedOperation:
    """Run the pipeline over the source into `folder`; raises `SourceError`. `formats` are the paths' by name.

    `keeps_unchanged` keeps also the rows that stay at home because they were confirmed as they are, to be looked up.
    `naming` is what the state calls the records, where those that leave are to be deleted; `keeps_gone` writes down the
    keys that left. `since` says from where on a source with a cursor is read.
    """
    files = layout.Layout(private(folder))
    for stale in folder.glob("*.parquet"):
        stale.unlink()
    files.summary.unlink(missing_ok=True)
    connection = connect(folder, memory_limit=memory_limit, threads=threads)
    try:
        return _Stage(pipeline, formats, files, connection, progress, keeps_unchanged, naming, keeps_gone, since).run(
            source, ledger_parquet, dict(lookups or {})
        )
    except BaseException:
        connection.close()
        raise


@dataclass(frozen=True, slots=True)
class _Stage:
    pipeline: Pipeline
    formats: Mapping[str, PayloadFormat]
    files: layout.Layout
    connection: duckdb.DuckDBPyConnection
    progress: Callable[[str, int], None]
    keeps_unchanged: bool
    naming: Naming
    keeps_gone: bool
    since: Since | None

    def run(self, source: Source, ledger_parquet: Path | None, lookups: Mapping[str, Source]) -> StagedOperation:
        known = ledger.view(self.connection, ledger_parquet, self.naming) if ledger_parquet else None
        may_leave_out = self.pipeline.only_changed and not self.keeps_unchanged
        scan = Scan(
            self.pipeline, self.formats, self.files, self.connection, self.since, known if may_leave_out else None
        )
        scanned = scan.run(source, lookups)
        wire, rows = scanned.wire, scanned.read + scanned.broken
        self.progress("mapped", scanned.read)
        self._clear()
        apart = Apart(scan, scanned)
        accepted = apart.judge() + scanned.same
        again = duplicates.find(self.connection)
        folded = apart.look_at_repeated() if again else 0
        keys = accepted - again
        if again and self.pipeline.duplicates is not Duplicates.REJECT:
            keys += count(self.connection, "SELECT count(*) FROM again WHERE turn = 1")
        skipped = apart.settle_duplicates() if again else 0
        ledger.compare(
            self.connection, known, only_changed=self.pipeline.only_changed, has_told_gone=scanned.has_told_gone
        )
        if known and self.keeps_gone and self.since is None:
            gone.keep(self.connection, self.files)
        far = cursor.facts(self.connection, self.since) if self.since else None
        unreadable = gone.unreadable(self.connection) if self.naming else 0
        self.progress("compared", accepted)
        skipped += count(self.connection, "SELECT count(*) FROM skipped")
        unchanged = scanned.same + count(self.connection, "SELECT count(*) FROM unchanged")
        refused = apart.write_rejects()
        if known and scanned.has_hashes:
            apart.retell()
        apart.separate(keeps_unchanged=self.keeps_unchanged)
        self.files.open(self.connection)
        self.files.prepare(self.connection)
        shapes = shape.number(self.connection, wire)
        waves, slices = shape.facts(self.connection, wire, shapes, self.formats)
        outgoing = sum(each.records for each in waves)
        if outgoing + unchanged + skipped + refused != rows:
            detail = f"{outgoing} + {unchanged} + {skipped} + {refused} rows were staged of {rows} read."
            raise BugError("S190", detail)
        facts = OperationFacts(
            operation=self.pipeline.operation,
            source=source.name,
            source_digest=scanned.digest,
            rows_digest=digest.rows_digest(self.connection),
            read=rows,
            outgoing=outgoing,
            unchanged=unchanged,
            skipped=skipped,
            rejected=refused,
            folded=folded,
            keys=keys,
            known_keys=ledger.known_keys(self.connection) if known else None,
            gone=count(self.connection, "SELECT count(*) FROM gone") if known and self.since is None else 0,
            waves=waves,
            slices=slices,
            rejects=apart.reject_facts(),
            interpreted=tuple(dict.fromkeys(each.field for each in self.pipeline.functions)),
            cursor=far,
            cleared=GoneFacts(unreadable=unreadable) if self.naming else None,
        )
        self.progress("measured", outgoing)
        staged = StagedOperation(
            facts,
            Form(
                wire.fields,
                shapes,
                chain.key(self.pipeline, wire),
                self.pipeline.setup,
                self.naming,
                wire.has_columns,
                scanned.has_hashes,
            ),
            self.files,
            self.connection,
        )
        staged.save()
        return staged

    def _clear(self) -> None:
        """Remove what was written down on the way: unpacked sources and the like hold rows of people."""
        for each in (self.files.folder / "spill").glob("*.*"):
            if each.suffix in {".csv", ".jsonl", ".parquet"}:
                each.unlink(missing_ok=True)
