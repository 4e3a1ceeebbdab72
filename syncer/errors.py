"""Exceptions by what the caller must do next: change something, wait, look up, stop.

The class carries the decision, so no message is ever parsed. The failure of one record is no exception but an
`Outcome`. No exception holds a credential or a field value of a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.diagnostics import Diagnostic


class SyncerError(Exception):
    """Anything syncer raises on purpose. `code` has a catalogue entry; `detail` and `advice` are sentences."""

    def __init__(self, code: str, detail: str, advice: str = "", command: str = "") -> None:
        """Keep the parts; the title comes from the catalogue."""
        super().__init__(code, detail, advice, command)
        self.code = code
        self.detail = detail
        self.advice = advice
        self.command = command

    def __str__(self) -> str:
        """Return the error in the form that the terminal shows, without colour."""
        lines = [f"error {self.code}: {catalogue.title(self.code)}", f"  {self.detail}"]
        if self.advice:
            lines.append(f"  {self.advice}")
        if self.command:
            lines.append(f"      {self.command}")
        return "\n".join(lines)


class UserError(SyncerError):
    """Something the person can change, then try again."""


class ManifestError(UserError):
    """The manifests have errors; carries every diagnostic."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Keep all findings; the first one stands for the error's code."""
        first = diagnostics[0]
        super().__init__(first.code, first.detail, first.advice, first.command)
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        """Return all diagnostics, one below the other."""
        return "\n\n".join(str(each) for each in self.diagnostics)


class PlanRefusedError(UserError):
    """Budget, guard or policy says no, or no path can say the operation. `refusals` holds every reason of a plan."""

    refusals: tuple[Diagnostic, ...] = ()

    @classmethod
    def of(cls, refusals: Sequence[Diagnostic]) -> PlanRefusedError:
        """Return one error for all `refusals`; the first one stands for the error's code."""
        first = refusals[0]
        error = cls(first.code, first.detail, first.advice, first.command)
        error.refusals = tuple(refusals)
        return error

    def __str__(self) -> str:
        """Return all refusals, one below the other."""
        return "\n\n".join(str(each) for each in self.refusals) or super().__str__()


class StalePlanError(UserError):
    """An input differs from what the plan was made of, or the plan was spent or edited."""


class LockedError(UserError):
    """Another run holds the lease of this state."""


class TargetError(SyncerError):
    """The vendor's side. `target` is `connection`, `path` the API path, `request_id` the vendor's own id, if any."""

    def __init__(  # noqa: PLR0913 - each part is shown to the person
        self,
        code: str,
        detail: str,
        advice: str = "",
        command: str = "",
        *,
        target: str = "",
        path: str = "",
        request_id: str = "",
    ) -> None:
        """Keep the parts beside those of every error."""
        super().__init__(code, detail, advice, command)
        self.target = target
        self.path = path
        self.request_id = request_id


class RetryableError(TargetError):
    """Nothing was written and the client's own tries are used up; `wait_seconds` is the vendor's or our pause."""

    wait_seconds: float = 0.0


class InDoubtError(TargetError):
    """May have been written: look up before any retry. `sent_at` is the monotonic moment of the last byte sent."""

    sent_at: float = 0.0


class QuotaSpentError(TargetError):
    """The day's quota or the budget is used up; the run parks. `resets_at` is epoch seconds, 0 when unknown."""

    resets_at: float = 0.0


class RefusedError(TargetError):
    """The same request will be refused again. `vendor_code` is the vendor's word for it, "" for plain HTTP.

    `is_about_caller` says that no record is to blame (sign-in, permission, an unknown address), so that a smaller
    request would be refused as well; otherwise the executor looks for the records that are.
    """

    vendor_code: str = ""
    is_about_caller: bool = False


class SourceError(SyncerError):
    """The source cannot be read as declared."""


class StateError(SyncerError):
    """Journal, ledger or lease cannot be read, written or believed."""


class BusyStateError(StateError):
    """Another process holds the state in the middle of a write, and does not go on."""


class LeaseLostError(StateError):
    """Another run took the lease over; nothing more may be sent."""


class BugError(SyncerError):
    """An invariant broke."""

    def __str__(self) -> str:
        """Return the usual form and own up."""
        return f"{super().__str__()}\n  This is a bug in syncer."
