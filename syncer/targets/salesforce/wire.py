"""Salesforce's answers, deciphered: bytes in; results, a job or a problem out. Pure.

Collections answer 200 even when every record failed, and `JobComplete` says only that a job ended. Vendor messages pass
only in forms that are known to name fields; whatever else they hold is withheld, for it may be somebody's data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncer.facts import Action
from syncer.outcome import Outcome
from syncer.targets.exchange import Problem, Response, Trouble, parse_json
from syncer.targets.protocol import Answered, RecordResult
from syncer.targets.salesforce import codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncer.targets.protocol import Step

_SUCCESS = 2
DELETED = "ENTITY_IS_DELETED"
"""The code of a record that is in the recycle bin or gone: for a deletion, nothing is left to do."""
_NAME = re.compile(r"[\w.]{1,255}")


def read_status(response: Response) -> Problem | None:
    """Return the problem of an answer that is no success, from its error list and its status."""
    if response.status // 100 == _SUCCESS:
        return None
    code, message = _first_error(response)
    trouble = codes.STATUSES.get(response.status) or codes.HUNDREDS.get(response.status // 100, Trouble.BROKEN)
    if code == codes.LIMIT:
        trouble = Trouble.CONCURRENCY if "oncurrent" in message else Trouble.QUOTA
    elif trouble is not Trouble.BROKEN:
        trouble = codes.CALL_CODES.get(code, trouble)
    is_about_caller = code in codes.ABOUT_CALLER or (trouble is Trouble.REFUSED and not code)
    words = clean(message, code.replace("_", " ").lower() or "an HTTP error")
    return Problem(trouble, code or f"HTTP {response.status}", words, is_about_caller=is_about_caller)


def _first_error(response: Response) -> tuple[str, str]:
    """Read the first of an error array, or a single object; a page of an edge has no code."""
    try:
        body = parse_json(response.body)
    except ValueError:
        return "", ""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return "", ""
    return str(first.get("errorCode", "")), str(first.get("message", ""))


def read_json(response: Response) -> Any | Problem:
    """Read a successful answer's JSON."""
    problem = read_status(response)
    if problem is not None:
        return problem
    try:
        return parse_json(response.body)
    except ValueError:
        return Problem(Trouble.BROKEN, message="the answer is not JSON")


def read_nothing(response: Response) -> bool | Problem:
    """Read an answer whose status says all."""
    return read_status(response) or True


def read_results(response: Response, step: Step, count: int) -> Answered | Problem:
    """Read the answer to a write of `count` records ("sObject Collections"): one entry each, in request order."""
    body = read_json(response)
    if isinstance(body, Problem):
        return body
    if not isinstance(body, list) or len(body) != count or not all(isinstance(each, dict) for each in body):
        return Problem(Trouble.BROKEN, message=f"no result for each of {count} records")
    return Answered("", tuple(_record(position, each, step.action) for position, each in enumerate(body)))


def _record(position: int, entry: Mapping[str, Any], action: Action) -> RecordResult:
    target_id = str(entry.get("id") or "")
    success, errors = entry.get("success"), entry.get("errors")
    if success is True and not errors:
        return RecordResult(position, _written(entry, action), target_id)
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else None
    if success is not False or first is None:
        return RecordResult(
            position, Outcome.IN_DOUBT, target_id, "V512", "Salesforce says neither success nor failure"
        )
    code, message = str(first.get("statusCode", "")), str(first.get("message", ""))
    meaning = codes.record_code(code, message)
    is_done = _is_nothing_to_do(code, message, action)
    return RecordResult(
        position,
        Outcome.SKIPPED if is_done else Outcome.REJECTED,
        target_id,
        "V510" if is_done else meaning.code,
        f"{code}: {clean(message, meaning.words)}{_named(first.get('fields'))}",
    )


def _written(entry: Mapping[str, Any], action: Action) -> Outcome:
    """`created` stands on the upsert path only."""
    if action is Action.CREATE or (action is Action.UPSERT and entry.get("created") is True):
        return Outcome.CREATED
    return Outcome.UPDATED


def _is_nothing_to_do(code: str, message: str, action: Action) -> bool:
    """A deleted record is deleted, and a member is a member."""
    if action is Action.DELETE:
        return code == DELETED
    return message.startswith("Already a campaign member")


def _named(fields: object) -> str:
    listed = fields if isinstance(fields, list) else []
    names = [each for each in listed if isinstance(each, str) and _NAME.fullmatch(each)]
    return f" [{', '.join(names)}]" if names else ""


# Texts that name fields, types and record ids; a value in them is cut off ("Bulk API 2.0" and "sObject Collections").
_LABEL = r"([\w ./()&-]{1,120})"
_ID = r"[a-zA-Z0-9]{15,18}"
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(Required fields are missing: \[[\w., ]{1,2000}\])"), r"\1"),
    (re.compile(r"(No such column '[\w.]{1,255}' on sobject of type \w{1,255})", re.DOTALL), r"\1"),
    (re.compile(_LABEL + r": data value too large: .* (\(max length=\d+\))", re.DOTALL), r"\1: too long \2"),
    (re.compile(_LABEL + r": invalid email address: .*", re.DOTALL), r"\1: invalid email address"),
    (re.compile(_LABEL + r": bad value for restricted picklist field: .*", re.DOTALL), r"\1: bad value for a picklist"),
    (re.compile(r"Duplicate (external id|id) specified: .*", re.DOTALL), r"Duplicate \1 specified"),
    (re.compile(rf"(duplicate value found: \w{{1,255}} duplicates value on record with id: {_ID})"), r"\1"),
    (
        re.compile(_LABEL + rf": more than one record found for external id field: (\[{_ID}(, {_ID}){{0,200}}\])"),
        r"\1: more than one record found: \2",
    ),
    (
        re.compile(r"Foreign key external ID: .* not found for field ([\w.]{1,255}) in entity (\w{1,255})", re.DOTALL),
        r"no \2 with that \1",
    ),
    (re.compile(r"(unable to obtain exclusive access to this record) or \d+ records:? .*", re.DOTALL), r"\1"),
    (re.compile(r"(InvalidBatch : Field name not found : [\w.]{1,255})"), r"\1"),
    (re.compile(r"(ClientInputError : LineEnding is invalid on user data)\..*", re.DOTALL), r"\1"),
    (re.compile(r"(InvalidJob : Unable to find object: \w{1,255})"), r"\1"),
)
_TEXTS = frozenset(
    {
        "Already a campaign member.",
        "Id not specified in an update call",
        "Session expired or invalid",
        "The requested resource does not exist",
        "TotalRequests Limit exceeded.",
        "cannot reference converted lead",
        "entity is deleted",
        "insufficient access rights on object id",
        "invalid cross reference id",
    }
)


def clean(message: str, otherwise: str) -> str:
    """Return the vendor's message without values, or `otherwise` where its form is not known."""
    text = message.strip()
    if text in _TEXTS:
        return text.rstrip(".")
    return next((pattern.sub(form, text) for pattern, form in _FORMS if pattern.fullmatch(text)), otherwise)


@dataclass(frozen=True, slots=True)
class Job:
    """A Bulk 2.0 job as the org describes it. Counts are None before the upload."""

    id: str
    state: str
    processed: int | None = None
    failed: int | None = None
    busy_milliseconds: int = 0
    message: str = ""
    object: str = ""
    created_by: str = ""

    @property
    def is_over(self) -> bool:
        """Nothing will change any more."""
        return self.state in {"JobComplete", "Failed", "Aborted"}

    @property
    def is_under_way(self) -> bool:
        """The org will go on with it by itself."""
        return self.state in {"UploadComplete", "InProgress"}

    @property
    def did_nothing(self) -> bool:
        """No record was touched, and none will be."""
        return self.state == "Aborted" and not self.processed and not self.busy_milliseconds


def read_job(response: Response) -> Job | Problem:
    """Read a job; a list of jobs in its place is what a redirected creation gives."""
    body = read_json(response)
    if isinstance(body, Problem):
        return body
    job = _job(body)
    return job if job is not None else Problem(Trouble.BROKEN, message="the answer describes no job")


def read_jobs(response: Response) -> tuple[tuple[Job, ...], str] | Problem:
    """Read a page of the job list, and the link to the next one or ""."""
    body = read_json(response)
    if isinstance(body, Problem):
        return body
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(records, list):
        return Problem(Trouble.BROKEN, message="the answer is no list of jobs")
    jobs = tuple(job for each in records if (job := _job(each)) is not None)
    return jobs, str(body.get("nextRecordsUrl") or "")


def _job(body: object) -> Job | None:
    if not isinstance(body, dict) or not isinstance(body.get("id"), str) or not isinstance(body.get("state"), str):
        return None
    return Job(
        body["id"],
        body["state"],
        _count(body.get("numberRecordsProcessed")),
        _count(body.get("numberRecordsFailed")),
        _count(body.get("apiActiveProcessingTime")) or 0,
        str(body.get("errorMessage") or ""),
        str(body.get("object") or ""),
        str(body.get("createdById") or ""),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_query(response: Response) -> tuple[Sequence[dict[str, Any]], str] | Problem:
    """Read a page of records, and the link to the next one or ""."""
    body = read_json(response)
    if isinstance(body, Problem):
        return body
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(records, list):
        return Problem(Trouble.BROKEN, message="the answer holds no records")
    plain = [{name: each[name] for name in each if name != "attributes"} for each in records if isinstance(each, dict)]
    return plain, "" if body.get("done") is True else str(body.get("nextRecordsUrl") or "")


def read_limits(response: Response) -> tuple[int, int] | Problem:
    """Read calls used and allowed in the rolling day ("Limits")."""
    body = read_json(response)
    if isinstance(body, Problem):
        return body
    calls = body.get("DailyApiRequests") if isinstance(body, dict) else None
    most, rest = (_count(calls.get("Max")), _count(calls.get("Remaining"))) if isinstance(calls, dict) else (None, None)
    if most is None or rest is None:
        return Problem(Trouble.BROKEN, message="the answer names no limit of calls")
    return most - rest, most


_USAGE = re.compile(r"(?:^|[;,\s])api-usage=(\d{1,15})/(\d{1,15})")


def usage_of(response: Response) -> tuple[int, int] | None:
    """Return calls used and allowed from the header that most answers carry ("Limit Info Header")."""
    match = _USAGE.search(response.headers.get("sforce-limit-info", ""))
    return (int(match[1]), int(match[2])) if match else None
