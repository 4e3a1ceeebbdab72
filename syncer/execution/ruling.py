"""A person's word on writes that nobody else can decide: noted in the journal, acted on by resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.errors import UserError
from syncer.execution.resume import Past
from syncer.state.protocol import Ruled

if TYPE_CHECKING:
    from typing import Literal

    from syncer.state.protocol import Lease, Store


async def rule(  # noqa: PLR0913, PLR0917 - who says what of which
    store: Store, lease: Lease, run: str, verdict: Literal["sent", "unsent"], by: str, only: str | None = None
) -> tuple[str, ...]:
    """Note `verdict` for every unit of `run` that waits for one, or `only` for one, and return them.

    Raises `UserError` when none waits.
    """
    journal = await store.journal(run, lease)
    past = Past()
    async for note in journal.notes():
        past.add(note)
    held = tuple(unit for unit in past.held() if only in {None, unit})
    if not held:
        raise UserError(
            "R109", f'Run "{run}" has no unit that waits for a word.', "See what is unfinished with:", "syncer runs"
        )
    for unit in held:
        await journal.append(Ruled(unit=unit, verdict=verdict, by=by))
    return held
