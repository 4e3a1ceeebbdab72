"""What Salesforce's codes mean, as data: for a whole call, and for one record of a call or a job.

Pages: Salesforce, "REST API Developer Guide" (status codes and error responses, sObject Collections), "Bulk API 2.0 and
Bulk API Developer Guide" (errors).
"""

from __future__ import annotations

from dataclasses import dataclass

from syncer.targets.exchange import Trouble

CALL_CODES = {
    "INVALID_SESSION_ID": Trouble.TOKEN,
    "INVALID_AUTH_HEADER": Trouble.DENIED,
    "API_DISABLED_FOR_ORG": Trouble.DENIED,
    "INSUFFICIENT_ACCESS": Trouble.DENIED,
    "INSUFFICIENT_ACCESS_OR_READONLY": Trouble.DENIED,
    "FORBIDDEN": Trouble.DENIED,
    "FEATURENOTENABLED": Trouble.DENIED,
    "EXCEEDEDQUOTA": Trouble.QUOTA,
    "EXCEEDED_ID_LIMIT": Trouble.TOO_LARGE,
    "UNABLE_TO_LOCK_ROW": Trouble.BUSY,
    "UNKNOWN_EXCEPTION": Trouble.BROKEN,
    "SERVER_UNAVAILABLE": Trouble.BROKEN,
}
LIMIT = "REQUEST_LIMIT_EXCEEDED"
"""Two limits share this code; the message tells calls at once from calls a day."""

ABOUT_CALLER = frozenset(
    {
        "API_ERROR",
        "INVALIDENTITY",
        "INVALIDJOB",
        "INVALID_TYPE",
        "MALFORMED_QUERY",
        "METHOD_NOT_ALLOWED",
        "NOT_FOUND",
        "UNSUPPORTED_API_VERSION",
    }
)
"""Refusals that no choice of records changes."""

STATUSES = {
    401: Trouble.DENIED,
    403: Trouble.DENIED,
    408: Trouble.BROKEN,
    413: Trouble.TOO_LARGE,
    414: Trouble.TOO_LARGE,
    420: Trouble.BUSY,
    429: Trouble.BUSY,
    431: Trouble.TOO_LARGE,
}
HUNDREDS = {3: Trouble.MOVED, 4: Trouble.REFUSED}
"""Any other status is no answer: 5xx may come before or after the write."""


@dataclass(frozen=True, slots=True)
class RecordCode:
    """One record-level code: the catalogue's code, and words that stand in for a message of unknown form."""

    code: str
    words: str


OTHER = RecordCode("V511", "refused")

RECORD_CODES = {
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": RecordCode("V511", "rolled back with its request"),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": RecordCode("V508", "a trigger or flow refused the record"),
    "CANNOT_UPDATE_CONVERTED_LEAD": RecordCode("V508", "cannot reference converted lead"),
    "DUPLICATES_DETECTED": RecordCode("V508", "a duplicate rule refused the record"),
    "DUPLICATE_EXTERNAL_ID": RecordCode("V504", "the key matches several records"),
    "DUPLICATE_VALUE": RecordCode("V503", "a unique value is already in use"),
    "ENTITY_IS_DELETED": RecordCode("V502", "entity is deleted"),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": RecordCode("V508", "a validation rule refused the record"),
    "FIELD_INTEGRITY_EXCEPTION": RecordCode("V501", "a value does not fit the record"),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": RecordCode("V507", "no access to a referenced record"),
    "INSUFFICIENT_ACCESS_OR_READONLY": RecordCode("V507", "insufficient access rights"),
    "INVALID_CROSS_REFERENCE_KEY": RecordCode("V514", "a referenced record does not exist"),
    "INVALID_EMAIL_ADDRESS": RecordCode("V501", "invalid e-mail address"),
    "INVALID_FIELD": RecordCode("V501", "a field or its value is invalid"),
    "INVALID_FIELD_FOR_INSERT_UPDATE": RecordCode("V505", "a field cannot be written"),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": RecordCode("V501", "bad value for a restricted picklist"),
    "INVALID_TYPE_ON_FIELD_IN_RECORD": RecordCode("V501", "a value has the wrong type"),
    "JSON_PARSER_ERROR": RecordCode("V501", "a value cannot be read"),
    "MALFORMED_ID": RecordCode("V501", "an id has the wrong form"),
    "MISSING_ARGUMENT": RecordCode("V506", "the key is missing"),
    "NUMBER_OUTSIDE_VALID_RANGE": RecordCode("V501", "a number is out of range"),
    "REQUIRED_FIELD_MISSING": RecordCode("V506", "a required field is missing"),
    "STORAGE_LIMIT_EXCEEDED": RecordCode("V508", "the storage of the org is used up"),
    "STRING_TOO_LONG": RecordCode("V501", "a text is longer than its field"),
    "UNABLE_TO_LOCK_ROW": RecordCode("V509", "the record was locked by others"),
}
LOCKED_WORD = "UNABLE_TO_LOCK_ROW"
LOCKED = RECORD_CODES[LOCKED_WORD]
DUPLICATE_IN_REQUEST = RecordCode("V513", "the same key twice in one request")


def record_code(code: str, message: str) -> RecordCode:
    """Return what a record-level code means; a lock may hide in the text of a trigger's error."""
    if LOCKED_WORD in message:
        return LOCKED
    if message.startswith("Duplicate external id specified"):
        return DUPLICATE_IN_REQUEST
    return RECORD_CODES.get(code, OTHER)
