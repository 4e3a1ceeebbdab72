"""The sentences of every target error: one function a code, so that no other module of this room words an exception.

Each names the connection and what to do; none holds a credential or a field value.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from syncer.errors import (
    InDoubtError,
    PlanRefusedError,
    QuotaSpentError,
    RefusedError,
    RetryableError,
    TargetError,
)

if TYPE_CHECKING:
    from syncer.targets.exchange import Problem

_CENTRAL = 6 * 3_600
"""US Central standard time is six hours behind UTC; used where the machine has no time zones."""


def host_refused(system: str, problem: str, form: str) -> PlanRefusedError:
    """Return the refusal of an address that no credential may be sent to."""
    return PlanRefusedError(
        "R304",
        f"The {system.capitalize()} address is refused: {problem}.",
        f"Use the address in the form {form}. For `syncer sandbox` on this machine, add --sandbox to the command.",
    )


def link_refused() -> PlanRefusedError:
    """Return the refusal of a link or redirect that leaves the connection."""
    return PlanRefusedError(
        "R305",
        "An answer of the target links or redirects to a place outside the connection.",
        "Nothing was sent there. Check the connection's base_url; a redirect often means the wrong host.",
    )


def sign_in_refused(connection: str, reason: str) -> RefusedError:
    """Return the refusal of the client id or secret."""
    error = RefusedError(
        "R302",
        f'Connection "{connection}" could not sign in: {reason}.',
        "Check client id, client secret and base_url. Nothing was written.",
        target=connection,
    )
    error.is_about_caller = True
    return error


def token_refused(connection: str, code: str) -> RefusedError:
    """Return the end of a token that is refused although it is fresh."""
    error = RefusedError(
        "R302",
        f'Connection "{connection}" refuses a token it has just given ({code}).',
        "Check that no other program revokes the tokens of this client id.",
        target=connection,
    )
    error.vendor_code, error.is_about_caller = code, True
    return error


def access_denied(connection: str, path: str, code: str, request_id: str) -> RefusedError:
    """Return the vendor's "you may not"."""
    error = RefusedError(
        "R303",
        f'Connection "{connection}" may not use "{path}" ({code}).',
        "Give the API user the permission, or add this machine's address to the allow list. Then resume the run.",
        target=connection,
        path=path,
        request_id=request_id,
    )
    error.vendor_code, error.is_about_caller = code, True
    return error


def in_doubt(connection: str, path: str, reason: str, sent_at: float, request_id: str = "") -> InDoubtError:
    """Return the doubt of a write without a usable answer."""
    error = InDoubtError(
        "R306",
        f'A request of "{path}" to connection "{connection}" has no usable answer: {reason}.',
        "It may have been carried out, so it is looked up before anything is sent again.",
        target=connection,
        path=path,
        request_id=request_id,
    )
    error.sent_at = sent_at
    return error


def unreachable(connection: str, path: str, reason: str, seconds: float) -> RetryableError:
    """Return the end of all tries of a call that was never carried out."""
    error = RetryableError(
        "R307",
        f'Connection "{connection}" took no request of "{path}" in {seconds:.0f} seconds of trying: {reason}.',
        "Nothing of it was carried out. Resume the run when the target answers again.",
        target=connection,
        path=path,
    )
    error.wait_seconds = 60.0
    return error


def not_reached(connection: str, origin: str, reason: str, seconds: float) -> RetryableError:
    """Return the end of all tries of a first sign-in: nothing can have been sent yet."""
    error = RetryableError(
        "R307",
        f'Nobody answers at {origin}, where connection "{connection}" is ({reason}, tried for {seconds:.0f} seconds).',
        "Nothing was sent. Check base_url and the network, then run the same command again.",
        target=connection,
        path="sign-in",
    )
    error.wait_seconds = 60.0
    return error


def unreadable(connection: str, path: str, reason: str) -> RetryableError:
    """Return the end of all tries of a read."""
    error = RetryableError(
        "R313",
        f'Reading "{path}" from connection "{connection}" failed: {reason}.',
        "Reading changes nothing; try again later.",
        target=connection,
        path=path,
    )
    error.wait_seconds = 60.0
    return error


def queue_full(connection: str) -> QuotaSpentError:
    """Return the end of the wait for a place in the job queue."""
    return QuotaSpentError(
        "R309",
        f'The job queue of connection "{connection}" stayed full for two hours.',
        "Other imports of the instance fill it. The run is parked; resume it later.",
        target=connection,
    )


def job_endless(connection: str, reference: str, hours: float) -> QuotaSpentError:
    """Return the end of the wait for a job."""
    return QuotaSpentError(
        "R311",
        f'Job {reference} of connection "{connection}" was not finished after {hours:.0f} hours.',
        "It goes on at the vendor's. The run is parked; resuming it waits for the same job again.",
        target=connection,
    )


def quota_spent(connection: str, code: str, resets_at: float) -> QuotaSpentError:
    """Return the vendor's "enough for today"."""
    until = datetime.fromtimestamp(resets_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    error = QuotaSpentError(
        "R301",
        f'Connection "{connection}" refused a call ({code}): the daily quota is used up until {until}.',
        "The run is parked and nothing is lost. Resume it after that time.",
        target=connection,
    )
    error.resets_at = resets_at
    return error


def budget_spent(connection: str, now: float) -> QuotaSpentError:
    """Return the end of this project's own share of the day."""
    error = QuotaSpentError(
        "R316",
        f'The calls that the budget of connection "{connection}" allows today are used up.',
        'Raise "budget.calls_per_day" or lower "budget.reserve", or resume the run tomorrow.',
        target=connection,
    )
    error.resets_at = next_reset(now)
    return error


def refused(connection: str, path: str, problem: Problem, reason: str) -> RefusedError:
    """Return the vendor's refusal of the whole request."""
    error = RefusedError(
        "R310",
        f'Connection "{connection}" refused a request of "{path}": {reason}.',
        "Nothing of it was carried out, and the same request would be refused again.",
        target=connection,
        path=path,
        request_id=problem.request_id,
    )
    error.vendor_code, error.is_about_caller = problem.code, problem.is_about_caller
    return error


def unknown_name(connection: str, kind: str, name: str) -> RefusedError:
    """Return the refusal of a list, program or object that the target does not have."""
    error = RefusedError(
        "R315",
        f'Connection "{connection}" has no {kind} "{name}".',
        f"Check the {kind} in the manifest, or create it.",
        target=connection,
    )
    error.is_about_caller = True
    return error


def snapshot_unreadable(path: str, reason: str) -> TargetError:
    """Return the refusal of an object schema file."""
    return TargetError(
        "R314", f'Object schema "{path}" cannot be read: {reason}.', "Pull it again.", "syncer describe pull"
    )


def next_reset(now: float) -> float:
    """Return the next midnight of US Central time, when Marketo gives the daily quota back ("Marketo Integration")."""
    try:
        zone: ZoneInfo | None = ZoneInfo("America/Chicago")
    except ZoneInfoNotFoundError:
        zone = None
    if zone is None:
        return (now - _CENTRAL) // 86_400 * 86_400 + 86_400 + _CENTRAL
    local = datetime.fromtimestamp(now, zone)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.timestamp()
