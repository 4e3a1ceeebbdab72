"""One token for all tasks of a connection: fetched when first needed, renewed by one task while the others wait.

A token endpoint that answered is left alone for a minute, whatever it said about the token's life.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from syncer.clock import Clock

INTERVAL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, the origin that takes it, and the life the vendor promised; `life_seconds` may be infinite."""

    text: str = field(repr=False)
    origin: str
    life_seconds: float = inf
    user: str = ""


@dataclass(slots=True)
class SignIn:
    """Holds the token. `fetch` asks the vendor until it answers and raises when it refuses."""

    fetch: Callable[[], Awaitable[Token]]
    clock: Clock
    _token: Token | None = None
    _asked_at: float = -inf
    _lock: anyio.Lock = field(default_factory=anyio.Lock)
    has_signed_in: bool = False
    """Whether any token was ever fetched; until then nothing can have been sent."""

    async def token(self) -> Token:
        """Return the token at hand, or a first or fresh one."""
        async with self._lock:
            if self._token is None or self._is_over(self._token):
                return await self._ask()
            return self._token

    async def renew(self, refused: Token) -> Token:
        """Return another token than the refused one; a task that comes second gets what the first one fetched."""
        async with self._lock:
            if self._token is not None and self._token.text != refused.text:
                return self._token
            return await self._ask()

    def asks(self) -> None:
        """Note that the vendor is asked at this moment; `fetch` says so of each further try."""
        self._asked_at = self.clock.monotonic()

    def _is_over(self, token: Token) -> bool:
        """A promise of less than a minute is not acted upon: the vendor's refusal tells better when it is over."""
        age = self.clock.monotonic() - self._asked_at
        return age >= max(token.life_seconds, INTERVAL_SECONDS)

    async def _ask(self) -> Token:
        rest = self._asked_at + INTERVAL_SECONDS - self.clock.monotonic()
        if rest > 0:
            await self.clock.sleep(rest)
        self.asks()
        try:
            self._token = await self.fetch()
            self.has_signed_in = True
        except BaseException:
            self._token = None
            raise
        return self._token
