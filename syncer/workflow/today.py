"""The vendors' day as a plan meets it: sessions that only ask, what they asked so far, and what is left to call.

Opens the connections that a plan writes to, asks each vendor instance once for today's usage, and notes in the state
how many calls all of that took: they come off the same day as the calls of runs.
"""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from syncer.errors import StateError
from syncer.facts import Usage
from syncer.plan.budget import connection_plan
from syncer.plan.words import count
from syncer.workflow.endpoints import instance_of, sessions
from syncer.workflow.spent import spent_today

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from syncer.state.protocol import Store
    from syncer.targets.protocol import Session
    from syncer.workflow.load import Loaded
    from syncer.workflow.planning import Settings

    Progress = Callable[[str, str], None]


@dataclass(slots=True)
class Today:
    """The day of each connection; without sessions, where a plan is made offline, nothing is known of it."""

    loaded: Loaded
    sessions: Mapping[str, Session]
    spent: Mapping[str, int]
    """Calls of today by instance, before this plan."""
    kept: int
    """Calls that an instance is asked once more before the plan is carried out."""
    _asked: dict[str, tuple[Usage, int]] = field(default_factory=dict)
    """By instance: the vendor's answer, and our calls by then."""

    async def ask(self, progress: Progress) -> None:
        """Ask every instance for today's usage, by whichever connection comes first."""
        for name, session in self.sessions.items():
            at = instance_of(self.loaded, name)
            if at not in self._asked:
                progress(name, "asking for today's usage")
                answer = await session.usage()
                self._asked[at] = answer, self.calls[at]

    @property
    def calls(self) -> Counter[str]:
        """The calls that were made for this plan, by instance."""
        made = Counter[str]()
        for name, session in self.sessions.items():
            made[instance_of(self.loaded, name)] += session.calls_made()
        return +made

    def usage(self) -> dict[str, Usage]:
        """Return the day of each connection as it is now."""
        made, found = self.calls, {}
        for name, session in self.sessions.items():
            at = instance_of(self.loaded, name)
            answer, before = self._asked[at]
            found[name] = Usage(
                calls_used=None if answer.calls_used is None else answer.calls_used + made[at] - before,
                calls_quota=answer.calls_quota,
                calls_by_project=self.spent.get(at, 0) + made[at],
                calls_to_plan=session.calls_made(),
                calls_kept=self.kept,
            )
        return found

    def left(self, name: str) -> int | None:
        """Return how many calls a connection may still make today; None where nothing limits them."""
        return connection_plan(name, self.loaded.manifest.connections[name], self.usage()[name], ()).left


@asynccontextmanager
async def today(
    loaded: Loaded, names: Iterable[str], store: Store, settings: Settings, progress: Progress, *, is_first: bool
) -> AsyncIterator[Today]:
    """Open the named connections for questions, and count the calls in the end, however it comes.

    `is_first` is a plan that somebody is to review: carrying it out begins with the same question.
    """
    if settings.offline:
        yield Today(loaded, {}, {}, 0)
        return
    spent = await spent_today(store, settings.clock)
    async with sessions(
        loaded, names, settings.clock, sandbox=settings.sandbox, transport=settings.transport
    ) as opened:
        day = Today(loaded, opened, spent, int(is_first))
        try:
            await day.ask(progress)
            yield day
        finally:
            with anyio.CancelScope(shield=True):
                await _count(day.calls, store, progress)


async def _count(calls: Counter[str], store: Store, progress: Progress) -> None:
    """Note the calls; where the state may only be read, say that they are not noted, for a plan needs no more."""
    if not calls:
        return
    try:
        await store.count_calls(calls)
    except StateError as error:
        progress("state", f"not counting {count(calls.total(), 'call')} of this plan against the day: {error.detail}")
