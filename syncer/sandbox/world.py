"""What the core asks of a system's world: Marketo and Salesforce each give one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from starlette.responses import Response

    from syncer.sandbox.clock import Clock
    from syncer.sandbox.exchange import Exchange
    from syncer.sandbox.faults import FaultRule, Faults
    from syncer.sandbox.options import SandboxOptions
    from syncer.sandbox.traffic import Traffic


class World(Protocol):
    """One pretended vendor instance. It is built as `World(options, clock, traffic, faults)`."""

    @property
    def system(self) -> str:
        """The word for this system in rules and logs: `marketo` or `salesforce`."""

    @property
    def options(self) -> SandboxOptions:
        """What the sandbox was started with."""

    @property
    def clock(self) -> Clock:
        """The sandbox clock."""

    @property
    def traffic(self) -> Traffic:
        """The sandbox's log."""

    @property
    def faults(self) -> Faults:
        """The fault rules in force."""

    def state(self) -> dict[str, Any]:
        """What the instance holds, by object, canonical: no ids and times of the system's own making, sorted."""

    def overview(self) -> dict[str, Any]:
        """What the page shows: `quota`, `jobs`, `lists` as rows, and `records` by object, ids and times included."""

    def credentials(self) -> dict[str, str]:
        """What a client needs to log in."""

    def add_neighbours(self, calls: int, calls_per_second: float) -> None:
        """Lets another integration use up calls: some at once, and some steadily from now on."""

    def vendor_error(self, exchange: Exchange, fault: FaultRule) -> Response:
        """The vendor's own way of saying the error that a rule asks for."""

    def reset(self) -> None:
        """Back to the seed file, or to an empty instance."""
