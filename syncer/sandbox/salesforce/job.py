"""An ingest job: its states, what it was told, what became of its rows, and how the vendor prints it.

*Bulk API 2.0*, Create a Job, Get Information About a Job: which member is present when, and in which order,
is part of the contract that clients rely on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from syncer.sandbox.salesforce.csvfile import CsvFile, LineEnding
from syncer.sandbox.salesforce.dml import Operation, Result
from syncer.sandbox.salesforce.field import Field
from syncer.sandbox.salesforce.objects import ObjectType
from syncer.sandbox.salesforce.value import stamp
from syncer.sandbox.traffic import JobSpan


class JobState(StrEnum):
    """The states of a Bulk API 2.0 job; the last three are final."""

    OPEN = "Open"
    UPLOAD_COMPLETE = "UploadComplete"
    IN_PROGRESS = "InProgress"
    JOB_COMPLETE = "JobComplete"
    FAILED = "Failed"
    ABORTED = "Aborted"

    @property
    def is_final(self) -> bool:
        """True once nothing more happens to the job."""
        return self in {JobState.JOB_COMPLETE, JobState.FAILED, JobState.ABORTED}


@dataclass(slots=True)
class JobTroubles:
    """What fault rules have in store for a job."""

    extra_seconds: float = 0.0
    is_stalled: bool = False
    fails_after: int | None = None
    failure: str = "InternalServerError : Unexpected error while processing the batch"
    locked: frozenset[int] = frozenset()
    miscount: int = 0


@dataclass(slots=True)
class IngestJob:
    """One ingest job."""

    id: str
    number: int
    type: ObjectType
    operation: Operation
    version: float
    created_by: str
    created_at: float
    key: Field | None = None
    line_ending: LineEnding = LineEnding.LF
    delimiter: str = "COMMA"
    assignment_rule: str | None = None
    is_multipart: bool = False
    state: JobState = JobState.OPEN
    modified_at: float = 0.0
    finished_at: float | None = None
    data: bytes | None = None
    file: CsvFile | None = None
    results: list[Result | None] = field(default_factory=list)
    unrecorded: frozenset[int] = frozenset()
    failed_count: int = 0
    processed_count: int = 0
    active_seconds: float = 0.0
    error_message: str | None = None
    troubles: JobTroubles = field(default_factory=JobTroubles)
    span: JobSpan | None = None

    def finish(self, state: JobState, moment: float, error_message: str | None = None) -> None:
        """Come to a final state."""
        self.state, self.modified_at, self.finished_at = state, moment, moment
        self.error_message = error_message
        if self.span is not None:
            self.span.finished_at, self.span.state = moment, state.value

    def _head(self, *, modified_at: float) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation.value,
            "object": self.type.name,
            "createdById": self.created_by,
            "createdDate": stamp(self.created_at),
            "systemModstamp": stamp(modified_at),
            "state": self.state.value,
        }
        if self.operation is Operation.UPSERT and self.key is not None:
            shown["externalIdFieldName"] = self.key.name
        shown |= {"concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": self.version}
        if self.assignment_rule:
            shown["assignmentRuleId"] = self.assignment_rule
        return shown

    def _content_url(self) -> dict[str, str]:
        if self.state is not JobState.OPEN:
            return {}
        return {"contentUrl": f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"}

    def _options(self) -> dict[str, str]:
        return {"lineEnding": self.line_ending.value, "columnDelimiter": self.delimiter}

    def as_created(self) -> dict[str, Any]:
        """The answer to the call that creates the job: no `jobType` yet."""
        return self._head(modified_at=self.created_at) | self._content_url() | self._options()

    def as_patched(self) -> dict[str, Any]:
        """The answer to closing or aborting: the head only, its modstamp not yet advanced."""
        return self._head(modified_at=self.created_at)

    def as_listed(self) -> dict[str, Any]:
        """The entry in a list of jobs: no counters, no error."""
        head = self._head(modified_at=self.modified_at)
        head.pop("externalIdFieldName", None)
        return head | {"jobType": "V2Ingest"} | self._options()

    def as_info(self) -> dict[str, Any]:
        """The answer to a poll; counters are absent until there is an upload."""
        shown = self._head(modified_at=self.modified_at) | {"jobType": "V2Ingest"}
        shown |= self._content_url() | self._options()
        if self.data is not None:
            shown["numberRecordsProcessed"] = max(0, self.processed_count - self.troubles.miscount)
            shown["numberRecordsFailed"] = self.failed_count
        active = round(self.active_seconds * 1000)
        is_counted = self.state.is_final or self.processed_count == len(self.results)
        shown |= {
            "retries": 0,
            "totalProcessingTime": active + active // 3 if is_counted else 0,
            "apiActiveProcessingTime": active,
            "apexProcessingTime": 0,
        }
        if self.state is JobState.FAILED and self.error_message:
            shown["errorMessage"] = self.error_message
        return shown
