"""Fault rules in this vendor's terms: what one does to a job or to records, and how an error is said."""

from __future__ import annotations

import random
from collections.abc import Sequence

from starlette.responses import Response

from syncer.sandbox.exchange import Exchange
from syncer.sandbox.faults import Action, FaultRule
from syncer.sandbox.salesforce.door import refuse
from syncer.sandbox.salesforce.job import IngestJob, JobTroubles
from syncer.sandbox.salesforce.refusal import Refusal

_KNOWN_ERRORS = {
    "INVALID_SESSION_ID": (401, "Session expired or invalid"),
    "REQUEST_LIMIT_EXCEEDED": (403, "TotalRequests Limit exceeded."),
    "API_DISABLED_FOR_ORG": (403, "API is not enabled for this Organization or Partner"),
    "NOT_FOUND": (404, "The requested resource does not exist"),
    "EXCEEDEDQUOTA": (400, "ExceededQuota : ApiBatchItems Limit exceeded."),
    "UNABLE_TO_LOCK_ROW": (400, "unable to obtain exclusive access to this record or 1 records"),
    "SERVER_UNAVAILABLE": (503, "Server Unavailable"),
    "UNKNOWN_EXCEPTION": (500, "An unexpected error occurred. Please include this ErrorId if you contact support"),
}
_UNKNOWN = "UNKNOWN_EXCEPTION"


def vendor_error(exchange: Exchange, rule: FaultRule) -> Response:
    """The error that a rule asks for; a code that is not this vendor's becomes its unknown exception."""
    code = _UNKNOWN if rule.code.isdigit() else rule.code
    status, message = _KNOWN_ERRORS.get(code, (400, code))
    exchange.entry.error_code = code
    return refuse(Refusal(status, code, rule.message or message))


def troubles_of(exchange: Exchange, job: IngestJob) -> JobTroubles:
    """What the rules that fire when a job is closed have in store for it."""
    troubles = JobTroubles()
    slow, stall, fail, wrong, lock = (
        exchange.world_fault(action)
        for action in (
            Action.SLOW_JOB,
            Action.STALL_JOB,
            Action.FAIL_JOB,
            Action.WRONG_COUNTS,
            Action.LOCK_ROWS,
        )
    )
    if slow is not None:
        troubles.extra_seconds = slow.seconds
    if stall is not None:
        troubles.is_stalled, troubles.extra_seconds = True, stall.seconds
    if fail is not None:
        troubles.fails_after = fail.first
        troubles.failure = fail.message or troubles.failure
    if wrong is not None:
        troubles.miscount = wrong.first or 1
    if lock is not None and job.file is not None:
        troubles.locked = locked_places(lock, job.file.rows, f"{exchange.world.options.seed}/{job.number}")
    return troubles


def locked_places(rule: FaultRule, records: Sequence[Sequence[str]], seed: str) -> frozenset[int]:
    """Which records a lock rule holds: those with its key, or the first so many, or a share of them drawn by lot."""
    if rule.key is not None:
        value = rule.key.rpartition("/")[2].lower()
        return frozenset(place for place, record in enumerate(records) if value in {text.lower() for text in record})
    if rule.first:
        return frozenset(range(min(rule.first, len(records))))
    chance = random.Random(seed)
    return frozenset(place for place in range(len(records)) if chance.random() < rule.share)
