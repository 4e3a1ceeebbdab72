"""How the org works through an ingest job: queue, internal batches in parallel, chunks in file order inside each.

*Bulk API 2.0*, How Requests Are Processed: batches of at most 10,000 records in no promised order, each cut
into chunks of at most 200 that are looked up and written as one transaction. A chunk's look-up and its write
are two moments; whatever other job or call writes between them is not seen.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from syncer.sandbox.salesforce.columns import Columns, match_columns
from syncer.sandbox.salesforce.csvfile import DELIMITERS, JobFailure, parse_csv
from syncer.sandbox.salesforce.dml import Found, Operation, Row, Writer
from syncer.sandbox.salesforce.job import IngestJob, JobState
from syncer.sandbox.salesforce.org import Org
from syncer.sandbox.salesforce.refusal import RowError
from syncer.sandbox.salesforce.value import stamp


@dataclass(slots=True)
class _Work:
    """What is under way for one job."""

    job: IngestJob
    columns: Columns
    writer: Writer
    waiting: deque[range]
    chunk_seconds: float
    batches_left: int


class Runner:
    """Runs closed jobs on the org's timeline."""

    def __init__(self, org: Org) -> None:
        """`org` is what the jobs write to."""
        self._org = org

    def queue(self, job: IngestJob) -> None:
        """Take a job whose upload is complete."""
        self._org.timeline.at(self._org.timeline.moment + self._org.limits.queue_seconds, lambda: self._start(job))

    def read(self, job: IngestJob) -> Columns:
        """Parse the upload, once, and match its header; JobFailure if either cannot be done."""
        if job.file is None:
            job.file = parse_csv(job.data or b"", DELIMITERS[job.delimiter], job.line_ending)
            job.results = [None] * len(job.file.rows)
        if not job.file.header:
            return Columns(0, (), (), None, None)
        return match_columns(job.file.header, self._org.store, job.type, job.operation, job.key)

    def _start(self, job: IngestJob) -> None:
        if job.state is not JobState.UPLOAD_COMPLETE:
            return
        org, troubles = self._org, job.troubles
        moment = org.timeline.moment
        job.state, job.modified_at = JobState.IN_PROGRESS, moment
        if job.span is not None:
            job.span.started_at, job.span.state = moment, job.state.value
        if job.data is None and org.limits.fails_without_upload:
            job.finish(JobState.FAILED, moment, "InvalidBatch : No content was uploaded")
            return
        try:
            columns = self.read(job)
        except JobFailure as failure:
            job.finish(JobState.FAILED, moment, str(failure))
            return
        if troubles.is_stalled and not troubles.extra_seconds:
            return
        total, batch = len(job.results), org.limits.batch_rows
        batches = [range(start, min(start + batch, total)) for start in range(0, total, batch)]
        random.Random(f"{org.seed}/{job.number}").shuffle(batches)
        lanes = min(org.limits.parallel_batches, len(batches))
        chunks_a_lane = math.ceil(total / org.limits.chunk_rows / max(lanes, 1)) or 1
        work = _Work(
            job,
            columns,
            Writer(org.store, org.store.tables[job.type.name], job.operation, job.key, org.user_id),
            deque(batches),
            org.limits.chunk_seconds + (0 if troubles.is_stalled else troubles.extra_seconds / chunks_a_lane),
            len(batches),
        )
        if troubles.fails_after == 0:
            job.finish(JobState.FAILED, moment, troubles.failure)
        elif troubles.is_stalled:
            org.timeline.at(moment + troubles.extra_seconds, lambda: self._open_lanes(work, lanes))
        else:
            self._open_lanes(work, lanes)

    def _open_lanes(self, work: _Work, lanes: int) -> None:
        if not lanes:
            self._finish_later(work.job)
        for _ in range(lanes):
            self._next_batch(work)

    def _next_batch(self, work: _Work) -> None:
        job = work.job
        if not work.waiting or job.state is not JobState.IN_PROGRESS:
            return
        batch = work.waiting.popleft()
        if not self._org.batches.take(self._org.timeline.moment):
            job.unrecorded = frozenset(place for skipped in (batch, *work.waiting) for place in skipped)
            job.finish(JobState.FAILED, self._org.timeline.moment, "ExceededQuota : ApiBatchItems Limit exceeded")
            return
        self._begin_chunk(work, batch)

    def _begin_chunk(self, work: _Work, rest: range) -> None:
        """Look a chunk up now, and write it when its time has passed."""
        job = work.job
        if job.state is not JobState.IN_PROGRESS or job.file is None:
            return
        chunk, rest = rest[: self._org.limits.chunk_rows], rest[self._org.limits.chunk_rows :]
        rows = [work.columns.read(job.file.rows[place]) for place in chunk]
        for place, row in zip(chunk, rows, strict=True):
            if place in job.troubles.locked and row.error is None:
                row.error = locked_row(row)
        found = work.writer.find(rows) if self._org.overlaps else None
        end = self._org.timeline.moment + work.chunk_seconds
        self._org.timeline.at(end, lambda: self._end_chunk(work, chunk, rest, rows, found))

    def _end_chunk(self, work: _Work, chunk: range, rest: range, rows: list[Row], found: list[Found] | None) -> None:
        job, moment = work.job, self._org.timeline.moment
        if job.state is not JobState.IN_PROGRESS:
            return
        results = work.writer.write(rows, found if found is not None else work.writer.find(rows), stamp(moment))
        job.results[chunk.start : chunk.stop] = results
        job.processed_count += len(results)
        job.failed_count += sum(result.error is not None for result in results)
        job.active_seconds += work.chunk_seconds
        job.modified_at = moment
        fails_after = job.troubles.fails_after
        if fails_after is not None and job.processed_count >= fails_after:
            job.finish(JobState.FAILED, moment, job.troubles.failure)
        elif rest:
            self._begin_chunk(work, rest)
        else:
            work.batches_left -= 1
            if work.batches_left:
                self._next_batch(work)
            else:
                self._finish_later(job)

    def _finish_later(self, job: IngestJob) -> None:
        def finish() -> None:
            if job.state is JobState.IN_PROGRESS:
                job.finish(JobState.JOB_COMPLETE, self._org.timeline.moment)

        self._org.timeline.at(self._org.timeline.moment + self._org.limits.finish_seconds, finish)


def locked_row(row: Row) -> RowError:
    """What a row gets that waited in vain for another transaction to let go."""
    named = f": {row.id}" if row.id else ""
    return RowError("UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record or 1 records{named}")


def keys_of(job: IngestJob, columns: Columns) -> list[str]:
    """The keys that a job touches, for the log: `Contact/Crm_Key__c/k-1`."""
    if job.file is None:
        return []
    place, named = columns.id_at, "Id"
    fold: Callable[[str], str] = str
    if job.operation is Operation.UPSERT and columns.key_at is not None and job.key is not None:
        place, named, fold = columns.key_at, job.key.name, job.key.fold
    elif job.operation is Operation.INSERT:
        key = next(((at, each) for at, each, _ in columns.values if each.is_unique), None)
        if key is not None:
            place, named, fold = key[0], key[1].name, key[1].fold
    if place is None:
        return []
    head = f"{job.type.name}/{named}/"
    return [head + fold(cells[place]) for cells in job.file.rows if len(cells) > place and cells[place]]
