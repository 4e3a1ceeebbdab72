"""One call of a connection, from the gate to a result: signs in, sends, reads, tries again what was not carried out.

A write without a usable answer is never sent again from here: it ends as `InDoubtError`. What a failure means is
decided by the vendor's `wire`, how long to wait by `retry`, when to send by `gate`; this module walks between them.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from syncer.targets import failure, retry
from syncer.targets.exchange import AnswerLostError, NotSentError, Problem, Response, Trouble
from syncer.targets.gate import CHECK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syncer.clock import Clock
    from syncer.errors import SyncerError
    from syncer.targets.exchange import Request
    from syncer.targets.gate import Gate, Pass
    from syncer.targets.http import Http
    from syncer.targets.sign_in import SignIn, Token

T = TypeVar("T")


@dataclass(slots=True)
class Caller:
    """Everything a session needs to make calls. `fence` runs while a write waits and right before it leaves.

    It raises where the write must not leave any more: nothing of it was carried out then.
    """

    connection: str
    http: Http
    gate: Gate
    sign_in: SignIn
    clock: Clock
    fence: Callable[[], None]
    learn: Callable[[Response], tuple[int, int] | None]
    """Reads calls used and quota from an answer, where the vendor tells."""
    made: int = 0
    """Calls that left through this caller."""

    async def call(self, request: Request, read: Callable[[Response], T | Problem], path: str) -> T:
        """Make the call and return what `read` makes of the answer; raises the error that says what to do next."""
        return await self._until_done(request, read, path, None, 0)

    async def download(
        self,
        request: Request,
        read: Callable[[Response], T | Problem],
        path: str,
        file: Path,
        max_bytes: int,
    ) -> T:
        """Like `call`, with a good answer's body in `file`."""
        return await self._until_done(request, read, path, file, max_bytes)

    async def _until_done(
        self,
        request: Request,
        read: Callable[[Response], T | Problem],
        path: str,
        file: Path | None,
        max_bytes: int,
    ) -> T:
        started = self.clock.monotonic()
        attempt, has_renewed, token = 0, False, await self.sign_in.token()
        while True:
            result, sent_at = await self._once(request, read, token, file, max_bytes)
            if not isinstance(result, Problem):
                return result
            if result.trouble is Trouble.TOKEN:
                if has_renewed:
                    raise failure.token_refused(self.connection, result.code)
                has_renewed, token = True, await self.sign_in.renew(token)
                continue
            if result.trouble is Trouble.BROKEN and request.is_write:
                raise failure.in_doubt(self.connection, path, _reason(result), sent_at, result.request_id)
            attempt += 1
            waited = self.clock.monotonic() - started
            seconds = retry.pause(result.trouble, attempt, waited, _chance(request, attempt))
            if seconds is None:
                raise self._failed(result, path, waited)
            await self._rest(seconds, request)
            token = await self.sign_in.token()

    async def _rest(self, seconds: float, request: Request) -> None:
        """Wait before the next try; a write that must not leave any more does not wait for it."""
        until = self.clock.monotonic() + seconds
        while (left := until - self.clock.monotonic()) > 0:
            if request.is_held_back:
                self.fence()
                left = min(left, CHECK_SECONDS)
            await self.clock.sleep(left)

    async def _once(
        self,
        request: Request,
        read: Callable[[Response], T | Problem],
        token: Token,
        file: Path | None,
        max_bytes: int,
    ) -> tuple[T | Problem, float]:
        bearer = (("Authorization", f"Bearer {token.text}"),)
        async with self.gate.call(self.fence if request.is_held_back else None) as ticket:
            if request.is_held_back:
                self.fence()
            self.made += 1
            try:
                if file is None:
                    answer = await self.http.send(token.origin, request, bearer, ticket.sent)
                else:
                    answer = await self.http.download(token.origin, request, bearer, file, max_bytes)
            except NotSentError as error:
                ticket.is_counted = False
                self.made -= 1
                return Problem(Trouble.NOT_SENT, message=str(error)), 0.0
            except AnswerLostError as error:
                return Problem(Trouble.BROKEN, message=str(error)), error.sent_at
            result = read(answer)
            self._tell_gate(ticket, answer, result)
            return result, answer.sent_at

    def _tell_gate(self, ticket: Pass, answer: Response, result: object) -> None:
        usage = self.learn(answer)
        if usage is not None:
            self.gate.pace.learn_usage(*usage)
        if not isinstance(result, Problem):
            return
        ticket.is_counted = result.is_counted
        if result.trouble is Trouble.RATE:
            ticket.refuse_rate()
        elif result.trouble is Trouble.CONCURRENCY:
            ticket.refuse_concurrency()
        elif result.trouble is Trouble.QUEUE:
            self.gate.pace.refuse_job(self.clock.monotonic())

    def _failed(self, problem: Problem, path: str, waited: float) -> SyncerError:
        """Return the error of a call that is not tried again; for a write, each of these means "not carried out"."""
        name, reason = self.connection, _reason(problem)
        match problem.trouble:
            case Trouble.QUOTA:
                error: SyncerError = failure.quota_spent(name, problem.code, failure.next_reset(self.clock.now()))
            case Trouble.QUEUE | Trouble.LOCKED:
                error = failure.queue_full(name)
            case Trouble.DENIED:
                error = failure.access_denied(name, path, problem.code, problem.request_id)
            case Trouble.MOVED:
                error = failure.link_refused()
            case Trouble.BROKEN:
                error = failure.unreadable(name, path, reason)
            case Trouble.REFUSED | Trouble.TOO_LARGE:
                error = failure.refused(name, path, problem, reason)
            case _:
                error = failure.unreachable(name, path, reason, waited)
        return error


def _reason(problem: Problem) -> str:
    return ": ".join(part for part in (problem.code, problem.message or problem.trouble.value) if part)


def _chance(request: Request, attempt: int) -> float:
    """A spread that needs no randomness: requests differ, so do their waits, and a rerun repeats them."""
    return zlib.crc32(f"{request.target} {request.length} {attempt}".encode()) / 2**32
