"""Turns the system's signals into the wish to stop."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from syncer.execution.context import Stop

EXIT_CODES: Final = {signal.SIGINT: 130, signal.SIGTERM: 143}


async def listen(stop: Stop) -> None:
    """Ask `stop` at each SIGINT and SIGTERM, until cancelled; works in the main thread only."""
    with anyio.open_signal_receiver(*EXIT_CODES) as signals:
        async for each in signals:
            stop.request(EXIT_CODES[each])
