"""Exit codes, and which error ends in which. Scripts and CI rely on these; they never change meaning."""

from __future__ import annotations

from enum import IntEnum

from syncer.errors import (
    BusyStateError,
    InDoubtError,
    LockedError,
    ManifestError,
    PlanRefusedError,
    QuotaSpentError,
    SourceError,
    StalePlanError,
    SyncerError,
    UserError,
)


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    MANIFEST = 3
    CHANGES = 4
    REFUSED = 5
    STALE = 6
    REJECTS = 7
    PARKED = 8
    IN_DOUBT = 9
    LOCKED = 10
    INTERRUPTED = 130
    TERMINATED = 143


MEANING = {
    Exit.DONE: "done",
    Exit.ERROR: "an error; the message says which",
    Exit.USAGE: "the command's words are off",
    Exit.MANIFEST: "a manifest or a source file has errors; nothing was sent",
    Exit.CHANGES: "the plan has changes (only with --detailed-exitcode)",
    Exit.REFUSED: "refused by a guard or the budget",
    Exit.STALE: "the plan is stale, edited or spent; nothing was sent",
    Exit.REJECTS: "applied; some rows were rejected",
    Exit.PARKED: "parked in good order; go on with `syncer resume`",
    Exit.IN_DOUBT: "a write is in doubt and needs a person",
    Exit.LOCKED: "another run holds the lock",
    Exit.INTERRUPTED: "interrupted; go on with `syncer resume`",
    Exit.TERMINATED: "terminated; go on with `syncer resume`",
}

_BY_ERROR: tuple[tuple[type[SyncerError], Exit], ...] = (
    (ManifestError, Exit.MANIFEST),
    (SourceError, Exit.MANIFEST),
    (PlanRefusedError, Exit.REFUSED),
    (StalePlanError, Exit.STALE),
    (LockedError, Exit.LOCKED),
    (BusyStateError, Exit.LOCKED),
    (QuotaSpentError, Exit.PARKED),
    (InDoubtError, Exit.IN_DOUBT),
    (UserError, Exit.USAGE),
)


def exit_for(error: SyncerError) -> Exit:
    """Return the exit code that `error` ends a command with."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), Exit.ERROR)
