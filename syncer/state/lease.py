"""The lease's arithmetic: who may write, for how long, and when a silent holder may be replaced.

Values and pure functions; the stores keep the record and compare-and-swap it. Sending is safe until the lease runs
out less a margin, and nobody takes over until the longest request that a silent holder can have under way is over as
well.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncer.errors import LeaseLostError, LockedError, StalePlanError, UserError

TTL_SECONDS = 60.0
MAX_REQUEST_SECONDS = 370.0
"""The longest hard deadline of a request, that of an upload: as long a sent byte can be on its way."""
MARGIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What the store holds of one lease; moments are epoch seconds."""

    epoch: int
    holder: str
    run: str
    acquired: float
    renewed: float
    key_spaces: tuple[str, ...]


def safe_seconds(renewed: float, now: float) -> float:
    """Return how long the holder may still begin to send; both moments are of one monotonic clock."""
    return renewed + TTL_SECONDS - MARGIN_SECONDS - now


def wait_seconds(record: LeaseRecord, now: float) -> float:
    """Return how long until the lease may be taken from a holder that is silent; 0 when it may be now.

    A renewal that lies in the future (the clock was set back) counts as one of this moment.
    """
    renewed = min(record.renewed, now)
    return max(0.0, renewed + TTL_SECONDS + MAX_REQUEST_SECONDS + MARGIN_SECONDS - now)


def locked(record: LeaseRecord, now: float) -> LockedError:
    """Return the error that names holder, age and the way out."""
    age = max(0, round(now - record.acquired))
    silent = max(0, round(now - record.renewed))
    return LockedError(
        "R210",
        f'Run "{record.run}" by {record.holder} has held the lease for {age} s and renewed it {silent} s ago.',
        "Wait until that run ends. If it is certain that it is no more and that nothing of it is on its way, run:",
        f"syncer unlock --epoch {record.epoch}",
    )


def lost(epoch: int) -> LeaseLostError:
    """Return the error of a holder whose lease is gone."""
    return LeaseLostError(
        "R211",
        f"The lease of epoch {epoch} was taken over or broken, so this run sends nothing more.",
        "What it sent last is looked up by the run that goes on. Find that run with:",
        "syncer runs",
    )


def not_held(epoch: int) -> UserError:
    """Return the error of a person who names an epoch that nobody holds."""
    return UserError(
        "R212",
        f"No lease of epoch {epoch} is held here.",
        "Run again what was refused: its message names the epoch that is held now, if one still is.",
    )


def spent(plan: str, run: str) -> StalePlanError:
    """Return the error of a plan that was applied before."""
    return StalePlanError(
        "R213",
        f'Plan {plan[:12]} was applied by run "{run}" already.',
        "Make a new plan. If that run is not finished, go on with it:",
        f"syncer resume {run}",
    )
