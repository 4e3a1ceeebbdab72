"""Trouble drawn by lot: fault rules for the sandbox, snags on the way to it, and what others do meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncer.facts import System
from syncer.sandbox.faults import Action as FaultAction
from syncer.sandbox.faults import FaultRule
from tests.sim.ways import CONTACT, LEAD, ORDER, SEAT, email
from tests.sim.wire import LOST, SPOILT, UNSENT, Snag

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.sim.ways import Way

CODES = {
    System.MARKETO: (
        "601",
        "602",
        "604",
        "606",
        "607",
        "608",
        "611",
        "614",
        "615",
        "713",
        "719",
        "1016",
        "1019",
        "502",
    ),
    System.SALESFORCE: (
        "UNABLE_TO_LOCK_ROW",
        "INVALID_SESSION_ID",
        "SERVER_UNAVAILABLE",
        "REQUEST_LIMIT_EXCEEDED",
        "UNKNOWN_EXCEPTION",
    ),
}
VAGUE = frozenset({"502", "604", "611", "614", "713", "719", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"})
"""Codes that do not say whether the call was carried out."""
ACTIONS = (
    "apply_then_lose",
    "apply_then_lose",
    "lose_before_apply",
    "apply_late",
    "apply_late",
    "apply_twice",
    "apply_first_k",
    "status",
    "vendor_error",
    "vendor_error",
    "truncate_body",
    "garbage_body",
    "empty_body",
    "delay",
    "slow_job",
    "stall_job",
    "fail_job",
    "shuffle_results",
    "wrong_counts",
    "missing_failure_file",
    "lock_rows",
)
USUAL_SECONDS = 28.0
"""No call of any path takes effect later than the shortest published time-out (30 s) where nothing else is known."""
STEP_SECONDS = 290.0
"""A lost import is believed to be over when nothing of it moved for 300 s, so none rests longer between two steps."""


@dataclass(frozen=True, slots=True)
class Meddling:
    """What somebody does to the target at a moment: `abort jobs`, `forget jobs`, `revoke tokens`, `spend the day`."""

    at: float
    what: str


def draw_meddling(chance: random.Random, count: int) -> tuple[Meddling, ...]:
    """Return what others do while a run is on its way."""
    kinds = ("abort jobs", "abort jobs", "forget jobs", "revoke tokens")
    return tuple(Meddling(chance.uniform(0.5, 120), chance.choice(kinds)) for _ in range(count))


def draw_snags(chance: random.Random, ways: Sequence[Way], count: int) -> tuple[Snag, ...]:
    """Return troubles on the way. Only answers to writes lose or gain results: a read cannot notice that."""
    found = []
    for _ in range(count):
        kind = chance.choice((*UNSENT, *LOST, *SPOILT))
        way = chance.choice(ways)
        place = r"^(POST|PATCH|PUT|DELETE|GET) "
        if kind in SPOILT:
            place = _WRITES[way.system]
        elif chance.random() < 1 / 2:
            place = r"^(POST|PATCH|PUT|DELETE) .*(leads|push|import|sobjects|ingest|customobjects|members)"
        found.append(Snag(kind, place, chance.randint(1, 12), chance.randint(1, 3), chance.uniform(1, 400)))
    return tuple(found)


_WRITES = {
    System.MARKETO: r"^POST /rest/v1/(leads|leads/push|customobjects/\w+|programs/\d+/members)\.json$",
    System.SALESFORCE: r"^(POST|PATCH) /services/data/v[\d.]+/composite/sobjects",
}


def draw_faults(chance: random.Random, ways: Sequence[Way], count: int) -> tuple[FaultRule, ...]:
    """Return faults at the calls that these ways make."""
    return _within_time(_unnoticed([_fault(chance, chance.choice(ways)) for _ in range(count)], ways))


SEARCH_SECONDS = 1_500.0
"""Whoever lets a lost import be sent again (`resend`) takes it that none waits in the queue for half an hour."""


def shorten_queues(faults: tuple[FaultRule, ...]) -> tuple[FaultRule, ...]:
    """Let no import wait in the queue for longer than it is searched."""
    return tuple(
        replace(rule, seconds=min(rule.seconds, SEARCH_SECONDS)) if rule.action == "stall_job" else rule
        for rule in faults
    )


REST = {
    LEAD: ("POST /rest/v1/leads.json", 119.0),
    ORDER: ("POST /rest/v1/customobjects/{apiName}.json", 149.0),
    CONTACT: ("*/composite/sobjects*", 629.0),
}
"""Where the rest of a lost job is sent by requests, and the latest that one of them may still take effect."""


def add_late_rests(chance: random.Random, ways: Sequence[Way], faults: tuple[FaultRule, ...]) -> tuple[FaultRule, ...]:
    """Return the faults, and now and then one at the requests by which the rest of a job is sent."""
    jobs = [way for way in ways if way.is_job and way.object in REST]
    if not jobs or chance.random() > 1 / 3:
        return faults
    way = chance.choice(jobs)
    endpoint, latest = REST[way.object]
    rule = {
        "action": chance.choice(("apply_late", "apply_late", "apply_then_lose", "lose_before_apply")),
        "system": str(way.system),
        "endpoint": endpoint,
        "nth": chance.randint(1, 3),
        "count": chance.randint(1, 2),
        "seconds": chance.uniform(0.5, latest - 1),
    }
    return _within_time([*faults, FaultRule.parse(rule)])


def _unnoticed(rules: list[FaultRule], ways: Sequence[Way]) -> list[FaultRule]:
    """Let nothing be applied twice at an endpoint that also creates: the second answer says that it is there."""
    creating = {way.places[0] for way in ways if not way.is_repeatable}
    return [
        replace(rule, action=FaultAction.APPLY_THEN_LOSE)
        if rule.action == "apply_twice" and rule.endpoint in creating
        else rule
        for rule in rules
    ]


def _within_time(rules: list[FaultRule]) -> tuple[FaultRule, ...]:
    """Return the rules so that all of them together hold no call longer than one alone may."""
    late = [rule for rule in rules if rule.action in {"apply_late", "delay"}]
    share = 1 / (1 + sum(rule.action == "delay" for rule in late)) if late else 1
    return tuple(
        replace(rule, seconds=rule.seconds * share)
        if rule in late
        else replace(rule, action=FaultAction.APPLY_THEN_LOSE)
        if late and rule.action == "apply_twice"
        else rule
        for rule in rules
    )


def _fault(chance: random.Random, way: Way) -> FaultRule:  # noqa: C901, PLR0912 - one case a kind of fault
    action = chance.choice(ACTIONS)
    place = chance.choice((*way.places, way.places[0]))
    rule: dict[str, object] = {
        "action": action,
        "system": str(way.system),
        "endpoint": place,
        "nth": chance.randint(1, 8) if chance.random() < 1 / 2 else 1,
        "count": chance.randint(1, 3),
    }
    latest = way.late_seconds - 1 if place == way.places[0] else USUAL_SECONDS
    match action:
        case "apply_twice" if not way.is_repeatable:
            rule["action"] = "apply_then_lose"
        case "apply_twice":
            rule["endpoint"] = way.places[0]
        case "shuffle_results":
            # Job results have no order. Those of a request have the request's, and nothing else tells them apart.
            rule["endpoint"] = "*/jobs/ingest/*" if way.system is System.SALESFORCE else "*/bulk/*"
        case "apply_late" | "delay":
            rule |= {"seconds": chance.uniform(0.5, latest), "when": chance.choice(("before", "after"))}
        case "slow_job":
            rule["seconds"] = chance.uniform(1, STEP_SECONDS)
        case "stall_job":
            is_queued = chance.random() < 1 / 2
            rule["seconds"] = chance.uniform(1, 7_200 if is_queued else STEP_SECONDS)
            rule |= {"when": "before" if is_queued else "after", "first": chance.randint(0, 5)}
        case "apply_first_k":
            rule |= {"first": chance.randint(0, 5), "cut": chance.random() < 1 / 2}
        case "fail_job" | "lock_rows":
            rule["first"] = chance.randint(0, 5)
        case "truncate_body":
            rule |= {"share": chance.random(), "cut": chance.random() < 1 / 2}
        case "status":
            rule |= {"status": chance.choice((429, 500, 502, 503, 504)), "when": chance.choice(("before", "after"))}
            if rule["status"] == 429:
                rule["when"] = "before"
        case "vendor_error":
            code = chance.choice(CODES[way.system])
            is_vague = code in VAGUE and chance.random() < 1 / 2
            rule |= {"code": code, "when": "after" if is_vague else "before"}
        case _:
            pass
    return FaultRule.parse(rule)


def poison(way: Way, whom: int) -> FaultRule:
    """Return the rule by which every request that holds this record is refused whole."""
    keys = {
        LEAD: f"lead/email/{email(whom)}",
        ORDER: f"order_c/orderNumber/O-{whom}",
        SEAT: f"seat_c/accountNumber+seatNumber/A{whom % 3}+{whom}",
        CONTACT: f"Contact/Crm_Key__c/key-{whom}",
    }
    code = "1003" if way.system is System.MARKETO else "INVALID_FIELD"
    message = "Invalid value for field 'firstName' and value 'x'"
    return FaultRule.parse(
        {
            "action": "vendor_error",
            "system": str(way.system),
            "endpoint": way.places[0],
            "key": keys.get(way.object, "nobody"),
            "count": None,
            "code": code,
            "message": message,
        }
    )
