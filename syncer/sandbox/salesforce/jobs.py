"""The ingest jobs that an org remembers: numbers, look-up by either id form, pages, and forgetting after seven days."""

from __future__ import annotations

from typing import Any

from syncer.sandbox.salesforce.dml import Operation
from syncer.sandbox.salesforce.ids import make_id, parse_id
from syncer.sandbox.salesforce.job import IngestJob, JobState
from syncer.sandbox.salesforce.objects import ObjectType
from syncer.sandbox.salesforce.org import Org

LIST_PAGE = 1000
PREFIX = "750"


class Jobs:
    """All ingest jobs of an org."""

    def __init__(self, org: Org) -> None:
        """Start with none."""
        self._org = org
        self._jobs: dict[str, IngestJob] = {}
        self._count = 0

    def next_id(self) -> tuple[str, int]:
        """The id and number of the next bulk job of any sort."""
        self._count += 1
        return make_id(PREFIX, self._count), self._count

    def open(self, object_type: ObjectType, operation: Operation, version: float, **options: Any) -> IngestJob:
        """A new open job, which fails if nobody closes it within a day."""
        org, moment = self._org, self._org.timeline.moment
        job_id, number = self.next_id()
        job = IngestJob(
            job_id, number, object_type, operation, version, org.user_id, moment, modified_at=moment, **options
        )
        self._jobs[job_id] = job
        org.timeline.at(moment + org.limits.open_seconds, lambda: self._close_stale(job))
        return job

    def _close_stale(self, job: IngestJob) -> None:
        if job.state is JobState.OPEN:
            job.finish(JobState.FAILED, self._org.timeline.moment, "Timeout : Job was open for more than 24 hours")

    def find(self, text: str) -> IngestJob | None:
        """The job of that id, if it is still remembered."""
        job = self._jobs.get(parse_id(text) or "")
        if job is None or not self._is_kept(job):
            return None
        return job

    def _is_kept(self, job: IngestJob) -> bool:
        """Final jobs go seven days after their end, others seven days after their start."""
        since = job.created_at if job.finished_at is None else job.finished_at
        return self._org.timeline.moment < since + self._org.limits.kept_seconds

    def page(self, start: int) -> tuple[list[IngestJob], bool]:
        """A page of all jobs from a place on, and whether it is the last."""
        kept = self.all()
        return kept[start : start + LIST_PAGE], start + LIST_PAGE >= len(kept)

    def all(self) -> list[IngestJob]:
        """Every job that is still remembered, oldest first."""
        return [job for job in self._jobs.values() if self._is_kept(job)]

    def forget(self, job: IngestJob) -> None:
        """Delete a job and its results."""
        if not job.state.is_final:
            job.finish(JobState.ABORTED, self._org.timeline.moment)
        self._jobs.pop(job.id, None)
