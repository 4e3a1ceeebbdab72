"""Marketo's answers, deciphered: bytes in; results, an envelope or a problem out. Pure.

A 200 proves nothing: only a JSON object with `success: true` and one result for each record does. Vendor messages pass
only in forms that are known to name fields; whatever else they hold is withheld, for it may be somebody's data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncer.facts import Action
from syncer.outcome import Outcome
from syncer.targets.exchange import Problem, Trouble, parse_json
from syncer.targets.marketo.codes import call_code, record_code
from syncer.targets.protocol import Answered, RecordResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncer.targets.exchange import Response
    from syncer.targets.protocol import Step

_OK = 200
# "Error Codes", HTTP level. 408 and 429 come from an edge before the vendor: one read who knows what, one nothing.
_STATUSES = {
    401: Trouble.DENIED,
    403: Trouble.DENIED,
    408: Trouble.BROKEN,
    413: Trouble.TOO_LARGE,
    414: Trouble.TOO_LARGE,
    429: Trouble.BUSY,
}
_HUNDREDS = {3: Trouble.MOVED, 4: Trouble.REFUSED}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A successful answer ("REST API", response envelope). `next_page` is "" on the last page."""

    request_id: str
    result: Sequence[Any]
    next_page: str = ""


def read_envelope(response: Response) -> Envelope | Problem:
    """Read a lead-database or bulk answer."""
    problem = read_status(response)
    if problem is not None:
        return problem
    try:
        body = parse_json(response.body)
    except ValueError:
        return Problem(Trouble.BROKEN, message="the answer is not JSON")
    if not isinstance(body, dict) or not isinstance(body.get("success"), bool):
        return Problem(Trouble.BROKEN, message="the answer does not say whether it succeeded")
    request_id = str(body.get("requestId", ""))
    if not body["success"]:
        return _call_problem(body.get("errors"), request_id)
    result = body.get("result", [])
    if not isinstance(result, list):
        return Problem(Trouble.BROKEN, message="the answer holds no list of results", request_id=request_id)
    token = body.get("nextPageToken")
    has_more = body.get("moreResult") is not False and isinstance(token, str) and bool(result)
    return Envelope(request_id, result, token if has_more and isinstance(token, str) else "")


def read_status(response: Response) -> Problem | None:
    """Return the problem that the HTTP status alone tells ("Error Codes", HTTP level), or None for 200."""
    if response.status == _OK:
        return None
    trouble = _STATUSES.get(response.status) or _HUNDREDS.get(response.status // 100, Trouble.BROKEN)
    words = "an HTTP error instead of an answer"
    return Problem(trouble, f"HTTP {response.status}", words, is_about_caller=trouble is Trouble.REFUSED)


def _call_problem(errors: object, request_id: str) -> Problem:
    """Read `errors`; where several are given, the least certain one counts."""
    if not isinstance(errors, list) or not errors:
        return Problem(Trouble.BROKEN, message="refused without a code", request_id=request_id)
    pairs = [(str(each.get("code", "")), str(each.get("message", ""))) for each in errors if isinstance(each, dict)]
    ranked = sorted(pairs, key=lambda pair: call_code(pair[0]).trouble is not Trouble.BROKEN)
    if not ranked:
        return Problem(Trouble.BROKEN, message="refused without a code", request_id=request_id)
    code, message = ranked[0]
    meaning = call_code(code)
    is_about_caller = meaning.is_about_caller or message.startswith(_ABOUT_CALLER)
    return Problem(
        meaning.trouble, code, clean(message, meaning.words), request_id, meaning.is_counted, is_about_caller
    )


_ABOUT_CALLER = ("Lookup field ", "Invalid dedupeBy ", "Invalid filterType ")
"""Openings of messages under 1003 and 1006 that speak of the request's frame, not of a record."""

# "Error Codes": the texts that name fields, types and limits; a value in them is cut off.
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Invalid value for field '([\w. -]{1,255})'.*", re.DOTALL), r"Invalid value for field '\1'"),
    (re.compile(r"Invalid value '.*'\. Required of type '(\w{1,40})'", re.DOTALL), r"Required of type '\1'"),
    (re.compile(r"Missing value for the required parameter '([\w. -]{1,255})'"), r"Missing value for '\1'"),
    (re.compile(r"(Field|Lookup field) '([\w. -]{1,255})' not (found|supported)"), r"\1 '\2' not \3"),
    (re.compile(r"Max rate limit '(\d+)' exceeded with in '(\d+)' secs"), r"\1 calls in \2 seconds exceeded"),
    (re.compile(r"Concurrent access limit '(\d+)' reached"), r"\1 calls at once exceeded"),
    (
        re.compile(r"There are (\d+) imports currently being processed\. Please try again later\.?"),
        r"\1 imports queued",
    ),
    (re.compile(r"Invalid (dedupeBy|filterType) '(\w{1,255})'( value)?"), r"Invalid \1 '\2'"),
)
_TEXTS = frozenset(
    {
        "Lead not found",
        "Lead already exists",
        "Multiple lead match lookup criteria",
        "Object not found",
        "Object already exists",
        "Record not found",
        "Membership not found",
        "Lead not in list",
        "Lead not in program",
        "Lead skipped because it is already in or past this status",
        "Empty file",
        "Lead ids not specified",
        "filterValues not specified",
        "filterType not specified",
        "Too many results match the filter",
        "Duplicate object found in input",
    }
)


def clean(message: str, otherwise: str) -> str:
    """Return the vendor's message without values, or `otherwise` where its form is not known."""
    text = message.strip()
    if text in _TEXTS:
        return text
    return next((pattern.sub(form, text) for pattern, form in _FORMS if pattern.fullmatch(text)), otherwise)


# The words of each call ("Leads", "List Membership", "Program Members", "Custom Objects").
_SYNC = {"created": Outcome.CREATED, "updated": Outcome.UPDATED}
_WORDS: Mapping[Action, Mapping[str, Outcome]] = {
    Action.UPSERT: _SYNC,
    Action.CREATE: _SYNC,
    Action.UPDATE: _SYNC,
    Action.DUPLICATE: _SYNC,
    Action.STATUS: _SYNC,
    Action.DELETE: {"deleted": Outcome.UPDATED},
    Action.ADD: {"added": Outcome.UPDATED},
    Action.REMOVE: {"removed": Outcome.UPDATED},
}
# What is no fault: the record is already gone, out of the list, or at the status.
_NOTHING_TO_DO: Mapping[Action, frozenset[str]] = {
    Action.DELETE: frozenset({"1004", "1013", "1037"}),
    Action.REMOVE: frozenset({"1015"}),
    Action.STATUS: frozenset({"1037"}),
}


def read_results(response: Response, step: Step, count: int) -> Answered | Problem:
    """Read the answer to a write of `count` records; unless each has its own result, all are in doubt."""
    envelope = read_envelope(response)
    if isinstance(envelope, Problem):
        return envelope
    placed = _placed(envelope.result, count)
    if placed is None:
        counts = f"{len(envelope.result)} results for {count} records"
        return Problem(Trouble.BROKEN, message=counts, request_id=envelope.request_id)
    words, action = _WORDS[step.action], step.action
    known = tuple(words)
    # Nearly every entry is an id and a known word; a million of them must not cost more than that.
    results = tuple(
        RecordResult(position, words[each["status"]], str(each["id"]))
        if each.keys() == _PLAIN and each["id"] and each["status"] in known
        else _record(position, each, action)
        for position, each in enumerate(placed)
    )
    return Answered(envelope.request_id, results)


_PLAIN = frozenset({"id", "status"})


def _placed(result: Sequence[Any], count: int) -> list[dict[str, Any]] | None:
    """Return the results in input order: by `seq` where the objects carry it, else as they stand."""
    if len(result) != count or not all(isinstance(each, dict) for each in result):
        return None
    if not any("seq" in each for each in result):
        return list(result)
    by_seq = {each.get("seq"): each for each in result}
    return [by_seq[seq] for seq in range(count)] if by_seq.keys() == set(range(count)) else None


def _record(position: int, entry: Mapping[str, Any], action: Action) -> RecordResult:
    target_id = next((str(entry[name]) for name in ("marketoGUID", "id", "leadId") if entry.get(name)), "")
    status = entry.get("status")
    reason = _reason(entry.get("reasons") or entry.get("errors"))
    if reason is None:
        outcome = _WORDS[action].get(status) if isinstance(status, str) else None
        if outcome is not None:
            return RecordResult(position, outcome, target_id)
        word = status if isinstance(status, str) and status.isalpha() else "none"
        return RecordResult(position, Outcome.IN_DOUBT, target_id, "V512", f'Marketo answered with the word "{word}"')
    code, message = reason
    meaning = record_code(code)
    is_done = code in _NOTHING_TO_DO.get(action, frozenset())
    return RecordResult(
        position,
        Outcome.SKIPPED if is_done else Outcome.REJECTED,
        target_id,
        "V510" if is_done else meaning.code,
        f"Marketo {code}: {clean(message, meaning.words)}",
    )


def _reason(reasons: object) -> tuple[str, str] | None:
    """Return the first reason; a record with any is not written, whatever its status says ("Leads", push)."""
    if not isinstance(reasons, list) or not reasons:
        return None
    first = reasons[0] if isinstance(reasons[0], dict) else {}
    return str(first.get("code", "")), str(first.get("message", ""))


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """The state of an import job ("Bulk Lead Import", status). Counts are None until the vendor gives them."""

    batch_id: str
    status: str
    processed: int | None
    failed: int | None
    warned: int | None

    @property
    def is_over(self) -> bool:
        """Nothing will change any more."""
        return self.status in {"Complete", "Failed"}


def read_import(response: Response) -> ImportStatus | Problem:
    """Read the answer to an import's creation or to a poll; custom objects count `Objects` instead of `Leads`."""
    envelope = read_envelope(response)
    if isinstance(envelope, Problem):
        return envelope
    entry = envelope.result[0] if len(envelope.result) == 1 else None
    if not isinstance(entry, dict) or not _number(entry.get("batchId")) or not isinstance(entry.get("status"), str):
        return Problem(Trouble.BROKEN, message="the answer names no import", request_id=envelope.request_id)
    processed = entry.get("numOfLeadsProcessed", entry.get("numOfObjectsProcessed"))
    return ImportStatus(
        str(entry["batchId"]),
        entry["status"],
        _number(processed),
        _number(entry.get("numOfRowsFailed")),
        _number(entry.get("numOfRowsWithWarning")),
    )


def read_poll(response: Response) -> ImportStatus | Problem:
    """Read the answer to a poll: an empty result is a job that Marketo does not know (`batchId` lives for 7 days)."""
    envelope = read_envelope(response)
    if isinstance(envelope, Envelope) and not envelope.result:
        return Problem(Trouble.REFUSED, message="no such import", request_id=envelope.request_id)
    return read_import(response)


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if str(value).isdecimal() else None


def read_file(response: Response) -> bool | Problem:
    """Read the answer to a failures or warnings file: True when it was streamed, False when there is none (404)."""
    if response.status == 404:  # noqa: PLR2004 - "Bulk Custom Object Import": no file, nothing failed
        return False
    return read_status(response) or True
