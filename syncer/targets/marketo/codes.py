"""What Marketo's codes mean, as data: for a whole call, and for one record of a call that went through.

Pages: Adobe, "Error Codes" (all tables), "Marketo Integration Best Practices" (what counts against quota). "Not
executed" is the page's general word on 6xx; 604, 611, 614 and 713 say that something broke on the way, so a write under
them is in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncer.targets.exchange import Trouble


@dataclass(frozen=True, slots=True)
class CallCode:
    """One response-level code. `is_counted` is false for those that the page marks with an asterisk."""

    trouble: Trouble
    words: str
    is_counted: bool = True
    is_about_caller: bool = False


UNKNOWN_FIELD = "1006"
_FREE = {"601", "602", "604", "605", "608", "611"}


def _call(trouble: Trouble, code: str, words: str, *, is_about_caller: bool = False) -> tuple[str, CallCode]:
    return code, CallCode(trouble, words, code not in _FREE, is_about_caller)


CALL_CODES = dict(
    (
        _call(Trouble.BROKEN, "500", "internal server error"),
        _call(Trouble.BROKEN, "502", "bad gateway"),
        _call(Trouble.TOKEN, "600", "empty access token"),
        _call(Trouble.TOKEN, "601", "access token invalid"),
        _call(Trouble.TOKEN, "602", "access token expired"),
        _call(Trouble.DENIED, "603", "access denied"),
        _call(Trouble.BROKEN, "604", "request time-out"),
        _call(Trouble.REFUSED, "605", "HTTP method not supported", is_about_caller=True),
        _call(Trouble.RATE, "606", "rate limit exceeded"),
        _call(Trouble.QUOTA, "607", "daily quota reached"),
        _call(Trouble.BUSY, "608", "API temporarily unavailable"),
        _call(Trouble.REFUSED, "609", "invalid JSON"),
        _call(Trouble.REFUSED, "610", "requested resource not found", is_about_caller=True),
        _call(Trouble.BROKEN, "611", "system error"),
        _call(Trouble.REFUSED, "612", "invalid content type", is_about_caller=True),
        _call(Trouble.REFUSED, "613", "invalid multipart request", is_about_caller=True),
        _call(Trouble.BROKEN, "614", "subscription unreachable"),
        _call(Trouble.CONCURRENCY, "615", "concurrent access limit reached"),
        _call(Trouble.REFUSED, "616", "invalid subscription type", is_about_caller=True),
        _call(Trouble.REFUSED, "701", "a value cannot be blank"),
        _call(Trouble.REFUSED, "702", "no data found"),
        _call(Trouble.REFUSED, "703", "the feature is not enabled", is_about_caller=True),
        _call(Trouble.REFUSED, "704", "invalid date format"),
        _call(Trouble.REFUSED, "709", "business rule violation"),
        _call(Trouble.BROKEN, "713", "transient error"),
        _call(Trouble.REFUSED, "718", "external sales person not found"),
        _call(Trouble.BROKEN, "719", "lock wait time-out"),
        _call(Trouble.REFUSED, "1001", "a value has the wrong type"),
        _call(Trouble.REFUSED, "1002", "a required parameter is missing"),
        _call(Trouble.REFUSED, "1003", "invalid data"),
        _call(Trouble.REFUSED, "1004", "lead not found"),
        _call(Trouble.REFUSED, UNKNOWN_FIELD, "field not found"),
        _call(Trouble.REFUSED, "1008", "access to the partition denied", is_about_caller=True),
        _call(Trouble.REFUSED, "1009", "partition name missing", is_about_caller=True),
        _call(Trouble.REFUSED, "1011", "field not supported"),
        _call(Trouble.REFUSED, "1013", "object not found"),
        _call(Trouble.QUEUE, "1016", "too many imports"),
        _call(Trouble.REFUSED, "1018", "the object is read-only, a CRM sync owns it", is_about_caller=True),
        _call(Trouble.LOCKED, "1019", "an import into the list is running"),
        _call(Trouble.REFUSED, "1025", "program status not found", is_about_caller=True),
        _call(Trouble.REFUSED, "1026", "custom object not enabled", is_about_caller=True),
        _call(Trouble.QUEUE, "1029", "too many jobs in queue"),
        _call(Trouble.REFUSED, "1036", "the same key twice in one request"),
    )
)


def call_code(code: str) -> CallCode:
    """Return what a response-level code means; one without an entry is read by its hundred."""
    known = CALL_CODES.get(code)
    if known is not None:
        return known
    if code.isdigit() and (code.startswith("7") or len(code) > len("700")):
        return CallCode(Trouble.REFUSED, "a code that Marketo's page does not list")
    return CallCode(Trouble.BROKEN, "a code that Marketo's page does not list")


@dataclass(frozen=True, slots=True)
class RecordCode:
    """One record-level code: the catalogue's code, and words that stand in for a message of unknown form."""

    code: str
    words: str


OTHER = RecordCode("V511", "refused for a reason that Marketo's page does not list")

RECORD_CODES = {
    "611": RecordCode("V511", "system error"),
    "701": RecordCode("V506", "a value cannot be blank"),
    "709": RecordCode("V508", "business rule violation"),
    "712": RecordCode("V508", "operation invalid for a person account, or a duplicate record"),
    "1001": RecordCode("V501", "a value has the wrong type"),
    "1002": RecordCode("V506", "a required value is missing"),
    "1003": RecordCode("V501", "invalid data"),
    "1004": RecordCode("V502", "lead not found"),
    "1005": RecordCode("V503", "lead already exists"),
    UNKNOWN_FIELD: RecordCode("V505", "field not found"),
    "1007": RecordCode("V504", "the key matches several leads"),
    "1008": RecordCode("V507", "access to the partition denied"),
    "1009": RecordCode("V507", "partition name must be specified"),
    "1010": RecordCode("V507", "the lead is in another partition"),
    "1011": RecordCode("V505", "field not supported"),
    "1013": RecordCode("V502", "object not found"),
    "1014": RecordCode("V511", "failed to create the object"),
    "1015": RecordCode("V510", "the lead is not in the list"),
    "1017": RecordCode("V503", "object already exists"),
    "1018": RecordCode("V508", "the object is read-only, a CRM sync owns it"),
    "1019": RecordCode("V509", "an import into the list is running"),
    "1021": RecordCode("V508", "company fields cannot be written here"),
    "1022": RecordCode("V508", "the object is in use"),
    "1025": RecordCode("V505", "program status not found"),
    "1036": RecordCode("V513", "the same key twice in one request"),
    "1037": RecordCode("V510", "the lead is already in or past this status, or not in the program"),
    "1077": RecordCode("V501", "a value is longer than its field"),
}


def record_code(code: str) -> RecordCode:
    """Return what a record-level code means."""
    return RECORD_CODES.get(code, OTHER)
