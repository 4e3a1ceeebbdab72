"""What one seed means: operations over few keys, and the trouble that they meet."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from syncer.facts import System
from syncer.sandbox.faults import FaultRule
from tests.fakes.world import Op
from tests.sim.staged import Fields

LEAD = Fields("email", "firstName")
CONTACT = Fields("Crm_Key__c", "FirstName", (("LastName", "Sim"),))
PATHS = {
    "sync": (System.MARKETO, "lead", LEAD),
    "push": (System.MARKETO, "lead", LEAD),
    "bulk": (System.MARKETO, "lead", LEAD),
    "collections": (System.SALESFORCE, "Contact", CONTACT),
    "multipart": (System.SALESFORCE, "Contact", CONTACT),
    "bulk2": (System.SALESFORCE, "Contact", CONTACT),
}
JOBS = frozenset({"bulk", "bulk2", "multipart"})
PLACES = {
    System.MARKETO: ("*leads.json", "*push.json", "*/bulk/*", "*/bulk/*/batch/*", "*"),
    System.SALESFORCE: ("PATCH */composite/*", "*/jobs/ingest*", "PUT *", "*/query*", "*"),
}
CODES = {
    System.MARKETO: ("601", "602", "604", "606", "608", "611", "614", "615", "713"),
    System.SALESFORCE: ("UNABLE_TO_LOCK_ROW", "INVALID_SESSION_ID", "SERVER_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED"),
}
LATEST_SECONDS = 28.0
"""No write takes effect later than the shortest published time-out (30 s, Marketo's imports)."""


@dataclass(frozen=True)
class Scene:
    """One seed, unfolded: at which notes a process dies (true: before it), after how many seconds one is stopped."""

    seed: int
    ops: tuple[Op, ...]
    sizes: dict[str, int]
    concurrency: int
    faults: tuple[FaultRule, ...]
    deaths: tuple[tuple[int, bool], ...]
    signals: tuple[float, ...]
    latency: float
    fields: dict[str, Fields] = field(default_factory=dict)


def unfold(seed: int) -> Scene:
    """Return what happens under `seed`; the same for ever."""
    chance = random.Random(f"syncer sim {seed}")  # noqa: S311 - a story, not a secret
    ops: list[Op] = []
    for number in range(chance.randint(1, 4)):
        path = chance.choice(tuple(PATHS))
        system, name, fields = PATHS[path]
        keys = chance.randint(1, 25)
        rows = [
            (_key(system, int(keys * chance.random() ** 2)), f"v{number}x{row}") for row in range(chance.randint(1, 40))
        ]
        rows = _at_most(rows, chance.randint(1, 4))
        mine = {key for key, _ in rows}
        after = tuple(each.name for each in ops if each.connection == system and mine & {key for key, _ in each.rows})
        ops.append(
            Op(
                name=f"op{number}",
                rows=rows,
                path=path,
                on_unknown="hold",
                after=after,
                connection=system,
                object=name,
                key=fields.key,
                options=(("program", "Spring Webinar"),) if path == "push" else (),
            )
        )
    systems = sorted({System(op.connection) for op in ops})
    return Scene(
        seed=seed,
        ops=tuple(ops),
        sizes={path: chance.randint(1, 12) for path in PATHS},
        concurrency=chance.randint(1, 6),
        faults=tuple(_fault(chance, chance.choice(systems)) for _ in range(chance.randint(0, 12))),
        deaths=tuple((chance.randint(2, 60), chance.random() < 0.5) for _ in range(chance.randint(0, 3))),
        signals=tuple(chance.uniform(0.5, 120) for _ in range(chance.choice((0, 0, 1, 2)))),
        latency=chance.choice((0.0, 0.05, 0.3, 2.0)),
        fields={op.name: PATHS[op.path][2] for op in ops},
    )


def _key(system: System, number: int) -> str:
    return f"p{number}@example.com" if system is System.MARKETO else f"K{number}"


def _at_most(rows: list[tuple[str, str]], waves: int) -> list[tuple[str, str]]:
    """Leave out occurrences of a key beyond `waves`, so that a scene stays small."""
    seen: dict[str, int] = {}
    kept = []
    for key, value in rows:
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= waves:
            kept.append((key, value))
    return kept


def _fault(chance: random.Random, system: System) -> FaultRule:
    action = chance.choice(
        (
            "apply_then_lose",
            "apply_then_lose",
            "lose_before_apply",
            "apply_late",
            "apply_late",
            "apply_first_k",
            "status",
            "vendor_error",
            "truncate_body",
            "garbage_body",
            "empty_body",
            "delay",
            "slow_job",
            "fail_job",
            "shuffle_results",
            "wrong_counts",
            "missing_failure_file",
            "lock_rows",
        )
    )
    rule = {
        "action": action,
        "system": str(system),
        "endpoint": chance.choice(PLACES[system]),
        "nth": chance.randint(1, 8),
        "count": chance.randint(1, 3),
    }
    if action == "shuffle_results":
        # Job results have no order. The results of a request have the request's, and nothing else tells them apart.
        rule["endpoint"] = "*/jobs/*"
    if action in {"apply_late", "delay", "slow_job"}:
        rule["seconds"] = chance.uniform(0.5, LATEST_SECONDS)
    if action == "apply_first_k":
        rule["first"] = chance.randint(0, 5)
    if action == "status":
        rule |= {"status": chance.choice((500, 502, 503, 504)), "when": chance.choice(("before", "after"))}
    if action == "vendor_error":
        rule |= {"code": chance.choice(CODES[system]), "when": "before"}
    return FaultRule.parse(rule)
