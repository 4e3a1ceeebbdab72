"""Every system that can be a target: one line each. Opening a session and asking for capabilities begin here.

Capabilities are asked for by every verb, sessions only where something is sent: their modules are imported there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.facts import System
from syncer.targets import failure
from syncer.targets.endpoint import origin_of
from syncer.targets.marketo import capabilities as marketo
from syncer.targets.salesforce import capabilities as salesforce

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from syncer.capability import Capabilities
    from syncer.clock import Clock
    from syncer.targets.call import Caller
    from syncer.targets.endpoint import Endpoint
    from syncer.targets.exchange import Problem, Request, Response
    from syncer.targets.gate import Instance
    from syncer.targets.http import Http
    from syncer.targets.pace import Limits
    from syncer.targets.protocol import Session
    from syncer.targets.sign_in import SignIn, Token


@dataclass(frozen=True, slots=True)
class Target:
    """What a system brings along."""

    capabilities: Callable[[str, Endpoint], Capabilities]
    limits: Callable[[Endpoint], Limits]
    token_request: Callable[[Endpoint], Request]
    read_token: Callable[[Response, str, bool, frozenset[str]], Token | Problem]
    learn: Callable[[Response], tuple[int, int] | None]
    session: Callable[[Caller, Endpoint], Session]


def _marketo_limits(endpoint: Endpoint) -> Limits:
    from syncer.targets.pace import Limits

    return Limits(
        calls=marketo.CALLS_PER_WINDOW,
        window_seconds=marketo.WINDOW_SECONDS,
        concurrency=min(endpoint.concurrency, marketo.CONCURRENT_CALLS),
        jobs=marketo.IMPORTS_QUEUED,
        calls_today=endpoint.budget,
        reserve=endpoint.reserve,
    )


def _salesforce_limits(endpoint: Endpoint) -> Limits:
    """No window: only calls at once and calls a day are limited."""
    from syncer.targets.pace import Limits

    return Limits(
        calls=1_000_000,
        window_seconds=0.0,
        concurrency=min(endpoint.concurrency, salesforce.CONCURRENT_CALLS),
        jobs=salesforce.JOBS_AT_ONCE,
        calls_today=endpoint.budget,
        reserve=endpoint.reserve,
    )


def _marketo_token_request(endpoint: Endpoint) -> Request:
    from syncer.targets.marketo import token

    return token.token_request(endpoint)


def _salesforce_token_request(endpoint: Endpoint) -> Request:
    from syncer.targets.salesforce import token

    return token.token_request(endpoint)


def _marketo_token(response: Response, origin: str, _sandbox: bool, _hosts: frozenset[str]) -> Token | Problem:  # noqa: FBT001 - one form for both systems
    from syncer.targets.marketo import token

    return token.read_token(response, origin)


def _salesforce_token(response: Response, origin: str, sandbox: bool, hosts: frozenset[str]) -> Token | Problem:  # noqa: FBT001 - as above
    from syncer.targets.salesforce import token

    return token.read_token(response, origin, sandbox=sandbox, allowed_hosts=hosts)


def _salesforce_usage(response: Response) -> tuple[int, int] | None:
    from syncer.targets.salesforce import wire

    return wire.usage_of(response)


def _marketo_session(caller: Caller, _endpoint: Endpoint) -> Session:
    from syncer.targets.marketo.session import MarketoSession

    return MarketoSession(caller)


def _salesforce_session(caller: Caller, endpoint: Endpoint) -> Session:
    from syncer.targets.salesforce.request import Api
    from syncer.targets.salesforce.session import SalesforceSession

    return SalesforceSession(caller, Api(endpoint.api_version))


FIRST_CONTACT_SECONDS = 10.0
"""How long a first sign-in is tried where nobody answers; later ones have `retry`'s patience."""

TARGETS = {
    System.MARKETO: Target(
        marketo.capabilities,
        _marketo_limits,
        _marketo_token_request,
        _marketo_token,
        lambda _: None,
        _marketo_session,
    ),
    System.SALESFORCE: Target(
        salesforce.capabilities,
        _salesforce_limits,
        _salesforce_token_request,
        _salesforce_token,
        _salesforce_usage,
        _salesforce_session,
    ),
}


def capabilities(object_name: str, endpoint: Endpoint) -> Capabilities:
    """Return the paths of an object, as this connection's options leave them."""
    return TARGETS[endpoint.system].capabilities(object_name, endpoint)


def open_session(  # noqa: PLR0913 - what the world is made of, each by its name
    endpoint: Endpoint,
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    sandbox: bool = False,
    allowed_hosts: frozenset[str] = frozenset(),
    fence: Callable[[], None] = lambda: None,
    recent_calls: int = 0,
    limits: Limits | None = None,
    instance: Instance | None = None,
) -> Session:
    """Return a session that signs in when first needed; raises `PlanRefusedError` for a host that is not allowed.

    `fence` is called right before each write leaves, after all waiting, and may raise to stop it: a lost lease.
    `recent_calls` were made just before by a run that this one takes up. `limits` replaces the vendor's, to measure.
    `instance` is what the session has in common with others that lead to the same place.
    """
    from syncer.targets.call import Caller
    from syncer.targets.gate import Gate, Instance
    from syncer.targets.http import Http
    from syncer.targets.pace import Pace
    from syncer.targets.sign_in import SignIn

    target = TARGETS[endpoint.system]
    origin = origin_of(endpoint.base_url, endpoint.system, sandbox=sandbox, allowed_hosts=allowed_hosts)
    http = Http(clock, transport)
    instance = instance or Instance()
    pace = Pace(limits or target.limits(endpoint), instance.traffic)
    pace.remember(recent_calls, clock.monotonic())

    def read(response: Response) -> Token | Problem:
        return target.read_token(response, origin, sandbox, allowed_hosts)

    async def fetch() -> Token:
        return await _fetch_token(endpoint, http, clock, read, origin, sign_in)

    sign_in = SignIn(fetch, clock)
    caller = Caller(
        endpoint.name, http, Gate(pace, clock, endpoint.name, instance), sign_in, clock, fence, target.learn
    )
    return target.session(caller, endpoint)


async def _fetch_token(  # noqa: PLR0913, PLR0917 - as above
    endpoint: Endpoint,
    http: Http,
    clock: Clock,
    read: Callable[[Response], Token | Problem],
    origin: str,
    sign_in: SignIn,
) -> Token:
    """Ask for a token; a refusal is final, silence is tried again. No gate: token calls are counted nowhere.

    Before the first token nothing was sent, so a person who mistyped an address is told soon.
    """
    from syncer.targets import retry
    from syncer.targets.exchange import AnswerLostError, NotSentError, Problem, Trouble
    from syncer.targets.sign_in import INTERVAL_SECONDS

    request = TARGETS[endpoint.system].token_request(endpoint)
    started = clock.monotonic()
    attempt, is_first = 0, not sign_in.has_signed_in
    while True:
        sign_in.asks()
        try:
            result = read(await http.send(origin, request))
        except NotSentError as error:
            result = Problem(Trouble.NOT_SENT, message=str(error))
        except AnswerLostError as error:
            result = Problem(Trouble.BROKEN, message=str(error))
        if not isinstance(result, Problem):
            return result
        if result.trouble is Trouble.DENIED:
            raise failure.sign_in_refused(endpoint.name, result.message)
        if result.trouble is Trouble.MOVED:
            raise failure.link_refused()
        attempt += 1
        waited = clock.monotonic() - started
        seconds = retry.pause(result.trouble, attempt, waited, 0.5)
        is_first = is_first and result.trouble is Trouble.NOT_SENT
        if is_first and waited + (seconds or 0.0) > FIRST_CONTACT_SECONDS:
            raise failure.not_reached(endpoint.name, origin, result.message, waited)
        if seconds is None:
            raise failure.unreachable(endpoint.name, "sign-in", result.message, waited)
        # A token endpoint that may have answered is left alone for as long as one that did.
        await clock.sleep(max(seconds, INTERVAL_SECONDS) if result.trouble is Trouble.BROKEN else seconds)
