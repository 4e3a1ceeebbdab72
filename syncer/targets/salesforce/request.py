"""Salesforce's requests, built: values in, exact bytes out. Pure.

Pages: "sObject Collections", "Bulk API 2.0" (create, upload, close, results), "Query". State words are written as the
Bulk guide spells them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from syncer.facts import Action, FieldType
from syncer.targets.exchange import Request, Upload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from syncer.engine.protocol import Payload
    from syncer.targets.protocol import Step

CALL_SECONDS = 120.0
"""Longest wait for one call. The server may work on for 600 s ("API Request Limits and Allocations")."""
UPLOAD_BYTES_PER_SECOND = 400_000
"""The slowest line that an upload of 100 MB is given time for."""
QUERY_BYTES = 12_000
"""Of an encoded query; address and headers together may hold 16,384 ("REST API", 414 and 431)."""
VALUES_PER_QUERY = 200

_JSON = (("Content-Type", "application/json; charset=UTF-8"),)
_OPERATIONS = {
    Action.UPSERT: "upsert",
    Action.CREATE: "insert",
    Action.UPDATE: "update",
    Action.DELETE: "delete",
}
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.FLOAT})
_BARE = frozenset({FieldType.DATE, FieldType.DATETIME, FieldType.BOOLEAN})
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
_BARE_TEXT = re.compile(r"[\w:.+-]{1,40}")
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)


@dataclass(frozen=True, slots=True)
class Api:
    """The requests of one API version."""

    version: str

    @property
    def _base(self) -> str:
        return f"/services/data/v{self.version}"

    def collections(self, step: Step, records: bytes) -> Request:
        """Return the write of up to 200 records, each for itself (`allOrNone` false)."""
        path = f"{self._base}/composite/sobjects"
        if step.action is Action.DELETE:
            ids = ",".join(quote(str(each["Id"]), safe="") for each in json.loads(records))
            return Request("DELETE", f"{path}?ids={ids}&allOrNone=false", is_write=True, seconds=CALL_SECONDS)
        method = "POST" if step.action is Action.CREATE else "PATCH"
        if step.action is Action.UPSERT:
            path = f"{path}/{quote(step.object, safe='')}/{quote(step.key[0], safe='')}"
        body = b'{"allOrNone":false,"records":' + records + b"}"
        return Request(method, path, _JSON, body, is_write=True, seconds=CALL_SECONDS)

    def create_job(self, step: Step) -> Request:
        """Return the creation of an empty job. No write: an Open job holds nothing and expires after a day."""
        return Request("POST", f"{self._base}/jobs/ingest", _JSON, _dump(_job(step)), seconds=CALL_SECONDS, begins=True)

    def create_job_with_data(self, step: Step, payload: Payload, file: Path) -> Request:
        """Return the creation of a job together with its rows, for at most 100,000 characters."""
        boundary = f"syncer-{payload.sha256[:40]}"
        before = (
            f'--{boundary}\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n'
            f"{_dump(_job(step)).decode()}\r\n"
            f"--{boundary}\r\nContent-Type: text/csv\r\n"
            'Content-Disposition: form-data; name="content"; filename="content"\r\n\r\n'
        ).encode()
        return Request(
            "POST",
            f"{self._base}/jobs/ingest",
            (("Content-Type", f"multipart/form-data; boundary={boundary}"),),
            Upload(file, payload.byte_count, before, f"\r\n--{boundary}--\r\n".encode()),
            is_write=True,
            seconds=CALL_SECONDS,
        )

    def upload(self, job: str, payload: Payload, file: Path) -> Request:
        """Return the one upload that a job takes; a second PUT is an error."""
        return Request(
            "PUT",
            f"{self._job(job)}/batches",
            (("Content-Type", "text/csv; charset=UTF-8"),),
            Upload(file, payload.byte_count),
            is_write=True,
            seconds=CALL_SECONDS + payload.byte_count / UPLOAD_BYTES_PER_SECOND,
        )

    def close_job(self, job: str) -> Request:
        """Return the word that starts a job."""
        return Request("PATCH", self._job(job), _JSON, _dump({"state": "UploadComplete"}), True, CALL_SECONDS)  # noqa: FBT003 - `is_write`

    def abort_job(self, job: str) -> Request:
        """Return the word that ends a job before it starts. No write: said twice, it means the same."""
        return Request("PATCH", self._job(job), _JSON, _dump({"state": "Aborted"}), seconds=CALL_SECONDS)

    def job(self, job: str) -> Request:
        """Return the poll of a job."""
        return Request("GET", self._job(job), seconds=CALL_SECONDS)

    def jobs(self) -> Request:
        """Return the list of Bulk 2.0 jobs."""
        return Request("GET", f"{self._base}/jobs/ingest?jobType=V2Ingest", seconds=CALL_SECONDS)

    def results(self, job: str, kind: str) -> Request:
        """Return the download of `successfulResults`, `failedResults` or `unprocessedrecords`."""
        return Request("GET", f"{self._job(job)}/{kind}", (("Accept", "text/csv"),), seconds=10 * CALL_SECONDS)

    def query(self, soql: str) -> Request:
        """Return a query."""
        return Request("GET", f"{self._base}/query?q={quote(soql, safe='')}", seconds=CALL_SECONDS)

    def limits(self) -> Request:
        """Return the read of the org's limits."""
        return Request("GET", f"{self._base}/limits", seconds=CALL_SECONDS)

    def describe(self, object_name: str) -> Request:
        """Return the read of an object's fields."""
        return Request("GET", f"{self._base}/sobjects/{quote(object_name, safe='')}/describe", seconds=CALL_SECONDS)

    def _job(self, job: str) -> str:
        return f"{self._base}/jobs/ingest/{quote(job, safe='')}"


def get(target: str) -> Request:
    """Return the read of a link that an answer gave, already checked to be ours."""
    return Request("GET", target, seconds=CALL_SECONDS)


def soql(object_name: str, fields: Sequence[str], key: str, literals: Sequence[str]) -> str:
    """Return the query for records by the values of one field; names come from describe, never from data."""
    return f"SELECT {', '.join(fields)} FROM {object_name} WHERE {key} IN ({', '.join(literals)})"


def literal(value: object, field_type: FieldType) -> str | None:
    """Return a value as SOQL writes it, or None where no such value can exist in a field of that type."""
    text = str(value).strip()
    if field_type in _NUMBERS:
        return text if _NUMBER.fullmatch(text) else None
    if field_type in _BARE:
        return text if _BARE_TEXT.fullmatch(text) else None
    return f"'{str(value).translate(_ESCAPES)}'"


def _job(step: Step) -> dict[str, str]:
    job = {"object": step.object, "operation": _OPERATIONS[step.action]}
    if step.action is Action.UPSERT:
        job["externalIdFieldName"] = step.key[0]
    return job | {"contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"}


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
